/**
 * Why a package is in a curated mirror, kept as lines of JSON beside it: first a header with the rules, then a line for
 * each package in the order of publication, which names its rule or the line of the package that depends on it.
 */
import { z } from 'zod';
import { KubedosError } from '../../errors.ts';
import type { Row } from './columns.ts';
import type { ByDependency, Reasons } from './reasons.ts';

export interface ChainStep {
  readonly package: string;
  readonly version: string;
  readonly architecture: string;
  /** By which dependency of the step before it came in; null for the first, which the rule chose. */
  readonly because: { readonly field: string; readonly dependency: string } | null;
}

/** From what a rule chose to the package in question. */
export interface Chain {
  readonly rule: string;
  readonly steps: readonly ChainStep[];
}

const FORMAT = 'kubedos-why/1';
const LF = 10;
const BLOCK_LENGTH = 64 * 1024;

const headerSchema = z.object({ format: z.literal(FORMAT), rules: z.array(z.string()) });
const lineSchema = z.object({
  package: z.string(),
  version: z.string(),
  architecture: z.string(),
  rule: z.number().int().optional(),
  /** Number of the line of the package that depends on this one; the header is line 0. */
  of: z.number().int().optional(),
  field: z.string().optional(),
  dependency: z.string().optional(),
});
type WhyLine = z.output<typeof lineSchema>;

export interface Explained {
  readonly table: {
    readonly count: number;
    name(row: Row): string;
    version(row: Row): string;
    architecture(row: Row): string;
    describe(row: Row): string;
  };
  /** The selection in the order of publication. */
  readonly rows: Uint32Array;
  readonly reasons: Reasons;
  /** The words of a reason. */
  readonly because: (reason: ByDependency, row: Row) => { readonly field: string; readonly dependency: string };
}

/** The file of one or several selections by the same rules, in blocks. */
export function* whyFile(selections: readonly Explained[], rules: readonly string[]): Generator<Buffer> {
  let block = `${JSON.stringify({ format: FORMAT, rules })}\n`;
  let before = 0;
  for (const selection of selections) {
    for (const line of whyLines(selection, before)) {
      block += `${JSON.stringify(line)}\n`;
      if (block.length < BLOCK_LENGTH) continue;
      yield Buffer.from(block);
      block = '';
    }
    before += selection.rows.length;
  }
  yield Buffer.from(block);
}

/** `before`: lines that other selections have in the file. */
function* whyLines({ table, rows, reasons, because }: Explained, before: number): Generator<WhyLine> {
  const lines = new Uint32Array(table.count);
  for (const [at, row] of rows.entries()) lines[row] = before + at + 1;
  for (const row of rows) {
    const identity = { package: table.name(row), version: table.version(row), architecture: table.architecture(row) };
    const reason = reasons.of(row);
    if (reason === undefined)
      throw new KubedosError('internal.bug', `explain ${table.describe(row)}: no reason is kept`);
    if ('rule' in reason) {
      yield { ...identity, rule: reason.rule };
    } else {
      yield { ...identity, of: lines[reason.parent], ...because(reason, row) };
    }
  }
}

/** The chains of all versions and architectures of a package; empty if it is not in the mirror. `content`: what `whyFile` gave. */
export function explainPackage(content: Buffer, name: string): Chain[] {
  const starts = lineStarts(content);
  const line = (at: number): unknown => {
    const start = starts[at];
    if (start === undefined) throw damaged(`no line ${at}`);
    try {
      return JSON.parse(content.toString('utf8', start, starts[at + 1] ?? content.length));
    } catch (cause) {
      throw damaged(`line ${at} is no JSON`, cause);
    }
  };
  const header = headerSchema.safeParse(line(0));
  if (!header.success) throw damaged('it does not begin with a header of this format');
  const prefix = Buffer.from(`{"package":${JSON.stringify(name)},`);
  const chains: Chain[] = [];
  for (let at = 1; at < starts.length; at++) {
    const start = starts[at] as number;
    if (content.compare(prefix, 0, prefix.length, start, Math.min(start + prefix.length, content.length)) === 0)
      chains.push(chainFrom(at, line, header.data.rules));
  }
  return chains;
}

/** As text: the package, then each step on a line of its own. */
export function renderChain(chain: Chain): string {
  const lines = [`rule ${chain.rule}`];
  for (const step of chain.steps) {
    const by = step.because === null ? 'chooses' : `${step.because.field}: ${step.because.dependency} brings`;
    lines.push(`${'  '.repeat(lines.length)}${by} ${step.package} ${step.version} ${step.architecture}`);
  }
  return lines.join('\n');
}

function chainFrom(start: number, line: (at: number) => unknown, rules: readonly string[]): Chain {
  const steps: ChainStep[] = [];
  const seen = new Set<number>();
  for (let at = start; ; ) {
    const read = lineSchema.safeParse(line(at));
    if (!read.success) throw damaged(`line ${at} breaks the format`);
    if (seen.has(at)) throw damaged(`line ${at} explains itself`);
    seen.add(at);
    steps.unshift(stepOf(read.data));
    if (read.data.of === undefined) return { rule: rules[read.data.rule ?? -1] ?? 'unknown', steps };
    at = read.data.of;
  }
}

function stepOf(line: WhyLine): ChainStep {
  const { field, dependency } = line;
  return {
    package: line.package,
    version: line.version,
    architecture: line.architecture,
    because: field === undefined || dependency === undefined ? null : { field, dependency },
  };
}

function lineStarts(content: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 0; at < content.length; ) {
    starts.push(at);
    const end = content.indexOf(LF, at);
    at = end < 0 ? content.length : end + 1;
  }
  return starts;
}

function damaged(what: string, cause?: unknown): KubedosError {
  return new KubedosError('store.corrupt', `read the reasons of a curated mirror: ${what}`, {
    hint: 'sync the mirror again to write them anew',
    cause,
  });
}
