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
