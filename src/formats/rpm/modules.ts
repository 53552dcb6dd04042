/**
 * modules.yaml, the `modules` record of repomd.xml: module streams, defaults, obsoletes, translations (yaml_specs/ of
 * libmodulemd). Each document keeps its text, so that those which stay are written byte for byte.
 */
import { setImmediate } from 'node:timers/promises';
import { Composer, Lexer, Parser } from 'yaml';
import { KubedosError } from '../../errors.ts';
import type { Nevra } from './package.ts';

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

export interface ModuleStream {
  readonly name: string;
  readonly stream: string;
  /** A number of 64 bits, in digits. */
  readonly version: string;
  readonly context: string;
  readonly arch: string;
  /** The context was given by the packager, and stays from build to build. */
  readonly staticContext: boolean;
  /** `name-epoch:version-release.arch`, of all architectures and sources. */
  readonly artifacts: readonly string[];
  /** Names of packages by profile. */
  readonly profiles: ReadonlyMap<string, readonly string[]>;
  /** Alternatives; each gives the streams that will do by module: `[]` for any, `-f28` for any but that. */
  readonly requires: readonly ReadonlyMap<string, readonly string[]>[];
}

export interface ModuleDefaults {
  readonly module: string;
  readonly stream?: string | undefined;
  /** Names of profiles by stream. */
  readonly profiles: ReadonlyMap<string, readonly string[]>;
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

/** `undefined` for a document of another kind, and one without a name or stream, as packagers have them. */
export function moduleStream({ document, data }: ModuleDocument): ModuleStream | undefined {
  const [name, stream] = [textAt(data, 'name'), textAt(data, 'stream')];
  if (!/^modulemd(?:-stream)?$/.test(document) || name === '' || stream === '') return undefined;
  const dependencies = data.get('dependencies');
  return {
    name,
    stream,
    version: textAt(data, 'version'),
    context: textAt(data, 'context'),
    arch: textAt(data, 'arch'),
    staticContext: textAt(data, 'static_context').toLowerCase() === 'true',
    artifacts: textsOf(mapAt(data, 'artifacts').get('rpms')),
    profiles: textLists(mapAt(data, 'profiles'), (profile) => (isMap(profile) ? profile.get('rpms') : undefined)),
    // Version 1 has a single mapping, with one stream a module.
    requires: (Array.isArray(dependencies) ? dependencies : [dependencies])
      .filter(isMap)
      .map((each) => textLists(mapAt(each, 'requires'), (streams) => streams)),
  };
}

export function moduleDefaults({ document, data }: ModuleDocument): ModuleDefaults | undefined {
  const module = textAt(data, 'module');
  if (document !== 'modulemd-defaults' || module === '') return undefined;
  const profiles = textLists(mapAt(data, 'profiles'), (names) => names);
  return { module, stream: textAt(data, 'stream') || undefined, profiles };
}

/** Of `name-epoch:version-release.arch`; `undefined` where it is none. */
export function artifactNevra(artifact: string): Nevra | undefined {
  const match = /^(.+)-(?:(\d+):)?([^-:]+)-([^-:]+)\.([^-.:]+)$/.exec(artifact);
  if (match === null) return undefined;
  const [, name = '', epoch = '0', version = '', release = '', arch = ''] = match;
  return { name, epoch, version, release, arch };
}

/**
 * Whole documents: streams of which an artifact is there, or that have none. Defaults go with the last stream of their
 * module, obsoletes and translations with their stream; those of modules that this file never had stay, as does whatever
 * is of another kind.
 */
export function pruneModules(
  documents: readonly ModuleDocument[],
  hasNevra: (nevra: Nevra) => boolean,
): ModuleDocument[] {
  const had = new Set<string>();
  const left = new Set<string>();
  const kept = new Map<ModuleDocument, boolean>();
  for (const document of documents) {
    const found = moduleStream(document);
    if (found === undefined) continue;
    const artifacts = found.artifacts.map(artifactNevra);
    const keep = artifacts.length === 0 || artifacts.some((each) => each !== undefined && hasNevra(each));
    kept.set(document, keep);
    for (const key of [found.name, `${found.name}:${found.stream}`]) (keep ? left : had).add(key);
  }
  return documents.filter((each) => kept.get(each) ?? subjectsOf(each).every((key) => left.has(key) || !had.has(key)));
}

function subjectsOf({ document, data }: ModuleDocument): string[] {
  const module = textAt(data, 'module');
  if (document === 'modulemd-defaults') return [module];
  if (document === 'modulemd-obsoletes' || document === 'modulemd-translations')
    return [module, `${module}:${textAt(data, 'stream')}`];
  return [];
}

function isMap(value: YamlValue | undefined): value is YamlMap {
  return value instanceof Map;
}

function mapAt(map: YamlMap, key: string): YamlMap {
  const value = map.get(key);
  return isMap(value) ? value : new Map();
}

function textAt(map: YamlMap, key: string): string {
  const value = map.get(key);
  return typeof value === 'string' ? value : '';
}

function textsOf(value: YamlValue | undefined): string[] {
  return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string' && each !== '');
}

function textLists(map: YamlMap, list: (value: YamlValue) => YamlValue | undefined): Map<string, string[]> {
  return new Map([...map].map(([key, value]) => [String(key), textsOf(list(value))]));
}

function fault(code: 'format.syntax' | 'format.limit', place: string, why: string, cause?: unknown): KubedosError {
  return new KubedosError(code, `parse ${place}: ${why}`, { cause });
}
