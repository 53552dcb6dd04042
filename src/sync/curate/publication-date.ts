import type { CuratedMemory } from '../memory.ts';

/**
 * The newest Date of the upstreams, so that the same input gives the same bytes; and newer than the publication before,
 * since apt and dnf take only that for a change. Where nothing upstream has a date, or a validity runs from it, it is now.
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
