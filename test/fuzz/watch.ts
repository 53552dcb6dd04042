/**
 * Fuzzes parsers in processes of their own, so that one that hangs, runs out of memory or dies is a finding like any other:
 * the input is told by seed, parser and round.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inputOf, type Parser } from './property.ts';

export interface ChildJob {
  /** One after the other, each from a round on and for so long. */
  readonly parsers: readonly { readonly name: string; readonly from: number; readonly ms: number }[];
  readonly seed: string;
  readonly minimiseMs: number;
  /** Holds the number of the round that is under way. */
  readonly statusFile: string;
}

export type Report =
  | {
      readonly kind: 'defect';
      readonly parser: string;
      readonly round: number;
      readonly what: string;
      readonly base64: string;
    }
  | { readonly kind: 'done'; readonly parser: string; readonly rounds: number };

export interface Found {
  readonly parser: string;
  readonly rounds: number;
  readonly defects: readonly { readonly round: number; readonly what: string; readonly bytes: Buffer }[];
}

/** Of one parser, then the next one has its turn. */
export const MAX_DEFECTS = 5;
/** A round that is not through after so long hangs: the property allows two seconds of a processor. */
const STALL_MS = 30_000;
const MINIMISE_MS = 10_000;
const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));

/** Each parser for that long, as they come to their end. */
export async function* fuzz(
  parsers: readonly Parser[],
  { seed, ms }: { readonly seed: string; readonly ms: number },
): AsyncGenerator<Found> {
  const folder = mkdtempSync(join(tmpdir(), 'kubedos-fuzz-'));
  const statusFile = join(folder, 'round');
  const left = parsers.map((parser) => ({ parser, from: 0, defects: [] as Found['defects'][number][] }));
  try {
    while (left.length > 0) {
      const jobs = left.map(({ parser: { name }, from }) => ({ name, from, ms }));
      const { reports, died } = await child({ parsers: jobs, seed, minimiseMs: MINIMISE_MS, statusFile });
      for (const report of reports) {
        const [first] = left;
        if (first === undefined) break;
        if (report.kind === 'defect')
          first.defects.push({ round: report.round, what: report.what, bytes: Buffer.from(report.base64, 'base64') });
        else yield { parser: first.parser.name, rounds: first.from + report.rounds, defects: first.defects };
        if (report.kind === 'done') left.shift();
      }
      if (died === undefined) return;
      const [first] = left;
      const round = roundIn(statusFile);
      if (first === undefined || round === undefined) throw new Error(`fuzz: the process does not begin: ${died}`);
      first.defects.push({ round, what: died, bytes: inputOf(first.parser, seed, round).bytes });
      first.from = round + 1;
      if (first.defects.length < MAX_DEFECTS) continue;
      yield { parser: first.parser.name, rounds: first.from, defects: first.defects };
      left.shift();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function roundIn(file: string): number | undefined {
  try {
    return readFileSync(file).readUInt32LE(0);
  } catch {
    return undefined;
  }
}

async function child(job: ChildJob): Promise<{ reports: Report[]; died: string | undefined }> {
  const args = ['--max-old-space-size=768', '--import', 'tsx', CHILD, JSON.stringify(job)];
  const running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  const words: Buffer[] = [];
  running.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  running.stderr.on('data', (chunk: Buffer) => words.push(chunk));
  let hung = false;
  let last = { round: -1, since: Date.now() };
  const watch = setInterval(() => {
    const round = roundIn(job.statusFile) ?? -1;
    if (round !== last.round) last = { round, since: Date.now() };
    // While it minimises the round stays.
    hung = Date.now() - last.since > STALL_MS + MINIMISE_MS;
    if (hung) running.kill('SIGKILL');
  }, 1000);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    running.on('error', reject);
    running.on('close', (...ended) => resolve(ended));
  });
  clearInterval(watch);
  const lines = Buffer.concat(output)
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  const reports = lines.map((line) => JSON.parse(line) as Report);
  if (code === 0) return { reports, died: undefined };
  const tail = Buffer.concat(words).toString().slice(0, 3000);
  return { reports, died: hung ? 'hangs' : `the process ends with ${signal ?? code}\n${tail}` };
}
