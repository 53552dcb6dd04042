import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { KubedosError } from '../../src/errors.ts';
import { mirrorSpecJsonSchema, parseMirrorSpec } from '../../src/spec/mirror-spec.ts';
import { specHash } from '../../src/spec/spec-hash.ts';
import { parseAptSpec } from '../support/parse-spec.ts';

const ROOT = join(import.meta.dirname, '../..');
const VALID = `name: debian-12
type: apt
form: verbatim
upstreams:
  - url: https://ftp.debian.org/debian/
    suites: [bookworm]
    components: [main]
    architectures: [amd64]
    keys:
      - fingerprint: b8b8 0b5b 623e ab6a d877 5c45 b7c5 d7d6 3509 47f8
        file: debian-archive-12.asc
`;
const CURATED = VALID.replace('verbatim', 'curated').concat(
  'curate:\n  suite: bookworm\n  rules:\n    - name: nginx\n',
);

function faultsOf(text: string): string {
  try {
    parseMirrorSpec(text, 'a.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(KubedosError);
    expect((error as KubedosError).code).toBe('spec.invalid');
    return (error as KubedosError).message;
  }
  return '';
}

describe('a valid spec', () => {
  test('gets its defaults, canonical fingerprints and urls', () => {
    const [upstream] = parseAptSpec(VALID, 'a.yaml').upstreams;
    expect(upstream?.url).toEqual(['https://ftp.debian.org/debian']);
    expect(upstream?.keys[0]?.fingerprint).toBe('B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8');
    expect(upstream?.include.translations).toEqual(['en']);
    expect(parseMirrorSpec(VALID, 'a.yaml').missing).toBe('fail');
    expect(parseAptSpec(CURATED, 'a.yaml').curate).toMatchObject({ closure: 'depends', versions: 'newest' });
  });

  test('of a flat repository has no components', () => {
    const flat = VALID.replace('[bookworm]', '[./]').replace('    components: [main]\n', '');
    expect(parseAptSpec(flat, 'a.yaml').upstreams[0]?.suites).toEqual(['./']);
  });
});

test.each([
  [
    'an unknown field',
    VALID.replace('components:', 'component:'),
    'a.yaml:7: upstreams[0].component: is not known here',
  ],
  ['a bad name', VALID.replace('name: debian-12', 'name: Debian'), 'a.yaml:1: name: must be lower-case'],
  [
    'a short fingerprint',
    VALID.replace(/b8b8.*/, 'b7c5d7d6350947f8'),
    'a.yaml:10: upstreams[0].keys[0].fingerprint: must be a full',
  ],
  [
    'an escaping key file',
    VALID.replace('debian-archive-12.asc', '../x.asc'),
    'a.yaml:11: upstreams[0].keys[0].file: must be a relative',
  ],
  ['credentials in a url', VALID.replace('https://', 'https://u:p@'), 'a.yaml:5: upstreams[0].url: must be http'],
  ['another scheme', VALID.replace('https://', 'ftp://'), 'a.yaml:5: upstreams[0].url: must be http'],
  ['a suite that escapes', VALID.replace('[bookworm]', '[../x]'), 'a.yaml:6: upstreams[0].suites[0]: must be a suite'],
  [
    'architecture all',
    VALID.replace('[amd64]', '[amd64, all]'),
    'a.yaml:8: upstreams[0].architectures[1]: `all` comes along',
  ],
  [
    'components of a flat suite',
    VALID.replace('[bookworm]', '[./]'),
    'a.yaml:7: upstreams[0].components: a flat repository has no components',
  ],
  [
    'no components',
    VALID.replace('    components: [main]\n', ''),
    'a.yaml:5: upstreams[0].components: names no component',
  ],
  [
    'a curated mirror of flat repositories without an architecture',
    CURATED.replace('[bookworm]', '[./]').replace('    components: [main]\n    architectures: [amd64]\n', ''),
    'a.yaml:5: upstreams[0]: names no architecture: a curated mirror',
  ],
  ['curated without curate', VALID.replace('verbatim', 'curated'), 'a.yaml:3: form: a curated mirror needs'],
  ['verbatim with curate', CURATED.replace('curated', 'verbatim'), 'a.yaml:12: curate: only a curated mirror'],
  [
    'a rule of two selectors',
    CURATED.replace('name: nginx', '{name: nginx, glob: n*}'),
    'a.yaml:15: curate.rules[0]: a rule has exactly one of',
  ],
  ['a duplicate key', `${VALID}type: apt\n`, 'a.yaml:12: Map keys must be unique'],
  ['one further in', VALID.replace('suites:', 'url: https://x\n    suites:'), 'a.yaml:6: Map keys must be unique'],
  ['broken YAML', 'name: [', 'a.yaml:1: '],
  ['an empty file', '', 'a.yaml:1: '],
])('%s is refused with its line', (_, text, expected) => {
  expect(faultsOf(text)).toContain(expected);
});

test('of many faults the first hundred are told', () => {
  const told = faultsOf(VALID + 'type: apt\n'.repeat(300)).split('\n');
  expect(told).toHaveLength(101);
  expect(told[99]).toBe('a.yaml:111: Map keys must be unique');
  expect(told[100]).toBe('a.yaml: and 200 more');
});

test('an alias bomb is refused', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`)}]`),
  ];
  expect(faultsOf(bomb.join('\n'))).toMatch(/alias/i);
});

describe('specHash', () => {
  const hashOf = (text: string): string => specHash(parseMirrorSpec(text, 'a.yaml'));
  test('does not see comments, order of fields, description and spelled-out defaults', () => {
    const reordered = stringify(Object.fromEntries(Object.entries(parse(VALID) as object).reverse()));
    expect(hashOf(`# hello\n${reordered}missing: fail\ndescription: text\n`)).toBe(hashOf(VALID));
  });
  test('sees what is asked for', () => {
    expect(hashOf(VALID.replace('[amd64]', '[amd64, arm64]'))).not.toBe(hashOf(VALID));
    expect(specHash(parseMirrorSpec(CURATED, 'a'), { seed: '1' })).not.toBe(hashOf(CURATED));
  });
});

test('docs/schema/mirror-spec.schema.json is current', async () => {
  // KUBEDOS_WRITE_SCHEMA=1 writes it anew.
  const file = join(ROOT, 'docs/schema/mirror-spec.schema.json');
  const text = `${JSON.stringify(mirrorSpecJsonSchema(), null, 2)}\n`;
  if (process.env.KUBEDOS_WRITE_SCHEMA) await writeFile(file, text);
  expect(await readFile(file, 'utf8')).toBe(text);
});

describe('shipped specs', async () => {
  const files = (await readdir(join(ROOT, 'mirror-specs'))).filter((name) => name.endsWith('.yaml'));
  test.each(files)('%s is valid, named as its file, and pins keys that are in keys/', async (file) => {
    const spec = parseMirrorSpec(await readFile(join(ROOT, 'mirror-specs', file), 'utf8'), file);
    expect(`${spec.name}.yaml`).toBe(file);
    for (const pin of spec.upstreams.flatMap((upstream) => upstream.keys))
      expect(await readdir(join(ROOT, 'keys'))).toContain(pin.file);
  });
});

test('the examples of docs/mirror-specs.md are valid', async () => {
  const page = await readFile(join(ROOT, 'docs/mirror-specs.md'), 'utf8');
  const examples = [...page.matchAll(/```yaml\n(name: [\s\S]*?)```/g)].map((match) => match[1] ?? '');
  expect(examples.map((text) => parseMirrorSpec(text, 'docs/mirror-specs.md').type)).toEqual([
    'apt',
    'apt',
    'yum',
    'yum',
  ]);
});
