/** dnf in a root of its own: nothing of the host's configuration, cache or keys is used. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tool } from './real-debian.ts';

/** The folder of its `.repo` files is `repos`, its root `root`, below `dir`. */
export class DnfRoot {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** `repo`: the text of a `.repo` file. */
  async configure(repo: string): Promise<void> {
    await mkdir(join(this.dir, 'repos'), { recursive: true });
    await mkdir(join(this.dir, 'root'), { recursive: true });
    await writeFile(join(this.dir, 'repos', 'test.repo'), repo);
    const settings = [
      'reposdir=repos',
      'cachedir=cache',
      'persistdir=persist',
      'logdir=log',
      'system_cachedir=cache',
      'pluginconfpath=none',
    ].map((line) => line.replace('=', `=${this.dir}/`));
    // Without a platform, modules of no distribution in particular resolve.
    await writeFile(
      join(this.dir, 'dnf.conf'),
      ['[main]', ...settings, 'plugins=0', 'module_platform_id=platform:ex9', 'timeout=20', 'retries=1', ''].join('\n'),
    );
  }

  /** The words of a command line, for a script. */
  argv(...args: readonly string[]): string[] {
    const own = ['-c', join(this.dir, 'dnf.conf'), '--installroot', join(this.dir, 'root'), '--releasever', '9'];
    return ['dnf', '--assumeyes', ...own, '--forcearch', 'x86_64', ...args];
  }

  /** Its standard output; throws with all that it said where it fails. */
  run(...args: readonly string[]): Promise<string> {
    return tool(...this.argv(...args));
  }
}
