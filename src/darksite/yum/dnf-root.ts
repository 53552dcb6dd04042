/** Folders and configuration for a dnf that knows nothing of the machine it runs on. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError, storageError } from '../../errors.ts';
import type { ToolAnswer } from '../../exec/run.ts';
import { lastLines } from '../each-host.ts';
import type { RunDnf } from '../types.ts';

export interface DnfRootInput {
  /** Empty or absent. */
  readonly dir: string;
  /** `.repo` text: the only repositories. */
  readonly sources: string;
  /** `x86_64` */
  readonly architecture: string;
  /** `platform:el9`, which modules ask for; none where it is left out. */
  readonly platform?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class DnfRoot {
  readonly #runDnf: RunDnf;
  readonly #own: readonly string[];

  private constructor(runDnf: RunDnf, own: readonly string[]) {
    this.#runDnf = runDnf;
    this.#own = own;
  }

  /** With nothing installed; the metadata is read, and its signatures are checked as a client checks them. */
  static async make(runDnf: RunDnf, { dir, sources, architecture, platform, signal }: DnfRootInput): Promise<DnfRoot> {
    const configFile = join(dir, 'dnf.conf');
    try {
      for (const folder of ['repos', 'root']) await mkdir(join(dir, folder), { recursive: true });
      await writeFile(join(dir, 'repos/kubedos.repo'), sources);
      await writeFile(configFile, configuration(dir, platform));
    } catch (error) {
      throw storageError(`make a dnf root in ${dir}`, error);
    }
    const at = ['-c', configFile, '--installroot', join(dir, 'root'), '--releasever', '1', '--forcearch', architecture];
    const root = new DnfRoot(runDnf, at);
    const { status, stderr } = await root.run(['makecache', '--assumeyes', '--quiet'], signal);
    if (status !== 0)
      throw new KubedosError('exec.failed', `read the metadata of the snapshot with dnf: ${lastLines(stderr)}`, {
        hint: 'the same repositories would fail on a host: check that the snapshot is served and its signature is good',
      });
    return root;
  }

  run(args: readonly string[], signal?: AbortSignal | undefined): Promise<ToolAnswer> {
    return this.#runDnf([...this.#own, ...args], { signal });
  }
}

/** Weak dependencies are left out: what a host's list does not name need not be there. */
function configuration(dir: string, platform: string | undefined): string {
  if (/[\n\r]/.test(dir + (platform ?? '')))
    throw new KubedosError('usage.argument', `write dnf.conf: ${JSON.stringify(dir)} has a line end`);
  const path = (name: string): string => join(dir, name);
  return `[main]
reposdir=${path('repos')}
cachedir=${path('cache')}
system_cachedir=${path('cache')}
persistdir=${path('persist')}
logdir=${path('log')}
varsdir=${path('vars')}
pluginconfpath=${path('plugins')}
plugins=0
install_weak_deps=0
best=0
retries=1
timeout=30
proxy=
${platform === undefined ? '' : `module_platform_id=${platform}\n`}`;
}
