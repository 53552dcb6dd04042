/** The Date and Valid-Until of a curated publication: pure. */
import type { CurateSpec } from '../../spec/curate-spec.ts';
import type { CuratedMemory } from '../memory.ts';

const DAY_MS = 86_400_000;

/**
 * The newest Date of the upstreams, so that the same input gives the same bytes; and newer than the publication before,
 * since apt takes only that for a change. Where nothing upstream has a date, or a validity runs from it, it is now.
 */
export function publicationDate(
  upstream: readonly (string | null)[],
  before: CuratedMemory | undefined,
  { now, fromNow }: { readonly now: Date; readonly fromNow: boolean },
): Date {
  const dates = upstream.flatMap((date) => (date === null ? [] : [Date.parse(date)]));
  const newest = dates.length === 0 || fromNow ? now.getTime() : Math.max(...dates);
  const least = before === undefined ? 0 : Date.parse(before.date) + 1000;
  return new Date(Math.floor(Math.max(newest, least) / 1000) * 1000);
}

export function validUntil({ validForDays }: CurateSpec, date: Date): Date | undefined {
  return validForDays === undefined ? undefined : new Date(date.getTime() + validForDays * DAY_MS);
}

/** True once half of the validity has passed: then it is published anew, though nothing changed. */
export function publicationIsDue(
  curate: CurateSpec | undefined,
  before: CuratedMemory | undefined,
  now: Date,
): boolean {
  const validForDays = curate?.validForDays;
  if (validForDays === undefined || before?.validUntil == null) return false;
  return Date.parse(before.validUntil) - now.getTime() < (validForDays * DAY_MS) / 2;
}
