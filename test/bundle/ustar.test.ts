import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { extract, type Header } from 'tar-stream';
import { expect, test } from 'vitest';
import {
  BLOCK_BYTES,
  describeHeader,
  memberBytes,
  paddedBytes,
  TRAILER_BYTES,
  writeHeader,
} from '../../src/bundle/ustar.ts';

const MTIME = 1_772_366_400;
const NAME = `objects/ab/${'ab'.repeat(32)}.0001`;

function archive(members: readonly { readonly name: string; readonly content: Buffer }[]): Buffer {
  const parts = members.flatMap(({ name, content }) => {
    const header = Buffer.alloc(BLOCK_BYTES, 0xff);
    writeHeader(header, 0, { name, sizeBytes: content.length, mtime: MTIME });
    return [header, content, Buffer.alloc(paddedBytes(content.length) - content.length)];
  });
  return Buffer.concat([...parts, Buffer.alloc(TRAILER_BYTES)]);
}

const members = [
  { name: NAME, content: Buffer.from('first') },
  { name: 'objects/cd/empty', content: Buffer.alloc(0) },
  { name: 'objects/ef/block', content: Buffer.alloc(BLOCK_BYTES, 7) },
];

test('GNU tar reads it, to the byte', () => {
  const bytes = archive(members);
  expect(bytes.length).toBe(members.reduce((sum, { content }) => sum + memberBytes(content.length), TRAILER_BYTES));
  const listed = execFileSync('tar', ['-tvf', '-', '--utc', '--full-time'], { input: bytes, encoding: 'utf8' })
    .trim()
    .split('\n');
  expect(listed[0]).toBe(`-r--r--r-- 0/0               5 2026-03-01 12:00:00 ${NAME}`);
  expect(listed).toHaveLength(3);
  expect(execFileSync('tar', ['-xOf', '-', NAME], { input: bytes, encoding: 'utf8' })).toBe('first');
});

test('tar-stream reads the same', async () => {
  const seen: Header[] = [];
  const reader = extract();
  Readable.from([archive(members)]).pipe(reader);
  for await (const entry of reader) {
    seen.push(entry.header);
    entry.resume();
  }
  expect(seen.map(({ name, size, mode, uid, gid, type }) => ({ name, size, mode, uid, gid, type }))).toEqual(
    members.map(({ name, content }) => ({ name, size: content.length, mode: 0o444, uid: 0, gid: 0, type: 'file' })),
  );
});

test('a header that was made on purpose is told from a damaged one', () => {
  const header = Buffer.alloc(BLOCK_BYTES);
  writeHeader(header, 0, { name: NAME, sizeBytes: 5, mtime: MTIME });
  expect(describeHeader(header)).toBe(`file ${NAME} of 5 bytes`);
  header[20] = (header[20] ?? 0) ^ 1;
  expect(describeHeader(header)).toBeUndefined();
  expect(describeHeader(Buffer.alloc(BLOCK_BYTES))).toBeUndefined();
});

test('what GNU tar makes of links and long names is described', () => {
  const options = ['-cf', '-', '--format=ustar', '-C', '/proc/self', 'exe'];
  expect(describeHeader(execFileSync('tar', options, { maxBuffer: 1 << 20 }))).toMatch(/^symbolic link exe to \//);
});
