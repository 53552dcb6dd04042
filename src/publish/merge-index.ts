/** The next index of a local repository: the one before with packages added and removed, streamed. */

import { KubedosError } from '../errors.ts';
import { parseStanzasOf, Stanza } from '../formats/apt/deb822.ts';
import { PackageEntry, packageEntry } from '../formats/apt/packages.ts';
import { compareVersions } from '../formats/apt/version.ts';
import { asBuffer, type ByteSource } from '../formats/byte-source.ts';
import { comparePaths } from '../formats/path.ts';
import { BLANK_LINE, compareNames, type NameAt, nameFrom, nameOf } from './stanza-names.ts';

/** Read ahead of each search; small chunks are gathered to this. */
const MIN_BLOCK_BYTES = 256 * 1024;

/** A package on its way in. */
export interface Addition {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly component: string;
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** As it goes into Packages. */
  readonly stanza: Buffer;
}

/** What is left out holds for all. */
export interface Removal {
  readonly name: string;
  readonly version?: string | undefined;
  readonly architecture?: string | undefined;
}

export interface IndexChange {
  readonly component: string;
  /** By name. Those of other components are not added, but have their say about what stays. */
  readonly additions: ReadonlyMap<string, readonly Addition[]>;
  readonly removals: ReadonlyMap<string, readonly Removal[]>;
  /** Packages of same identity or path with other bytes give way. */
  readonly force: boolean;
  /** Each package that stood in the index before and no longer does. */
  readonly onRemoved: (entry: PackageEntry) => void;
  /** Each addition that stood there already, with the same bytes. */
  readonly onUnchanged: (addition: Addition) => void;
  readonly origin: string;
}

/**
 * `previous` is the text of an index, in chunks of any size; what is given are chunks as `IndexInput.stanzas` gives
 * them, with all that the change does not touch as it was, in large runs. Both are sorted by the bytes of Package, then
 * by version. Throws `repo.conflict`.
 */
export async function* mergeIndex(previous: ByteSource, change: IndexChange): AsyncGenerator<Buffer> {
  const touched = [...new Set([...change.additions.keys(), ...change.removals.keys()])].sort(comparePaths);
  let next = 0;
  let target = targetAt(touched, next);
  let group: Stanza[] = [];
  for await (const block of wholeStanzas(previous)) {
    let run = 0;
    for (let at = 0; at < block.length; ) {
      const end = block.indexOf(BLANK_LINE, at) + BLANK_LINE.length;
      const name = target && nameOf(block, at, end, change.origin);
      // What is untouched is looked at no closer.
      if (target === undefined || name === undefined) break;
      const order = compareNames(name, target);
      if (order >= 0) {
        if (at > run) yield block.subarray(run, at - 1);
        run = at;
        if (order === 0) {
          group.push(...parseStanzasOf(Buffer.from(block.subarray(at, end)), change.origin));
          run = end;
        } else {
          yield* settle(touched[next] as string, group, change);
          group = [];
          next += 1;
          target = targetAt(touched, next);
          continue;
        }
      }
      at = end;
    }
    if (run < block.length) yield block.subarray(run, -1);
  }
  for (; next < touched.length; next++) {
    yield* settle(touched[next] as string, group, change);
    group = [];
  }
}

function targetAt(touched: readonly string[], index: number): NameAt | undefined {
  const name = touched[index];
  return name === undefined ? undefined : nameFrom(name);
}

/** Blocks that begin and end with a stanza, each stanza with its blank line. */
async function* wholeStanzas(source: ByteSource): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of source) {
    rest.push(asBuffer(chunk));
    restBytes += chunk.length;
    if (restBytes < MIN_BLOCK_BYTES) continue;
    const block = Buffer.concat(rest);
    const end = block.lastIndexOf(BLANK_LINE) + BLANK_LINE.length;
    const whole = end >= BLANK_LINE.length;
    if (whole) yield block.subarray(0, end);
    rest = [whole ? block.subarray(end) : block];
    restBytes = rest[0]?.length ?? 0;
  }
  if (restBytes > 0) yield Buffer.concat(rest);
}

/** All stanzas of one name that take part in the change. */
function settle(name: string, before: readonly Stanza[], change: IndexChange): Buffer[] {
  let kept: (PackageEntry | Addition)[] = [];
  for (const stanza of before) {
    const entry = packageEntry(stanza, change.origin);
    if (change.removals.get(name)?.some((removal) => matches(removal, entry))) change.onRemoved(entry);
    else kept.push(entry);
  }
  for (const addition of change.additions.get(name) ?? []) {
    const own = addition.component === change.component;
    const rivals = kept.filter((other) => sameIdentity(addition, other) || addition.path === other.path);
    const others = rivals.filter(({ sha256 }) => sha256 !== addition.sha256);
    if (others[0] !== undefined && !change.force) throw conflict(addition, others[0]);
    for (const other of others) if (other instanceof PackageEntry) change.onRemoved(other);
    kept = kept.filter((other) => !others.includes(other));
    if (own && others.length < rivals.length) change.onUnchanged(addition);
    else if (own) kept.push(addition);
  }
  return kept.sort(byVersion).map(({ stanza }) => (stanza instanceof Stanza ? stanza.raw : stanza));
}

function matches({ version, architecture }: Removal, entry: PackageEntry): boolean {
  return (
    (version === undefined || compareVersions(version, entry.version) === 0) &&
    (architecture === undefined || architecture === entry.architecture)
  );
}

type Identity = Pick<Addition, 'name' | 'version' | 'architecture' | 'sha256' | 'path'>;

/** What apt takes for the same: `1.0` and `0:1.0-0` are. */
export function sameIdentity(
  a: Pick<Identity, 'name' | 'version' | 'architecture'>,
  b: Pick<Identity, 'name' | 'version' | 'architecture'>,
): boolean {
  return a.name === b.name && a.architecture === b.architecture && compareVersions(a.version, b.version) === 0;
}

export function conflict(
  wanted: Identity,
  there: { readonly version: string; readonly path: string; readonly sha256?: string | undefined },
): KubedosError {
  const what = `${wanted.name} ${wanted.version} ${wanted.architecture}`;
  const which = there.version === wanted.version ? 'it' : `version ${there.version}, with the same file name,`;
  return new KubedosError(
    'repo.conflict',
    `add ${what}: ${which} is there already with other bytes: expected ${there.sha256 ?? '(unknown)'}, got ${wanted.sha256}`,
    {
      hint: 'give the package a new version; or force it, and clients that have the old one will not notice the change',
      details: { ...identityOf(wanted), there: { sha256: there.sha256, path: there.path } },
    },
  );
}

function identityOf({ name, version, architecture, sha256, path }: Identity): Identity {
  return { name, version, architecture, sha256, path };
}

function byVersion(a: PackageEntry | Addition, b: PackageEntry | Addition): number {
  return (
    compareVersions(a.version, b.version) ||
    comparePaths(a.architecture, b.architecture) ||
    comparePaths(a.sha256 ?? '', b.sha256 ?? '') ||
    comparePaths(a.path, b.path)
  );
}
