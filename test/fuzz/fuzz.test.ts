import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KubedosError } from '../../src/errors.ts';
import { PARSERS } from './parsers.ts';
import { violation } from './property.ts';
import { fuzz } from './watch.ts';

const CASES = new URL('cases/', import.meta.url);
const kept = readdirSync(CASES).flatMap((parser) =>
  readdirSync(new URL(`${parser}/`, CASES)).map((name) => [parser, name] as const),
);

describe('every parser takes any bytes, or refuses them', () => {
  it.each(kept)('%s: %s, which it once did not', async (name, file) => {
    const parser = PARSERS.find((each) => each.name === name);
    const bytes = readFileSync(new URL(`${name}/${file}`, CASES));
    if (parser === undefined) throw new Error(`no parser ${name}`);
    for (const size of [1000, bytes.length + 1]) expect(await violation(parser, { bytes, size })).toBeUndefined();
  });

  const structured = PARSERS.filter(({ arbitrary }) => arbitrary !== undefined).map(
    (parser) => [parser.name, parser] as const,
  );
  it.each(structured)('%s: of whole inputs it refuses few', async (_, { arbitrary, run }) => {
    let refused = 0;
    const inputs = arbitrary === undefined ? [] : fc.sample(arbitrary, 100);
    for (const bytes of inputs)
      try {
        await run(Buffer.from(bytes), 4096);
      } catch (error) {
        if (!(error instanceof KubedosError)) throw error;
        refused += 1;
      }
    expect(refused).toBeLessThan(40);
  });

  it('for a while (npm run fuzz for longer)', async () => {
    const seed = randomBytes(4).toString('hex');
    const found: unknown[] = [];
    let rounds = 0;
    for await (const each of fuzz(PARSERS, { seed, ms: 200 })) {
      rounds += each.rounds;
      for (const { round, what, bytes } of each.defects)
        found.push(`${each.parser}, seed ${seed} round ${round}: ${what}\n${bytes.toString('base64')}`);
    }
    expect(found).toEqual([]);
    expect(rounds).toBeGreaterThan(PARSERS.length);
  });
});
