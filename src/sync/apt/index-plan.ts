/** Which of the files that a Release lists belong to a mirror: pure, from the Release and the spec. */

import { KubedosError } from '../../errors.ts';
import type { Checksums } from '../../formats/apt/digest.ts';
import type { Release } from '../../formats/apt/release.ts';
import { type AptUpstream, isFlatSuite } from '../../spec/apt-spec.ts';
import { folderOf, suiteFolder } from './archive-layout.ts';

export type IndexKind = 'packages' | 'udebs' | 'sources' | 'translation' | 'installer' | 'other';

/** One file of an index in one compression. */
export interface IndexFile {
  /** From the root of the archive. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** What it may expand to at most. */
  readonly expandedBytes: number;
  /** Its by-hash paths, for every algorithm that the Release lists; empty without Acquire-By-Hash. */
  readonly byHash: readonly string[];
}

/** An index in the forms that are wanted. */
export interface WantedIndex {
  readonly kind: IndexKind;
  /** From the root of the archive, without the ending of a compression. */
  readonly name: string;
  /** True: one form at least must be there. False: listed is not present. */
  readonly required: boolean;
  readonly forms: readonly IndexFile[];
}

export interface PlanInput {
  readonly release: Release;
  readonly suite: string;
  readonly upstream: AptUpstream;
  /** For messages. */
  readonly origin: string;
}

const ENDINGS = ['.xz', '.zst', '.gz', '.bz2', '.lzma', '.lz4', ''] as const;
/**
 * The forms that are mirrored where they are listed. apt takes the first listed form in its order (xz or zst, then gz by
 * default), so leaving one of these out would break a client, while bz2, lzma and the uncompressed file (most often
 * listed and not served) are of use only where there is nothing else.
 */
const KEPT_ENDINGS: readonly string[] = ['.xz', '.zst', '.gz'];

/**
 * The indexes of the spec's components and architectures. `sync.incomplete` where the Release lists no Packages for one
 * of them, `trust.weak-digest` where it has no SHA-256 for a file that is wanted.
 */
export function planIndexes(input: PlanInput): WantedIndex[] {
  const { release, suite, upstream } = input;
  const found = new Map<string, WantedIndex>();
  const names = groupByName(release);
  const add = (kind: IndexKind, name: string, required = false): boolean => {
    const paths = names.get(name);
    if (paths === undefined) return false;
    const plain = release.files.get(name)?.sizeBytes;
    const forms = keptForms(paths).map((path) => indexFile(input, path, plain));
    found.set(name, { kind, name: `${suiteFolder(suite)}${name}`, required, forms });
    return true;
  };
  const require = (kind: IndexKind, name: string): void => {
    if (!add(kind, name, true)) throw unlisted(input, name);
  };
  if (isFlatSuite(suite)) {
    require('packages', 'Packages');
    if (upstream.include.sources) require('sources', 'Sources');
    return [...found.values()];
  }
  const { architectures, include } = upstream;
  const separateAll = release.architectures.includes('all') && !release.noSupportForArchitectureAll;
  const withAll = [...architectures, 'all'];
  for (const component of upstream.components) {
    for (const architecture of architectures) require('packages', `${component}/binary-${architecture}/Packages`);
    if (separateAll) add('packages', `${component}/binary-all/Packages`, true);
    if (include.udebs)
      for (const architecture of withAll)
        add('udebs', `${component}/debian-installer/binary-${architecture}/Packages`, true);
    if (include.sources) require('sources', `${component}/source/Sources`);
    for (const language of include.translations) add('translation', `${component}/i18n/Translation-${language}`);
    if (include.contents) {
      const kinds = [...withAll, ...(include.sources ? ['source'] : [])];
      for (const kind of kinds) add('other', `${component}/Contents-${kind}`);
      if (include.udebs) for (const architecture of withAll) add('other', `${component}/Contents-udeb-${architecture}`);
    }
    if (include.cnf) for (const architecture of withAll) add('other', `${component}/cnf/Commands-${architecture}`);
    if (include.dep11)
      for (const name of names.keys()) if (isWantedDep11(name, component, architectures)) add('other', name);
    if (include.installer)
      for (const architecture of architectures)
        for (const folder of ['images', 'legacy-images'])
          add('installer', `${component}/installer-${architecture}/current/${folder}/SHA256SUMS`);
  }
  // Ubuntu keeps one Contents for all components.
  if (include.contents) for (const architecture of withAll) add('other', `Contents-${architecture}`);
  return [...found.values()];
}

/** Name without ending → the listed paths. */
function groupByName(release: Release): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const path of release.files.keys()) {
    const ending = ENDINGS.find((each) => path.endsWith(each)) ?? '';
    const name = path.slice(0, path.length - ending.length);
    const paths = names.get(name);
    if (paths) paths.push(path);
    else names.set(name, [path]);
  }
  return names;
}

function keptForms(paths: readonly string[]): readonly string[] {
  const kept = paths.filter((path) => KEPT_ENDINGS.some((ending) => path.endsWith(ending)));
  return kept.length > 0 ? kept : paths;
}

/** Icons, and what is of a wanted architecture. */
function isWantedDep11(name: string, component: string, architectures: readonly string[]): boolean {
  if (!name.startsWith(`${component}/dep11/`)) return false;
  const of = /\/(?:Components|CID-Index)-([^/.]+)\.(?:yml|json)$/.exec(name)?.[1];
  return of === undefined || architectures.includes(of);
}

const BY_HASH = [
  ['MD5Sum', 'md5'],
  ['SHA1', 'sha1'],
  ['SHA256', 'sha256'],
  ['SHA512', 'sha512'],
] as const;

/** Where the Release does not list the uncompressed file, an index is expected to expand at most so many times. */
const MAX_EXPANSION = 100;
const MIN_EXPANDED_BYTES = 64 * 1024 * 1024;

function indexFile({ release, suite, origin }: PlanInput, path: string, plainBytes: number | undefined): IndexFile {
  const sums = release.files.get(path) as Checksums;
  if (sums.sha256 === undefined)
    throw new KubedosError('trust.weak-digest', `${origin}: ${path} has no SHA-256 checksum`, {
      hint: 'apt refuses such a repository too; ask its owner for SHA256 in the Release',
    });
  const full = `${suiteFolder(suite)}${path}`;
  const folder = folderOf(full);
  const byHash = BY_HASH.flatMap(([name, algorithm]) =>
    sums[algorithm] === undefined ? [] : [`${folder}by-hash/${name}/${sums[algorithm]}`],
  );
  return {
    path: full,
    sizeBytes: sums.sizeBytes,
    sha256: sums.sha256,
    expandedBytes: plainBytes ?? Math.max(MIN_EXPANDED_BYTES, sums.sizeBytes * MAX_EXPANSION),
    byHash: release.acquireByHash ? byHash : [],
  };
}

function unlisted({ release, origin }: PlanInput, name: string): KubedosError {
  const has = `components ${release.components.join(' ') || 'none'}, architectures ${release.architectures.join(' ') || 'none'}`;
  return new KubedosError('sync.incomplete', `${origin}: the Release lists no ${name}; it has ${has}`, {
    hint: 'correct components: and architectures: in the spec',
  });
}
