import { describe, expect, test } from 'vitest';
import { KubedosError } from '../../src/errors.ts';
import { parseYumSpec } from '../support/parse-spec.ts';

const VALID = `name: example-9
type: yum
form: verbatim
upstreams:
  - url: https://example.org/pub/$releasever/
    repositories: ["BaseOS/$basearch/os", "AppStream/\${basearch}/os"]
    releasever: '9'
    architectures: [x86_64, aarch64]
    keys:
      - fingerprint: ${'AB'.repeat(20)}
`;

function faultsOf(text: string): string {
  try {
    parseYumSpec(text, 'a.yaml');
    return '';
  } catch (error) {
    if (error instanceof KubedosError && error.code === 'spec.invalid') return error.message;
    throw error;
  }
}

describe('a spec of rpm repositories', () => {
  test('gets its defaults', () => {
    const [upstream] = parseYumSpec(VALID, 'a.yaml').upstreams;
    expect(upstream).toMatchObject({
      url: ['https://example.org/pub/$releasever'],
      verify: ['metadata', 'packages'],
      vars: {},
    });
    const short = VALID.replace(/ {4}(?:repositories|architectures):.*\n/g, '');
    expect(parseYumSpec(short, 'a.yaml').upstreams[0]?.repositories).toEqual(['.']);
  });

  test.each([
    ['no value of $releasever', VALID.replace("    releasever: '9'\n", ''), 'upstreams[0].releasever: is used'],
    [
      'no value of $basearch',
      VALID.replace(/ {4}architectures.*\n/, ''),
      'a.yaml:5: upstreams[0].architectures: $basearch',
    ],
    [
      'paths that do not part the architectures',
      VALID.replace('BaseOS/$basearch', 'BaseOS'),
      'each path names $basearch',
    ],
    [
      'a path that escapes',
      VALID.replace('BaseOS/', '../'),
      'a.yaml:6: upstreams[0].repositories[0]: must be a relative',
    ],
    ['credentials', VALID.replace('https://', 'https://u:p@'), 'a.yaml:5: upstreams[0].url: must be http'],
    ['nothing to verify', `${VALID}    verify: []\n`, 'a.yaml:11: upstreams[0].verify'],
    [
      'a suite, as apt has it',
      VALID.replace('repositories:', 'suites:'),
      'a.yaml:6: upstreams[0].suites: is not known',
    ],
    ['another kind', VALID.replace('type: yum', 'type: dnf'), 'a.yaml:2: type'],
  ])('%s is refused with its line', (_, text, expected) => {
    expect(faultsOf(text)).toContain(expected);
  });
});

test.each([
  [
    'two places',
    VALID.replace('    releasever', '    metalink: https://example.org/list?a=1\n    releasever'),
    'exactly one of url',
  ],
  ['no place', VALID.replace(/ {2}- url:.*\n {4}/, '  - '), 'exactly one of url'],
  [
    'a metalink for several repositories',
    VALID.replace('url: https://example.org/pub/$releasever/', 'metalink: https://example.org/list?repo=$releasever'),
    'leads to one repository',
  ],
])('%s in one upstream: refused', (_, text, expected) => {
  expect(faultsOf(text)).toContain(expected);
});

test.each([
  ['a curated mirror without what is chosen', VALID.replace('verbatim', 'curated'), 'needs a `curate:` section'],
  ['a verbatim one with it', `${VALID}curate: { rules: [{ name: a }] }\n`, 'only a curated mirror has'],
  ['two selectors', curated('rules: [{ name: a, group: b }]'), 'exactly one of name, glob'],
  ['no selector', curated('rules: [{ arch: i686 }]'), 'got none'],
  ['optional of a name', curated('rules: [{ name: a, optional: true }]'), 'belongs to group and environment'],
  ['a module of three parts', curated("rules: [{ module: 'a:1/b/c' }]"), 'name:stream/profile'],
  ['no version', curated('rules: [{ name: a }], versions: 0'), 'curate.versions'],
  ['a kind of advisory that is none', curated('rules: [{ name: a }], advisories: [urgent]'), 'curate.advisories'],
  [
    'a tree in it',
    curated('rules: [{ name: a }]').replace('    releasever', '    tree: true\n    releasever'),
    'only a verbatim mirror has trees',
  ],
  [
    'a tree over http',
    VALID.replace('https://', 'http://').replace('    releasever', '    tree: true\n    releasever'),
    'needs a url: of https',
  ],
])('%s: refused', (_, text, expected) => {
  expect(faultsOf(text)).toContain(expected);
});

function curated(section: string): string {
  return `${VALID.replace('verbatim', 'curated')}curate: { ${section} }\n`;
}
