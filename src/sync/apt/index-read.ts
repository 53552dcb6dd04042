/** Reads indexes out of the store, as streams. */
import { KubedosError } from '../../errors.ts';
import { parseStanzas, type Stanza } from '../../formats/apt/deb822.ts';
import { type PackageEntry, packageEntry } from '../../formats/apt/packages.ts';
import { sourceEntry } from '../../formats/apt/sources.ts';
import { compressionOf, decompress } from '../../formats/compression.ts';
import type { ManifestEntry, ObjectStore } from '../../store/types.ts';
import { quickestForm } from './index-fetch.ts';
import type { IndexFile, WantedIndex } from './index-plan.ts';

/** Where nothing tells to what an index expands: Packages of Debian main have 50 MB, of a synthetic million 1 GB. */
const MAX_INDEX_BYTES = 8 * 1024 ** 3;

export type StoredIndex = Pick<IndexFile, 'path' | 'sha256'> & Partial<Pick<IndexFile, 'expandedBytes'>>;

/** The expanded bytes of an index that lies in the store; `format.limit` beyond what it may expand to. */
export async function* storedIndex(
  objects: ObjectStore,
  file: StoredIndex,
  origin = file.path,
): AsyncGenerator<Uint8Array> {
  const bytes = await objects.open(file.sha256);
  if (bytes === undefined)
    throw new KubedosError('store.not-found', `read ${origin}: its object ${file.sha256} is not in the store`);
  const maxBytes = file.expandedBytes ?? MAX_INDEX_BYTES;
  yield* decompress(bytes, compressionOf(file.path), { origin, maxBytes });
}

/** The stanzas of one index file that lies in the store. */
export async function* storedStanzas(objects: ObjectStore, file: StoredIndex): AsyncGenerator<Stanza> {
  yield* parseStanzas(storedIndex(objects, file), file.path);
}

export async function* storedPackages(objects: ObjectStore, file: StoredIndex): AsyncGenerator<PackageEntry> {
  for await (const stanza of storedStanzas(objects, file)) yield packageEntry(stanza, file.path);
}

/** The files that an index of packages or sources lists, with canonical paths from the root of the archive. */
export async function* listedFiles(
  objects: ObjectStore,
  index: WantedIndex,
  keep: (architecture: string) => boolean = () => true,
): AsyncGenerator<ManifestEntry> {
  const file = quickestForm(index);
  if (index.kind === 'sources') {
    for await (const stanza of storedStanzas(objects, file)) {
      for (const { path, sizeBytes, digest } of sourceEntry(stanza, file.path).files)
        yield { path, sizeBytes, sha256: strongDigest(digest, `${file.path}: ${path}`) };
    }
    return;
  }
  for await (const entry of storedPackages(objects, file)) {
    if (!keep(entry.architecture)) continue;
    yield {
      path: entry.path,
      sizeBytes: entry.sizeBytes,
      sha256: strongDigest(entry.digest, `${file.path}: ${entry.path}`),
    };
  }
}

export function strongDigest(
  { algorithm, hex }: { readonly algorithm: string; readonly hex: string },
  what: string,
): string {
  if (algorithm === 'sha256') return hex;
  throw new KubedosError('trust.weak-digest', `${what} has no SHA-256 checksum, only ${algorithm}`, {
    hint: 'apt refuses such a repository too; ask its owner for SHA256 in the indexes',
  });
}
