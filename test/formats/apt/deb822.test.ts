import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Field,
  MAX_STANZA_BYTES,
  parseStanza,
  parseStanzas,
  parseStanzasOf,
  Stanza,
  writeStanza,
  writeStanzas,
} from '../../../src/formats/apt/deb822.ts';
import { MAX_FIELD_BYTES, MAX_FIELDS } from '../../../src/formats/apt/field-index.ts';
import { chunked, thrown } from '../support.ts';

async function parsed(chunks: Iterable<Uint8Array>): Promise<Stanza[]> {
  const stanzas: Stanza[] = [];
  for await (const stanza of parseStanzas(chunks, 'Packages')) stanzas.push(stanza);
  return stanzas;
}

const nameCharacter = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzABCDEFXYZ0123456789-_.+#!~');
const fieldName = fc
  .array(nameCharacter, { minLength: 1, maxLength: 20 })
  .map((characters) => characters.join(''))
  .filter((name) => !name.startsWith('-') && !name.startsWith('#'));
const lineText = fc
  .string({ unit: 'binary', maxLength: 40 })
  .map((text) => text.replace(/[\n\r]/g, '').replace(/^[ \t]+|[ \t]+$/g, ''));
const fieldValue = fc
  .tuple(lineText, fc.array(fc.tuple(fc.constantFrom(' ', '\t', '  ', ' .'), lineText), { maxLength: 4 }))
  .map(([first, rest]) => [first, ...rest.map(([blank, text]) => blank + text)].join('\n').replace(/[ \t\n]+$/, ''));
const field = fc.record({ name: fieldName, value: fieldValue });
const fieldsOfStanza = fc
  .uniqueArray(field, { minLength: 1, maxLength: 8, selector: (one) => one.name.toLowerCase() })
  .map((fields): Field[] => fields);

describe('a stanza', () => {
  const text = 'Package: a\nTag: x::y,\n z::q\n  .\nEmpty:\nMD5Sum: \n 00 1 p\nDescription:\tlong \t \n';
  it('gives values whatever the case of the name, and keeps its bytes', () => {
    const stanza = parseStanza(text, 'f');
    expect(stanza.get('PACKAGE')).toBe('a');
    expect(stanza.get('tag')).toBe('x::y,\n z::q\n  .');
    expect(stanza.get('Empty')).toBe('');
    expect(stanza.get('md5sum')).toBe('\n 00 1 p');
    expect(stanza.get('description')).toBe('long');
    expect(stanza.get('Descriptio')).toBeUndefined();
    expect(stanza.has('empty')).toBe(true);
    expect(stanza.lineOf('Description')).toBe(8);
    expect(writeStanza(stanza).toString()).toBe(text);
  });

  it('takes the last of a repeated field, as apt does', () => {
    expect(parseStanza('A: 1\na: 2\n', 'f').get('A')).toBe('2');
  });

  it('does not take letters for the signs 32 code points away', () => {
    const stanza = parseStanza('^a: 1\n_b: 2\n', 'f');
    expect(stanza.get('~a')).toBeUndefined();
    expect(stanza.get('\u007fb')).toBeUndefined();
  });

  it('is changed field by field, the others to the byte', () => {
    const stanza = parseStanza('Package:  a\nSize: 1\nX-Odd:\t y  \nsize: 2\n', 'f');
    const changed = stanza.with({ Size: '7', Filename: 'pool/a.deb', Gone: undefined });
    expect(changed.raw.toString()).toBe('Package:  a\nSize: 7\nX-Odd:\t y  \nFilename: pool/a.deb\n');
    expect(changed.with({ 'x-odd': undefined }).get('X-Odd')).toBeUndefined();
  });

  it.each([
    ['a value that would begin another field', { name: 'A', value: 'x\nEvil: y' }],
    ['a value that would end the stanza', { name: 'A', value: 'x\n\n y' }],
    ['white space at the end', { name: 'A', value: 'x ' }],
    ['white space at the start', { name: 'A', value: '\tx' }],
    ['a name with a colon', { name: 'A:b', value: 'x' }],
    ['a name with a blank', { name: 'A b', value: 'x' }],
    ['a comment', { name: '#A', value: 'x' }],
    ['armour', { name: '-A', value: 'x' }],
    ['no name', { name: '', value: 'x' }],
    ['a lone surrogate', { name: 'A', value: '\ud800' }],
  ])('is not made of %s', (_, bad) => {
    expect(thrown(() => Stanza.of([bad])).code).toBe('format.syntax');
  });
});

describe('files of stanzas', () => {
  it('gives lines and offsets, over blank lines, CR LF and a missing last newline', async () => {
    const text = '\n\nA: 1\n  more\n\n\n\r\nB: 2\r\n x\r\n\r\nC: 3';
    for (const size of [1, 2, 3, 1000]) {
      const stanzas = await parsed(chunked(Buffer.from(text), size));
      expect(stanzas.map((stanza) => [stanza.line, stanza.offset, stanza.raw.toString()])).toEqual([
        [3, 2, 'A: 1\n  more\n'],
        [8, 18, 'B: 2\r\n x\r\n'],
        [11, 30, 'C: 3\n'],
      ]);
      expect(stanzas[1]?.get('B')).toBe('2\r\n x');
    }
  });

  it('takes a line of blanks for a continuation, as apt does', async () => {
    expect((await parsed([Buffer.from('A: 1\n \n\t\nB: 2\n')])).length).toBe(1);
  });

  it('has no stanzas in an empty file', async () => {
    expect(await parsed([])).toEqual([]);
    expect(await parsed([Buffer.from('\n\r\n\n')])).toEqual([]);
    expect(thrown(() => parseStanza('', 'control')).message).toContain('control:1');
    expect(thrown(() => parseStanza('A: 1\n\nB: 2\n', 'control')).message).toContain('control:3');
  });

  it.each([
    ['no colon', 'A: 1\n\nB: 2\nnonsense\n', 4],
    ['no name', 'A: 1\n: 2\n', 2],
    ['a comment', 'A: 1\n# B: 2\n', 2],
    ['a continuation of nothing', '\n x: 1\n', 2],
    ['a control character in a name', 'A\u0000B: 1\n', 1],
    ['armour', '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n', 1],
    ['a bare carriage return', 'A: 1\n\rB: 1\n', 2],
  ])('says where: %s', (_, text, line) => {
    const error = thrown(() => [...parseStanzasOf(text, 'Packages')]);
    expect(error.code).toBe('format.syntax');
    expect(error.message).toContain(`parse Packages:${line}: `);
  });

  it('allows blanks before the colon, as apt and dpkg do', () => {
    expect(parseStanza('A \t: 1\n', 'f').fields()).toEqual([{ name: 'A', value: '1' }]);
  });

  it('takes a field of 3 MB, and refuses larger than the limit, endless stanzas and endless numbers of fields', async () => {
    const large = Buffer.concat([Buffer.from('A: '), Buffer.alloc(3_000_000, 'x'), Buffer.from('\n')]);
    expect((await parsed(chunked(large, 65536)))[0]?.get('a')?.length).toBe(3_000_000);
    const tooLarge = Buffer.concat([
      Buffer.from('Z: 1\nA: '),
      Buffer.alloc(MAX_FIELD_BYTES, 'x'),
      Buffer.from('\nB: 1\n'),
    ]);
    await expect(parsed(chunked(tooLarge, 65536))).rejects.toMatchObject({
      code: 'format.limit',
      message: expect.stringContaining('Packages:2: field "A"'),
    });
    await expect(parsed([Buffer.from('a:\n'.repeat(MAX_FIELDS + 1))])).rejects.toMatchObject({ code: 'format.limit' });
    let given = 0;
    function* endless(): Generator<Uint8Array> {
      for (;;) {
        given += 65536;
        yield Buffer.alloc(65536, 'A: b\n ');
      }
    }
    await expect(parsed(endless())).rejects.toMatchObject({ code: 'format.limit' });
    expect(given).toBeLessThan(3 * MAX_STANZA_BYTES);
  });

  it('is read back as it was written, by fields and by bytes, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fieldsOfStanza, { maxLength: 6 }),
        fc.integer({ min: 1, max: 50 }),
        async (file, size) => {
          const bytes = Buffer.concat([...writeStanzas(file.map((fields) => Stanza.of(fields)))]);
          const stanzas = await parsed(chunked(bytes, size));
          expect(stanzas.map((stanza) => stanza.fields())).toEqual(file);
          expect(Buffer.concat([...writeStanzas(stanzas)]).equals(bytes)).toBe(true);
        },
      ),
    );
  });

  it('is the same whatever the chunks are, where blocks end within separators', async () => {
    const piece = fc.constantFrom('A: 1\n', 'B:\n', ' c\n', '\n', '\n', '\r\n', '\r\n\n', 'D: x\r\n');
    const file = fc.array(piece, { minLength: 1, maxLength: 30 }).map((pieces) => `A: 1\n${pieces.join('')}\nZ: 1\n`);
    const pads = fc.array(fc.integer({ min: 65_530, max: 65_545 }), { minLength: 3, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(
        file.filter((text) => !/\n\r?\n c/.test(text)),
        pads,
        fc.nat({ max: 40 }),
        async (text, sizes, shift) => {
          // Long stanzas between, so that each chunk is a block of its own and ends near the odd parts.
          const filler = (size: number) => `\n\nF: ${'x'.repeat(size)}\n\n${text}`;
          const bytes = Buffer.from(text + sizes.map(filler).join(''));
          const chunks: Uint8Array[] = [];
          for (let at = 0; at < bytes.length; at += 65_536 + shift)
            chunks.push(bytes.subarray(at, at + 65_536 + shift));
          const facts = (stanza: Stanza) => [stanza.line, stanza.offset, stanza.raw.toString('latin1')];
          const whole = [...parseStanzasOf(bytes, 'f')].map(facts);
          expect((await parsed(chunks)).map(facts)).toEqual(whole);
          expect(whole.length).toBeGreaterThan(3);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps whatever bytes it takes', async () => {
    const piece = fc.constantFrom(
      'A: 1',
      'B:',
      ' c',
      '\t',
      ' .',
      '\n',
      '\n',
      '\r\n',
      '\n\n',
      'x',
      ':',
      '\u00e9',
      '\u0000',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.integer({ min: 1, max: 9 }), async (pieces, size) => {
        const bytes = Buffer.from(pieces.join(''));
        let stanzas: Stanza[];
        try {
          stanzas = await parsed(chunked(bytes, size));
        } catch (error) {
          expect(error).toMatchObject({ name: 'KubedosError', code: 'format.syntax' });
          return;
        }
        const padded = Buffer.concat([bytes, Buffer.from('\n')]);
        for (const stanza of stanzas)
          expect(padded.subarray(stanza.offset, stanza.offset + stanza.raw.length).equals(stanza.raw)).toBe(true);
        const lines = (text: string) => text.split(/\r?\n/).filter((line) => line !== '');
        expect(stanzas.flatMap((stanza) => lines(stanza.raw.toString()))).toEqual(
          lines(bytes.toString()).filter((line) => line !== '\r'),
        );
      }),
      { numRuns: 300 },
    );
  });
});
