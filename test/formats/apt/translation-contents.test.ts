import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ContentsLine,
  contentsLine,
  MAX_CONTENTS_LINE_BYTES,
  packageOfLocation,
  parseContents,
  writeContents,
} from '../../../src/formats/apt/contents.ts';
import { parseStanza, parseStanzasOf, writeStanzas } from '../../../src/formats/apt/deb822.ts';
import { descriptionMd5, translationEntry, translationStanza } from '../../../src/formats/apt/translation.ts';
import { golden } from '../golden.ts';
import { chunked, thrown } from '../support.ts';

describe('Translation', () => {
  it('of Debian is read, made anew and tied to its packages to the byte', () => {
    const bytes = golden('Translation-en');
    const stanzas = [...parseStanzasOf(bytes, 'Translation-en')];
    expect(Buffer.concat([...writeStanzas(stanzas)]).equals(bytes)).toBe(true);
    expect(stanzas.length).toBe(5);
    for (const stanza of stanzas) {
      const entry = translationEntry(stanza, 'Translation-en');
      expect(entry.language).toBe('en');
      expect(entry.descriptionMd5).toBe(descriptionMd5(entry.description));
      expect(translationStanza(entry).raw.equals(stanza.raw)).toBe(true);
    }
    const packages = [...parseStanzasOf(golden('Packages'), 'Packages')];
    const bash = packages.find((stanza) => stanza.get('Package') === 'bash');
    const long = stanzas.find((stanza) => stanza.get('Package') === 'bash');
    expect(bash?.get('Description-md5')).toBe(long?.get('Description-md5'));
  });

  it.each([
    ['no language', `Package: a\nDescription-md5: ${'1'.repeat(32)}\n`],
    ['no checksum', 'Package: a\nDescription-en: x\n'],
    ['another checksum', 'Package: a\nDescription-md5: 12\nDescription-en: x\n'],
    ['no package', `Description-md5: ${'1'.repeat(32)}\nDescription-en: x\n`],
  ])('is refused with %s', (_, text) => {
    expect(thrown(() => translationEntry(parseStanza(text, 'T'), 'T'))).toMatchObject({ code: 'format.syntax' });
  });
});

async function parsed(bytes: Uint8Array, size = 1000): Promise<ContentsLine[]> {
  const all: ContentsLine[] = [];
  for await (const line of parseContents(chunked(bytes, size), 'Contents')) all.push(line);
  return all;
}

describe('Contents', () => {
  it('of Debian is read, made anew and put together again to the byte', async () => {
    const bytes = golden('Contents');
    const entries = await parsed(bytes);
    expect(entries.length).toBe(bytes.toString().trimEnd().split('\n').length);
    expect(Buffer.concat([...writeContents(entries)]).equals(bytes)).toBe(true);
    for (const entry of entries)
      expect(contentsLine(entry.path, entry.locations).raw.toString()).toBe(entry.raw.toString());
  });

  it('has paths with blanks, several packages, and areas', async () => {
    const text = 'usr/share/a b  c.txt\t \tnon-free/libs/x,devel/y\n./z          y\nlast x';
    const entries = await parsed(Buffer.from(text), 3);
    expect(entries.map(({ path, locations }) => [path, locations.map(packageOfLocation)])).toEqual([
      ['usr/share/a b  c.txt', ['x', 'y']],
      ['./z', ['y']],
      ['last', ['x']],
    ]);
  });

  it('may begin with prose, as it did of old', async () => {
    const old = 'This file maps each file\n\nFILE      LOCATION\nbin/a   base/a\n';
    expect((await parsed(Buffer.from(old), 5)).map((entry) => entry.path)).toEqual(['bin/a']);
    await expect(parsed(Buffer.from(`${old}nonsense\n`))).rejects.toMatchObject({
      message: expect.stringContaining('Contents:5: '),
    });
  });

  it('says where it is broken, near the start and far from it', async () => {
    const good = 'bin/a base/a\n';
    for (const before of [0, 1, 99, 100, 5000])
      await expect(parsed(Buffer.from(`${good.repeat(before)}word\n${good}`))).rejects.toMatchObject({
        code: 'format.syntax',
        message: expect.stringContaining(`parse Contents:${before + 1}: `),
      });
  });

  it('refuses a line without end', async () => {
    function* endless(): Generator<Uint8Array> {
      for (let i = 0; i < 1000; i++) yield Buffer.alloc(65536, 'x');
    }
    const run = async () => {
      for await (const _ of parseContents(endless(), 'Contents'));
    };
    await expect(run()).rejects.toMatchObject({ code: 'format.limit' });
    expect(1000 * 65536).toBeGreaterThan(MAX_CONTENTS_LINE_BYTES);
  });

  it('is read back as it was written, however it is cut', async () => {
    const path = fc
      .array(fc.constantFrom('a', 'b/', ' ', 'é', '.', ','), { minLength: 1, maxLength: 60 })
      .map((all) => `x${all.join('')}y`);
    const locations = fc.array(fc.constantFrom('base/a', 'non-free/libs/b', 'c'), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(path, locations), { maxLength: 150 }),
        fc.integer({ min: 1, max: 99 }),
        async (all, size) => {
          const bytes = Buffer.concat([...writeContents(all.map(([one, where]) => contentsLine(one, where)))]);
          const back = await parsed(bytes, size);
          expect(back.map((entry) => [entry.path, entry.locations])).toEqual(all);
          expect(Buffer.concat([...writeContents(back)]).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });
});
