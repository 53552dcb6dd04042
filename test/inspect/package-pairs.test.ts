import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PackageFile, pairPackages } from '../../src/inspect/package-pairs.ts';

const file = (name: string, version: string, extra: Partial<PackageFile> = {}): PackageFile => ({
  name,
  version,
  architecture: 'amd64',
  path: `pool/${name}_${version}.deb`,
  sha256: `${name} ${version}`,
  sizeBytes: 1,
  ...extra,
});
const brief = (gone: PackageFile[], added: PackageFile[]) =>
  pairPackages(gone, added).map(
    ({ kind, name, architecture, before, after }) =>
      `${kind} ${name}:${architecture} ${before?.version ?? '-'} ${after?.version ?? '-'}`,
  );

test('pairs by name and architecture, in the order of dpkg', () => {
  expect(
    brief(
      [
        file('up', '1.9'),
        file('down', '2'),
        file('gone', '1'),
        file('again', '1', { sha256: 'x' }),
        file('moved', '1', { path: 'old' }),
        file('epoch', '9'),
        file('arch', '1', { architecture: 'arm64' }),
      ],
      [
        file('up', '1.10'),
        file('down', '2~rc1'),
        file('new', '1'),
        file('again', '1', { sha256: 'y' }),
        file('moved', '1', { path: 'new' }),
        file('epoch', '1:1'),
        file('arch', '2'),
      ],
    ),
  ).toEqual([
    'rebuilt again:amd64 1 1',
    'added arch:amd64 - 2',
    'removed arch:arm64 1 -',
    'downgraded down:amd64 2 2~rc1',
    'upgraded epoch:amd64 9 1:1',
    'removed gone:amd64 1 -',
    'moved moved:amd64 1 1',
    'added new:amd64 - 1',
    'upgraded up:amd64 1.9 1.10',
  ]);
});

test('of several versions, newest goes with newest', () => {
  expect(brief([file('a', '1'), file('a', '2')], [file('a', '3')])).toEqual([
    'upgraded a:amd64 2 3',
    'removed a:amd64 1 -',
  ]);
  expect(brief([file('a', '1')], [file('a', '3'), file('a', '2')])).toEqual([
    'upgraded a:amd64 1 3',
    'added a:amd64 - 2',
  ]);
});

test('each file is in one change, and the other way round gives the reverse', () => {
  const one = fc
    .record({
      name: fc.constantFrom('a', 'b'),
      version: fc.constantFrom('1', '2', '3'),
      sha256: fc.constantFrom('x', 'y'),
    })
    .map(({ name, version, sha256 }) => file(name, version, { sha256: `${name}${version}${sha256}` }));
  const files = fc.uniqueArray(one, { selector: ({ sha256 }) => sha256, maxLength: 8 });
  const reverse = { added: 'removed', removed: 'added', upgraded: 'downgraded', downgraded: 'upgraded' } as const;
  fc.assert(
    fc.property(files, files, (gone, added) => {
      const changes = pairPackages(gone, added);
      const sorted = (list: (PackageFile | null)[]) => list.flatMap((entry) => entry?.sha256 ?? []).sort();
      expect(sorted(changes.map(({ before }) => before))).toEqual(sorted(gone));
      expect(sorted(changes.map(({ after }) => after))).toEqual(sorted(added));
      const kinds = pairPackages(added, gone).map(({ kind }) => kind);
      const reversed = changes.map(({ kind }) => (kind in reverse ? reverse[kind as keyof typeof reverse] : kind));
      expect(kinds.sort()).toEqual([...reversed].sort());
    }),
  );
});
