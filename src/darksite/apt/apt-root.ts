/** Folders and configuration for an apt that knows nothing of the machine it runs on. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubedosError, storageError } from '../../errors.ts';
import type { ToolAnswer } from '../../exec/run.ts';
import { lastLines } from '../each-host.ts';
import type { RunApt } from '../types.ts';
import type { HostArchitectures } from './architectures.ts';

const FOLDERS = [
  'etc/apt/apt.conf.d',
  'etc/apt/preferences.d',
  'etc/apt/sources.list.d',
  'etc/apt/trusted.gpg.d',
  'lists/partial',
  'cache/archives/partial',
  'dpkg',
];

export class AptRoot {
  readonly #runApt: RunApt;
  readonly #configFile: string;

  private constructor(runApt: RunApt, configFile: string) {
    this.#runApt = runApt;
    this.#configFile = configFile;
  }

  /**
   * Makes the root in `dir` (which must be empty or absent), with nothing installed and `sources` (deb822) as its only
   * source, and reads its indexes: signatures are checked as a client checks them.
   */
  static async make(
    runApt: RunApt,
    input: {
      readonly dir: string;
      readonly sources: string;
      readonly architectures: HostArchitectures;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<AptRoot> {
    const configFile = join(input.dir, 'apt.conf');
    try {
      for (const folder of FOLDERS) await mkdir(join(input.dir, folder), { recursive: true });
      await writeFile(join(input.dir, 'dpkg/status'), '');
      await writeFile(join(input.dir, 'etc/apt/sources.list.d/kubedos.sources'), input.sources);
      await writeFile(configFile, configuration(input.dir, input.architectures));
    } catch (error) {
      throw storageError(`make an apt root in ${input.dir}`, error);
    }
    const root = new AptRoot(runApt, configFile);
    const { status, stderr } = await root.run('apt-get', ['update', '-q'], input.signal);
    // apt-get update succeeds with warnings where an index could not be had: a check on half the indexes would mislead.
    if (status !== 0 || /^(?:E:|W: (?:Failed to fetch|Some index files failed))/m.test(stderr))
      throw new KubedosError('exec.failed', `read the indexes of the snapshot with apt-get: ${lastLines(stderr)}`, {
        hint: 'the same sources would fail on a host: check that the snapshot is served and its signature is good',
      });
    return root;
  }

  run(tool: 'apt-get' | 'apt-cache', args: readonly string[], signal?: AbortSignal | undefined): Promise<ToolAnswer> {
    return this.#runApt(tool, args, { configFile: this.#configFile, signal });
  }
}

/**
 * Read in the place of /etc/apt (APT_CONFIG comes first, and names no further files). Recommends are left out: what a
 * host's list does not name need not be there.
 */
function configuration(dir: string, { native, foreign }: HostArchitectures): string {
  const path = (...parts: string[]) => quote(join(dir, ...parts));
  return `Dir::Etc ${path('etc/apt')};
Dir::Etc::main ${path('etc/apt/apt.conf')};
Dir::Etc::parts ${path('etc/apt/apt.conf.d')};
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts ${path('etc/apt/sources.list.d')};
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts ${path('etc/apt/trusted.gpg.d')};
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts ${path('etc/apt/preferences.d')};
Dir::State ${path('dpkg')};
Dir::State::lists ${path('lists')};
Dir::State::status ${path('dpkg/status')};
Dir::State::extended_states ${path('dpkg/extended_states')};
Dir::Cache ${path('cache')};
APT::Architecture ${quote(native)};
#clear APT::Architectures;
APT::Architectures { ${[native, ...foreign].map((architecture) => `${quote(architecture)}; `).join('')}};
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Get::List-Cleanup "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb-src::Sources::DefaultEnabled "false";
Acquire::http::Proxy "DIRECT";
Acquire::https::Proxy "DIRECT";
Acquire::Retries "0";
Debug::NoLocking "true";
`;
}

/** apt.conf(5) has no escapes: the value must not hold a quote or a line end. */
function quote(value: string): string {
  if (/["\n]/.test(value))
    throw new KubedosError('usage.argument', `write apt.conf: ${JSON.stringify(value)} holds a quote`);
  return `"${value}"`;
}
