import { quoted, syntaxError } from './syntax.ts';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/** Zones of RFC 5322 by name that mean no offset. apt takes these and +0000. */
const UTC_NAMES = ['utc', 'gmt', 'z', 'ut'];
const MAX_DATE_LENGTH = 64;

/**
 * A date as Release files write it (RFC 5322 §3.3: "Sat, 11 Jul 2026 10:16:37 UTC"). The day of the week may be absent, day
 * and hour may have one digit, seconds may be absent; the zone is UTC, GMT, Z or a numeric offset. Else `format.syntax`:
 * JavaScript's own parser would take nearly anything, in local time.
 */
export function parseReleaseDate(text: string, place: { readonly origin: string; readonly line: number }): Date {
  const refuse = () =>
    syntaxError(place.origin, place.line, `expected a date like that of "date -Ru", got ${quoted(text)}`);
  if (text.length > MAX_DATE_LENGTH) throw refuse();
  const parts = text
    .replace(',', ' ')
    .trim()
    .split(/[ \t]+/);
  if (parts.length === 6) parts.shift();
  const [day, month, year, time, zone] = parts;
  if (parts.length !== 5 || !day || !month || !year || !time || !zone) throw refuse();
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(time);
  const monthIndex = MONTHS.indexOf(month.toLowerCase());
  const offset = zoneOffsetMinutes(zone);
  if (!/^\d{1,2}$/.test(day) || !/^\d{4}$/.test(year) || monthIndex < 0 || !clock || offset === undefined)
    throw refuse();
  const [hours, minutes, seconds] = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0)];
  const utc = Date.UTC(Number(year), monthIndex, Number(day), hours, minutes, seconds);
  const date = new Date(utc - offset * 60_000);
  // A leap second (60) becomes the next minute's first; days and hours out of range are refused.
  const same = new Date(Date.UTC(Number(year), monthIndex, Number(day)));
  if (same.getUTCDate() !== Number(day) || hours > 23 || minutes > 59 || seconds > 60) throw refuse();
  // Date.UTC takes 99 for 1999; and a zone may lead out of the years that have four digits.
  if (same.getUTCFullYear() !== Number(year) || date.getUTCFullYear() < 100 || date.getUTCFullYear() > 9999)
    throw refuse();
  return date;
}

/** "Sat, 11 Jul 2026 10:16:37 UTC", whole seconds. */
export function formatReleaseDate(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const month = MONTHS[date.getUTCMonth()] ?? '';
  const monthName = month.charAt(0).toUpperCase() + month.slice(1);
  const day = `${DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())} ${monthName} ${String(date.getUTCFullYear()).padStart(4, '0')}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} UTC`;
}

function zoneOffsetMinutes(zone: string): number | undefined {
  if (UTC_NAMES.includes(zone.toLowerCase())) return 0;
  const numeric = /^([+-])(\d{2})(\d{2})$/.exec(zone);
  if (!numeric || Number(numeric[3]) > 59) return undefined;
  const minutes = Number(numeric[2]) * 60 + Number(numeric[3]);
  return numeric[1] === '-' ? -minutes : minutes;
}
