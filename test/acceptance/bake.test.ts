/** Images of real Debian packages, baked without a network, and booted by QEMU. */
import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { footerSize } from '../../src/formats/vhd.ts';
import { Bakery } from '../support/bakery.ts';
import { bakeElsewhere } from '../support/baking.ts';
import { bootUntil } from '../support/qemu.ts';
import { MINUTE, tool } from '../support/real-debian.ts';
import { tellerUnit } from '../support/teller.ts';

let dir: string;
let dark: Bakery;
let other: Bakery;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-bake-'));
  [dark, other] = (await Bakery.dark(dir, 'dark', 'other')) as [Bakery, Bakery];
  // The other one builds all from nothing.
  await dark.warm();
}, 15 * MINUTE);
afterAll(() => rm(dir, { recursive: true, force: true }));

const LOGIN = /login: $/;
/** Outputs, and what QEMU calls them. */
const FORMATS = [
  ['qcow2', 'qcow2'],
  ['zstd.qcow2', 'qcow2'],
  ['vmdk', 'vmdk'],
  ['vhd', 'vpc'],
] as const;

describe('a disk image', () => {
  it(
    'boots by BIOS, and is the same bytes when it is built elsewhere, from another store',
    async () => {
      const first = await dark.bake('base', '--output', 'raw');
      const disk = { file: await dark.artifact(first, 'raw'), format: 'raw' } as const;
      expect(await bootUntil(disk, LOGIN, { firmware: 'bios', folder: dir })).toContain('Debian GNU/Linux 12');
      const again = await bakeElsewhere({ data: other.data, home: dir }, 'base', '--output', 'raw');
      expect(again).toMatchObject({ artifacts: first.artifacts });
      // Nothing is new where nothing changed.
      expect(await dark.bake('base', '--output', 'raw')).toMatchObject({ changed: false });
      expect(await dark.leftOvers()).toEqual([]);
    },
    12 * MINUTE,
  );

  it(
    'boots under Secure Boot as a clone of a qcow2, with the service of its role, its files, users and hooks',
    async () => {
      const file = await dark.recipe('role', {
        extends: 'node',
        outputs: ['qcow2'],
        disk: {
          size: '3GiB',
          partitions: [
            { name: 'log', size: '128MiB', mount: '/var/log', options: 'nodev,nosuid' },
            { name: 'swap', size: '64MiB', use: 'swap' },
            { name: 'var', size: '512MiB', mount: '/var' },
            { name: 'data', size: '96MiB', mount: '/srv/own/data' },
          ],
        },
        files: [
          { path: '/srv/own/data/note', content: 'own data\n' },
          {
            path: '/etc/systemd/system/role.service',
            content: tellerUnit('/usr/local/bin/role', 'ssh.service ssh-host-keys.service'),
          },
          { path: '/usr/local/bin/role', source: 'role.sh', mode: '0755' },
          { path: '/lib/role-link', link: '/etc/role' },
        ],
        users: [
          { name: 'keeper', uid: 1500, groups: ['adm'], keys: ['ssh-ed25519 AAAA keeper'] },
          // Of node.
          { name: 'admin', groups: ['adm'], keys: ['ssh-ed25519 AAAA admin'] },
        ],
        enable: ['role.service'],
        hooks: [{ name: 'mark', run: 'echo from the hook > /etc/role\nchmod 640 /etc/role' }],
      });
      await writeFile(
        join(dir, 'role.sh'),
        `#!/bin/sh\necho "role: $(cat /lib/role-link), $(id -un 1500), $(stat -c %a-%U /home/keeper/.ssh/authorized_keys /home/admin/.ssh/authorized_keys | xargs), $(id -nG admin), $(runuser -u admin -- sudo -n id -un), $(systemctl is-active ssh), $(ls /etc/ssh/ssh_host_*_key | wc -l) keys, $(systemd-detect-virt), $(mokutil --sb-state)"\necho "disk: $(findmnt -rnt ext4 -o TARGET | sort | xargs), $(findmnt -no OPTIONS /var/log | grep -o nosuid,nodev), $(swapon --noheadings --bytes --show=SIZE), $(ls /var/lib/dpkg/status), $(cat /srv/own/data/note), $(ls -A /srv/own/data | xargs)"\n`,
      );
      const report = await dark.bake(file);
      const image = await dark.artifact(report, 'qcow2');
      await tool('qemu-img', 'check', image);
      const disk = { file: join(dir, 'clone.qcow2'), format: 'qcow2' } as const;
      await tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', image, '-F', 'qcow2', disk.file);
      const log = await bootUntil(disk, /disk: .*[\r\n]/, { firmware: 'secure-boot', folder: dir });
      expect(log).toMatch(
        /role: from the hook, keeper, 600-keeper 600-admin, admin adm sudo, root, active, 3 keys, qemu, SecureBoot enabled/,
      );
      expect(log).toMatch(
        /disk: \/ \/srv\/own\/data \/var \/var\/log, nosuid,nodev, 67104768, \/var\/lib\/dpkg\/status, own data, lost\+found note/,
      );
      expect(await bakeElsewhere({ data: dark.data, home: dir }, file)).toMatchObject({ artifacts: report.artifacts });
      expect(await dark.leftOvers()).toEqual([]);
    },
    12 * MINUTE,
  );

  it(
    'with another kernel is refused by Secure Boot, though it still boots without',
    async () => {
      const raw = await dark.artifact(await dark.bake('base', '--output', 'raw'), 'raw');
      const file = join(dir, 'altered.raw');
      await tool('cp', '--sparse=always', '--no-preserve=mode', '--dereference', raw, file);
      await alterKernel(file);
      const disk = { file, format: 'raw' } as const;
      const log = await bootUntil(disk, /bad shim signature/, { firmware: 'secure-boot', folder: dir });
      expect(log).not.toMatch(/Linux version|login:/);
      await bootUntil(disk, LOGIN, { firmware: 'uefi', folder: dir });
    },
    12 * MINUTE,
  );
});

const ALTER = `
mount -o "loop,offset=$(($(partx -g -o START -n 3 "$1") * 512))" "$1" /mnt
set -- /mnt/boot/vmlinuz-*
echo altered >> "$1"`;

/** A few bytes more behind the end: it runs as before, and is not what was signed. */
const alterKernel = (disk: string): Promise<string> => tool('unshare', '--mount', 'sh', '-euc', ALTER, 'sh', disk);

describe('every output', () => {
  it(
    'holds the disk that was booted, and is the same bytes each time',
    async () => {
      const outputs = ['raw', 'qcow2', 'qcow2-zstd', 'vmdk', 'vhd', 'gcp'];
      const first = await dark.bake('base', '--output', ...outputs);
      expect(first.artifacts.map(({ path }) => path).sort()).toEqual([
        'base.qcow2',
        'base.raw',
        'base.tar.gz',
        'base.vhd',
        'base.vmdk',
        'base.zstd.qcow2',
      ]);
      const raw = await dark.artifact(first, 'raw');
      for (const [output, format] of FORMATS)
        await tool('qemu-img', 'compare', '-f', 'raw', '-F', format, raw, await dark.artifact(first, output));
      for (const output of ['qcow2', 'zstd.qcow2']) await tool('qemu-img', 'check', await dark.artifact(first, output));
      const [plain, smaller] = ['base.qcow2', 'base.zstd.qcow2'].map(
        (name) => first.artifacts.find(({ path }) => path === name)?.sizeBytes ?? 0,
      ) as [number, number];
      expect(smaller).toBeLessThan(plain * 0.7);
      const vhd = await open(await dark.artifact(first, 'vhd'));
      const { buffer } = await vhd.read(Buffer.alloc(512), 0, 512, (await stat(raw)).size);
      await vhd.close();
      // Azure takes whole MiB, and nothing behind the footer.
      expect(footerSize(buffer)).toBe((await stat(raw)).size);
      expect((await stat(await dark.artifact(first, 'vhd'))).size).toBe((await stat(raw)).size + 512);
      const packed = await dark.artifact(first, 'tar.gz');
      expect((await tool('tar', '--list', '-f', packed)).trim()).toBe('disk.raw');
      const unpacked = await tool('sh', '-c', 'tar -xOf "$1" disk.raw | sha256sum', 'sh', packed);
      expect(unpacked.split(' ')[0]).toBe(first.artifacts.find(({ path }) => path === 'base.raw')?.sha256);
      const again = await dark.bake('base', '--output', 'vmdk', 'vhd');
      for (const each of again.artifacts) expect(first.artifacts).toContainEqual(each);
    },
    12 * MINUTE,
  );

  if (process.env.KUBEDOS_TEST_FULL)
    it(
      'boots on each firmware',
      async () => {
        const baked = await dark.bake('base', '--output', 'qcow2', 'qcow2-zstd', 'vmdk', 'vhd');
        for (const [output, format] of FORMATS)
          for (const firmware of ['bios', 'uefi', 'secure-boot'] as const)
            await bootUntil({ file: await dark.artifact(baked, output), format }, LOGIN, { firmware, folder: dir });
      },
      40 * MINUTE,
    );
});
