/** Figures as people read them on the pages. */

const STEPS = ['kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `0 B`, `999 B`, `1.5 kB`, `48.2 GB`, `312 GB`: powers of 1000, three digits. */
export function readableBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  let step = -1;
  while (value >= 999.5 && step < STEPS.length - 1) {
    value /= 1000;
    step++;
  }
  return `${value < 99.95 ? value.toFixed(1) : value.toFixed(0)} ${STEPS[step]}`;
}

/** `63,440` */
export function readableCount(count: number): string {
  return count.toLocaleString('en-US');
}

const SPANS = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** `just now`, `5 minutes ago`, `2 years ago`; a clock that is behind gives `in 3 hours`. */
export function readableAge(time: Date, now: Date): string {
  const seconds = Math.round((now.getTime() - time.getTime()) / 1000);
  for (const [unit, length] of SPANS) {
    const count = Math.floor(Math.abs(seconds) / length);
    if (count === 0) continue;
    const span = `${count} ${unit}${count === 1 ? '' : 's'}`;
    return seconds > 0 ? `${span} ago` : `in ${span}`;
  }
  return 'just now';
}

/** `2026-11-24 21:12 UTC` */
export function readableTime(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
