/**
 * The documents of a modules.yaml. Each keeps its text, so that those which stay are written byte for byte; what they say,
 * modules.ts reads.
 */
import { setImmediate } from 'node:timers/promises';
import { Composer, Lexer, Parser } from 'yaml';
import { KubedosError } from '../../errors.ts';

/** Expanded; RHEL's have some 10 MB. */
export const MAX_MODULES_BYTES = 64 * 1024 * 1024;
const MAX_DOCUMENTS = 20_000;
/** Real documents stay below 1 MB and 100,000 lexical tokens. */
const MAX_DOCUMENT_CHARACTERS = 4 * 1024 * 1024;
const MAX_TOKENS = 500_000;
/** The parser recurses, and V8 aborts the process where a regular expression meets a stack that is nearly full. */
const MAX_DEPTH = 64;

/** All scalars as they are written: a stream `2.10` is no number, `null` is a name. */
export type YamlValue = string | readonly YamlValue[] | YamlMap;
export type YamlMap = ReadonlyMap<unknown, YamlValue>;

export interface ModuleDocument {
  /** As it stands in the file, with its `---` and the comments before it. */
  readonly text: string;
  /** `modulemd`, `modulemd-defaults`, …; empty for a document without content. */
  readonly document: string;
  readonly version: string;
  readonly data: YamlMap;
}

/**
 * All documents in their order. `format.syntax` for what is no YAML, no mapping, or has aliases, which libmodulemd does not
 * take either; `format.limit` beyond the bounds above. Large files take seconds: others get their turn between documents.
 */
export async function parseModules(bytes: Uint8Array, origin: string): Promise<ModuleDocument[]> {
  if (bytes.length > MAX_MODULES_BYTES) throw fault('format.limit', origin, `larger than ${MAX_MODULES_BYTES} bytes`);
  const documents: ModuleDocument[] = [];
  let line = 1;
  for (const text of cutDocuments(decode(bytes, origin))) {
    if (documents.length === MAX_DOCUMENTS) throw fault('format.limit', origin, `more than ${MAX_DOCUMENTS} documents`);
    documents.push(documentOf(text, origin, line));
    line += newlines(text);
    await setImmediate();
  }
  return documents;
}

function decode(bytes: Uint8Array, origin: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw fault('format.syntax', origin, 'not UTF-8', cause);
  }
}

/** `---` and `...` at the start of a line are markers wherever they stand (YAML 1.2, 9.1.2). Joined, the parts are the text. */
function* cutDocuments(text: string): Generator<string> {
  let start = 0;
  let begun = false;
  for (const marker of text.matchAll(/(?<![^\n])(?:---(?=[ \t\r\n]|$)|\.\.\.(?=[ \t\r\n]|$)[^\n]*\n?)/g)) {
    const isStart = marker[0] === '---';
    if (isStart && (begun || !isProlog(text.slice(start, marker.index)))) {
      yield text.slice(start, marker.index);
      start = marker.index;
    }
    if (!isStart) {
      const end = marker.index + marker[0].length;
      yield text.slice(start, end);
      start = end;
    }
    begun = isStart;
  }
  if (start < text.length) yield text.slice(start);
}

/** Blank lines, comments and directives: they belong to the document behind them. */
function isProlog(text: string): boolean {
  return text.split('\n').every((line) => /^[ \t]*(?:#|\r?$)|^%/.test(line));
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}

function documentOf(text: string, origin: string, line: number): ModuleDocument {
  const place = `${origin}:${line}`;
  if (text.length > MAX_DOCUMENT_CHARACTERS)
    throw fault('format.limit', place, `a document is larger than ${MAX_DOCUMENT_CHARACTERS} characters`);
  const value = yamlValue(text, place, (offset) => `${origin}:${line + newlines(text.slice(0, offset))}`);
  if (value === '' || value === null) return { text, document: '', version: '', data: new Map() };
  if (!isMap(value)) throw fault('format.syntax', place, 'a document is no mapping');
  return { text, document: textAt(value, 'document'), version: textAt(value, 'version'), data: mapAt(value, 'data') };
}

function yamlValue(text: string, place: string, placeAt: (offset: number) => string): YamlValue | null {
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false });
  try {
    const [document, second] = [...composer.compose(tokens(text, place), true, text.length)];
    if (document === undefined || second !== undefined) throw fault('format.syntax', place, 'no single document');
    const [error] = document.errors;
    if (error !== undefined) throw fault('format.syntax', placeAt(error.pos[0]), error.message);
    // Without aliases no value is larger than its text.
    return document.toJS({ mapAsMap: true, maxAliasCount: 0 });
  } catch (cause) {
    if (cause instanceof KubedosError) throw cause;
    throw fault('format.syntax', place, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function* tokens(text: string, place: string): ReturnType<Parser['parse']> {
  const parser = new Parser();
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    count += 1;
    if (count > MAX_TOKENS) throw fault('format.limit', place, `a document has more than ${MAX_TOKENS} tokens`);
    if (parser.stack.length > MAX_DEPTH)
      throw fault('format.limit', place, `a document is nested deeper than ${MAX_DEPTH}`);
  }
  yield* parser.end();
}

/** The documents one after the other, with a `...` where a neighbour is gone that kept them apart. */
export function modulesText(documents: readonly Pick<ModuleDocument, 'text'>[]): string {
  return documents.map(({ text }, i) => joint(documents[i - 1]?.text, text) + text).join('');
}

function joint(before: string | undefined, text: string): string {
  if (before === undefined) return '';
  const newline = before.endsWith('\n') ? '' : '\n';
  const isClosed = /^\.\.\.(?:\s|$)/.test(before.slice(before.lastIndexOf('\n', before.length - 2) + 1));
  const first = text.split('\n').find((line) => !/^[ \t]*(?:#|\r?$)/.test(line));
  return isClosed || first === undefined || /^---(?:\s|$)/.test(first) ? newline : `${newline}...\n`;
}

export function isMap(value: YamlValue | undefined): value is YamlMap {
  return value instanceof Map;
}

/** Empty where there is none. */
export function mapAt(map: YamlMap, key: string): YamlMap {
  const value = map.get(key);
  return isMap(value) ? value : new Map();
}

/** Empty where there is none, or something else. */
export function textAt(map: YamlMap, key: string): string {
  const value = map.get(key);
  return typeof value === 'string' ? value : '';
}

function fault(code: 'format.syntax' | 'format.limit', place: string, why: string, cause?: unknown): KubedosError {
  return new KubedosError(code, `parse ${place}: ${why}`, { cause });
}
