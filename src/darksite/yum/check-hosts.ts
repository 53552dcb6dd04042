/** `darksite check` of rpm hosts: asked of real dnf, before anything is carried anywhere. */
import { join } from 'node:path';
import { KubedosError } from '../../errors.ts';
import { type ListedRpm, type RpmReading, readingsOf } from '../../formats/rpm/package-list.ts';
import { compareEvr, parseEvr } from '../../formats/rpm/version.ts';
import type { Run } from '../../progress.ts';
import { byName, checkEach, lastLines } from '../each-host.ts';
import type { DarksiteReport, HostResult, MissingVersion, RunDnf } from '../types.ts';
import { DnfRoot } from './dnf-root.ts';

/** A host by what it has installed, or should have. */
export interface RpmHostList {
  /** For people: a host or file name. */
  readonly name: string;
  readonly packages: readonly ListedRpm[];
}

export interface RpmCheckInput {
  readonly hosts: readonly RpmHostList[];
  /** `.repo` text of the snapshot: every mirror that a host uses. */
  readonly sources: string;
  /** For lists that name no architecture. */
  readonly architecture: string;
  readonly platform?: string | undefined;
  /** Where the dnf roots are made; the caller removes it. */
  readonly dir: string;
}

/** As of apt: see checkHosts there. Hosts of the same architecture share one dnf root. */
export async function checkRpmHosts(runDnf: RunDnf, input: RpmCheckInput, run: Run = {}): Promise<DarksiteReport> {
  const { sources, platform, dir } = input;
  const roots = new Map<string, Promise<KnownRoot>>();
  return checkEach(input.hosts, run, async (host) => {
    const architecture = architectureOf(host) ?? input.architecture;
    const at = { dir: join(dir, `dnf-${architecture}`), sources, architecture, platform, signal: run.signal };
    const root = roots.get(architecture) ?? openRoot(runDnf, at);
    roots.set(architecture, root);
    return checkHost(await root, host, architecture, run);
  });
}

interface KnownRoot {
  readonly root: DnfRoot;
  /** name → architecture → versions, newest first. */
  readonly available: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
}

async function openRoot(runDnf: RunDnf, input: Parameters<typeof DnfRoot.make>[1]): Promise<KnownRoot> {
  const root = await DnfRoot.make(runDnf, input);
  const asked = ['repoquery', '--cacheonly', '--quiet', '--qf', '%{name} %{arch} %{evr}', '*'];
  const { status, stdout, stderr } = await root.run(asked, input.signal);
  if (status !== 0) throw new KubedosError('exec.failed', `list packages with dnf: ${lastLines(stderr)}`);
  const available = new Map<string, Map<string, string[]>>();
  for (const line of stdout.split('\n')) {
    const [name, arch, evr] = line.trim().split(' ');
    if (name === undefined || arch === undefined || evr === undefined) continue;
    const own = available.get(name) ?? new Map<string, string[]>();
    available.set(name, own);
    own.set(arch, [...(own.get(arch) ?? []), evr]);
  }
  const newestFirst = (a: string, b: string): number => compareEvr(parseEvr(b), parseEvr(a));
  for (const own of available.values()) for (const versions of own.values()) versions.sort(newestFirst);
  return { root, available };
}

/** That which most of its lines name; noarch says nothing, and 32-bit packages are guests. */
function architectureOf({ packages }: RpmHostList): string | undefined {
  const counts = new Map<string, number>();
  for (const { text } of packages) {
    const arch = /\.(x86_64|aarch64|ppc64le|s390x|riscv64|armv7hl|i[3-6]86)$/.exec(text)?.[1];
    if (arch !== undefined) counts.set(arch, (counts.get(arch) ?? 0) + 1);
  }
  const is32 = (arch: string): number => Number(/^i\d86$/.test(arch));
  return [...counts].sort(([a, x], [b, y]) => is32(a) - is32(b) || y - x || (a < b ? -1 : 1))[0]?.[0];
}

async function checkHost(
  { root, available }: KnownRoot,
  host: RpmHostList,
  architecture: string,
  { signal }: Run,
): Promise<HostResult> {
  const missing = new Set<string>();
  const missingVersions: MissingVersion[] = [];
  const otherVersions: MissingVersion[] = [];
  const wanted = new Set<string>();
  for (const { text, exact } of host.packages) {
    const reading = readingsOf(text).find(({ name }) => available.has(name));
    const found = reading && versionsOf(available, reading, architecture);
    if (reading === undefined || found === undefined) {
      missing.add(text);
      continue;
    }
    const { name, evr } = reading;
    const { arch, versions } = found;
    const same = evr === undefined ? undefined : versions.find((each) => isSame(each, evr));
    const label = `${name}.${arch}`;
    if (evr === undefined || same !== undefined) wanted.add(same === undefined ? label : `${name}-${same}.${arch}`);
    else if (exact) missingVersions.push({ name: label, wanted: evr, here: versions });
    else {
      otherVersions.push({ name: label, wanted: evr, here: versions });
      wanted.add(label);
    }
  }
  const { installs, problems } = await resolve(root, [...wanted].sort(), signal);
  return {
    host: host.name,
    architecture,
    resolves: missing.size === 0 && missingVersions.length === 0 && installs !== null,
    listed: host.packages.length,
    installs,
    missing: [...missing].sort(),
    missingVersions: missingVersions.sort(byName),
    otherVersions: otherVersions.sort(byName),
    problems,
  };
}

/** Of the architecture that the line names, or else of the host's own or none in particular. */
function versionsOf(
  available: KnownRoot['available'],
  { name, arch }: RpmReading,
  own: string,
): { readonly arch: string; readonly versions: readonly string[] } | undefined {
  const there = available.get(name);
  for (const each of arch === undefined ? [own, 'noarch'] : [arch]) {
    const versions = there?.get(each);
    if (versions !== undefined) return { arch: each, versions };
  }
  return undefined;
}

/** `rpm -qa` leaves the epoch out. */
function isSame(there: string, wanted: string): boolean {
  return there === wanted || (!wanted.includes(':') && there.replace(/^\d+:/, '') === wanted);
}

/** Lets dnf resolve these together, from nothing, without doing it. */
async function resolve(
  root: DnfRoot,
  wanted: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Pick<HostResult, 'installs' | 'problems'>> {
  if (wanted.length === 0) return { installs: 0, problems: [] };
  const { stdout, stderr } = await root.run(['install', '--cacheonly', '--assumeno', ...wanted], signal);
  const [, count] = /^Install +(\d+) Packages?/m.exec(stdout) ?? [];
  if (count !== undefined) return { installs: Number(count), problems: [] };
  const problems = stderr.split('\n').flatMap((line) => {
    const text = line.replace(/^ *(?:Problem(?: \d+)?:|-) */, '').trim();
    return text === '' || /^(?:Error:|\(try to add)/.test(text) ? [] : [text];
  });
  return { installs: null, problems: problems.length > 0 ? problems : [lastLines(stderr || stdout)] };
}
