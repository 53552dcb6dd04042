/** Reads files of a mirror back from the store, believing none that does not hash to its name. */
import { createHash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import { parseStanzas, type Stanza } from '../formats/apt/deb822.ts';
import { compressionOf, decompress } from '../formats/compression.ts';
import type { ManifestEntry, ObjectStore } from '../store/types.ts';

/** An index of fifty million packages; a bomb is stopped here. */
const MAX_INDEX_BYTES = 64 * 1024 ** 3;
/** InRelease, Release and signatures. */
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
/** Keyrings of an archive: some dozens of keys. */
export const MAX_KEYRING_BYTES = 16 * 1024 * 1024;

/** Throws at the end, so the caller may use what it read only then. */
export async function* storedBytes(objects: ObjectStore, entry: ManifestEntry): AsyncGenerator<Buffer> {
  const stream = await objects.open(entry.sha256);
  if (stream === undefined) throw absent(entry);
  const sum = createHash('sha256');
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    sum.update(chunk);
    yield chunk;
  }
  const got = sum.digest('hex');
  if (got !== entry.sha256) throw damaged(entry, got);
}

/** An index, compressed as its name says. */
export function storedIndex(objects: ObjectStore, entry: ManifestEntry): AsyncGenerator<Buffer> {
  const { path } = entry;
  return decompress(storedBytes(objects, entry), compressionOf(path), { origin: path, maxBytes: MAX_INDEX_BYTES });
}

export function storedStanzas(objects: ObjectStore, entry: ManifestEntry): AsyncGenerator<Stanza> {
  return parseStanzas(storedIndex(objects, entry), entry.path);
}

/** A small document as a whole. */
export async function storedDocument(objects: ObjectStore, entry: ManifestEntry): Promise<Buffer> {
  const bytes = await objects.read(entry.sha256, MAX_DOCUMENT_BYTES);
  if (bytes === undefined) throw absent(entry);
  const got = createHash('sha256').update(bytes).digest('hex');
  if (got !== entry.sha256) throw damaged(entry, got);
  return bytes;
}

function absent({ path, sha256 }: ManifestEntry): KubedosError {
  return new KubedosError('store.corrupt', `read ${path}: object ${sha256} is not in the store`, {
    hint: 'run `kubedos store check`, then `kubedos store repair`',
    details: { sha256 },
  });
}

function damaged({ path, sha256 }: ManifestEntry, got: string): KubedosError {
  return new KubedosError('store.bad-object', `read ${path}: expected bytes that hash to ${sha256}, got ${got}`, {
    hint: 'run `kubedos store check`, then `kubedos store repair`',
    details: { sha256 },
  });
}
