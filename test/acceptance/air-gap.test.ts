/**
 * A bundle of real Debian, and a dark side in a network namespace that has loopback and no route: import, check, serve,
 * and mmdebstrap installs from it, with no packet for elsewhere.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { darkScript, FOR_ELSEWHERE, recordedPackets } from '../support/dark-side.ts';
import { BOOTABLE, connectedStore, kubedos, MINUTE, tool } from '../support/real-debian.ts';

let dir: string;
let connected: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kubedos-gap-'));
  connected = await connectedStore();
}, 20 * MINUTE);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the dark side', () => {
  it(
    'has the same bytes, serves them with no packet for elsewhere, and mmdebstrap installs from it',
    async () => {
      const media = join(dir, 'media');
      const dark = join(dir, 'dark');
      mkdirSync(media);
      const volumes = ['--volume-size', '100MB', '--quiet'];
      await kubedos(connected, 'bundle', 'export', '--channel', 'stable', '--to', media, ...volumes);
      const rootKey = (await kubedos(connected, 'key', 'root')).trim();
      await kubedos(dark, 'init', '--trust', rootKey);
      // Signed-By in the sources file binds apt to the store's key; mmdebstrap is given no other source.
      const script = darkScript(
        { dir, data: dark },
        `K bundle import '${media}' --quiet
K store check --quiet
SERVE
K client-config ${BOOTABLE} --url http://127.0.0.1:8480 > '${dir}/dark.sources'
mmdebstrap --mode=root --variant=minbase --include=systemd-sysv,openssh-server \\
  bookworm '${dir}/dark.tar' '${dir}/dark.sources'
K bundle import '${media}' --quiet --json > '${dir}/again.json'`,
      );
      writeFileSync(join(dir, 'dark.sh'), script);
      await tool('unshare', '--net', 'sh', join(dir, 'dark.sh'));

      const names = await tool('tar', '-tf', join(dir, 'dark.tar'));
      expect(names).toContain('./usr/sbin/sshd\n');
      expect(JSON.parse(readFileSync(join(dir, 'again.json'), 'utf8'))).toMatchObject({ imported: false });
      const sources = await tool('tar', '-xOf', join(dir, 'dark.tar'), './etc/apt/sources.list.d/0000dark.sources');
      expect(sources).toContain('http://127.0.0.1:8480/');

      expect(await recordedPackets(dir, ...FOR_ELSEWHERE)).toBe('');
      expect(await recordedPackets(dir, '-c', '1', 'tcp', 'port', '8480')).not.toBe('');

      const list = async (data: string): Promise<unknown> =>
        JSON.parse(await kubedos(data, 'snapshot', 'show', 'stable', '--json'));
      expect(await list(dark)).toEqual(await list(connected));
    },
    20 * MINUTE,
  );
});

describe('the connected side', () => {
  it(
    'does not fetch again what it has',
    async () => {
      const [report] = JSON.parse(await kubedos(connected, 'mirror', 'sync', BOOTABLE, '--json', '--quiet'));
      expect(report).toMatchObject({ changed: false, fetched: { files: 0, bytes: 0 } });
    },
    5 * MINUTE,
  );

  it(
    'finds hosts resolvable, and names what is missing',
    async () => {
      const good = join(dir, 'good.txt');
      writeFileSync(good, 'openssh-server\nlinux-image-amd64\n');
      expect(await kubedos(connected, 'darksite', 'check', good)).toContain('all would resolve');
      const bad = join(dir, 'bad.txt');
      writeFileSync(bad, 'openssh-server\nno-such-package\n');
      const answer = await kubedos(connected, 'darksite', 'check', bad).catch((error) => error);
      expect(answer).toMatchObject({ code: 'exec.failed', details: { status: 8 } });
    },
    5 * MINUTE,
  );
});
