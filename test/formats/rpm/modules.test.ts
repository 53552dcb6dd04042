import { describe, expect, test } from 'vitest';
import { artifactNevra, moduleDefaults, moduleStream, pruneModules } from '../../../src/formats/rpm/modules.ts';
import { modulesText, parseModules } from '../../../src/formats/rpm/modules-text.ts';

const stream = (name: string, version: string, artifacts: readonly string[]): string => `---
document: modulemd
version: 2
data:
  name: ${name}
  stream: ${version}
  version: 8000020240101000000
  context: deadbeef
  arch: x86_64
  static_context: true
  dependencies:
  - buildrequires:
      platform: [el9]
    requires:
      platform: [el9]
      perl: []
  profiles:
    common:
      rpms: [${name}, ${name}-libs]
  artifacts:
    rpms:
${artifacts.map((each) => `    - ${each}\n`).join('')}...
`;
const DEFAULTS = `---
document: modulemd-defaults
version: 1
data:
  module: web
  stream: "2.10"
  profiles:
    2.10: [common]
    '3': []
...
`;
const OBSOLETES = `---
document: modulemd-obsoletes
version: 1
data:
  module: web
  stream: '3'
  message: old
...
`;
const TEXT = [
  '# A comment before\n',
  stream('web', '2.10', ['web-0:2.10-1.x86_64', 'web-libs-0:2.10-1.x86_64']),
  stream('web', "'3'", ['web-0:3-1.x86_64']),
  DEFAULTS,
  OBSOLETES,
  '--- # a vendor thing\ndocument: vendor-thing\nversion: 1\ndata: {module: elsewhere}\n',
].join('');
const parse = (text: string) => parseModules(Buffer.from(text), 'modules.yaml');

test('a stream 2.10 stays as it is written, quoted or not', async () => {
  const documents = await parse(TEXT);
  expect(documents.map(({ document }) => document)).toEqual([
    'modulemd',
    'modulemd',
    'modulemd-defaults',
    'modulemd-obsoletes',
    'vendor-thing',
  ]);
  const [first, second] = documents.flatMap((each) => moduleStream(each) ?? []);
  expect(first).toMatchObject({ name: 'web', stream: '2.10', version: '8000020240101000000', staticContext: true });
  expect(first?.profiles.get('common')).toEqual(['web', 'web-libs']);
  expect([...(first?.requires[0] ?? [])]).toEqual([
    ['platform', ['el9']],
    ['perl', []],
  ]);
  expect(second?.stream).toBe('3');
  const [defaults] = documents.flatMap((each) => moduleDefaults(each) ?? []);
  expect(defaults).toMatchObject({ module: 'web', stream: '2.10' });
  expect([...(defaults?.profiles.keys() ?? [])]).toEqual(['2.10', '3']);
});

test('artifacts are NEVRAs', () => {
  expect(artifactNevra('perl-Foo-Bar-4:1.0~rc1-2.module+el9.x86_64')).toEqual({
    name: 'perl-Foo-Bar',
    epoch: '4',
    version: '1.0~rc1',
    release: '2.module+el9',
    arch: 'x86_64',
  });
  expect(artifactNevra('a-1-1.noarch')?.epoch).toBe('0');
  expect(artifactNevra('nonsense')).toBeUndefined();
});

describe('what is kept', () => {
  test('all of it is the text byte for byte', async () => expect(modulesText(await parse(TEXT))).toBe(TEXT));

  test('a stream goes with its artifacts, what speaks of it goes along, the rest stays', async () => {
    const left = pruneModules(await parse(TEXT), ({ version }) => version === '2.10');
    expect(left.map(({ document, data }) => `${document} ${data.get('stream') ?? ''}`)).toEqual([
      'modulemd 2.10',
      'modulemd-defaults 2.10',
      'vendor-thing ',
    ]);
    expect(await parse(modulesText(left))).toEqual(left);
  });

  test('defaults go with the last stream of their module', async () =>
    expect(pruneModules(await parse(TEXT), () => false).map(({ document }) => document)).toEqual(['vendor-thing']));

  const document = (kind: string, data: string): string => `---\ndocument: ${kind}\nversion: 1\ndata: ${data}\n...\n`;
  const pruned = async (more: readonly string[], has: (nevra: { name: string; version: string }) => boolean) => {
    const streams = [
      stream('web', '2.10', ['web-0:2.10-1.x86_64', 'web-libs-0:2.10-1.x86_64']),
      stream('web', "'3'", ['web-0:3-1.x86_64']),
      stream('db', '1', ['db-0:1-1.x86_64']),
    ];
    const left = pruneModules(await parse([...streams, ...more].join('')), has);
    return left.filter((each) => moduleStream(each) === undefined).map(({ text }) => text);
  };

  test('defaults stay for the streams that are left, whichever they name', async () => {
    const defaults = document(
      'modulemd-defaults',
      "{module: web, stream: '2.10', profiles: {'2.10': [common], '3': []}}",
    );
    const elsewhere = document('modulemd-defaults', '{module: elsewhere, stream: x}');
    expect(await pruned([defaults, elsewhere], ({ version }) => version === '3')).toEqual([defaults, elsewhere]);
    expect(await pruned([defaults, elsewhere], ({ name }) => name === 'db')).toEqual([elsewhere]);
  });

  test('obsoletes and translations go with their stream', async () => {
    const of = (module: string, version: string) =>
      ['modulemd-obsoletes', 'modulemd-translations'].map((kind) =>
        document(kind, `{module: ${module}, stream: '${version}'}`),
      );
    const all = [...of('web', '2.10'), ...of('web', '3'), ...of('web', '4'), ...of('elsewhere', '1')];
    expect(await pruned(all, ({ version }) => version === '3')).toEqual([
      ...of('web', '3'),
      ...of('web', '4'),
      ...of('elsewhere', '1'),
    ]);
    const whole = document('modulemd-obsoletes', '{module: web, reset: true}');
    expect(await pruned([whole], ({ version }) => version === '3')).toEqual([whole]);
    expect(await pruned([whole], ({ name }) => name === 'db')).toEqual([]);
  });

  test('obsoletes go with the stream that they lead to', async () => {
    const to = (next: string) => document('modulemd-obsoletes', `{module: db, stream: '1', obsoleted_by: ${next}}`);
    const gone = to("{module: web, stream: '2.10'}");
    const left = [to("{module: web, stream: '3'}"), to("{module: elsewhere, stream: '2'}")];
    expect(await pruned([gone, ...left], ({ version }) => version !== '2.10')).toEqual(left);
  });

  test('a stream stays as it is with one of its packages, whatever its profiles name', async () => {
    const documents = await parse(TEXT);
    const left = pruneModules(documents, ({ name }) => name === 'web-libs');
    const [kept] = left.flatMap((each) => moduleStream(each) ?? []);
    expect(kept?.artifacts).toEqual(['web-0:2.10-1.x86_64', 'web-libs-0:2.10-1.x86_64']);
    expect(kept?.profiles.get('common')).toEqual(['web', 'web-libs']);
    expect(left[0]?.text).toBe(documents[0]?.text);
  });

  test('a stream without packages stays, one whose artifacts are none of ours goes', async () => {
    const [empty, odd] = [stream('meta', '1', []), stream('odd', '1', ['nonsense'])];
    const left = pruneModules(await parse(empty.replace('    rpms:\n...', '    rpms: []\n...') + odd), () => false);
    expect(left.flatMap((each) => moduleStream(each)?.name ?? [])).toEqual(['meta']);
  });

  test('of builds of one stream those are left that have packages, and what speaks of it stays', async () => {
    const builds = ['a', 'b'].map((context) =>
      stream('web', '1', [`web-0:1-${context}.x86_64`]).replace('deadbeef', context),
    );
    const obsoletes = document('modulemd-obsoletes', "{module: web, stream: '1', context: a}");
    const left = pruneModules(await parse([...builds, obsoletes].join('')), ({ release }) => release === 'b');
    expect(left.map(({ data }) => data.get('context'))).toEqual(['b', 'a']);
  });

  test('documents that an end marker kept apart stay apart', async () => {
    const documents = await parse('a: 1\n...\nb: 2\n...\nc: 3\n');
    expect(documents).toHaveLength(3);
    expect(await parse(modulesText(documents.filter((_, i) => i !== 1)))).toHaveLength(2);
  });
});

test.each([
  ['an alias', 'document: x\ndata: {a: &a [1], b: *a}\n', 'format.syntax'],
  ['no YAML', 'a: [1\n', 'format.syntax'],
  ['a document that is a list', '- a\n', 'format.syntax'],
  ['no UTF-8', Buffer.from([0x61, 0x3a, 0xff, 0xfe]), 'format.syntax'],
  ['depth without end', `a: ${'['.repeat(5000)}${']'.repeat(5000)}\n`, 'format.limit'],
  ['too many documents', '---\na: 1\n'.repeat(20_001), 'format.limit'],
])(
  'refused: %s',
  async (_, text, code) => {
    await expect(parseModules(Buffer.from(text as string), 'modules.yaml')).rejects.toMatchObject({ code });
  },
  30_000,
);

test('an error tells its line in the whole file', async () => {
  await expect(parse('---\na: 1\n---\nb: [\n')).rejects.toThrow(/modules\.yaml:[45]/);
});
