import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { reportText } from '../../src/darksite/render-report.ts';
import type { DarksiteReport } from '../../src/darksite/types.ts';
import { checkRpmHosts } from '../../src/darksite/yum/check-hosts.ts';
import { runDnf } from '../../src/exec/dnf.ts';
import { parseRpmList } from '../../src/formats/rpm/package-list.ts';
import { clientRepositories } from '../../src/publish/yum/client-config.ts';
import { type FakeApt, startFakeApt } from '../support/fake-apt.ts';
import { type FakeKey, fakeKey } from '../support/fake-key.ts';
import { type FakeRpm, fakeYum } from '../support/fake-yum.ts';

const MINUTE = 60_000;

let key: FakeKey;
let server: FakeApt;

beforeAll(async () => {
  key = await fakeKey();
  const native = (name: string, version: string, more: Partial<FakeRpm> = {}): FakeRpm => ({
    name,
    version,
    arch: 'x86_64',
    ...more,
  });
  const packages: FakeRpm[] = [
    native('bash', '5.2', { requires: ['glibc >= 2.36'] }),
    native('glibc', '2.36'),
    native('glibc', '2.36', { arch: 'i686' }),
    { name: 'doc', version: '3', epoch: '1' },
    native('broken', '1', { requires: ['gone', 'glibc >= 9'] }),
    { name: 'java-1.8.0-openjdk', version: '1.8.0.5' },
  ];
  const files = await fakeYum({ key, repositories: { '': { packages, timestamp: 1_714_608_000 } } });
  files.set('key.asc', Buffer.from(key.publicArmored));
  server = await startFakeApt(files);
});
afterAll(() => server.close());

function sources(keysFile = 'key.asc'): string {
  const repositories = [{ folder: '', signedMetadata: true, signedPackages: false }];
  return clientRepositories({ name: 'fake', url: `${server.url}/`, keysFile, repositories });
}

async function check(lists: Readonly<Record<string, string>>, text = sources()): Promise<DarksiteReport> {
  const dir = await mkdtemp(join(tmpdir(), 'darksite-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const hosts = Object.entries(lists).map(([name, list]) => ({ name, packages: parseRpmList(list, name) }));
  return checkRpmHosts(runDnf, { hosts, sources: text, architecture: 'x86_64', dir });
}

test(
  'hosts whose packages and versions are there resolve',
  async () => {
    const report = await check({
      names: 'bash\n',
      versions: '=bash-5.2-1\n=doc-1:3-1.noarch\n',
      rpm: 'bash-5.2-1.x86_64\nglibc-2.36-1.i686\ngpg-pubkey-fd431d51-4ae0493b\njava-1.8.0-openjdk-1.8.0.5-1.noarch\n',
      dnf: 'Installed Packages\nbash.x86_64   5.2-1   @base\ndoc.noarch   1:3-1   @base\n',
    });
    expect(reportText(report)).toMatch(/all would resolve/);
    expect(report.resolves).toBe(true);
    expect(
      report.hosts.map(({ host, architecture, listed, installs }) => [host, architecture, listed, installs]),
    ).toEqual([
      ['names', 'x86_64', 1, 2],
      ['versions', 'x86_64', 2, 3],
      ['rpm', 'x86_64', 3, 3],
      ['dnf', 'x86_64', 2, 3],
    ]);
  },
  2 * MINUTE,
);

test(
  'tells what is missing, which versions differ, and what cannot be met',
  async () => {
    const report = await check({
      bridge: 'bash-5.1-9.el9.x86_64\nnowhere-1-1.x86_64\nglibc.aarch64\n=doc-2-1.noarch\n',
      engine: 'broken\n',
    });
    expect(report.resolves).toBe(false);
    expect(report.hosts[0]).toMatchObject({
      resolves: false,
      installs: 2,
      missing: ['glibc.aarch64', 'nowhere-1-1.x86_64'],
      otherVersions: [{ name: 'bash.x86_64', wanted: '5.1-9.el9', here: ['5.2-1'] }],
      missingVersions: [{ name: 'doc.noarch', wanted: '2-1', here: ['1:3-1'] }],
    });
    expect(report.hosts[1]).toMatchObject({ installs: null, missing: [] });
    expect(report.hosts[1]?.problems.join('\n')).toMatch(/nothing provides gone needed by broken-1-1/);
    expect(reportText(report)).toContain('unmet ');
  },
  2 * MINUTE,
);

test(
  'a signature that is not good is an error, and not an answer',
  async () => {
    await expect(check({ host: 'bash' }, sources('absent.asc'))).rejects.toMatchObject({ code: 'exec.failed' });
  },
  MINUTE,
);
