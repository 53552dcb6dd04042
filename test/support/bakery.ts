/** A store that was only ever filled from a bundle, and what `kubedos bake` makes in it. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { artifactFile, type BakeReport, bakeIn } from './baking.ts';
import { connectedStore, kubedos, tool } from './real-debian.ts';

export class Bakery {
  /** For recipes and media. */
  readonly dir: string;
  readonly data: string;

  constructor(dir: string, data: string) {
    this.dir = dir;
    this.data = data;
  }

  /** Stores of these names in the folder, each a dark side of this machine's own Debian. */
  static async dark(dir: string, ...names: readonly string[]): Promise<Bakery[]> {
    const connected = await connectedStore();
    const media = join(dir, 'media');
    await mkdir(media);
    await kubedos(connected, 'bundle', 'export', '--channel', 'stable', '--to', media, '--quiet');
    const rootKey = (await kubedos(connected, 'key', 'root')).trim();
    const made = names.map((name) => new Bakery(dir, join(dir, name)));
    for (const { data } of made) {
      await kubedos(data, 'init', '--trust', rootKey);
      await kubedos(data, 'bundle', 'import', media, '--quiet');
    }
    await rm(media, { recursive: true });
    return made;
  }

  /** The layers of `base` and `node` as another store has built them of the same snapshot. */
  async warm(): Promise<void> {
    const connected = await connectedStore();
    await kubedos(connected, 'bake', 'node', '--quiet');
    await kubedos(connected, 'mirror', 'remove', 'image-node', '--yes');
    await mkdir(join(this.data, 'cache'), { recursive: true });
    await tool('cp', '-a', join(connected, 'cache', 'layers'), join(this.data, 'cache'));
  }

  bake(recipe: string, ...options: string[]): Promise<BakeReport> {
    return bakeIn(this.data, recipe, ...options);
  }

  artifact(report: BakeReport, ending: string): Promise<string> {
    return artifactFile(report, ending, this);
  }

  async recipe(name: string, more: object): Promise<string> {
    const file = join(this.dir, `${name}.yaml`);
    await writeFile(file, stringify({ name, extends: 'base', ...more }));
    return file;
  }

  /** Mounts and loops that a killed or failed build could leave. */
  async leftOvers(): Promise<string[]> {
    const ours = (line: string): boolean => line.includes(this.data);
    const mounts = (await readFile('/proc/self/mounts', 'utf8'))
      .split('\n')
      .filter((line) => / \S*\/tmp\/bake-/.test(line));
    const loops = (await tool('losetup', '--list', '--noheadings', '--output', 'BACK-FILE')).split('\n');
    return [...mounts.filter(ours), ...loops.filter(ours)];
  }

  /** Folders of builds that are under way, or were killed. */
  async builds(): Promise<string[]> {
    return (await readdir(join(this.data, 'tmp'))).filter((name) => name.startsWith('bake-'));
  }
}
