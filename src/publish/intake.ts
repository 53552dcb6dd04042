/** Takes a package into the store and reads it on the way. */
import { KubedosError } from '../errors.ts';
import type { ByteSource } from '../formats/byte-source.ts';
import type { ObjectRef, ObjectStore } from '../store/types.ts';

/** Packages up to this are held in memory once rather than read back. */
const SMALL_BYTES = 4 * 1024 * 1024;

/**
 * Small packages are read before they are stored; of a large one that is refused, an object stays that no list names,
 * until garbage is collected.
 */
export async function storeReading<T>(
  objects: ObjectStore,
  { source, origin }: { readonly source: ByteSource; readonly origin: string },
  read: (source: ByteSource, origin: string) => Promise<T>,
): Promise<{ readonly ref: ObjectRef; readonly content: T }> {
  const head: Uint8Array[] = [];
  let bytes = 0;
  const rest = chunksOf(source);
  let next = await rest.next();
  for (; !next.done && bytes + next.value.length <= SMALL_BYTES; next = await rest.next()) {
    head.push(next.value);
    bytes += next.value.length;
  }
  if (next.done) return { content: await read(head, origin), ref: await objects.put(head) };

  async function* all(first: Uint8Array): AsyncGenerator<Uint8Array> {
    yield* head.splice(0);
    yield first;
    yield* rest;
  }
  const ref = await objects.put(all(next.value));
  const stream = await objects.open(ref.sha256);
  if (stream === undefined) throw new KubedosError('internal.bug', `add ${origin}: ${ref.sha256} is not there`);
  return { ref, content: await read(stream, origin) };
}

async function* chunksOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  yield* source;
}
