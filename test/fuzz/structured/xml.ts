/** XML in the ways that it may be written: quotes, references, CDATA, comments and white space. */
import fc, { type Arbitrary } from 'fast-check';
import { escapeAttribute, escapeText } from '../../../src/formats/xml/escape.ts';

const references = (text: string): string =>
  [...text].map((each) => `&#x${each.codePointAt(0)?.toString(16)};`).join('');
const cdata = (text: string): string => `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;

/** What XML can hold, carriage returns and blanks at the ends among it. */
export const anyText: Arbitrary<string> = fc
  .oneof(
    { weight: 4, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
    fc.constantFrom(
      '',
      ' ',
      '\n',
      '\r\n',
      ' a ',
      '&amp;',
      '<b>',
      ']]>',
      '--',
      '"\'',
      '\ud83d\ude00',
      '%2F',
      '__proto__',
    ),
  )
  .map((text) => text.replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, ''));

export const text = (of: Arbitrary<string>): Arbitrary<string> =>
  fc.tuple(of, fc.constantFrom(escapeText, escapeText, cdata, references)).map(([each, write]) => write(each));

/** Nothing as a rule. */
const gap = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('', '\n', '\n  ') },
  fc.constantFrom('<!-- </package> -->', '<?x y?>'),
);

const quoted = (of: Arbitrary<string>): Arbitrary<string> =>
  fc
    .tuple(of, fc.constantFrom(escapeAttribute, escapeAttribute, references), fc.boolean())
    .map(([each, write, single]) => (single ? `'${write(each).replaceAll("'", '&apos;')}'` : `"${write(each)}"`));

type Attributes = Readonly<Record<string, Arbitrary<string>>>;

function tagged(name: string, attributes: Attributes, content: Arbitrary<string>): Arbitrary<string> {
  const written = Object.entries(attributes).map(([key, value]) => {
    const one = quoted(value).map((each) => ` ${key.replace('?', '')}=${each}`);
    return key.endsWith('?') ? maybe(one) : one;
  });
  const inAnyOrder = fc.tuple(...written).chain((list) => fc.shuffledSubarray(list, { minLength: list.length }));
  return fc.tuple(inAnyOrder, content).map(([list, inner]) => {
    const start = `<${name}${list.join('')}`;
    return inner === '' ? `${start}/>` : `${start}>${inner}</${name}>`;
  });
}

/** With its children; attributes come in any order, and those with `?` behind their name may be left out. */
export const element = (
  name: string,
  attributes: Attributes,
  ...parts: readonly Arbitrary<string>[]
): Arbitrary<string> => tagged(name, attributes, fc.tuple(...parts.flatMap((part) => [gap, part])).map(joined));

export const leaf = (name: string, of: Arbitrary<string>, attributes: Attributes = {}): Arbitrary<string> =>
  tagged(name, attributes, text(of));

const joined = (list: readonly string[]): string => list.join('');
export const maybe = (of: Arbitrary<string>): Arbitrary<string> => fc.option(of, { nil: '' });
export const many = (of: Arbitrary<string>, maxLength = 3): Arbitrary<string> =>
  fc.array(of, { maxLength }).map(joined);

/** A whole file. */
export const file = (root: Arbitrary<string>, doctype = ''): Arbitrary<Uint8Array> =>
  fc
    .tuple(fc.constantFrom('', '<?xml version="1.0" encoding="UTF-8"?>\n', '<?xml version="1.0"?>'), root)
    .map(([head, body]) => Buffer.from(`${head}${doctype}${body}\n`));

/** What a vendor adds. */
export const extra = maybe(element('vendor:x', { 'a?': anyText }, maybe(leaf('y', anyText)), maybe(text(anyText))));
