/** The files that rules of a curated mirror name as `seed:`. */
import { hash } from 'node:crypto';
import { KubedosError } from '../errors.ts';
import type { MirrorSpec } from '../spec/mirror-spec.ts';
import { specHash } from '../spec/spec-hash.ts';
import type { MirrorHead } from '../store/types.ts';
import type { SyncDeps } from './types.ts';

/** Name in the spec → text. */
export async function readSeeds(
  { readSeed }: { readonly readSeed?: SyncDeps['readSeed'] },
  spec: MirrorSpec,
): Promise<Map<string, string>> {
  const seeds = new Map<string, string>();
  for (const { seed } of spec.curate?.rules ?? []) {
    if (seed === undefined || seeds.has(seed)) continue;
    if (readSeed === undefined)
      throw new KubedosError('internal.bug', `sync ${spec.name}: seed files cannot be read here (${seed})`);
    seeds.set(seed, await readSeed(spec, seed));
  }
  return seeds;
}

/** For specHash: another seed is another spec. */
export function seedHashes(seeds: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...seeds].map(([name, text]) => [name, hash('sha256', text, 'hex')]));
}

/** True where the head was made by this spec, its seeds included. */
export function hasSpec(
  head: MirrorHead,
  { spec, seeds }: { readonly spec: MirrorSpec; readonly seeds: ReadonlyMap<string, string> },
): boolean {
  return head.spec === specHash(spec, seedHashes(seeds));
}
