/** Real dnf and zypper install from verbatim and curated mirrors of rpm repositories, and from own ones, connected and behind the gap. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { darkScript, FOR_ELSEWHERE, recordedPackets } from '../support/dark-side.ts';
import { DnfRoot } from '../support/dnf-root.ts';
import { kubedos, MINUTE, serveData, tool } from '../support/real-debian.ts';
import type { Served } from '../support/served.ts';
import { type SignedRpmRepo, signedRpmRepo } from '../support/signed-rpm-repo.ts';
import { ZypperRoot } from '../support/zypper-root.ts';

let dir: string;
let upstream: SignedRpmRepo;
let connected: string;
let server: Served;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-dnf-'));
  upstream = await signedRpmRepo(dir);
  connected = join(dir, 'connected');
  const spec = {
    name: 'example',
    type: 'yum',
    form: 'verbatim',
    upstreams: [
      { url: `file://${upstream.folder}`, keys: upstream.fingerprints.map((fingerprint) => ({ fingerprint })) },
    ],
  };
  await writeFile(join(dir, 'example.yaml'), stringify(spec));
  await kubedos(connected, 'init');
  for (const fingerprint of upstream.fingerprints)
    await kubedos(connected, 'key', 'import', upstream.keysFile, '--fingerprint', fingerprint);
  await sync();
  server = await serveData(connected);
}, 5 * MINUTE);
afterAll(async () => {
  await server?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function sync(): Promise<void> {
  await kubedos(connected, 'mirror', 'sync', join(dir, 'example.yaml'), '--quiet');
  await kubedos(connected, 'snapshot', 'create', '--channel', 'stable');
}

async function client(name: string): Promise<DnfRoot> {
  const dnf = new DnfRoot(join(dir, name));
  await dnf.configure(await kubedos(connected, 'client-config', 'example', '--url', server.url));
  return dnf;
}

describe('dnf, on a verbatim mirror', () => {
  it(
    'checks both signatures, and installs with what is needed and recommended',
    async () => {
      const dnf = await client('install');
      expect(await readFile(join(dnf.dir, 'repos', 'test.repo'), 'utf8')).toMatch(/gpgcheck=1\nrepo_gpgcheck=1\n/);
      await dnf.run('makecache');
      expect((await dnf.run('repoquery', '--qf', '%{name}-%{evr}', '*')).trim().split('\n').sort()).toEqual([
        'app-1.0-1',
        'app-doc-1.0-1',
        'lib-1:2.5-1',
        'mod-2.10-1',
        'tool-1.0-1',
      ]);
      await dnf.run('install', 'app');
      for (const name of ['app', 'app-doc', 'lib', 'tool'])
        expect(await readFile(join(dnf.dir, 'root/usr/share', name, 'name'), 'utf8')).toBe(`${name}\n`);
    },
    3 * MINUTE,
  );

  it(
    'knows the groups, the advisories and the modules',
    async () => {
      const dnf = await client('metadata');
      expect(await dnf.run('group', 'list')).toContain('Applications');
      await dnf.run('group', 'install', 'apps');
      expect(existsSync(join(dnf.dir, 'root/usr/share/tool/name'))).toBe(true);
      await dnf.run('install', 'lib');
      expect(await dnf.run('updateinfo', 'list', '--all')).toMatch(
        /EX-2024:0001 +Important\/Sec\. +lib-1:2\.5-1\.noarch/,
      );
      expect(await dnf.run('updateinfo', 'info', '--all')).toContain('CVE-2024-12345');
      expect(await dnf.run('module', 'list')).toMatch(/mod +2\.10/);
      await dnf.run('module', 'install', 'mod:2.10');
      expect(existsSync(join(dnf.dir, 'root/usr/share/mod/name'))).toBe(true);
    },
    3 * MINUTE,
  );

  it(
    'sees what came new, and refuses what is not as it was signed',
    async () => {
      const dnf = await client('update');
      await dnf.run('install', 'lib');
      await upstream.add(
        'Name: lib\nEpoch: 1\nVersion: 2.6\nRelease: 1\nSummary: a library\nLicense: MIT\nBuildArch: noarch\nProvides: lib-abi = 2\n%description\nNewer.\n%files\n',
      );
      await sync();
      expect(await dnf.run('--refresh', 'upgrade')).toMatch(/lib +noarch +1:2\.6-1/);
      const stranger = await client('stranger');
      const repo = await readFile(join(stranger.dir, 'repos', 'test.repo'), 'utf8');
      await writeFile(join(dir, 'none.asc'), '');
      await stranger.configure(repo.replace(/gpgkey=.*/g, `gpgkey=file://${dir}/none.asc`));
      await expect(stranger.run('makecache')).rejects.toThrow(/repomd.xml GPG signature|Failed to retrieve GPG key/i);
    },
    3 * MINUTE,
  );
});

describe('dnf, on a curated mirror', () => {
  const chosen = (curate: Record<string, unknown>): Promise<void> =>
    writeFile(
      join(dir, 'chosen.yaml'),
      stringify({
        name: 'chosen',
        type: 'yum',
        form: 'curated',
        upstreams: [
          { url: `file://${upstream.folder}`, keys: upstream.fingerprints.map((fingerprint) => ({ fingerprint })) },
        ],
        curate,
      }),
    );
  const bring = async (): Promise<string> => {
    const told = await kubedos(connected, 'mirror', 'sync', join(dir, 'chosen.yaml'), '--quiet');
    await kubedos(connected, 'snapshot', 'create', '--channel', 'stable');
    return told;
  };

  it(
    'checks our signature and those of upstream, and installs all that was chosen; the rest is not there',
    async () => {
      await chosen({ rules: [{ name: 'app' }], compression: 'zst' });
      await bring();
      expect(await kubedos(connected, 'mirror', 'why', 'lib', 'chosen')).toMatch(
        /requires: lib >= 2 brings lib 1:2\.\d-1/,
      );
      const dnf = new DnfRoot(join(dir, 'chosen'));
      await dnf.configure(await kubedos(connected, 'client-config', 'chosen', '--url', server.url));
      expect(await readFile(join(dnf.dir, 'repos', 'test.repo'), 'utf8')).toMatch(/gpgcheck=1\nrepo_gpgcheck=1\n/);
      expect((await dnf.run('repoquery', '--qf', '%{name}', '*')).trim().split('\n').sort()).toEqual([
        'app',
        'lib',
        'tool',
      ]);
      expect(await dnf.run('repoquery', '--list', 'tool')).toContain('/usr/share/tool/name');
      await dnf.run('install', 'app');
      expect(await readFile(join(dnf.dir, 'root/usr/share/tool/name'), 'utf8')).toBe('tool\n');
      expect(await dnf.run('module', 'list')).not.toContain('2.10');
      await writeFile(join(dir, 'host.txt'), 'app-1.0-1.noarch\n');
      const check = ['darksite', 'check', join(dir, 'host.txt'), '--mirror', 'chosen'];
      expect(await kubedos(connected, ...check)).toContain('host.txt (x86_64): resolves: 1 listed, 3 to install');
    },
    3 * MINUTE,
  );

  it(
    'installs groups and modules, and knows the advisories of what is there',
    async () => {
      await chosen({ rules: [{ group: 'apps', optional: true }, { module: 'mod:2.10' }], closure: 'weak' });
      await bring();
      const dnf = new DnfRoot(join(dir, 'groups'));
      await dnf.configure(await kubedos(connected, 'client-config', 'chosen', '--url', server.url));
      await dnf.run('group', 'install', '--with-optional', 'apps');
      expect(existsSync(join(dnf.dir, 'root/usr/share/app-doc/name'))).toBe(true);
      expect(existsSync(join(dnf.dir, 'root/usr/share/app/name'))).toBe(false);
      await dnf.run('module', 'install', 'mod:2.10');
      expect(existsSync(join(dnf.dir, 'root/usr/share/mod/name'))).toBe(true);
      await chosen({ rules: [{ name: 'lib', version: '2.5' }] });
      await bring();
      await dnf.run('--refresh', 'makecache');
      expect(await dnf.run('updateinfo', 'list', '--all')).toContain('EX-2024:0001');
    },
    3 * MINUTE,
  );
});

describe('zypper', () => {
  it.each(['example', 'chosen'])(
    'takes the mirror %s by our keys, knows its patches, and installs with what is needed',
    async (mirror) => {
      const zypper = new ZypperRoot(join(dir, `zypper-${mirror}`));
      await zypper.configure(await kubedos(connected, 'client-config', mirror, '--url', server.url));
      expect(await zypper.run('refresh')).toContain('All repositories have been refreshed');
      expect(await zypper.run('list-patches', '--all')).toMatch(/EX-2024:0001 +\| security +\| important/);
      const name = mirror === 'example' ? 'app' : 'lib';
      await zypper.run('install', '--no-recommends', name);
      expect(await readFile(join(zypper.dir, 'usr/share', name, 'name'), 'utf8')).toBe(`${name}\n`);
    },
    3 * MINUTE,
  );
});

describe('dnf, on repositories of own packages', () => {
  it.each(['gz', 'zst'])(
    'reads metadata of several members in %s, follows changes, and goes back with the channel',
    async (compression) => {
      const packages = join(upstream.folder, 'Packages');
      const name = `own-${compression}`;
      const at = (file: string) => join(packages, file);
      await kubedos(connected, 'repo', 'create', name, '--type', 'yum', '--compression', compression);
      await kubedos(connected, 'repo', 'add', name, at('lib-2.5-1.noarch.rpm'), at('tool-1.0-1.noarch.rpm'));
      await kubedos(connected, 'snapshot', 'create', '--channel', 'stable');
      const dnf = new DnfRoot(join(dir, name));
      await dnf.configure(await kubedos(connected, 'client-config', name, '--url', server.url));
      expect(await readFile(join(dnf.dir, 'repos', 'test.repo'), 'utf8')).toMatch(/gpgcheck=0\nrepo_gpgcheck=1\n/);
      await dnf.run('install', 'tool');
      expect(await readFile(join(dnf.dir, 'root/usr/share/lib/name'), 'utf8')).toBe('lib\n');
      await kubedos(connected, 'repo', 'add', name, at('app-1.0-1.noarch.rpm'), at('app-doc-1.0-1.noarch.rpm'));
      await kubedos(connected, 'snapshot', 'create', '--channel', 'stable');
      const list = async () =>
        (await dnf.run('--refresh', 'repoquery', '--qf', '%{name}', '*')).trim().split('\n').sort();
      expect(await list()).toEqual(['app', 'app-doc', 'lib', 'tool']);
      expect((await dnf.run('repoquery', '--list', 'app')).trim()).toBe('/usr/share/app\n/usr/share/app/name');
      await kubedos(connected, 'channel', 'rollback', 'stable');
      expect(await list()).toEqual(['lib', 'tool']);
    },
    3 * MINUTE,
  );
});

describe('dnf, on a repository whose packages are signed as they come in', () => {
  it(
    'demands both signatures, before and after a change of the key',
    async () => {
      const data = join(dir, 'signing');
      const packages = join(upstream.folder, 'Packages');
      await kubedos(data, 'init');
      await kubedos(data, 'repo', 'create', 'own', '--type', 'yum', '--sign-packages');
      await kubedos(data, 'repo', 'add', 'own', join(packages, 'lib-2.5-1.noarch.rpm'));
      await kubedos(data, 'snapshot', 'create', '--channel', 'stable');
      const own = await serveData(data);
      try {
        const client = async (name: string): Promise<DnfRoot> => {
          const dnf = new DnfRoot(join(dir, name));
          await dnf.configure(await kubedos(data, 'client-config', 'own', '--url', own.url));
          expect(await readFile(join(dnf.dir, 'repos', 'test.repo'), 'utf8')).toMatch(/gpgcheck=1\nrepo_gpgcheck=1\n/);
          return dnf;
        };
        await (await client('signed')).run('install', 'lib');
        await kubedos(data, 'key', 'rotate', '--yes');
        await kubedos(data, 'repo', 'add', 'own', join(packages, 'tool-1.0-1.noarch.rpm'));
        await kubedos(data, 'snapshot', 'create', '--channel', 'stable');
        // `lib` is signed by the key before, `tool` by the new one.
        const later = await client('signed-anew');
        await later.run('install', 'tool');
        expect(await readFile(join(later.dir, 'root/usr/share/lib/name'), 'utf8')).toBe('lib\n');
        // Revoked, it counts for nothing, until the packages that it signed come in again.
        await kubedos(data, 'key', 'rotate', '--revoke-old', '--yes');
        await kubedos(data, 'snapshot', 'create', '--channel', 'stable');
        const refusing = await client('signed-revoked');
        await expect(refusing.run('install', 'tool')).rejects.toThrow(/not correct for this package|GPG check FAILED/);
        for (const name of ['lib-2.5-1', 'tool-1.0-1'])
          await kubedos(data, 'repo', 'add', 'own', join(packages, `${name}.noarch.rpm`), '--force');
        await kubedos(data, 'snapshot', 'create', '--channel', 'stable');
        await (await client('signed-again')).run('install', 'tool');
      } finally {
        await own.stop();
      }
    },
    3 * MINUTE,
  );
});

describe('the dark side', () => {
  it(
    'gets apt and yum in one bundle, and dnf installs there with no packet for elsewhere',
    async () => {
      await kubedos(connected, 'repo', 'create', 'ours', '--suite', 'ours');
      await kubedos(connected, 'snapshot', 'create', '--channel', 'stable');
      const media = join(dir, 'media');
      const dark = join(dir, 'dark');
      await mkdir(media);
      await kubedos(connected, 'bundle', 'export', '--channel', 'stable', '--to', media, '--quiet');
      await kubedos(dark, 'init', '--trust', (await kubedos(connected, 'key', 'root')).trim());
      const install = async (mirror: string, name: string): Promise<{ root: string; lines: string }> => {
        const dnf = new DnfRoot(join(dir, `far-${mirror}`));
        await dnf.configure('');
        const words = dnf.argv('install', name).map((word) => `'${word}'`);
        const config = `K client-config ${mirror} --url http://127.0.0.1:8480 > '${dnf.dir}/repos/test.repo'`;
        return { root: join(dnf.dir, 'root'), lines: `${config}\n${words.join(' ')}` };
      };
      const [verbatim, curated] = [await install('example', 'app'), await install('chosen', 'lib')];
      const script = darkScript(
        { dir, data: dark },
        `K bundle import '${media}' --quiet
K store check --quiet
SERVE
${verbatim.lines}
${curated.lines}`,
      );
      await writeFile(join(dir, 'dark.sh'), script);
      await tool('unshare', '--net', 'sh', join(dir, 'dark.sh'));
      expect(await readFile(join(verbatim.root, 'usr/share/app/name'), 'utf8')).toBe('app\n');
      expect(await readFile(join(curated.root, 'usr/share/lib/name'), 'utf8')).toBe('lib\n');
      expect(await recordedPackets(dir, ...FOR_ELSEWHERE)).toBe('');
      expect(await recordedPackets(dir, '-c', '1', 'tcp', 'port', '8480')).not.toBe('');
      const list = async (data: string): Promise<unknown> =>
        JSON.parse(await kubedos(data, 'snapshot', 'show', 'stable', '--json'));
      expect(await list(dark)).toEqual(await list(connected));
      expect(await kubedos(dark, 'search', 'lib')).toContain('1:2.6-1');
    },
    5 * MINUTE,
  );
});
