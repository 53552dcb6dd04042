/** `darksite check`: would these hosts resolve against a snapshot? Asked of real apt, before anything is carried anywhere. */
import { join } from 'node:path';
import type { ListedPackage } from '../../formats/apt/package-list.ts';
import type { Run } from '../../progress.ts';
import { byName, checkEach } from '../each-host.ts';
import type { DarksiteReport, HostList, HostResult, MissingVersion, RunApt } from '../types.ts';
import { AptRoot } from './apt-root.ts';
import { architecturesOf, type HostArchitectures } from './architectures.ts';
import { Availability, aptName } from './availability.ts';
import { simulateInstall } from './simulate.ts';

export interface CheckInput {
  readonly hosts: readonly HostList[];
  /** deb822 sources of the snapshot, with the keys embedded, as a host would have them: every mirror it uses. */
  readonly sources: string;
  /** For lists that name no architecture. */
  readonly architecture: string;
  /** Where the apt roots are made; the caller removes it. */
  readonly dir: string;
}

/**
 * For each host: which of its packages and demanded versions are not there, and whether apt would install what is
 * there, together, on a machine with nothing installed. Hosts of the same architectures share one apt root.
 */
export async function checkHosts(runApt: RunApt, input: CheckInput, run: Run = {}): Promise<DarksiteReport> {
  const roots = new Map<string, Promise<AptRoot>>();
  return checkEach(input.hosts, run, async (host) => {
    const architectures = architecturesOf(host, input.architecture);
    const key = [architectures.native, ...architectures.foreign].join('-');
    const root =
      roots.get(key) ??
      AptRoot.make(runApt, {
        dir: join(input.dir, `apt-${roots.size}`),
        sources: input.sources,
        architectures,
        signal: run.signal,
      });
    roots.set(key, root);
    return checkHost(await root, host, architectures, run);
  });
}

async function checkHost(
  root: AptRoot,
  host: HostList,
  architectures: HostArchitectures,
  { signal }: Run,
): Promise<HostResult> {
  const { native } = architectures;
  const names = host.packages.map((listed) => aptName(listed, native));
  const available = await Availability.read(root, names, signal);
  const missing = new Set<string>();
  const missingVersions: MissingVersion[] = [];
  const otherVersions: MissingVersion[] = [];
  const wanted = new Set<string>();
  for (const listed of host.packages) {
    const name = aptName(listed, native);
    const here = available.versions(listed.name, listed.architecture ?? native);
    const { version } = listed;
    if (here.length === 0) missing.add(name);
    else if (version === undefined || here.includes(version)) wanted.add(argument(listed, name));
    else if (listed.exact) missingVersions.push({ name, wanted: version, here });
    else {
      otherVersions.push({ name, wanted: version, here });
      wanted.add(name);
    }
  }
  const { installs, problems } = await simulateInstall(root, [...wanted].sort(), signal);
  return {
    host: host.name,
    architecture: native,
    resolves: missing.size === 0 && missingVersions.length === 0 && installs !== null,
    listed: host.packages.length,
    installs,
    missing: [...missing].sort(),
    missingVersions: missingVersions.sort(byName),
    otherVersions: otherVersions.sort(byName),
    problems,
  };
}

function argument({ exact, version }: ListedPackage, name: string): string {
  return exact && version !== undefined ? `${name}=${version}` : name;
}
