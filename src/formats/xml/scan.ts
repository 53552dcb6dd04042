/** A pull parser of one record (see xmlRecords): plain tags and text, checked to be well-formed as it goes. */
import { KubedosError } from '../../errors.ts';
import { forbiddenAt, unescapeXml } from './escape.ts';

const MAX_DEPTH = 32;
const MAX_ATTRIBUTES = 64;

const TAB = 9;
const BLANK = 32;
const DOUBLE_QUOTE = 34;
const SINGLE_QUOTE = 39;
const SLASH = 47;
const LESS = 60;
const EQUALS = 61;
const GREATER = 62;

/**
 * `next` goes from tag to tag; what is told of one holds until the next. Strings may be views of the record's text, and
 * keep all of it in memory where they are kept.
 */
export class XmlScan {
  /** Of the current tag, as written. */
  name = '';
  /** `open` of `<a>`, `empty` of `<a/>`, `close` of `</a>`. */
  kind: 'open' | 'empty' | 'close' = 'open';
  readonly #text: string;
  readonly #origin: string;
  readonly #stack: string[] = [];
  /** Four numbers an attribute: where its name and its value begin and end; #used of them are of the current tag. */
  readonly #attributes: number[] = [];
  #used = 0;
  #at = 0;
  #tagStart = 0;

  /** `format.syntax` for a character that XML cannot hold. */
  constructor(record: Buffer, origin: string) {
    this.#text = record.toString('utf8');
    this.#origin = origin;
    const forbidden = forbiddenAt(this.#text);
    if (forbidden < 0) return;
    this.#tagStart = forbidden;
    throw this.#refusal('a character that XML does not allow');
  }

  /** How many elements are open, the current one among them where it is. */
  get depth(): number {
    return this.#stack.length;
  }

  /** False at the end. `format.syntax` for what is not well-formed. */
  next(): boolean {
    const text = this.#text;
    const start = text.indexOf('<', this.#at);
    if (start < 0) {
      if (this.#stack.length > 0) throw this.#refusal('ends within an element');
      return false;
    }
    this.#used = 0;
    this.#tagStart = start;
    if (text.charCodeAt(start + 1) === SLASH) this.#close(start + 2);
    else this.#open(start + 1);
    return true;
  }

  /** What a sticky pattern matches from here on, if it does, and goes behind it: of whole elements, and nothing is checked. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  #close(from: number): void {
    const end = this.#text.indexOf('>', from);
    if (end < 0) throw this.#refusal('a tag does not end');
    this.name = this.#text.slice(from, end).trimEnd();
    this.kind = 'close';
    const open = this.#stack.pop();
    if (open !== this.name) throw this.#refusal(`expected </${open ?? ''}>, got </${this.name}>`);
    this.#at = end + 1;
  }

  #open(from: number): void {
    const text = this.#text;
    let at = from;
    while (isNameCode(text.charCodeAt(at))) at++;
    if (at === from) throw this.#refusal('a tag has no name');
    this.name = text.slice(from, at);
    for (;;) {
      at = this.#skipBlank(at);
      const code = text.charCodeAt(at);
      if (code === GREATER) {
        if (this.#stack.length >= MAX_DEPTH)
          throw new KubedosError('format.limit', `parse ${this.#origin}: elements are nested deeper than ${MAX_DEPTH}`);
        this.#stack.push(this.name);
        this.kind = 'open';
        this.#at = at + 1;
        return;
      }
      if (code === SLASH && text.charCodeAt(at + 1) === GREATER) {
        this.kind = 'empty';
        this.#at = at + 2;
        return;
      }
      at = this.#attribute(at);
    }
  }

  /** Where the attribute that begins at `from` ends. */
  #attribute(from: number): number {
    const text = this.#text;
    let at = from;
    while (isNameCode(text.charCodeAt(at))) at++;
    const nameEnd = at;
    at = this.#skipBlank(at);
    if (text.charCodeAt(at) !== EQUALS || nameEnd === from) throw this.#refusal('an attribute has no name or no value');
    at = this.#skipBlank(at + 1);
    const quote = text.charCodeAt(at);
    if (quote !== DOUBLE_QUOTE && quote !== SINGLE_QUOTE) throw this.#refusal('an attribute is not in quotes');
    const end = text.indexOf(quote === DOUBLE_QUOTE ? '"' : "'", at + 1);
    if (end < 0) throw this.#refusal('an attribute does not end');
    if (this.#used >= 4 * MAX_ATTRIBUTES)
      throw new KubedosError(
        'format.limit',
        `parse ${this.#origin}: <${this.name}> has more than ${MAX_ATTRIBUTES} attributes`,
      );
    const list = this.#attributes;
    list[this.#used++] = from;
    list[this.#used++] = nameEnd;
    list[this.#used++] = at + 1;
    list[this.#used++] = end;
    return end + 1;
  }

  #skipBlank(from: number): number {
    let at = from;
    for (let code = this.#text.charCodeAt(at); code <= BLANK && code >= TAB; code = this.#text.charCodeAt(++at));
    return at;
  }

  /** Value of an attribute of the current tag, unescaped. `format.syntax` where it is there twice. */
  attribute(name: string): string | undefined {
    const list = this.#attributes;
    let found: string | undefined;
    for (let i = 0; i < this.#used; i += 4) {
      const start = list[i] as number;
      if ((list[i + 1] as number) - start !== name.length || !this.#text.startsWith(name, start)) continue;
      if (found !== undefined) throw this.#refusal(`<${this.name}> has ${name} twice`);
      found = this.#unescaped(list[i + 2] as number, list[i + 3] as number);
    }
    return found;
  }

  /** What stands between the open tag that is current and its end; goes on to that end. An element in it is `format.syntax`. */
  text(): string {
    if (this.kind === 'empty') return '';
    const from = this.#at;
    const { name } = this;
    this.next();
    if (this.kind !== 'close') throw this.#refusal(`<${this.name}> within <${name}>`);
    return this.#unescaped(from, this.#tagStart);
  }

  /** Goes behind the end of the open tag that is current. */
  skip(): void {
    if (this.kind !== 'open') return;
    const depth = this.#stack.length;
    while (this.#stack.length >= depth && this.next());
  }

  /** As `skip`, without a look at what is skipped: for a record whose writer is known to be sound, or that is only read. */
  leap(): void {
    const end = this.#text.indexOf(`</${this.name}>`, this.#at);
    if (end >= 0) this.#at = end;
  }

  #unescaped(from: number, to: number): string {
    const raw = this.#text.slice(from, to);
    if (raw.includes('<')) throw this.#refusal('a value holds <');
    return raw.includes('&') ? unescapeXml(raw, () => this.#refusal('an entity that is unknown or not allowed')) : raw;
  }

  #refusal(why: string): KubedosError {
    const line = this.#text.slice(0, this.#tagStart).split('\n').length;
    return new KubedosError('format.syntax', `parse ${this.#origin}: line ${line} of the record: ${why}`);
  }
}

function isNameCode(code: number): boolean {
  return (
    code > BLANK &&
    code !== EQUALS &&
    code !== DOUBLE_QUOTE &&
    code !== SINGLE_QUOTE &&
    (code < SLASH || code > GREATER || (code > SLASH && code < LESS))
  );
}
