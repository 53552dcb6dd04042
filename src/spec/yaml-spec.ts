/** YAML with a schema: every fault is told with its line. */
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  Lexer,
  LineCounter,
  type ParsedNode,
  Parser,
  parseDocument,
  visit,
} from 'yaml';
import type { z } from 'zod';
import { KubedosError } from '../errors.ts';

/** A spec is written by people; anything longer is a mistake. */
const MAX_SPEC_BYTES = 1 << 20;
/** Tokens of the grammar that are open; specs have some twenty. */
const MAX_DEPTH = 64;

/** Told of one file. */
const MAX_FAULTS = 100;

export interface SpecFault {
  readonly line: number;
  /** `upstreams[0].url`, or empty for the whole. */
  readonly path: string;
  readonly message: string;
}

type Path = readonly PropertyKey[];

const showPath = (path: Path): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`)).join('');

/** Offset of the node at `path`, or of the nearest that exists above it. */
function offsetOf(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (isMap<ParsedNode>(parent)) {
      const pair = parent.items.find((item) => isNode(item.key) && item.key.toJSON() === key);
      if (isNode(pair?.key) && pair.key.range) return pair.key.range[0];
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range[0] ?? 0;
}

/** The parser compares each key of a map with all before it: of 20,000 that takes seconds. See `repeatedKeys`. */
const OPTIONS = { prettyErrors: false, stringKeys: true, uniqueKeys: false };

/** Offsets of keys that their map has already. */
function repeatedKeys(document: Document.Parsed): number[] {
  const found: number[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) found.push(key.range?.[0] ?? 0);
        seen.add(key.value);
      }
    },
  });
  return found;
}

/** What is no YAML at all has errors by the ten thousands, and the stack of each costs more than reading it. */
function withoutStacks<T>(work: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Parses and checks; `spec.invalid` lists the faults in order of lines, a hundred at most; `details.faults` holds them. */
export function readSpecYaml<S extends z.ZodType>(text: string, file: string, schema: S): z.output<S> {
  const lines = new LineCounter();
  const lineAt = (offset: number): number => lines.linePos(offset).line || 1;
  if (Buffer.byteLength(text) > MAX_SPEC_BYTES)
    throw invalid(file, [{ line: 1, path: '', message: `is larger than ${MAX_SPEC_BYTES} bytes` }]);
  refuseDepth(text, file);
  const document = withoutStacks(() => parseDocument(text, { ...OPTIONS, lineCounter: lines }));
  const errors = [
    ...document.errors.map(({ pos, message }) => ({ offset: pos[0], message })),
    ...repeatedKeys(document).map((offset) => ({ offset, message: 'Map keys must be unique' })),
  ];
  if (errors.length > 0)
    throw invalid(
      file,
      errors
        .sort((a, b) => a.offset - b.offset)
        .map(({ offset, message }) => ({ line: lineAt(offset), path: '', message })),
    );
  const result = schema.safeParse(toValue(document, file));
  if (result.success) return result.data;
  const faults = result.error.issues.flatMap((issue) => {
    const paths: Path[] =
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    const message = issue.code === 'unrecognized_keys' ? 'is not known here' : issue.message;
    return paths.map((path) => ({ line: lineAt(offsetOf(document, path)), path: showPath(path), message }));
  });
  throw invalid(
    file,
    faults.sort((a, b) => a.line - b.line),
  );
}

/** The texts below a field of the first level, in their order, each with its line: to tell where something stands. */
export function textsBelow(text: string, field: string): { readonly line: number; readonly value: string }[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { ...OPTIONS, lineCounter: lines });
  const found: { line: number; value: string }[] = [];
  visit(document.get(field, true) as ParsedNode, {
    Scalar(key, { value, range }) {
      if (key !== 'key' && typeof value === 'string' && range)
        found.push({ line: lines.linePos(range[0]).line, value });
    },
  });
  return found;
}

/** What makes a document of it recurses, up to the end of the stack. */
function refuseDepth(text: string, file: string): void {
  const parser = new Parser();
  let line = 1;
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    if (lexeme.includes('\n')) line += lexeme.split('\n').length - 1;
    if (parser.stack.length > MAX_DEPTH)
      throw invalid(file, [{ line, path: '', message: `is nested deeper than ${MAX_DEPTH}` }]);
  }
}

/** Aliases are bounded by the parser (maxAliasCount); its complaint is the spec's fault too. */
function toValue(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw invalid(file, [{ line: 1, path: '', message: cause instanceof Error ? cause.message : String(cause) }]);
  }
}

function invalid(file: string, faults: readonly SpecFault[]): KubedosError {
  const told = faults.slice(0, MAX_FAULTS);
  const lines = told.map(({ line, path, message }) => `${file}:${line}: ${path === '' ? '' : `${path}: `}${message}`);
  const more = faults.length > told.length ? [`${file}: and ${faults.length - told.length} more`] : [];
  return new KubedosError('spec.invalid', [...lines, ...more].join('\n'), {
    hint: 'the schemas are in docs/schema/; editors that know YAML schemas check while you type',
    details: { file, faults: told },
  });
}
