import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseMirrorSpec } from '../../../src/spec/mirror-spec.ts';
import { remotePath, repositoryRequests } from '../../../src/sync/yum/repositories.ts';
import { INSTALLATION } from '../../../src/wiring.ts';

test('every ready spec says where its repositories are, each at a path of its own', async () => {
  const folder = join(INSTALLATION, 'mirror-specs');
  const found = new Map<string, string[]>();
  for (const file of await readdir(folder)) {
    const spec = parseMirrorSpec(await readFile(join(folder, file), 'utf8'), file);
    if (spec.type === 'yum')
      found.set(
        spec.name,
        repositoryRequests(spec).map(({ source }) => source),
      );
  }
  expect(found.size).toBeGreaterThanOrEqual(14);
  for (const source of [...found.values()].flat()) expect(source).not.toMatch(/[$\s{}]\S*[${}]|no upstream|undefined/);
  expect(found.get('rocky-9')).toEqual([
    'https://download.rockylinux.org/pub/rocky/9 BaseOS/x86_64/os',
    'https://download.rockylinux.org/pub/rocky/9 AppStream/x86_64/os',
  ]);
  expect(found.get('centos-stream-10')).toEqual([
    'https://mirrors.centos.org/metalink?repo=centos-baseos-10-stream&arch=x86_64 BaseOS/x86_64/os',
    'https://mirrors.centos.org/metalink?repo=centos-appstream-10-stream&arch=x86_64 AppStream/x86_64/os',
  ]);
});

test('a path of the mirror is below the roots as it is, or within the repository that a list leads to', () => {
  const base = { key: '', source: '', upstream: {} as never, upstreamIndex: 0, basearch: undefined, urls: [] };
  const list = { kind: 'metalink', url: 'https://example.org/m' } as const;
  expect(remotePath({ ...base, folder: 'os' }, 'os/repodata/repomd.xml')).toBe('os/repodata/repomd.xml');
  expect(remotePath({ ...base, folder: 'os', list }, 'os/repodata/repomd.xml')).toBe('repodata/repomd.xml');
  expect(remotePath({ ...base, folder: '', list }, 'repodata/repomd.xml')).toBe('repodata/repomd.xml');
});
