import { type Input, kindOf, type Parser, violation } from './property.ts';

/** A smaller input that shows the same defect: pieces are left out for as long as it stays, for at most that long. */
export async function minimised(parser: Parser, input: Input, what: string, ms: number): Promise<Input> {
  const until = Date.now() + ms;
  const kind = kindOf(what);
  let best = input;
  const shows = async (bytes: Buffer, size = best.size): Promise<boolean> => {
    const found = await violation(parser, { bytes, size });
    if (found === undefined || kindOf(found) !== kind) return false;
    best = { bytes, size };
    return true;
  };
  await shows(best.bytes, Number.MAX_SAFE_INTEGER);
  for (let step = Math.ceil(best.bytes.length / 2); step >= 1; step = step === 1 ? 0 : Math.ceil(step / 2))
    for (let at = 0; at < best.bytes.length && Date.now() < until; )
      if (!(await shows(Buffer.concat([best.bytes.subarray(0, at), best.bytes.subarray(at + step)])))) at += step;
  return best;
}
