/** What changes on a medium: files put in or put in place of others, and whole trees. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError } from '../../errors.ts';
import { digestFile } from '../file-digest.ts';

export class Overlay {
  readonly #folder: string;
  readonly #there: ReadonlySet<string>;
  readonly #files = new Map<string, string>();
  readonly #trees = new Map<string, string>();
  #written = 0;

  /** `folder`: where what is written lies until then; `there`: the files of the medium. */
  constructor(folder: string, there: ReadonlySet<string>) {
    this.#folder = folder;
    this.#there = there;
  }

  /** `bake.failed` where the medium has it, or something else brought it. */
  async add(path: string, content: Uint8Array | string): Promise<void> {
    this.#refuse(path);
    await this.replace(path, content);
  }

  async replace(path: string, content: Uint8Array | string): Promise<void> {
    const file = join(this.#folder, String(this.#written++));
    await mkdir(this.#folder, { recursive: true });
    await writeFile(file, content);
    this.#files.set(path, file);
  }

  replaceByFile(path: string, file: string): void {
    this.#files.set(path, file);
  }

  /** A folder with all that is in it. */
  addTree(path: string, folder: string): void {
    this.#refuse(path);
    this.#trees.set(path, folder);
  }

  /** Of each file, below a name that is on the medium: path there, file here. */
  async *all(): AsyncGenerator<readonly [path: string, file: string]> {
    yield* this.#files;
    for (const [path, folder] of this.#trees)
      for (const entry of (await readdir(folder, { recursive: true, withFileTypes: true })).sort(byPlace))
        if (entry.isFile()) {
          const file = join(entry.parentPath, entry.name);
          yield [`${path}${file.slice(folder.length)}`, file];
        }
  }

  /** Path on the medium → digest of each file that is new or changed. */
  async digests(algorithm: 'md5' | 'sha256', signal?: AbortSignal): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for await (const [path, file] of this.all()) {
      found.set(path, (await digestFile(algorithm, file, { signal })).digest);
    }
    return found;
  }

  /** xorriso's commands. Owner, mode and time are the same wherever it is done. */
  commands(epoch: number): string[] {
    const time = `=${epoch}`;
    const [files, trees] = [[...this.#files.keys()], [...this.#trees.keys()]];
    const parents = [...new Set([...files, ...trees].flatMap(parentsOf))].sort();
    const fresh = parents.filter((parent) => !this.#hasFolder(parent));
    const on = (command: readonly string[], paths: readonly string[]): string[] =>
      paths.length === 0 ? [] : [...command, ...paths, '--'];
    const within = (path: string, ...action: readonly string[]): string[] => ['-find', path, ...action, '--'];
    return [
      ...['-iso_rr_pattern', 'off', '-overwrite', 'on'],
      ...[...this.#files, ...this.#trees].flatMap(([path, from]) => ['-map', from, path]),
      ...on(['-chown', '0'], [...files, ...fresh]),
      ...on(['-chgrp', '0'], [...files, ...fresh]),
      ...on(['-chmod', '0444'], files),
      ...on(['-chmod', '0555'], fresh),
      ...trees.flatMap((tree) => [
        ...within(tree, '-exec', 'chown', '0'),
        ...within(tree, '-exec', 'chgrp', '0'),
        ...within(tree, '-type', 'f', '-exec', 'chmod', '0444'),
        ...within(tree, '-type', 'd', '-exec', 'chmod', '0555'),
        ...within(tree, '-exec', 'alter_date', 'm', time),
      ]),
      ...on(['-alter_date', 'm', time], [...files, ...parents]),
    ];
  }

  #refuse(path: string): void {
    if (this.#files.has(path) || this.#trees.has(path))
      throw new KubedosError('bake.failed', `put ${path} on the medium: it was put there already`);
    if (this.#there.has(path) || this.#hasFolder(path))
      throw new KubedosError('bake.failed', `put ${path} on the medium: the vendor's own lies there`, {
        hint: 'give the payload another place by `at:`',
      });
  }

  #hasFolder(path: string): boolean {
    if (path === '/') return true;
    for (const file of this.#there) if (file.startsWith(`${path}/`)) return true;
    return false;
  }
}

const byPlace = (a: { parentPath: string; name: string }, b: { parentPath: string; name: string }): number =>
  join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1;

/** `/a/b/c` → `/`, `/a`, `/a/b`. */
function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return ['/', ...parts.map((_, n) => `/${parts.slice(0, n + 1).join('/')}`)];
}
