import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type XmlElement, xmlChildren } from '../../../src/formats/xml/elements.ts';
import { xmlRecords } from '../../../src/formats/xml/records.ts';
import { XmlScan } from '../../../src/formats/xml/scan.ts';
import { elementText } from '../../../src/formats/xml/write.ts';
import { chunked } from '../support.ts';

const OPTIONS = { origin: 'primary.xml', root: 'metadata', record: 'package' };
const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<metadata xmlns:rpm="http://example.org" packages="2">\n';

async function records(text: string, size = 7): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of xmlRecords(chunked(Buffer.from(text), size), OPTIONS))
    found.push(...batch.map((record) => record.toString()));
  return found;
}

async function elements(text: string, root: string): Promise<XmlElement[]> {
  const found: XmlElement[] = [];
  for await (const element of xmlChildren([Buffer.from(text)], { origin: 'x', root: [root] })) found.push(element);
  return found;
}

/** What the pull parser makes of a record. */
function scanned(record: string): XmlElement {
  const scan = new XmlScan(Buffer.from(record), 'x');
  const read = (): XmlElement => {
    const { name, kind } = scan;
    const attributes = { a: scan.attribute('a'), 'rpm:b': scan.attribute('rpm:b') };
    const own = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
    if (kind === 'empty') return { name, attributes: own, children: [], text: '' } as unknown as XmlElement;
    if (name === 'leaf') return { name, attributes: own, children: [], text: scan.text() } as unknown as XmlElement;
    const children: XmlElement[] = [];
    while (scan.next() && scan.kind !== 'close') children.push(read());
    return { name, attributes: own, children, text: '' } as unknown as XmlElement;
  };
  scan.next();
  return read();
}

const value = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll(/[\r\ufffe\uffff]/g, ''));
const printable = value.map((text) => text.replaceAll(/\p{Cc}/gu, ''));
const attributes = fc.record({ a: printable, 'rpm:b': printable }, { requiredKeys: [] });
const leaf = fc
  .record({ name: fc.constant('leaf'), attributes, text: printable })
  .map((each) => ({ ...each, children: [] }));
const element = fc.record({
  name: fc.constantFrom('package', 'x', 'rpm:entry').filter((name) => name !== 'package'),
  attributes,
  children: fc.array(leaf, { maxLength: 3 }),
  text: fc.constant(''),
});
const record = fc.record({
  name: fc.constant('package'),
  attributes,
  children: fc.array(fc.oneof(leaf, element), { minLength: 1, maxLength: 4 }),
  text: fc.constant(''),
});

const plain = (each: XmlElement): unknown => ({
  name: each.name,
  attributes: { ...each.attributes },
  children: each.children.map(plain),
  text: each.children.length > 0 ? '' : each.text,
});

describe('records of a large file', () => {
  it('are cut as the SAX parser sees them, however the bytes come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 5 }), fc.integer({ min: 1, max: 300 }), async (list, size) => {
        const text = `${HEAD}${list.map((each) => elementText(each)).join('')}</metadata>\n`;
        const cut = await records(text, size);
        expect(cut).toEqual(list.map((each) => elementText(each).trimEnd()));
        const parsed = (await elements(text, 'metadata')).map(plain);
        expect(cut.map((each) => plain(scanned(each)))).toEqual(parsed);
        expect(parsed).toEqual(list.map(plain));
      }),
      { numRuns: 200 },
    );
  });

  it('may stand beside comments, CDATA and odd white space, and are written plainly then', async () => {
    const odd = `${HEAD}<package><name>a</name></package>
<!-- <package><name>no</name></package> --><package ><name><![CDATA[b</package>]]></name></package
><package a='1'/><package><x>&lt;</x></package></metadata >`;
    for (const size of [1, 13, 1000])
      expect(await records(odd, size)).toEqual([
        '<package><name>a</name></package>',
        '<package>\n  <name>b&lt;/package&gt;</name>\n</package>',
        '<package a="1"/>',
        '<package>\n  <x>&lt;</x>\n</package>',
      ]);
    for (const inner of ['<!-- </package> -->', '<![CDATA[</package>]]>', '<?x </package>?>'])
      expect(await records(`${HEAD}<package><a/>${inner}<b/></package></metadata>`, 300), inner).toHaveLength(1);
    const before = '<?xml version="1.0"?><!-- <package> --><metadata><package><n/></package></metadata>';
    expect(await records(before)).toEqual(['<package>\n  <n/>\n</package>']);
  });

  it('tell what stands at the root', async () => {
    const seen: unknown[] = [];
    const onRoot = (attributes: object) => seen.push({ ...attributes });
    for (const comment of ['', '<!-- c -->'])
      for await (const _ of xmlRecords([Buffer.from(`${comment}<metadata packages="0"/>`)], { ...OPTIONS, onRoot }));
    expect(seen).toEqual([{ packages: '0' }, { packages: '0' }]);
  });

  it.each([
    ['ends early', `${HEAD}<package><name>a</name></package>`],
    ['ends within a record', `${HEAD}<package><name>a</na`],
    ['another root', '<other><package/></other>'],
    ['another record', `${HEAD}<packagex></packagex></metadata>`],
    ['text between records', `${HEAD}<package></package>text<package></package></metadata>`],
    ['text behind the root', `${HEAD}<package></package></metadata>more`],
    ['an internal DTD', `<!DOCTYPE metadata [<!ENTITY a "b">]><metadata><package>&a;</package></metadata>`],
    ['an entity', `${HEAD}<!-- --><package>&nbsp;</package></metadata>`],
    ['a second root', `${HEAD}</metadata><metadata></metadata>`],
    ['nothing at all', ''],
  ])('refuse %s', async (_, text) => {
    for (const size of [1, 40, 4096])
      await expect(records(text, size)).rejects.toMatchObject({ code: 'format.syntax' });
  });

  it('are bounded', async () => {
    function* endless(): Generator<Buffer> {
      yield Buffer.from(`${HEAD}<package>`);
      const piece = Buffer.alloc(1024 * 1024, 'x');
      for (;;) yield piece;
    }
    const read = async () => {
      for await (const _ of xmlRecords(endless(), OPTIONS));
    };
    await expect(read()).rejects.toMatchObject({ code: 'format.limit' });
    const deep = `${HEAD}<!-- -->${'<package>'.repeat(40)}`;
    await expect(records(deep, 500)).rejects.toMatchObject({ code: 'format.limit' });
  });
});

describe('a character that XML does not allow', () => {
  const raw = ['\u0000', '\u0010', '\u001f', '\ufffe', '\uffff'];
  const written = [...raw, '&#0;', '&#x10;', '&#31;', '&#xD800;', '&#xdfff;', '&#xfffe;', '&#x110000;'];
  const read = (text: string) => {
    const scan = new XmlScan(Buffer.from(text), 'x');
    scan.next();
    return [scan.attribute('b'), scan.text()];
  };

  it.each(written)('is refused by both parsers: %j', async (each) => {
    for (const record of [`<a b="${each}"/>`, `<a>${each}</a>`]) {
      await expect(elements(`<r>${record}</r>`, 'r')).rejects.toMatchObject({ code: 'format.syntax' });
      expect(() => read(record)).toThrow(expect.objectContaining({ code: 'format.syntax' }));
    }
  });

  it.each(raw)('is refused wherever it stands: %j', async (each) => {
    for (const within of [`<!--${each}-->`, `<![CDATA[${each}]]>`, `<?x ${each}?>`, `<b${each}/>`])
      await expect(elements(`<r><a>${within}</a></r>`, 'r')).rejects.toMatchObject({ code: 'format.syntax' });
    expect(() => new XmlScan(Buffer.from(`<a>\n${each}<b/></a>`), 'x')).toThrow(/x: line 2 of the record/);
  });

  it('is none of those at the edges', async () => {
    const edges = '\t\n \u007f\ud7ff\ue000\ufffd\u{10000}\u{10ffff}';
    const references = [...edges].map((each) => `&#${each.codePointAt(0)};`).join('');
    for (const text of [edges, references]) {
      const record = `<a>${text}</a>`;
      expect((await elements(`<r>${record}</r>`, 'r'))[0]?.text).toBe(edges);
      expect(read(record)[1]).toBe(edges);
    }
  });
});

describe('the pull parser', () => {
  it.each([
    ['<a><b></a></b>'],
    ['<a'],
    ['<a b>'],
    ['<a b=c></a>'],
    ['<a b="c></a>'],
    ['<a>'],
    ['< a></a>'],
    ['<a/><b'],
  ])('refuses %s', (text) => {
    const scan = new XmlScan(Buffer.from(text), 'x');
    expect(() => {
      while (scan.next());
    }).toThrow(expect.objectContaining({ code: 'format.syntax' }));
  });

  it('refuses what attributes and text may not hold', () => {
    for (const text of ['<a b="1" b="2"/>', '<a b="&other;"/>', '<a b="&"/>', '<a b="<"/>', '<a b="&#x110000;"/>']) {
      const scan = new XmlScan(Buffer.from(text), 'x');
      scan.next();
      expect(() => scan.attribute('b'), text).toThrow(expect.objectContaining({ code: 'format.syntax' }));
    }
    const scan = new XmlScan(Buffer.from('<a>text<b/></a>'), 'x');
    scan.next();
    expect(() => scan.text()).toThrow(/<b> within <a>/);
  });
});
