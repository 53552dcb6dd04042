/** Images of real Debian packages, baked without a network, and booted by QEMU. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { footerSize } from '../../src/formats/vhd.ts';
import { INSTALLATION } from '../../src/wiring.ts';
import { artifactFile, type BakeReport, bakeElsewhere, bakeIn } from '../support/baking.ts';
import { KUBEDOS } from '../support/command-line.ts';
import { bootUntil } from '../support/qemu.ts';
import { connectedStore, kubedos, MINUTE, tool } from '../support/real-debian.ts';

let dir: string;
/** Two dark sides, which were only ever filled from a bundle. */
let data: string;
let other: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-bake-'));
  const connected = await connectedStore();
  const media = join(dir, 'media');
  await mkdir(media);
  await kubedos(connected, 'bundle', 'export', '--channel', 'stable', '--to', media, '--quiet');
  const rootKey = (await kubedos(connected, 'key', 'root')).trim();
  [data, other] = [join(dir, 'dark'), join(dir, 'other')];
  for (const store of [data, other]) {
    await kubedos(store, 'init', '--trust', rootKey);
    await kubedos(store, 'bundle', 'import', media, '--quiet');
  }
}, 15 * MINUTE);
afterAll(() => rm(dir, { recursive: true, force: true }));

const bake = (name: string, ...options: string[]) => bakeIn(data, name, ...options);
const artifact = (report: BakeReport, output: string) => artifactFile(report, output, { data, dir });

async function recipe(name: string, more: object): Promise<string> {
  const file = join(dir, `${name}.yaml`);
  await writeFile(file, stringify({ name, extends: 'base', ...more }));
  return file;
}

/** What a killed or failed build could leave. */
async function leftOvers(): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').filter((line) => line.includes(data));
  const loops = (await tool('losetup', '--list', '--noheadings', '--output', 'BACK-FILE')).split('\n');
  return [...mounts, ...loops.filter((line) => line.includes(data))];
}

const LOGIN = /login: $/;
/** Outputs, and what QEMU calls them. */
const FORMATS = [
  ['qcow2', 'qcow2'],
  ['vmdk', 'vmdk'],
  ['vhd', 'vpc'],
] as const;

describe('a disk image', () => {
  it(
    'boots by BIOS, and is the same bytes when it is built elsewhere, from another store',
    async () => {
      const first = await bake('base', '--output', 'raw');
      const disk = { file: await artifact(first, 'raw'), format: 'raw' } as const;
      expect(await bootUntil(disk, LOGIN, { firmware: 'bios', folder: dir })).toContain('Debian GNU/Linux 12');
      const again = await bakeElsewhere({ data: other, home: dir }, 'base', '--output', 'raw');
      expect(again).toMatchObject({ artifacts: first.artifacts });
      // Nothing is new where nothing changed.
      expect(await bake('base', '--output', 'raw')).toMatchObject({ changed: false });
      expect(await leftOvers()).toEqual([]);
    },
    12 * MINUTE,
  );

  it(
    'boots under Secure Boot as qcow2, with the service of its role, its files, users and hooks',
    async () => {
      const file = await recipe('role', {
        extends: 'node',
        outputs: ['qcow2'],
        files: [
          {
            path: '/etc/systemd/system/role.service',
            content: `[Unit]\nAfter=ssh.service ssh-host-keys.service\n[Service]\nType=oneshot\nStandardOutput=tty\nTTYPath=/dev/ttyS0\nExecStart=/usr/local/bin/role\n[Install]\nWantedBy=multi-user.target\n`,
          },
          { path: '/usr/local/bin/role', source: 'role.sh', mode: '0755' },
          { path: '/lib/role-link', link: '/etc/role' },
        ],
        users: [{ name: 'keeper', uid: 1500, groups: ['adm'], keys: ['ssh-ed25519 AAAA keeper'] }],
        enable: ['role.service'],
        hooks: [{ name: 'mark', run: 'echo from the hook > /etc/role\nchmod 640 /etc/role' }],
      });
      await writeFile(
        join(dir, 'role.sh'),
        `#!/bin/sh\necho "role: $(cat /lib/role-link), $(id -un 1500), $(stat -c %a-%U /home/keeper/.ssh/authorized_keys), $(systemctl is-active ssh), $(ls /etc/ssh/ssh_host_*_key | wc -l) keys, $(systemd-detect-virt), $(mokutil --sb-state)"\n`,
      );
      const report = await bake(file);
      const disk = { file: await artifact(report, 'qcow2'), format: 'qcow2' } as const;
      await tool('qemu-img', 'check', disk.file);
      const log = await bootUntil(disk, /role: .*/, { firmware: 'secure-boot', folder: dir });
      expect(log).toMatch(/role: from the hook, keeper, 600-keeper, active, 3 keys, qemu, SecureBoot enabled/);
      expect(await leftOvers()).toEqual([]);
    },
    12 * MINUTE,
  );
});

describe('every output', () => {
  it(
    'holds the disk that was booted, and is the same bytes each time',
    async () => {
      const outputs = ['raw', 'qcow2', 'vmdk', 'vhd', 'gcp'];
      const first = await bake('base', '--output', ...outputs);
      expect(first.artifacts.map(({ path }) => path).sort()).toEqual([
        'base.qcow2',
        'base.raw',
        'base.tar.gz',
        'base.vhd',
        'base.vmdk',
      ]);
      const raw = await artifact(first, 'raw');
      for (const [output, format] of FORMATS)
        await tool('qemu-img', 'compare', '-f', 'raw', '-F', format, raw, await artifact(first, output));
      const vhd = await open(await artifact(first, 'vhd'));
      const { buffer } = await vhd.read(Buffer.alloc(512), 0, 512, (await stat(raw)).size);
      await vhd.close();
      // Azure takes whole MiB, and nothing behind the footer.
      expect(footerSize(buffer)).toBe((await stat(raw)).size);
      expect((await stat(await artifact(first, 'vhd'))).size).toBe((await stat(raw)).size + 512);
      const packed = await artifact(first, 'tar.gz');
      expect((await tool('tar', '--list', '-f', packed)).trim()).toBe('disk.raw');
      const unpacked = await tool('sh', '-c', 'tar -xOf "$1" disk.raw | sha256sum', 'sh', packed);
      expect(unpacked.split(' ')[0]).toBe(first.artifacts.find(({ path }) => path === 'base.raw')?.sha256);
      const again = await bake('base', '--output', 'vmdk', 'vhd');
      for (const each of again.artifacts) expect(first.artifacts).toContainEqual(each);
    },
    12 * MINUTE,
  );

  if (process.env.KUBEDOS_TEST_FULL)
    it(
      'boots on each firmware',
      async () => {
        const baked = await bake('base', '--output', 'qcow2', 'vmdk', 'vhd');
        for (const [output, format] of FORMATS)
          for (const firmware of ['bios', 'uefi', 'secure-boot'] as const)
            await bootUntil({ file: await artifact(baked, output), format }, LOGIN, { firmware, folder: dir });
      },
      40 * MINUTE,
    );
});

describe('a recipe that cannot be built', () => {
  it.each([
    ['a package that no mirror has', { packages: ['no-such-package'] }, /install packages.*no-such-package/s],
    ['a hook that fails', { hooks: [{ name: 'broken', run: 'echo sorry >&2; exit 3' }] }, /hook broken.*sorry/s],
    [
      'a hook that tries the network',
      { hooks: [{ name: 'far', run: 'ip route get 192.0.2.1' }] },
      /hook far.*unreachable/s,
    ],
    ['a unit that is not there', { enable: ['absent.service'] }, /enable units.*absent/s],
    ['a disk that is too small', { disk: { size: '600MiB' } }, /[Nn]o space|Could not allocate/],
  ])(
    '%s',
    async (_, more, words) => {
      const failed = bake(await recipe('bad', more));
      await expect(failed).rejects.toMatchObject({ message: expect.stringMatching(words) });
      expect(await leftOvers()).toEqual([]);
      expect(await kubedos(data, 'mirror', 'list')).not.toContain('image-bad');
    },
    5 * MINUTE,
  );

  it(
    'is killed at any moment, and leaves neither mounts nor loops nor processes',
    async () => {
      const file = await recipe('killed', { hooks: [{ name: 'long', run: 'sleep 4321' }] });
      for (const delay of [2000, 6000, 12_000]) {
        const argv = ['bake', file, '--quiet', '--data', data];
        const child = spawn(KUBEDOS[0] as string, [...KUBEDOS.slice(1), ...argv], {
          cwd: INSTALLATION,
          stdio: 'ignore',
        });
        await new Promise((resolve) => setTimeout(resolve, delay));
        child.kill('SIGKILL');
        await new Promise((resolve) => setTimeout(resolve, 1000));
        expect(await leftOvers()).toEqual([]);
        expect(await sleepers()).toEqual([]);
      }
      // What it had written is cleared by the next run.
      expect(await builds()).not.toEqual([]);
      await bake('base');
      expect(await builds()).toEqual([]);
    },
    5 * MINUTE,
  );
});

async function builds(): Promise<string[]> {
  return (await readdir(join(data, 'tmp'))).filter((name) => name.startsWith('bake-'));
}

async function sleepers(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    const command = await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '');
    if (command === 'sleep\x004321\x00') found.push(pid);
  }
  return found;
}
