/** The Date and Valid-Until of a curated publication: pure. */
import type { CurateSpec } from '../../spec/apt-curate-spec.ts';
import type { CuratedMemory } from '../memory.ts';

const DAY_MS = 86_400_000;

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
