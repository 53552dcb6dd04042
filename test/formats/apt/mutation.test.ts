import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KubedosError } from '../../../src/errors.ts';
import { parseChanges } from '../../../src/formats/apt/changes.ts';
import { parseContents } from '../../../src/formats/apt/contents.ts';
import { parseStanzas, type Stanza, writeStanzas } from '../../../src/formats/apt/deb822.ts';
import { parseDependencies } from '../../../src/formats/apt/dependency.ts';
import { parseDsc } from '../../../src/formats/apt/dsc.ts';
import { packageEntry } from '../../../src/formats/apt/packages.ts';
import { parseRelease, writeRelease } from '../../../src/formats/apt/release.ts';
import { sourceEntry } from '../../../src/formats/apt/sources.ts';
import { translationEntry } from '../../../src/formats/apt/translation.ts';
import { golden } from '../golden.ts';
import { chunked } from '../support.ts';

/** Places where a file is cut, and what is put in there instead of some bytes. */
const insertion = fc.oneof(
  fc.constantFrom(
    '',
    '\n',
    '\n\n',
    '\r\n',
    ' ',
    '\t',
    ':',
    ': ',
    '\u0000',
    '-',
    '- ',
    '#',
    '/',
    '../',
    '\\',
    '|',
    ',',
    '(',
    '<',
  ),
  fc.constantFrom(
    '\u001b[2J',
    'é',
    '\ud83d\ude00',
    '99999999999999999999',
    '-----BEGIN PGP SIGNED MESSAGE-----\n',
    'SHA256:',
  ),
  fc.string({ unit: 'binary', maxLength: 5 }),
);
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat({ max: 40 }),
  inserted: insertion,
});

function mutate(bytes: Buffer, mutations: readonly { at: number; removed: number; inserted: string }[]): Buffer {
  let text = bytes;
  for (const { at, removed, inserted } of mutations) {
    const start = Math.floor(at * text.length);
    text = Buffer.concat([text.subarray(0, start), Buffer.from(inserted), text.subarray(start + removed)]);
  }
  return text;
}

const each = (read: (stanza: Stanza) => unknown) => async (bytes: Buffer, size: number) => {
  const stanzas: Stanza[] = [];
  for await (const stanza of parseStanzas(chunked(bytes, size), 'f')) {
    // What was taken can be written and taken again, whatever the checks below make of it.
    stanzas.push(stanza);
  }
  const again: Stanza[] = [];
  for await (const stanza of parseStanzas(writeStanzas(stanzas), 'f')) again.push(stanza);
  expect(again.map((stanza) => stanza.raw.toString('latin1'))).toEqual(
    stanzas.map((stanza) => stanza.raw.toString('latin1')),
  );
  for (const stanza of stanzas) read(stanza);
};

const READERS: Readonly<Record<string, (bytes: Buffer, size: number) => Promise<void>>> = {
  Packages: each((stanza) => {
    const entry = packageEntry(stanza, 'f');
    void [entry.source, entry.checksums, entry.synopsis];
    for (const field of ['Depends', 'Provides', 'Breaks']) parseDependencies(stanza.get(field) ?? '', 'f');
  }),
  Sources: each((stanza) => sourceEntry(stanza, 'f')),
  'Translation-en': each((stanza) => translationEntry(stanza, 'f')),
  'Release-security': async (bytes) => {
    const release = parseRelease(bytes, 'f');
    expect([...parseRelease(writeRelease(release), 'f').files.keys()].sort()).toEqual([...release.files.keys()].sort());
  },
  Contents: async (bytes, size) => {
    for await (const entry of parseContents(chunked(bytes, size), 'f')) expect(entry.path).not.toBe('');
  },
  'tiny.dsc': async (bytes) => void parseDsc(bytes, 'f'),
  'tiny.changes': async (bytes) => void parseChanges(bytes, 'f'),
};

describe('files of Debian in which something was changed', () => {
  it.each(Object.keys(READERS))('give what they hold or a KubedosError: %s', async (name) => {
    // Not all of a large one: so that the change is near what is checked.
    const whole = golden(name).subarray(0, 12_000);
    const read = READERS[name] as (bytes: Buffer, size: number) => Promise<void>;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 50, max: 5000 }),
        async (changes, size) => {
          try {
            await read(mutate(whole, changes), size);
          } catch (error) {
            if (!(error instanceof KubedosError)) throw error;
            expect(['format.syntax', 'format.path', 'format.limit']).toContain(error.code);
            // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing that a terminal would obey
            expect(error.message).not.toMatch(/[\u0000-\u001f\u007f]/);
            refused++;
          }
        },
      ),
      { numRuns: 200 },
    );
    expect(refused).toBeGreaterThan(0);
  });
});
