/** Whole processes, timed from outside by GNU time: what a user waits for, start-up included. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/exec/run.ts';

export interface Taken {
  readonly seconds: number;
  /** User and system time of all processes waited for. */
  readonly cpuSeconds: number;
  /** Of the largest single process. */
  readonly peakBytes: number;
  readonly output: string;
}

export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Not timed. */
  readonly before?: () => Promise<unknown>;
}

export interface Compared {
  /** Ours against theirs, pair by pair: above 1 is faster. Its median. */
  readonly ratio: number;
  readonly ours: Taken;
  readonly theirs: Taken;
}

export async function timed(command: Command): Promise<Taken> {
  await command.before?.();
  const folder = mkdtempSync(join(tmpdir(), 'bench-time-'));
  const file = join(folder, 'time');
  try {
    const { stdout } = await run(['/usr/bin/time', '-o', file, '-f', '%e %U %S %M', ...command.argv], {
      env: command.env,
      timeoutMs: 3_600_000,
      maxOutputBytes: 64 << 20,
    });
    const [seconds = 0, user = 0, system = 0, kib = 0] = readFileSync(file, 'utf8').trim().split(' ').map(Number);
    return { seconds, cpuSeconds: user + system, peakBytes: kib * 1024, output: stdout.toString() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Both in turn, so that a machine that changes its pace changes it for both. Figures are those of the median pair. */
export async function compare(pairs: number, ours: Command, theirs: Command): Promise<Compared> {
  const results: Compared[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const mine = await timed(ours);
    const other = await timed(theirs);
    results.push({ ratio: other.seconds / mine.seconds, ours: mine, theirs: other });
  }
  results.sort((a, b) => a.ratio - b.ratio);
  return results[(results.length - 1) >> 1] as Compared;
}

export const shell = (script: string, ...words: readonly string[]): string[] => ['sh', '-ec', script, 'sh', ...words];
