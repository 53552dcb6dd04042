/** What XML 1.0 writes in another way. */

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};
/** In attributes white space would otherwise be read as blanks (XML 1.0 §3.3.3). */
const ATTRIBUTE_ESCAPES: Readonly<Record<string, string>> = { ...ESCAPES, '\n': '&#10;', '\t': '&#9;' };
/** What XML 1.0 §2.2 does not allow, not even escaped; readers refuse the whole file for one of them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const ALL_FORBIDDEN = new RegExp(FORBIDDEN, 'g');

/** Where the first character stands that XML cannot hold; -1 where there is none. */
export function forbiddenAt(text: string): number {
  return text.search(FORBIDDEN);
}

/** Characters that XML cannot hold are left out. */
export function escapeText(text: string): string {
  return text.replace(ALL_FORBIDDEN, '').replace(/[&<>\r]/g, (each) => ESCAPES[each] as string);
}

/** What is not ASCII goes by its number, as libxml2 writes attributes for createrepo_c: our metadata equals its. */
export function escapeAttribute(text: string): string {
  return text
    .replace(ALL_FORBIDDEN, '')
    .replace(/[&<>"\r\n\t]|[^\p{ASCII}]/gu, (each) => ATTRIBUTE_ESCAPES[each] ?? reference(each));
}

/** Half a character becomes what it would as UTF-8. */
function reference(character: string): string {
  const code = /\p{Surrogate}/u.test(character) ? 0xfffd : (character.codePointAt(0) as number);
  return `&#x${code.toString(16).toUpperCase()};`;
}

const NAMED = new Map(Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }));

/**
 * Entities are the five of XML, and numbers of characters that it can hold; `refuse` makes the error for any other, and for
 * a lone `&`.
 */
export function unescapeXml(text: string, refuse: () => Error): string {
  return text.replace(/&(?:#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))|([a-z]+));|&/g, (_, hex, decimal, name) => {
    const code = hex ? Number.parseInt(hex, 16) : decimal ? Number(decimal) : undefined;
    const character = code === undefined ? NAMED.get(name) : characterOf(code);
    if (character === undefined) throw refuse();
    return character;
  });
}

function characterOf(code: number): string | undefined {
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  const character = code > 0x10ffff || isSurrogate ? '' : String.fromCodePoint(code);
  return character === '' || FORBIDDEN.test(character) ? undefined : character;
}
