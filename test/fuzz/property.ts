/** What holds for every parser: on any bytes it gives a value or a KubedosError of the input, soon and in bounded memory. */
import type { Arbitrary } from 'fast-check';
import fc from 'fast-check';
import { KubedosError } from '../../src/errors.ts';
import { MAX_INPUT_BYTES, type Material, mutated } from './mutate.ts';
import { Random } from './random.ts';

export interface Parser {
  /** Also the folder of its kept cases. */
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  readonly tokens?: readonly string[];
  /** Whole inputs by their grammar, where changed files hardly get past a first check. */
  readonly arbitrary?: Arbitrary<Uint8Array>;
  /** Makes checksums of a changed file fit again, else nothing behind them is ever reached. */
  readonly mend?: (bytes: Buffer) => Buffer;
  /** `size`: of the pieces in which the bytes come. What is written and read again is compared here. */
  readonly run: (bytes: Buffer, size: number) => unknown;
}

/** Of the processor, for an input of at most MAX_INPUT_BYTES. */
const MAX_MS = 2000;
/** Each has its price, whatever is in it. */
const MAX_PIECES = 4000;
const MAX_RSS_BYTES = 1.5 * 1024 ** 3;

export interface Input {
  readonly bytes: Buffer;
  readonly size: number;
}

/** The input of a round. */
export function inputOf(parser: Parser, seed: string, round: number): Input {
  const random = new Random(`${seed} ${parser.name} ${round}`);
  const pieces = random.pick([1, 7, 100, 4096, MAX_INPUT_BYTES, MAX_INPUT_BYTES]);
  const sized = (bytes: Buffer): Input => ({ bytes, size: Math.max(pieces, Math.ceil(bytes.length / MAX_PIECES)) });
  if (parser.arbitrary !== undefined && random.below(3) === 0) {
    const [bytes] = fc.sample(parser.arbitrary, { seed: random.bits() | 0, numRuns: 1 });
    return sized(Buffer.from(bytes ?? []).subarray(0, MAX_INPUT_BYTES));
  }
  const material: Material = { samples: parser.samples as Buffer[], tokens: parser.tokens ?? [] };
  const bytes = mutated(random, material);
  return sized(parser.mend && random.below(4) > 0 ? parser.mend(Buffer.from(bytes)) : bytes);
}

/** What is wrong with what the parser does, its first line telling the kind; `undefined` where nothing is. */
export async function violation(parser: Parser, { bytes, size }: Input): Promise<string | undefined> {
  const before = process.cpuUsage();
  try {
    await parser.run(bytes, size);
  } catch (error) {
    if (!(error instanceof KubedosError)) return told(error);
    if (error.kind === 'internal') return `${error.code}: ${error.message}\n${told(error)}`;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing that a terminal would obey
    if (/[\u0000-\u0009\u000b-\u001f\u007f]/.test(error.message)) return `control characters in: ${told(error)}`;
  }
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1000;
  if (ms > MAX_MS) return `slow: ${bytes.length} bytes take longer than ${MAX_MS} ms\n${Math.round(ms)} ms`;
  const rss = process.memoryUsage.rss();
  if (rss > MAX_RSS_BYTES) return `large: the process takes ${Math.round(rss / 1024 ** 2)} MiB`;
  return undefined;
}

function told(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : `thrown: ${String(error)}`;
}

/** Of one defect the same, of two mostly not: its kind and where it was thrown. */
export function kindOf(what: string): string {
  const [first = '', ...frames] = what.split('\n');
  const place = frames.find((line) => /\/(?:src|test)\//.test(line) && !line.includes('node_modules')) ?? '';
  return `${first.replace(/[0-9]+|"[^"]*"/g, '#').slice(0, 60)} ${place.trim().replace(/^at |:\d+\)?$/g, '')}`;
}
