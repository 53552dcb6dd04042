import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AptUpstream } from '../../../src/spec/apt-spec.ts';
import { aptSources, parseList, parseSources, rootsOfSuites } from '../../../src/sync/apt/system-sources.ts';
import { upstreamRoots } from '../../../src/sync/apt/upstream-roots.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-sources-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test('deb822 sources: several suites and URIs, comments, disabled ones, source packages', () => {
  const text = `# a comment
Types: deb deb-src
URIs: http://ftp.debian.org/debian/ https://example.org/debian
# another one
Suites: bookworm bookworm-updates
Components: main

Enabled: no
Types: deb
URIs: http://off.example.org
Suites: bookworm

Types: deb-src
URIs: http://sources.example.org
Suites: bookworm
`;
  expect(parseSources(text, 'debian.sources').map(({ url, suite }) => `${url} ${suite}`)).toEqual([
    'http://ftp.debian.org/debian bookworm',
    'http://ftp.debian.org/debian bookworm-updates',
    'https://example.org/debian bookworm',
    'https://example.org/debian bookworm-updates',
  ]);
});

test.each([
  ['deb http://ftp.debian.org/debian bookworm main', 'http://ftp.debian.org/debian bookworm'],
  ['deb [arch=amd64 signed-by=/k.gpg] https://example.org/x/ ./', 'https://example.org/x ./'],
  ['deb file:/srv/mirror bookworm main # local', 'file:///srv/mirror bookworm'],
  ['# deb http://example.org bookworm main', undefined],
  ['deb-src http://example.org bookworm main', undefined],
  ['deb cdrom:[Debian 12]/ bookworm main', undefined],
  ['deb http://user:secret@example.org/debian bookworm main', undefined],
])('one-line form: %s', (line, expected) => {
  const [found] = parseList(line);
  expect(found && `${found.url} ${found.suite}`).toBe(expected);
});

test('a root counts only if it has all suites', () => {
  const sources = [
    { url: 'http://a', suite: 'bookworm' },
    { url: 'http://b', suite: 'bookworm' },
    { url: 'http://b', suite: 'bookworm-updates' },
  ];
  expect(rootsOfSuites(sources, ['bookworm'])).toEqual(['http://a', 'http://b']);
  expect(rootsOfSuites(sources, ['bookworm', 'bookworm-updates'])).toEqual(['http://b']);
});

test('files are read in the order of apt, and broken or foreign ones are passed over', async () => {
  await mkdir(join(dir, 'sources.list.d'));
  await writeFile(join(dir, 'sources.list'), 'deb http://one.example.org bookworm main\n');
  await writeFile(join(dir, 'sources.list.d/b.list'), 'deb http://three.example.org bookworm main\n');
  await writeFile(
    join(dir, 'sources.list.d/a.sources'),
    'Types: deb\nURIs: http://two.example.org\nSuites: bookworm\n',
  );
  await writeFile(join(dir, 'sources.list.d/broken.sources'), 'no colon here\n');
  await writeFile(join(dir, 'sources.list.d/c.list.disabled'), 'deb http://four.example.org bookworm main\n');
  expect((await aptSources(dir)).map(({ url }) => url)).toEqual(
    ['one', 'two', 'three'].map((name) => `http://${name}.example.org`),
  );
  expect(await aptSources(join(dir, 'absent'))).toEqual([]);
});

describe('url: system', () => {
  const upstream = (url: string[]): AptUpstream => ({ url, suites: ['bookworm'] }) as unknown as AptUpstream;
  const systemSources = async (suites: readonly string[]) =>
    suites.includes('bookworm') ? ['http://own.example.org/'] : [];
  test('stands for what the host uses, in its place, each root once', async () => {
    expect(await upstreamRoots(upstream(['system', 'https://ftp.debian.org/debian']), { systemSources })).toEqual([
      'http://own.example.org',
      'https://ftp.debian.org/debian',
    ]);
    expect(await upstreamRoots(upstream(['http://own.example.org', 'system']), { systemSources })).toHaveLength(1);
  });
  test('that the host does not have is refused, unless there is another root', async () => {
    const none = { systemSources: async () => [] };
    await expect(upstreamRoots(upstream(['system']), none)).rejects.toMatchObject({ code: 'spec.invalid' });
    expect(await upstreamRoots(upstream(['system', 'http://x']), none)).toEqual(['http://x']);
  });
});
