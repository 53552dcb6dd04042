/** What a verified Release must hold beyond its signature: it is of this suite, not older than before, not expired. Pure. */
import { KubedosError } from '../errors.ts';
import type { Release } from '../formats/apt/release.ts';
import { isFlatSuite, type SpecUpstream } from '../spec/mirror-spec.ts';
import type { ReleaseMemory } from './memory.ts';
import type { SyncOptions } from './types.ts';

export interface CheckContext {
  readonly source: string;
  readonly now: Date;
  readonly allow: NonNullable<SyncOptions['allow']>;
  readonly known: ReleaseMemory | undefined;
}

/** One key signs many suites: without this, a mirror could give oldstable for stable. */
export function checkSuite(release: Release, suite: string, upstream: SpecUpstream, source: string): void {
  if (isFlatSuite(suite)) return;
  const claimed = [release.suite, release.codename].filter((name) => name !== undefined && name !== '');
  if (claimed.length === 0) return;
  if (claimed.some((name) => name === suite || upstream.signedAs.includes(name as string))) return;
  throw new KubedosError(
    'trust.other-suite',
    `verify Release of ${source}: it is signed as ${claimed.join(', ')}, expected ${suite}`,
    {
      hint: `if that is as it should be, add \`signedAs: [${claimed[0]}]\` to the upstream in the spec`,
    },
  );
}

/** `trust.rollback`: the Date is older than the newest that was accepted, or is gone. */
export function checkRollback(date: Date | undefined, { known, allow, source }: CheckContext): void {
  if (known?.date == null || allow.includes('rollback')) return;
  const before = new Date(known.date);
  if (date !== undefined && date.getTime() >= before.getTime()) return;
  throw new KubedosError(
    'trust.rollback',
    `verify Release of ${source}: its Date is ${date?.toISOString() ?? 'missing'}, and one of ${before.toISOString()} was accepted before`,
    {
      hint: 'upstream, or somebody between, shows an old state; to accept it once: --allow rollback',
      details: { source },
    },
  );
}

/** `trust.expired`: past its Valid-Until. Asked for an unchanged Release as well: that is what a freeze looks like. */
export function checkExpiry(validUntil: Date | null | undefined, { now, allow, source }: CheckContext): void {
  if (!validUntil || allow.includes('expired') || validUntil.getTime() >= now.getTime()) return;
  throw new KubedosError(
    'trust.expired',
    `verify Release of ${source}: it was valid until ${validUntil.toISOString()}, and now is ${now.toISOString()}`,
    {
      hint: 'upstream is no longer updated, or frozen by somebody between, or the clock is wrong; to accept it once: --allow expired',
      details: { source },
    },
  );
}
