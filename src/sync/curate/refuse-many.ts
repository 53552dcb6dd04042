import { KubedosError } from '../../errors.ts';

/** `format.limit` where there are more than a column can number. */
export function refuseMany(count: number, most: number, what: string, origin: string): void {
  if (count > most) throw new KubedosError('format.limit', `read ${origin}: more than ${most} ${what}`);
}
