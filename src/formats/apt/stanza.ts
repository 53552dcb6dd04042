import { KubedosError } from '../../errors.ts';
import { type FieldIndex, INDEX_STEP, indexFields } from './field-index.ts';
import { quoted } from './syntax.ts';

export interface Field {
  readonly name: string;
  /**
   * Without white space at both ends; lines joined by "\n". Continuation lines keep the blanks that they begin with:
   * a value that begins on the second line (a Release's SHA256) reads "\n e3b0… 0 main/…".
   */
  readonly value: string;
}

const [LF, CR, SPACE, TAB, HYPHEN, HASH, COLON] = [10, 13, 32, 9, 45, 35, 58];

/**
 * One paragraph of a Debian control file (deb822(5), Debian Policy 5.1). What it was read from is kept to the byte, so
 * that unknown fields, their order and their layout survive. Of a repeated field the last counts, as for apt.
 */
export class Stanza {
  /** Ends in exactly one "\n"; without the blank line after it. */
  readonly raw: Buffer;
  /** Line of its first field in the file it was read from, from 1. */
  readonly line: number;
  /** Byte of its first field in the file it was read from, from 0. */
  readonly offset: number;
  readonly #index: FieldIndex;

  /** For parsers: `raw` must end in "\n" and hold no blank line. Throws what `indexFields` throws. */
  constructor(raw: Buffer, place: { readonly origin: string; readonly line: number; readonly offset: number }) {
    this.raw = raw;
    this.line = place.line;
    this.offset = place.offset;
    this.#index = indexFields(raw, place.origin, place.line);
  }

  /** A stanza from fields; refuses (`format.syntax`) names and values that could not be read back as they are. */
  static of(fields: readonly Field[]): Stanza {
    const raw = Buffer.from(fields.map(renderField).join(''));
    return new Stanza(raw, { origin: 'a new stanza', line: 1, offset: 0 });
  }

  /** The value of a field whatever the case of its name; `''` where it is blank, `undefined` where it is absent. */
  get(name: string): string | undefined {
    const at = this.#find(name);
    return at < 0 ? undefined : this.#value(at);
  }

  has(name: string): boolean {
    return this.#find(name) >= 0;
  }

  /** Line of the file on which a field begins (of the stanza where it is absent); for messages. */
  lineOf(name: string): number {
    const at = this.#find(name);
    return at < 0 ? this.line : (this.#index[at + 3] as number);
  }

  /** All fields in their order. */
  fields(): Field[] {
    const fields: Field[] = [];
    for (let at = 0; at < this.#end; at += INDEX_STEP) {
      const name = this.raw.toString('latin1', this.#index[at], this.#index[at + 1]);
      fields.push({ name, value: this.#value(at) });
    }
    return fields;
  }

  /**
   * A copy with other values: a string replaces the field where it stands, or is appended; `undefined` removes it.
   * All other fields keep their bytes.
   */
  with(changes: Readonly<Record<string, string | undefined>>): Stanza {
    const pending = new Map(Object.entries(changes).map(([name, value]) => [name.toLowerCase(), { name, value }]));
    const pieces: Buffer[] = [];
    const done = new Set<string>();
    for (let at = 0; at < this.#end; at += INDEX_STEP) {
      const start = this.#index[at] as number;
      const key = this.raw.toString('latin1', start, this.#index[at + 1]).toLowerCase();
      const change = pending.get(key);
      if (change === undefined) pieces.push(this.raw.subarray(start, this.#index[at + INDEX_STEP]));
      else if (change.value !== undefined && !done.has(key))
        pieces.push(Buffer.from(renderField({ name: change.name, value: change.value })));
      done.add(key);
    }
    for (const [key, { name, value }] of pending)
      if (value !== undefined && !done.has(key)) pieces.push(Buffer.from(renderField({ name, value })));
    return new Stanza(Buffer.concat(pieces), { origin: 'an edited stanza', line: 1, offset: 0 });
  }

  /** Lines that it takes up. */
  get lines(): number {
    return (this.#index[this.#index.length - 1] as number) - this.line;
  }

  get #end(): number {
    return this.#index.length - INDEX_STEP;
  }

  /** Position in the index of the last field of that name, or -1. */
  #find(name: string): number {
    const index = this.#index;
    for (let at = this.#end - INDEX_STEP; at >= 0; at -= INDEX_STEP) {
      const start = index[at] as number;
      if ((index[at + 1] as number) - start === name.length && sameName(this.raw, start, name)) return at;
    }
    return -1;
  }

  #value(at: number): string {
    const raw = this.raw;
    let start = this.#index[at + 2] as number;
    let end = this.#index[at + INDEX_STEP] as number;
    while (end > start && isWhite(raw[end - 1])) end--;
    while (start < end && (raw[start] === SPACE || raw[start] === TAB)) start++;
    return raw.toString('utf8', start, end);
  }
}

/** The bytes of one stanza as a file holds them, without the blank line that parts it from the next. */
export function writeStanza(stanza: Stanza): Buffer {
  return stanza.raw;
}

/** The bytes of a file of stanzas: a blank line after each, as the archives of Debian write it. */
export function* writeStanzas(stanzas: Iterable<Stanza>): Generator<Buffer> {
  for (const stanza of stanzas) yield Buffer.concat([stanza.raw, BLANK_LINE]);
}

const BLANK_LINE = Buffer.from('\n');

function isWhite(byte: number | undefined): boolean {
  return byte === SPACE || byte === LF || byte === TAB || byte === CR;
}

/** Compares ASCII without case; the caller has compared the lengths. */
function sameName(raw: Buffer, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const a = raw[start + i] as number;
    const b = name.charCodeAt(i);
    if (a === b) continue;
    const lower = a | 32;
    if (lower !== (b | 32) || lower < 97 || lower > 122) return false;
  }
  return true;
}

/** "Name: value\n"; no blank after the colon where the value is empty or begins on the next line. */
function renderField({ name, value }: Field): string {
  const refuse = (why: string) => new KubedosError('format.syntax', `write field ${quoted(name)}: ${why}`);
  if (!isFieldName(name)) throw refuse('not a field name');
  if (value !== '' && (' \t'.includes(value[0] as string) || ' \t\r\n'.includes(value[value.length - 1] as string)))
    throw refuse('white space at the ends of its value');
  if (!value.isWellFormed()) throw refuse('its value is not well-formed Unicode');
  for (let at = value.indexOf('\n'); at >= 0; at = value.indexOf('\n', at + 1)) {
    const next = value.charCodeAt(at + 1);
    if (next !== SPACE && next !== TAB) throw refuse('a further line of its value must begin with a blank');
  }
  return value === '' || value.startsWith('\n') ? `${name}:${value}\n` : `${name}: ${value}\n`;
}

function isFieldName(name: string): boolean {
  if (name === '') return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code <= SPACE || code >= 127 || code === COLON) return false;
  }
  return name.charCodeAt(0) !== HASH && name.charCodeAt(0) !== HYPHEN;
}
