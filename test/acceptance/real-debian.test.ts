/**
 * Real Debian from this machine's own upstream: debootstrap and apt install from the served mirrors, curated and
 * verbatim, with signatures on and no other source.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOOTABLE, cachedStore, connectedStore, kubedos, MINUTE, serveData, tool } from '../support/real-debian.ts';
import type { Served } from '../support/served.ts';

const DEBIAN_12_KEY = 'B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8';
const VERBATIM = cachedStore('verbatim');

let dir: string;
let connected: string;
let curated: Served;
let verbatim: Served;
let keyring: string;

beforeAll(async () => {
  dir = await roots();
  connected = await connectedStore();
  curated = await serveData(connected);
  const armoured = join(dir, 'store.asc');
  writeFileSync(armoured, await kubedos(connected, 'key', 'show'));
  keyring = join(dir, 'store.gpg');
  await tool('gpg', '--homedir', dir, '--dearmor', '--output', keyring, armoured);
  await syncVerbatim(armoured);
  verbatim = await serveData(VERBATIM);
}, 20 * MINUTE);

afterAll(async () => {
  await curated?.stop();
  await verbatim?.stop();
  await tool('umount', dir);
  rmSync(dir, { recursive: true });
});

/** In memory: dpkg asks for each of thousands of files to reach the disk. */
async function roots(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'kubedos-real-'));
  await tool('mount', '-t', 'tmpfs', '-o', 'size=3g,mode=0755', 'kubedos-roots', folder);
  return folder;
}

/** A whole small suite of Debian, and a copy of the curated mirror, whose upstream is our own server. */
async function syncVerbatim(key: string): Promise<void> {
  const { fingerprint } = JSON.parse(await kubedos(connected, 'key', 'show', '--json'));
  const spec = (name: string, url: string, suite: string, fingerprint: string, file: string): string => {
    const path = join(dir, `${name}.yaml`);
    writeFileSync(
      path,
      `name: ${name}
type: apt
form: verbatim
upstreams:
  - url: ${url}
    suites: [${suite}]
    components: [main]
    architectures: [amd64]
    keys:
      - { fingerprint: ${fingerprint}${file} }
`,
    );
    return path;
  };
  const updates = spec('updates', 'system', 'bookworm-updates', DEBIAN_12_KEY, ', file: debian-archive-12.asc');
  const copy = spec('copy', `${curated.url}/c/stable/${BOOTABLE}`, 'bookworm', fingerprint, '');
  await kubedos(VERBATIM, 'init').catch(() => undefined);
  await kubedos(VERBATIM, 'key', 'import', key, '--fingerprint', fingerprint);
  await kubedos(VERBATIM, 'mirror', 'sync', updates, copy, '--quiet');
  await kubedos(VERBATIM, 'snapshot', 'create', '--channel', 'stable');
}

const inRoot = (root: string, ...argv: readonly string[]): Promise<string> =>
  tool('chroot', root, '/usr/bin/env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8', ...argv);

/** Nothing else is configured in that root. */
async function onlySource(root: string, data: string, mirror: string, url: string): Promise<string> {
  const text = await kubedos(data, 'client-config', mirror, '--url', url);
  await tool('sh', '-c', 'rm -rf "$0"/etc/apt/sources.list "$0"/etc/apt/sources.list.d/*', root);
  writeFileSync(join(root, 'etc/apt/sources.list.d/kubedos.sources'), text);
  return inRoot(root, 'apt-get', '-o', 'APT::Update::Error-Mode=any', 'update');
}

/** The root that debootstrap made from there, its signature checked. */
async function bootstrap(name: string, url: string): Promise<string> {
  const root = join(dir, name);
  const options = ['--variant=minbase', `--keyring=${keyring}`, '--force-check-gpg'];
  await tool('debootstrap', ...options, 'bookworm', root, url);
  return root;
}

describe('debootstrap and apt', () => {
  it(
    'install from the curated mirror, which we sign',
    async () => {
      const url = `${curated.url}/c/stable/${BOOTABLE}`;
      const root = await bootstrap('curated', url);
      await onlySource(root, connected, BOOTABLE, curated.url);
      await inRoot(root, 'apt-get', 'install', '--yes', '--no-install-recommends', 'openssh-server');
      expect(await inRoot(root, 'dpkg', '--status', 'openssh-server')).toContain('Status: install ok installed');
      expect(await inRoot(root, 'apt-cache', 'policy', 'openssh-server')).toContain(`${url} bookworm/main`);
    },
    10 * MINUTE,
  );

  it(
    'install from a verbatim mirror, which upstream signed',
    async () => {
      const root = await bootstrap('verbatim', `${verbatim.url}/c/stable/copy`);

      const update = await onlySource(root, VERBATIM, 'updates', verbatim.url);
      expect(update).toContain(`${verbatim.url}/c/stable/updates bookworm-updates InRelease`);
      expect(await tool('cat', join(root, 'etc/apt/sources.list.d/kubedos.sources'))).toContain('BEGIN PGP PUBLIC KEY');
      await inRoot(root, 'apt-get', 'install', '--yes', '--allow-downgrades', 'tzdata/bookworm-updates');
      expect(await inRoot(root, 'apt-cache', 'policy', 'tzdata')).toMatch(
        new RegExp(`\\*\\*\\* \\S+ \\d+\\n +500 ${verbatim.url}/c/stable/updates bookworm-updates/main`),
      );
    },
    10 * MINUTE,
  );

  it(
    'refuse what another key signed',
    async () => {
      const root = join(dir, 'refused');
      const url = `${verbatim.url}/c/stable/updates`;
      const script = '/usr/share/debootstrap/scripts/bookworm';
      const strange = tool('debootstrap', `--keyring=${keyring}`, 'bookworm-updates', root, url, script);
      await expect(strange).rejects.toThrow('Release signed by unknown key');
    },
    2 * MINUTE,
  );
});
