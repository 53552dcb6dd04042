/** Whole modules.yaml and .treeinfo files. */
import fc, { type Arbitrary } from 'fast-check';
import { stringify, type ToStringOptions } from 'yaml';
import { arch, checksum, date, name, path, version } from './values.ts';
import { anyText } from './xml.ts';

const module = fc.constantFrom('web', 'db', 'nodejs');
const stream = fc.oneof(version, fc.constantFrom('rhel8', 'null', 'true', '1e3', '~', 'a: b', "it's", '- x'));
const artifact = fc.oneof(
  fc
    .tuple(fc.constantFrom('a', 'ab', 'perl-Foo'), fc.constantFrom('', '0:', '4:'), version, version, arch)
    .map(([own, epoch, ver, rel, of]) => `${own}-${epoch}${ver}-${rel}.${of}`),
  name,
);
const names = fc.array(name, { maxLength: 3 });
const perStream = <T>(of: Arbitrary<T>): Arbitrary<Record<string, T>> =>
  fc.dictionary(stream, of, { maxKeys: 3, noNullPrototype: true });
const optional = <T extends Record<string, Arbitrary<unknown>>>(of: T) => fc.record(of, { requiredKeys: [] });
const document = (kind: Arbitrary<string>, data: Arbitrary<unknown>) =>
  fc.record({ document: kind, version: fc.constantFrom(1, 2, '2'), data });

const builds = document(
  fc.constantFrom('modulemd', 'modulemd-stream'),
  optional({
    ...{ name: module, stream, version: fc.nat(), context: name, arch, static_context: fc.boolean() },
    ...{ summary: anyText, description: anyText, license: fc.record({ module: fc.array(anyText, { maxLength: 2 }) }) },
    dependencies: fc.oneof(
      fc.array(fc.record({ requires: perStream(fc.array(stream, { maxLength: 2 })) }), { maxLength: 2 }),
      fc.record({ requires: perStream(stream) }),
    ),
    profiles: fc.dictionary(name, optional({ rpms: names, description: anyText }), {
      maxKeys: 2,
      noNullPrototype: true,
    }),
    artifacts: optional({ rpms: fc.array(artifact, { maxLength: 4 }) }),
  }),
);
const defaults = document(fc.constant('modulemd-defaults'), optional({ module, stream, profiles: perStream(names) }));
const about = document(
  fc.constantFrom('modulemd-obsoletes', 'modulemd-translations', 'vendor-thing'),
  optional({ module, stream, message: anyText, obsoleted_by: optional({ module, stream }) }),
);
const style = fc.record({
  collectionStyle: fc.constantFrom('any', 'block', 'flow'),
  defaultStringType: fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED'),
  indent: fc.constantFrom(2, 4),
  lineWidth: fc.constantFrom(0, 20, 80),
}) as Arbitrary<ToStringOptions>;
export const modulesFile: Arbitrary<Uint8Array> = fc
  .array(
    fc.tuple(
      fc.oneof(builds, defaults, about),
      style,
      fc.constantFrom('---\n', '--- # a comment\n', '# before\n---\n', '%YAML 1.2\n---\n'),
      fc.constantFrom('...\n', '... # end\n'),
    ),
    { maxLength: 4 },
  )
  .map((list) =>
    Buffer.from(
      list
        .map(([value, how, start, end]) => start + stringify(value, { ...how, aliasDuplicateObjects: false }) + end)
        .join(''),
    ),
  );

const line = fc.stringMatching(/^[ -~é]{0,12}$/);
const value = fc
  .tuple(line, fc.array(line, { maxLength: 2 }), fc.constantFrom('\n\t', '\n  ', '\n; no\n  '))
  .map(([first, more, turn]) => [first, ...more.filter((each) => each.trim() !== '')].join(turn));
const mark = fc.constantFrom(' = ', '=', ' : ', ':');
const pair = (key: Arbitrary<string>, of: Arbitrary<string>): Arbitrary<string> =>
  fc.tuple(key, mark, of).map(([each, by, written]) => `${each}${by}${written}\n`);
const section = (title: Arbitrary<string>, ...pairs: readonly Arbitrary<string>[]): Arbitrary<string> =>
  fc
    .tuple(
      title,
      fc.constantFrom('', '', ' ; comment', '# other', ' odd'),
      fc.array(fc.oneof(...pairs, note), { maxLength: 5 }),
    )
    .map(([each, behind, list]) => `[${each}]${behind}\n${list.join('')}\n`);
const note = line.map((each) => `; ${each}\n`);
const key = fc.constantFrom(
  'name',
  'version',
  'arch',
  'variant',
  'id',
  'uid',
  'type',
  'short',
  'Key',
  'build_timestamp',
);
const folder = path.map((each) => each.replace(/f$/, 'repodata'));
const summed = checksum.chain(([algorithm, digits]) =>
  fc.constantFrom(digits, `${algorithm}:${digits}`, `${algorithm} : ${digits}`),
);
export const treeinfoFile: Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom('', '; made by hand\n', '\n'),
    section(fc.constant('header'), fc.constant('version = 1.2\n'), fc.constant('type = productmd.treeinfo\n')),
    fc.array(
      fc.oneof(
        section(
          fc.constantFrom('general', 'release', 'product', 'tree', 'Vendor'),
          pair(key, fc.oneof(value, date, arch)),
        ),
        section(
          fc.constantFrom('variant-A', 'variant-A-optional', 'addon-B'),
          pair(key, value),
          pair(fc.constantFrom('repository', 'packages', 'packagedir'), folder),
        ),
        section(
          fc.constantFrom('images-x86_64', 'images-xen-x86_64', 'stage2'),
          pair(fc.constantFrom('kernel', 'mainimage'), path),
        ),
        section(fc.constant('checksums'), pair(path, summed)),
      ),
      { maxLength: 5 },
    ),
    fc.constantFrom('\n', '\r\n'),
  )
  .map(([head, header, sections, end]) => Buffer.from([head, header, ...sections].join('').replaceAll('\n', end)));
