import { hash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Catalog, openCatalog, type PackageRow } from '../../src/catalog/catalog.ts';

let dir = '';
let file = '';
let catalog: Catalog;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'catalog-'));
  file = join(dir, 'catalog.sqlite');
  catalog = openCatalog(file);
});
afterEach(async () => {
  catalog.close();
  await rm(dir, { recursive: true, force: true });
});

function row(name: string, version = '1', more: Partial<PackageRow> = {}): PackageRow {
  return {
    family: 'apt',
    name,
    version,
    architecture: 'amd64',
    source: name,
    section: 'misc',
    description: `what ${name} does`,
    sha256: hash('sha256', `${name} ${version}`),
    path: `pool/main/${name}_${version}_amd64.deb`,
    ...more,
  };
}

const names = (found: readonly { readonly name: string }[]): string[] => found.map(({ name }) => name);

test('recording the same again changes nothing; a change writes the difference', async () => {
  const rows = [row('bash'), row('curl'), row('zsh')];
  expect(await catalog.recordMirror('debian', 'r1', rows)).toEqual({ added: 3, removed: 0 });
  expect(await catalog.recordMirror('debian', 'r2', [...rows, ...rows])).toEqual({ added: 0, removed: 0 });
  expect(await catalog.recordMirror('debian', 'r3', [row('bash'), row('curl', '2')])).toEqual({ added: 1, removed: 2 });
  expect(catalog.search('zsh', { limit: 9 })).toEqual([]);
  expect(catalog.search('curl', { limit: 9 }).map(({ version }) => version)).toEqual(['2']);
  expect(catalog.recordedMirrors()).toEqual([{ mirror: 'debian', root: 'r3' }]);
});

test('search: the name itself, then beginnings, then the middle, then words of descriptions', async () => {
  const rows = [
    row('ssl-cert'),
    row('libssl3'),
    row('ssl'),
    row('stunnel', '1', { description: 'Wraps SSL around anything' }),
    row('100%_sure', '1', { description: 'nothing' }),
  ];
  await catalog.recordMirror('debian', 'r', rows);
  expect(names(catalog.search('SSL', { limit: 9 }))).toEqual(['ssl', 'ssl-cert', 'libssl3', 'stunnel']);
  expect(names(catalog.search('ssl', { limit: 2 }))).toEqual(['ssl', 'ssl-cert']);
  expect(names(catalog.search('anyth wrap', { limit: 9 }))).toEqual(['stunnel']);
  expect(names(catalog.search('0%_s', { limit: 9 }))).toEqual(['100%_sure']);
  expect(names(catalog.search('%', { limit: 9 }))).toEqual(['100%_sure']);
  for (const odd of ['', ' ', '"', "'; DROP TABLE package", '*', 'a" OR "b', '\\', 'NEAR(', '\0'])
    expect(catalog.search(odd, { limit: 9 }), odd).toBeInstanceOf(Array);
});

test('one object in two mirrors: both are named, and each keeps its own description and place', async () => {
  const here = row('tool');
  const there = row('tool', '1', { section: 'admin', path: 'pool/extra/tool.deb' });
  await catalog.recordMirror('b', 'r', [there]);
  await catalog.recordMirror('a', 'r', [here, row('only-a')]);
  expect(catalog.packagesByObject([here.sha256, hash('sha256', 'unknown')])).toEqual(new Map([[here.sha256, here]]));
  expect(catalog.search('tool', { limit: 9, mirror: 'b' })).toEqual([{ ...there, mirrors: ['b'] }]);
  expect(catalog.search('only', { limit: 9, mirror: 'b' })).toEqual([]);
  await catalog.recordMirror('b', 'r2', [here]);
  expect(catalog.search('tool', { limit: 9 })).toEqual([{ ...here, mirrors: ['a', 'b'] }]);
  await catalog.forgetMirror('a');
  expect(catalog.search('tool', { limit: 9 })).toEqual([{ ...here, mirrors: ['b'] }]);
  expect(catalog.search('only-a', { limit: 9 })).toEqual([]);
});

test('a known difference is applied to the state it was made for and to no other', async () => {
  const first = { before: undefined, root: 'r1', added: [row('bash'), row('curl')], removed: [] };
  expect(await catalog.recordChange('own', first)).toBe(true);
  expect(await catalog.recordChange('own', first)).toBe(false);
  const next = { before: 'r1', root: 'r2', added: [row('curl', '2')], removed: [row('curl'), row('never-there')] };
  expect(await catalog.recordChange('own', next)).toBe(true);
  expect(catalog.search('c', { limit: 9 }).map(({ name, version }) => `${name} ${version}`)).toEqual(['curl 2']);
  expect(catalog.search('does', { limit: 9 })).toHaveLength(2);
});

test('property: answers are those of a plain list, whatever the order of recordings', async () => {
  const packages = fc.array(fc.tuple(fc.constantFrom('a', 'ab', 'b', 'ba', 'cab'), fc.constantFrom('1', '2')), {
    maxLength: 8,
  });
  const recordings = fc.array(fc.tuple(fc.constantFrom('x', 'y', 'z'), packages), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(recordings, async (steps) => {
      const fresh = openCatalog(':memory:');
      const model = new Map<string, readonly PackageRow[]>();
      for (const [mirror, list] of steps) {
        const rows = list.map(([name, version]) => row(name, version));
        await fresh.recordMirror(mirror, 'root', rows);
        model.set(mirror, rows);
      }
      const again = openCatalog(':memory:');
      for (const [mirror, rows] of [...model].reverse()) await again.recordMirror(mirror, 'root', rows);
      const listed = [...model.values()].flat();
      for (const text of ['a', 'ab', 'b', 'does'])
        expect(fresh.search(text, { limit: 99 })).toEqual(again.search(text, { limit: 99 }));
      const hashes = listed.map(({ sha256 }) => sha256);
      expect(fresh.packagesByObject(hashes)).toEqual(again.packagesByObject(hashes));
      const expected = [...new Set(listed.map(({ name, version }) => `${name} ${version}`))].sort();
      const found = fresh.search('does', { limit: 99 }).map(({ name, version }) => `${name} ${version}`);
      expect(found.sort()).toEqual(expected);
      fresh.close();
      again.close();
    }),
    { numRuns: 50 },
  );
});

test('rows that fail on the way leave the old listing', async () => {
  await catalog.recordMirror('debian', 'r1', [row('bash')]);
  async function* failing(): AsyncGenerator<PackageRow> {
    yield row('curl');
    throw new Error('upstream index is torn');
  }
  await expect(catalog.recordMirror('debian', 'r2', failing())).rejects.toThrow('torn');
  expect(names(catalog.search('what', { limit: 9 }))).toEqual(['bash']);
  expect(catalog.recordedMirrors()).toEqual([{ mirror: 'debian', root: 'r1' }]);
  expect(await catalog.recordMirror('debian', 'r3', [row('zsh')])).toEqual({ added: 1, removed: 1 });
});

test('tokens: by secret and scope, until they expire or are revoked; only the hash is kept', async () => {
  const now = new Date('2026-01-01T00:00:00Z');
  const later = new Date('2026-02-01T00:00:00Z');
  const { token, secret } = catalog.createToken({ name: 'ci', scope: 'upload', now, expires: later });
  expect(catalog.verifyToken(secret, 'upload', now)).toEqual(token);
  expect(token.repos).toBeUndefined();
  const narrow = catalog.createToken({ name: 'one', scope: 'upload', repos: ['own'], now: later });
  expect(catalog.verifyToken(narrow.secret, 'upload', now)?.repos).toEqual(['own']);
  expect(catalog.verifyToken(`${secret}x`, 'upload', now)).toBeUndefined();
  expect(catalog.verifyToken(secret, 'upload', later)).toBeUndefined();
  catalog.close();
  expect((await readFile(file)).includes(secret)).toBe(false);
  catalog = openCatalog(file);
  expect(catalog.listTokens()).toEqual([token, narrow.token]);
  expect(catalog.revokeToken(token.id, now)).toBe(true);
  expect(catalog.revokeToken(token.id, now)).toBe(false);
  expect(catalog.verifyToken(secret, 'upload', now)).toBeUndefined();
});

test('a second process reads while the first writes, and sees the new state after', async () => {
  const reader = openCatalog(file);
  async function* slow(): AsyncGenerator<PackageRow> {
    yield row('bash');
    expect(reader.search('bash', { limit: 9 })).toEqual([]);
    yield row('curl');
  }
  await catalog.recordMirror('debian', 'r', slow());
  expect(names(reader.search('bash', { limit: 9 }))).toEqual(['bash']);
  reader.close();
});

test('a newer or a damaged catalog is refused with the way out', async () => {
  catalog.close();
  const database = new Database(file);
  database.pragma('user_version = 99');
  database.close();
  expect(() => openCatalog(file)).toThrow(expect.objectContaining({ code: 'store.version' }));
  await writeFile(file, 'this is no database, but it is long enough to be looked at as one'.repeat(20));
  expect(() => openCatalog(file)).toThrow(
    expect.objectContaining({ code: 'store.corrupt', hint: expect.stringContaining('store rebuild') }),
  );
  catalog = openCatalog(join(dir, 'another.sqlite'));
});
