/** XML of moderate size, one child of the root at a time. The grammar is sax's; entities, depth and lengths are bounded here. */
import { TextDecoder } from 'node:util';
import sax from 'sax';
import { KubedosError } from '../../errors.ts';
import type { ByteSource } from '../byte-source.ts';
import { forbiddenAt } from './escape.ts';

const MAX_DEPTH = 32;
const MAX_ATTRIBUTES = 64;
/** Of names, attributes and text of one child of the root: updates of openSUSE have some 300 KB. */
const MAX_RECORD_CHARACTERS = 64 * 1024 * 1024;

/** `strictEntities`: those of XML alone, not those of HTML; the types do not know it. */
const OPTIONS = { position: true, strictEntities: true } as sax.SAXOptions;

const { XML_ENTITIES } = sax as unknown as { readonly XML_ENTITIES: Record<string, string> };

/** Characters between two looks at what the parser is about. */
const SLICE = 4096;
const isLong = (text: string | boolean): boolean => typeof text === 'string' && text.length >= SLICE;

export interface XmlElement {
  /** With its prefix, as written: those that read these files compare the written names. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own text, without that of its children. */
  readonly text: string;
}

interface Growing extends XmlElement {
  readonly children: Growing[];
  text: string;
}

export interface XmlOptions {
  readonly origin: string;
  /** Names that the root may have. */
  readonly root: readonly string[];
  readonly onRoot?: ((attributes: Readonly<Record<string, string>>) => void) | undefined;
}

/**
 * The children of the root, each whole, as they come. UTF-8 alone is read; entities are the five of XML and numbers.
 * `format.syntax` for what is not well-formed, has another root, an internal DTD, text between the children or a character
 * that XML cannot hold, and `format.limit` beyond the bounds above.
 */
export async function* xmlChildren(source: ByteSource, options: XmlOptions): AsyncGenerator<XmlElement> {
  const tree = new Tree(options);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of source) {
    tree.write(decode(decoder, options.origin, chunk));
    yield* tree.taken();
  }
  tree.write(decode(decoder, options.origin));
  tree.end();
  yield* tree.taken();
}

function decode(decoder: TextDecoder, origin: string, chunk?: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch (cause) {
    throw new KubedosError('format.syntax', `parse ${origin}: not UTF-8`, { cause });
  }
}

class Tree {
  readonly #options: XmlOptions;
  readonly #parser: sax.SAXParser;
  readonly #open: Growing[] = [];
  #done: XmlElement[] = [];
  #depth = 0;
  #rootSeen = false;
  #characters = 0;

  constructor(options: XmlOptions) {
    this.#options = options;
    const parser = sax.parser(true, OPTIONS);
    // sax looks both up in objects that have a prototype: `&constructor;` would be an entity, and an attribute
    // `hasOwnProperty` would take the place of the method that it calls.
    parser.ENTITIES = Object.assign(Object.create(null), XML_ENTITIES);
    parser.onattribute = ({ name }) => {
      if (name in Object.prototype) throw this.#refusal(`an attribute is called ${name}`);
    };
    parser.onerror = (error) => {
      throw this.#refusal(error.message.split('\n')[0] ?? 'not well-formed');
    };
    parser.ondoctype = (text) => {
      // comps name their DTD; nothing is fetched for it.
      if (text.includes('[')) throw this.#refusal('an internal DTD is not read');
    };
    parser.onopentag = (tag) => this.#start(tag as sax.Tag);
    parser.ontext = (text) => this.#text(text);
    parser.oncdata = (text) => this.#text(text);
    parser.onclosetag = () => this.#close();
    this.#parser = parser;
  }

  write(text: string): void {
    for (let at = 0; at < text.length; at += SLICE) {
      const slice = text.slice(at, at + SLICE);
      // sax refuses references to them alone.
      if (forbiddenAt(slice) >= 0) throw this.#refusal('a character that XML does not allow');
      this.#parser.write(slice);
      // sax looks at all of it again with each character: what is no comment, CDATA or DOCTYPE ends here.
      const { sgmlDecl, doctype } = this.#parser as unknown as Readonly<
        Record<'sgmlDecl' | 'doctype', string | boolean>
      >;
      if (isLong(sgmlDecl) || isLong(doctype)) throw this.#refusal('a declaration has no end');
    }
  }

  end(): void {
    this.#parser.close();
    if (!this.#rootSeen || this.#depth > 0) throw this.#refusal('ends early');
  }

  taken(): XmlElement[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }

  #start({ name, attributes }: sax.Tag): void {
    const { root, onRoot } = this.#options;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#limit(`elements are nested deeper than ${MAX_DEPTH}`);
    const entries = Object.entries(attributes);
    if (entries.length > MAX_ATTRIBUTES) throw this.#limit(`<${name}> has more than ${MAX_ATTRIBUTES} attributes`);
    this.#count(name.length + entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0));
    const own = Object.assign(Object.create(null) as Record<string, string>, attributes);
    if (this.#depth === 1) {
      if (this.#rootSeen || !root.includes(name))
        throw this.#refusal(`expected <${root.join('> or <')}>, got <${name}>`);
      this.#rootSeen = true;
      onRoot?.(own);
      return;
    }
    const element: Growing = { name, attributes: own, children: [], text: '' };
    this.#open.at(-1)?.children.push(element);
    this.#open.push(element);
  }

  #text(text: string): void {
    const element = this.#open.at(-1);
    if (element === undefined) {
      if (text.trim() !== '') throw this.#refusal('text between the elements');
      return;
    }
    this.#count(text.length);
    element.text += text;
  }

  #close(): void {
    this.#depth -= 1;
    const element = this.#open.pop();
    if (element === undefined || this.#open.length > 0) return;
    this.#done.push(element);
    this.#characters = 0;
  }

  #count(characters: number): void {
    this.#characters += characters;
    if (this.#characters > MAX_RECORD_CHARACTERS)
      throw this.#limit(`an element is larger than ${MAX_RECORD_CHARACTERS} characters`);
  }

  #refusal(why: string): KubedosError {
    return new KubedosError('format.syntax', `parse ${this.#place()}: ${why}`);
  }

  #limit(why: string): KubedosError {
    return new KubedosError('format.limit', `parse ${this.#place()}: ${why}`);
  }

  #place(): string {
    return `${this.#options.origin}:${(this.#parser?.line ?? 0) + 1}`;
  }
}

/** The first child of that name. */
export function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((each) => each.name === name);
}

export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((each) => each.name === name);
}

/** Text of the first child of that name, trimmed; `undefined` where there is none. */
export function textOf(element: XmlElement, name: string): string | undefined {
  return child(element, name)?.text.trim();
}
