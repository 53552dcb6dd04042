/** A second sync, on its way to apt behind the gap: a delta by receipt, the upgrade, the channel back, and forward again. */
import { hash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { ExportReport } from '../../src/bundle/export.ts';
import type { ImportReport } from '../../src/bundle/import.ts';
import type { Channel } from '../../src/store/types.ts';
import { AptClient } from '../support/apt-client.ts';
import { type FakeApt, SAMPLE_PACKAGES, SAMPLE_PACKAGES_LATER, startFakeApt } from '../support/fake-apt.ts';
import { type FakeFiles, fakeArchive } from '../support/fake-archive.ts';
import type { FakePackage } from '../support/fake-deb.ts';
import { type FakeKey, fakeKey } from '../support/fake-key.ts';
import { InProcess } from '../support/in-process.ts';
import { temporaryFolder } from '../support/temporary-store.ts';

const HOUR = 3_600_000;
/** Far larger than all that changes. */
const PADDING = 1_000_000;
const CLEAN = { status: 0, complaints: [] };

let dir: string;
let key: FakeKey;
let upstream: FakeApt;
let connected: InProcess;
let dark: InProcess;
let server: Awaited<ReturnType<InProcess['serve']>>;
let apt: AptClient;

/** The upstream as it was published so many hours ago: `tool` is large and never changes. */
function published(hoursAgo: number, packages: readonly FakePackage[]): Promise<FakeFiles> {
  const padded = packages.map((one) => (one.name === 'tool' ? { ...one, paddingBytes: PADDING } : one));
  const date = new Date(Math.floor((Date.now() - hoursAgo * HOUR) / 1000) * 1000);
  return fakeArchive({ key, suites: [{ suite: 'bookworm', components: { main: { packages: padded } }, date }] });
}

const debsOf = (files: FakeFiles): Map<string, Buffer> =>
  new Map([...files].filter(([path]) => path.endsWith('.deb')).map(([, bytes]) => [hash('sha256', bytes), bytes]));

const FORMS = {
  verbatim: {},
  curated: { curate: { suite: 'bookworm', rules: [{ glob: '*' }] } },
} as const;

beforeEach(async () => {
  dir = await temporaryFolder();
  key = await fakeKey();
  upstream = await startFakeApt(await published(48, SAMPLE_PACKAGES));
  connected = new InProcess(join(dir, 'connected'));
  dark = new InProcess(join(dir, 'dark'));
  apt = await AptClient.make();
});
afterEach(async () => {
  await server.close();
  await upstream.close();
  await apt.remove();
});

async function setUp(form: keyof typeof FORMS): Promise<void> {
  await connected.run('init');
  await dark.run('init', '--trust', await connected.text('key', 'root'));
  server = await dark.serve();
  await writeFile(join(dir, 'upstream.asc'), key.publicArmored);
  await connected.run('key', 'import', join(dir, 'upstream.asc'), '--fingerprint', key.fingerprint);
  const source = { url: upstream.url, suites: ['bookworm'], components: ['main'], architectures: ['amd64'] };
  const upstreams = [{ ...source, keys: [{ fingerprint: key.fingerprint }] }];
  await writeFile(join(dir, 'site.yaml'), stringify({ name: 'site', type: 'apt', form, upstreams, ...FORMS[form] }));
}

/** Sync, snapshot and export into a medium of its own; with the receipt of the dark side, if there is one. */
async function send(medium: string, receipt?: string): Promise<ExportReport> {
  await connected.run('mirror', 'sync', join(dir, 'site.yaml'));
  await connected.run('snapshot', 'create', '--channel', 'stable');
  await mkdir(join(dir, medium));
  const base = receipt === undefined ? [] : ['--base', receipt];
  const sent = await connected.run('bundle', 'export', '--channel', 'stable', '--to', join(dir, medium), ...base);
  return sent.data as ExportReport;
}

async function take(medium: string): Promise<ImportReport> {
  return (await dark.run('bundle', 'import', join(dir, medium))).data as ImportReport;
}

async function receiptOf(name: string): Promise<string> {
  const file = join(dir, name);
  await writeFile(file, await dark.text('receipt'));
  return file;
}

/** What the client has installed. */
async function installed(version: string): Promise<void> {
  const stanza = (name: string): string =>
    `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\nArchitecture: amd64\nMaintainer: x\nDescription: x\n\n`;
  await writeFile(join(apt.dir, 'status'), `${stanza('hello')}${stanza('libgreet1')}`);
}
const simulated = async (...argv: readonly string[]): Promise<string[]> =>
  (await apt.run('apt-get', ['--simulate', ...argv])).output.split('\n').filter((line) => /^(?:Inst|Remv) /.test(line));

const candidates = async (): Promise<unknown> => ({
  hello: await apt.candidate('hello'),
  obsolete: await apt.candidate('obsolete'),
  fresh: await apt.candidate('fresh'),
});
const FIRST = { hello: '1.0-1', obsolete: '0.9', fresh: undefined };
const SECOND = { hello: '1.1-1', obsolete: undefined, fresh: '1' };

/** Up to the dark side's second state, of which apt has the lists. */
async function reachSecondState(form: keyof typeof FORMS): Promise<{ full: ExportReport; delta: ExportReport }> {
  await setUp(form);
  const full = await send('full');
  await take('full');
  await apt.setSources(await dark.text('client-config', 'site', '--url', server.url));
  expect(await apt.update()).toMatchObject(CLEAN);
  expect(await candidates()).toEqual(FIRST);
  expect((await apt.installOnly('hello')).archives).toEqual(['hello_1.0-1_amd64.deb', 'libgreet1_1.0-1_amd64.deb']);

  upstream.serve(await published(24, SAMPLE_PACKAGES_LATER));
  const delta = await send('delta', await receiptOf('first.asc'));
  expect(await take('delta')).toMatchObject({ imported: true, channels: [{ name: 'stable' }] });
  expect(await apt.update()).toMatchObject(CLEAN);
  expect(await candidates()).toEqual(SECOND);
  return { full, delta };
}

async function snapshotsOfTheDark(): Promise<[string, string]> {
  const [channel] = (await dark.run('channel', 'list')).data as Channel[];
  return [channel?.history[0]?.snapshot ?? '', channel?.snapshot ?? ''];
}

describe.each(['verbatim', 'curated'] as const)('a %s mirror', (form) => {
  test('is brought up to date by a bundle that carries what changed and nothing else', async () => {
    const before = debsOf(upstream.files);
    const { full, delta } = await reachSecondState(form);
    const after = debsOf(upstream.files);
    expect(full).toMatchObject({ base: null });
    expect(full.bytes).toBeGreaterThan(PADDING);

    const contents = await readFile(join(delta.folders[0] ?? '', 'contents.txt'), 'utf8');
    const carried = contents.split('\n').map((line) => line.slice(0, 64));
    const expected = [...after.keys()].filter((sha256) => !before.has(sha256));
    expect(expected).toHaveLength(3);
    expect(carried.filter((sha256) => before.has(sha256) || after.has(sha256)).sort()).toEqual(expected.sort());
    // Beside the packages: lists, indexes, signatures.
    const debBytes = expected.reduce((sum, sha256) => sum + (after.get(sha256)?.length ?? 0), 0);
    expect(delta.bytes - debBytes).toBeLessThan(50_000);
    expect(delta.base).not.toBeNull();

    await installed('1.0-1');
    expect(await simulated('dist-upgrade')).toEqual([
      expect.stringMatching(/^Inst libgreet1 \[1\.0-1\] \(1\.1-1 /),
      expect.stringMatching(/^Inst hello \[1\.0-1\] \(1\.1-1 /),
    ]);
    const { files } = await apt.download('hello', 'fresh');
    expect([...files.values()].map((bytes) => after.has(hash('sha256', bytes)))).toEqual([true, true]);
  });
});

test('a curated mirror rolls back in place: apt takes the older packages, and what is published next', async () => {
  await reachSecondState('curated');
  await installed('1.1-1');
  // Set back as it is, the older state reaches nobody who has seen the newer one; the command says so.
  const [first, second] = await snapshotsOfTheDark();
  const setBack = (await dark.text('channel', 'set', 'stable', first)).split('\n');
  expect(setBack).toEqual([`stable names ${first}`, expect.stringContaining(`older than ${second}`)]);
  expect(setBack[1]).toContain(`kubedos channel rollback stable --to ${first}`);
  expect(await apt.update()).toMatchObject(CLEAN);
  expect(await candidates()).toEqual(SECOND);
  expect(await dark.text('channel', 'set', 'stable', second)).toBe(`stable names ${second}`);
  await dark.run('channel', 'rollback', 'stable');
  expect(await apt.update()).toMatchObject(CLEAN);
  expect(await simulated('install', '--allow-downgrades', 'hello=1.0-1', 'libgreet1=1.0-1')).toEqual([
    expect.stringMatching(/^Inst libgreet1 \[1\.1-1\] \(1\.0-1 /),
    expect.stringMatching(/^Inst hello \[1\.1-1\] \(1\.0-1 /),
  ]);
  await writeFile(join(apt.dir, 'status'), '');
  expect(await candidates()).toEqual(FIRST);
  expect([...(await apt.download('hello')).files.keys()]).toEqual(['hello_1.0-1_amd64.deb']);

  // Published before the hour of the rollback, brought after it.
  const next = SAMPLE_PACKAGES_LATER.map((one) => (one.name === 'hello' ? { ...one, version: '1.2-1' } : one));
  upstream.serve(await published(1, next));
  await send('next', await receiptOf('second.asc'));
  await take('next');
  expect(await apt.update()).toMatchObject(CLEAN);
  expect(await candidates()).toEqual({ ...SECOND, hello: '1.2-1' });
});

test('a verbatim mirror cannot: apt keeps the newer lists, whole; the way back is the URL of the snapshot', async () => {
  await reachSecondState('verbatim');
  const rolledBack = await dark.run('channel', 'rollback', 'stable');
  expect(rolledBack.data).toMatchObject({ verbatim: ['site'] });
  // apt takes a Release of an older Date for unchanged, without a word (apt-pkg/acquire-item.cc).
  expect(await apt.update()).toMatchObject(CLEAN);
  expect(await candidates()).toEqual(SECOND);
  expect((await apt.download('hello', 'fresh')).files.size).toBe(2);
  // A client that comes new sees the older state.
  const newcomer = await AptClient.make();
  await newcomer.setSources(await dark.text('client-config', 'site', '--url', server.url));
  expect(await newcomer.update()).toMatchObject(CLEAN);
  expect(await newcomer.candidate('hello')).toBe('1.0-1');
  await newcomer.remove();

  const [, line] = rolledBack.text.split('\n');
  const id = /--snapshot ([^`]+)/.exec(line ?? '')?.[1] ?? '';
  await apt.setSources(await dark.text('client-config', 'site', '--snapshot', id, '--url', server.url));
  expect(await apt.update()).toMatchObject(CLEAN);
  expect(await candidates()).toEqual(FIRST);
  expect([...(await apt.download('hello')).files.keys()]).toEqual(['hello_1.0-1_amd64.deb']);
});
