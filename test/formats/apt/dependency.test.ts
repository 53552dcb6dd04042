import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Dependencies,
  formatDependencies,
  MAX_RELATIONS,
  parseDependencies,
  parseProvides,
  type Relation,
  versionSatisfies,
} from '../../../src/formats/apt/dependency.ts';
import { thrown } from '../support.ts';

const word = fc
  .array(fc.constantFrom(...'abcxyz019+.-~'), { minLength: 1, maxLength: 12 })
  .map((characters) => characters.join(''));
const list = (of: fc.Arbitrary<string>) => fc.array(of, { minLength: 1, maxLength: 3 });
const negatable = fc.tuple(fc.constantFrom('', '!'), word).map((both) => both.join(''));
const relation: fc.Arbitrary<Relation> = fc
  .record(
    {
      name: word,
      archQualifier: word,
      version: fc.record({ relation: fc.constantFrom('<<', '<=', '=', '>=', '>>'), version: word }),
      architectures: list(negatable),
      profiles: fc.array(list(negatable), { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ['name'] },
  )
  .map((one) => one as Relation);
const dependencies: fc.Arbitrary<Dependencies> = fc.array(fc.array(relation, { minLength: 1, maxLength: 3 }), {
  maxLength: 5,
});
/** Old signs, a missing sign, and blanks and empty places wherever they are allowed. */
function loosely(text: string): string {
  return `, ${text.replaceAll(', ', ' ,\n , ').replaceAll(' | ', '|\t').replaceAll(' (', '( ').replaceAll('[', '[ ')} ,`;
}

describe('dependencies', () => {
  it('are read in all their parts', () => {
    const text = 'a, b:any (>= 1:2~rc1) | c [linux-any !hurd-i386] <!nocheck cross> <stage1>,\n d(<<3)';
    expect(parseDependencies(text, 'Packages:3')).toEqual([
      [{ name: 'a' }],
      [
        { name: 'b', archQualifier: 'any', version: { relation: '>=', version: '1:2~rc1' } },
        { name: 'c', architectures: ['linux-any', '!hurd-i386'], profiles: [['!nocheck', 'cross'], ['stage1']] },
      ],
      [{ name: 'd', version: { relation: '<<', version: '3' } }],
    ]);
  });

  it('reads the old signs', () => {
    expect(formatDependencies(parseDependencies('a (< 1), b (> 1), c (1)', 'f'))).toBe('a (<= 1), b (>= 1), c (= 1)');
  });

  it('are none in a blank field', () => {
    for (const text of ['', ' \n', ' , ,']) expect(parseDependencies(text, 'f')).toEqual([]);
  });

  it('are read back as they were written, customary or loosely', () => {
    fc.assert(
      fc.property(dependencies, (all) => {
        const text = formatDependencies(all);
        expect(parseDependencies(text, 'f')).toEqual(all);
        expect(parseDependencies(loosely(text), 'f')).toEqual(all);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    'a b',
    'a (>= 1',
    'a (>= 1 2)',
    'a (>=)',
    'a (=> 1)',
    'a (<> 1)',
    'a ()',
    'a [',
    'a []',
    'a <',
    'a <>',
    'a |',
    '| a',
    'a || b',
    'a:',
    ':any',
    'a\u0000',
    'é',
    'a (= 1) (= 2)',
  ])('refuse %j', (bad) => {
    const error = thrown(() => parseDependencies(bad, 'Packages:12'));
    expect(error.code).toBe('format.syntax');
    expect(error.message).toContain('parse Packages:12: ');
  });

  it('keep names that Policy would not allow: they cannot be met, and concern those alone who ask for them', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a substitution variable that was not substituted
    const text = '${shlibs:Depends}, A_b';
    expect(formatDependencies(parseDependencies(text, 'f'))).toBe(text);
  });

  it('have a limit', () => {
    expect(thrown(() => parseDependencies('a,'.repeat(MAX_RELATIONS + 1), 'f')).code).toBe('format.limit');
    expect(thrown(() => parseDependencies('('.repeat(1_000_000), 'f')).message.length).toBeLessThan(300);
  });

  it('never give anything but a KubedosError on other text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab1 ,|:()[]<>=!\n\té') }), (text) => {
        let parsed: Dependencies;
        try {
          parsed = parseDependencies(text, 'f');
        } catch (error) {
          expect(error).toMatchObject({ name: 'KubedosError', code: 'format.syntax' });
          return;
        }
        expect(parseDependencies(formatDependencies(parsed), 'f')).toEqual(parsed);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('Provides', () => {
  it('have versions', () => {
    expect(parseProvides('mail-transport-agent, libx (= 1:2), liby:amd64 (= 3)', 'f')).toEqual([
      { name: 'mail-transport-agent' },
      { name: 'libx', version: '1:2' },
      { name: 'liby', archQualifier: 'amd64', version: '3' },
    ]);
  });

  it.each(['a | b', 'a (>= 1)'])('refuse %j', (bad) => {
    expect(thrown(() => parseProvides(bad, 'f')).code).toBe('format.syntax');
  });
});

describe('a version requirement', () => {
  const all = ['<<', '<=', '=', '>=', '>>'] as const;
  it.each([
    ['1', '2', ['<<', '<=']],
    ['1.0', '1.00', ['<=', '=', '>=']],
    ['1:1', '2', ['>=', '>>']],
    ['1~rc1', '1', ['<<', '<=']],
  ] as const)('of %s against %s', (have, want, met) => {
    expect(all.filter((one) => versionSatisfies(one, have, want))).toEqual([...met]);
  });
});
