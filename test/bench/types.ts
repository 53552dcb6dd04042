import type { Compared } from './measure.ts';

export interface Figure {
  readonly work: string;
  /** As one would say it: `0.31 s`, `216 MB`. */
  readonly ours: string;
  readonly against: string;
  readonly theirs: string;
  /** Theirs over ours for time, ours over theirs for speed: above 1 is better. Left out where nothing is compared. */
  readonly ratio?: number;
  readonly reach: string;
  readonly reached: boolean;
}

export interface Bench {
  /** Empty folder of this row; removed after it. */
  readonly folder: string;
  say(line: string): void;
}

export interface Row {
  readonly name: string;
  readonly about: string;
  /** Left out unless it is named: takes long. */
  readonly onDemand?: boolean;
  measure(bench: Bench): Promise<Figure[]>;
}

export const seconds = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} s`;
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** `reach`: how many times as quick. */
export function figure(work: string, against: string, { ratio, ours, theirs }: Compared, reach: number): Figure {
  return {
    work,
    ours: seconds(ours.seconds),
    against,
    theirs: seconds(theirs.seconds),
    ratio,
    reach: `≥ ${Number(reach.toFixed(2))}×`,
    reached: ratio >= reach,
  };
}
