/** What a verified root must hold beyond its signature: it is not older than before, and not expired. Pure. */
import { KubedosError } from '../errors.ts';
import type { CheckContext } from './upstream-root.ts';

/** `trust.rollback`: the Date is older than the newest that was accepted, or is gone. */
export function checkRollback(date: Date | undefined, { known, allow, source }: CheckContext): void {
  if (known?.date == null || allow.includes('rollback')) return;
  const before = new Date(known.date);
  if (date !== undefined && date.getTime() >= before.getTime()) return;
  throw new KubedosError(
    'trust.rollback',
    `verify ${source}: its Date is ${date?.toISOString() ?? 'missing'}, and one of ${before.toISOString()} was accepted before`,
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
    `verify ${source}: it was valid until ${validUntil.toISOString()}, and now is ${now.toISOString()}`,
    {
      hint: 'upstream is no longer updated, or frozen by somebody between, or the clock is wrong; to accept it once: --allow expired',
      details: { source },
    },
  );
}
