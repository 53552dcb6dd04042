/** zypper in a root of its own: nothing of the host's configuration, cache or keys is used. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tool } from './real-debian.ts';

export class ZypperRoot {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** `repo`: the text of a `.repo` file; zypper knows it by the same keys as dnf. */
  async configure(repo: string): Promise<void> {
    for (const folder of ['etc/zypp/repos.d', 'var/lib/rpm']) await mkdir(join(this.dir, folder), { recursive: true });
    await writeFile(join(this.dir, 'etc/zypp/repos.d/test.repo'), repo);
    await writeFile(join(this.dir, 'etc/zypp/zypp.conf'), '[main]\narch = x86_64\n');
  }

  /** Its standard output; throws with all that it said where it fails. */
  run(...args: readonly string[]): Promise<string> {
    return tool('zypper', '--root', this.dir, '--non-interactive', '--gpg-auto-import-keys', ...args);
  }
}
