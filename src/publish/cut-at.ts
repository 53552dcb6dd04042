/** Cuts a stream into pieces of given lengths, which make up all of it; reads it to its end. */
export async function* cutAt(source: AsyncIterable<Buffer>, lengths: readonly number[]): AsyncGenerator<Buffer> {
  const held: Buffer[] = [];
  let at = 0;
  let missing = lengths[0] ?? 0;
  for await (const chunk of source) {
    let rest = chunk;
    for (; at < lengths.length && missing <= rest.length; missing = lengths[at] ?? 0) {
      held.push(rest.subarray(0, missing));
      rest = rest.subarray(missing);
      yield Buffer.concat(held.splice(0));
      at += 1;
    }
    held.push(rest);
    missing -= rest.length;
  }
}
