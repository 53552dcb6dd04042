import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { checkHosts } from '../../src/darksite/apt/check-hosts.ts';
import { reportText } from '../../src/darksite/render-report.ts';
import type { DarksiteReport } from '../../src/darksite/types.ts';
import { parsePackageList } from '../../src/formats/apt/package-list.ts';
import { clientSources } from '../../src/publish/client-config.ts';
import { type FakeApt, startFakeApt } from '../support/fake-apt.ts';
import { fakeArchive } from '../support/fake-archive.ts';
import { type FakeKey, fakeKey } from '../support/fake-key.ts';
import { runApt } from '../support/run-apt.ts';

let key: FakeKey;
let server: FakeApt;

beforeAll(async () => {
  key = await fakeKey();
  const amd64 = (name: string, version: string, fields: Record<string, string> = {}) => ({
    name,
    version,
    architecture: 'amd64',
    fields,
  });
  const packages = [
    amd64('bash', '5.2-1', { Depends: 'libc6 (>= 2.36)', 'Multi-Arch': 'foreign' }),
    amd64('libc6', '2.36-9', { 'Multi-Arch': 'same' }),
    { name: 'libc6', version: '2.36-9', architecture: 'i386', fields: { 'Multi-Arch': 'same' } },
    { name: 'doc', version: '1:3' },
    amd64('broken', '1', { Depends: 'gone | gone2, libc6 (>= 9)', 'Pre-Depends': 'bash' }),
    amd64('rival', '1', { Conflicts: 'bash' }),
  ];
  const suite = { suite: 'bookworm', architectures: ['amd64', 'i386'], date: new Date('2024-05-01T10:00:00Z') };
  server = await startFakeApt(await fakeArchive({ key, suites: [{ ...suite, components: { main: { packages } } }] }));
});
afterAll(() => server.close());

function sources(publicKey = key.publicArmored): string {
  const suite = { suite: 'bookworm', components: ['main'], architectures: ['amd64', 'i386'], sources: false };
  return clientSources({ url: `${server.url}/`, suites: [{ ...suite, key: publicKey }], checkValidUntil: false });
}

async function check(lists: Readonly<Record<string, string>>, text = sources()): Promise<DarksiteReport> {
  const dir = await mkdtemp(join(tmpdir(), 'darksite-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const hosts = Object.entries(lists).map(([name, list]) => ({ name, packages: parsePackageList(list, name) }));
  return checkHosts(runApt, { hosts, sources: text, architecture: 'amd64', dir });
}

test('a host whose packages and versions are there resolves', async () => {
  const report = await check({
    names: 'bash\n',
    versions: 'bash=5.2-1\ndoc=1:3\n',
    dpkg: 'ii  bash 5.2-1 amd64 shell\nii  libc6:amd64 2.36-9 amd64 libc\nii  libc6:i386 2.36-9 i386 libc\n',
    query: 'doc\t1:3\nlibc6:amd64\t2.36-9\n',
  });
  expect(report.resolves).toBe(true);
  expect(
    report.hosts.map(({ host, architecture, resolves, installs }) => [host, architecture, resolves, installs]),
  ).toEqual([
    ['names', 'amd64', true, 2],
    ['versions', 'amd64', true, 3],
    ['dpkg', 'amd64', true, 3],
    ['query', 'amd64', true, 2],
  ]);
  expect(reportText(report)).toBe(
    `names (amd64): resolves: 1 listed, 2 to install
versions (amd64): resolves: 2 listed, 3 to install
dpkg (amd64): resolves: 3 listed, 3 to install
query (amd64): resolves: 2 listed, 2 to install
4 hosts: all would resolve
`,
  );
});

test('names what each host lacks', async () => {
  const report = await check({
    web: 'ii  bash 5.1-9 amd64 shell\nii  nginx 1.22 amd64 web\nii  libfoo:i386 1 i386 foo\n',
    pinned: 'bash=5.1-9\ndoc\n',
    unmet: 'broken\n',
    rivals: 'bash\nrival\n',
    fine: 'doc\n',
  });
  expect(report.resolves).toBe(false);
  const [web, pinned, unmet, rivals, fine] = report.hosts;
  expect(web).toMatchObject({
    resolves: false,
    missing: ['libfoo:i386', 'nginx'],
    otherVersions: [{ name: 'bash', wanted: '5.1-9', here: ['5.2-1'] }],
    installs: 2,
    problems: [],
  });
  expect(pinned).toMatchObject({
    resolves: false,
    missing: [],
    missingVersions: [{ name: 'bash', wanted: '5.1-9', here: ['5.2-1'] }],
    installs: 1,
  });
  expect(unmet).toMatchObject({
    resolves: false,
    missing: [],
    installs: null,
    problems: [
      'broken: Depends: gone but it is not installable or gone2 but it is not installable',
      'broken: Depends: libc6 (>= 9) but 2.36-9 is to be installed',
    ],
  });
  expect(rivals?.resolves).toBe(false);
  expect(rivals?.problems.join('\n')).toContain('rival: Conflicts: bash');
  expect(fine?.resolves).toBe(true);
  expect(reportText(report)).toContain('web (amd64): does not resolve: 2 of 3 missing\n  missing    libfoo:i386\n');
  expect(reportText(report)).toContain('  missing    bash 5.1-9; here is 5.2-1\n');
  expect(reportText(report)).toMatch(/5 hosts: 4 would not resolve\n$/);
});

test('hosts of other architectures, and lists larger than one call', async () => {
  const many = Array.from({ length: 2500 }, (_, at) => `absent${at}`).join('\n');
  const report = await check({
    i386: 'ii  libc6:i386 2.36-9 i386 libc\nii  bash 5 i386 shell\n',
    many: `${many}\ndoc\n`,
  });
  expect(report.hosts[0]).toMatchObject({ architecture: 'i386', missing: ['bash'], installs: 1 });
  expect(report.hosts[1]?.missing.length).toBe(2500);
  expect(report.hosts[1]?.installs).toBe(1);
});

test('signatures are checked: a snapshot signed by another key is refused, and so is one that is not served', async () => {
  const other = await fakeKey('Other');
  await expect(check({ names: 'bash\n' }, sources(other.publicArmored))).rejects.toMatchObject({ code: 'exec.failed' });
  server.misbehave(/binary-/, { kind: 'status', status: 404 });
  await expect(check({ names: 'bash\n' })).rejects.toMatchObject({ code: 'exec.failed' });
  server.behave();
});

test('an empty list resolves, and a stop is one', async () => {
  expect((await check({ empty: '# nothing\n' })).hosts[0]).toMatchObject({ resolves: true, listed: 0, installs: 0 });
  const input = { hosts: [{ name: 'a', packages: [] }], sources: sources(), architecture: 'amd64', dir: '/nowhere' };
  await expect(checkHosts(runApt, input, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
});
