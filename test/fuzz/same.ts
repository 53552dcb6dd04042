import { isDeepStrictEqual } from 'node:util';

/** Reads what was written, and holds it against what was read first. To refuse it is no refusal of the input. */
export async function same<T>(again: () => T | Promise<T>, first: T): Promise<void> {
  let found: T;
  try {
    found = await again();
  } catch (cause) {
    throw new Error(`what was written is refused: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  if (isDeepStrictEqual(found, first)) return;
  const show = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 2000);
  throw new Error(`written and read again it says something else\nfirst ${show(first)}\nagain ${show(found)}`);
}

/** A text that is written is read, and written again as it was. */
export async function settles<T>(
  first: T,
  write: (value: T) => string,
  read: (text: string) => T | Promise<T>,
): Promise<void> {
  const text = write(first);
  await same(async () => write(await read(text)), text);
}

/** All that a source gives. */
export async function listed<T>(source: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const each of source) list.push(each);
  return list;
}
