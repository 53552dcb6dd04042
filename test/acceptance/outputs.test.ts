/** Images for clouds, microVMs and containers: read back by the tools of others, booted by QEMU, run by crun. */
import { chmod, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { artifactFile, type BakeReport, bakeElsewhere, bakeIn } from '../support/baking.ts';
import { bootUntil } from '../support/qemu.ts';
import { connectedStore, kubedos, MINUTE, tool } from '../support/real-debian.ts';

const OUTPUTS = ['ova', 'aws', 'firecracker'];
const LOGIN = /login: $/;
const MACHINE = 'outputs-machine';
const BOX = 'outputs-box';

let dir: string;
let data: string;
let machine: BakeReport;
let box: BakeReport;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-outputs-'));
  data = await connectedStore();
  machine = await bakeIn(data, await recipe(MACHINE, { extends: 'base' }), '--output', ...OUTPUTS);
  box = await bakeIn(data, await recipe(BOX, CONTAINER), '--output', 'oci');
}, 15 * MINUTE);
afterAll(async () => {
  for (const name of [MACHINE, BOX]) await kubedos(data, 'mirror', 'remove', `image-${name}`, '--yes').catch(() => '');
  await rm(dir, { recursive: true, force: true });
}, MINUTE);

async function recipe(name: string, more: object): Promise<string> {
  const file = join(dir, `${name}.yaml`);
  await writeFile(file, stringify({ name, ...more }));
  return file;
}

const artifact = (report: BakeReport, ending: string) => artifactFile(report, ending, { data, dir });

async function text(report: BakeReport, ending: string): Promise<string> {
  return readFile(await artifact(report, ending), 'utf8');
}

describe('an OVA', () => {
  it(
    'is read by virt-v2v, holds what its manifest says, and has the disk',
    async () => {
      const ova = await artifact(machine, 'ova');
      const names = [`${MACHINE}.ovf`, `${MACHINE}.mf`, `${MACHINE}-disk1.vmdk`];
      expect((await tool('tar', '-tf', ova)).trimEnd().split('\n')).toEqual(names);
      const folder = join(dir, 'ova');
      await mkdir(folder);
      await tool('tar', '-C', folder, '-xf', ova);
      const checked = await tool('sh', '-c', 'cd "$1" && sha256sum --strict -c *.mf', 'sh', folder);
      expect(checked).toBe(`${names[0]}: OK\n${names[2]}: OK\n`);
      const read = await tool('virt-v2v', '--print-source', '-i', 'ova', ova, '-o', 'null');
      for (const words of [/memory: 2147483648/, /vCPUs: 2/, /firmware: uefi/, /0 \[scsi\]/, /"network" \[vmxnet3\]/])
        expect(read).toMatch(words);
      const disk = join(folder, names[2] as string);
      const info = await tool('qemu-img', 'info', '--output=json', disk);
      expect(JSON.parse(info)).toMatchObject({
        'virtual-size': 2 * 1024 ** 3,
        'format-specific': { data: { 'create-type': 'streamOptimized' } },
      });
      await tool('qemu-img', 'compare', '-F', 'vmdk', '-f', 'raw', await artifact(machine, 'aws.raw'), disk);
      if (process.env.KUBEDOS_TEST_FULL)
        await bootUntil({ file: disk, format: 'vmdk' }, LOGIN, { firmware: 'uefi', folder: dir });
    },
    10 * MINUTE,
  );
});

describe('a disk for AWS', () => {
  it(
    'boots from NVMe by UEFI, and comes with its registration',
    async () => {
      expect(JSON.parse(await text(machine, 'aws.json'))).toMatchObject({
        Architecture: 'x86_64',
        BootMode: 'uefi-preferred',
        EnaSupport: true,
        VirtualizationType: 'hvm',
      });
      const disk = { file: await artifact(machine, 'aws.raw'), format: 'raw' } as const;
      const log = await bootUntil(disk, LOGIN, { firmware: 'uefi', folder: dir, bus: 'nvme' });
      expect(log).toContain('nvme0n1p3');
    },
    10 * MINUTE,
  );

  it(
    'is not made of a system that could not start there',
    async () => {
      const hooks = [{ name: 'few', run: 'echo MODULES=list > /etc/initramfs-tools/conf.d/few\nupdate-initramfs -u' }];
      const file = await recipe('outputs-few', { extends: 'base', hooks });
      await expect(bakeIn(data, file, '--output', 'aws')).rejects.toMatchObject({
        message: expect.stringMatching(
          /outputs-few\.yaml: look for the drivers of AWS: the initramfs lacks nvme: write/,
        ),
      });
      expect(await kubedos(data, 'mirror', 'list')).not.toContain('image-outputs-few');
    },
    5 * MINUTE,
  );
});

describe('a microVM', () => {
  it(
    'starts an ELF kernel with what its configuration says, from virtio-mmio',
    async () => {
      const { 'boot-source': source, drives } = JSON.parse(await text(machine, 'firecracker.json'));
      expect(source).toMatchObject({ kernel_image_path: `${MACHINE}.vmlinux`, initrd_path: `${MACHINE}.initrd` });
      expect(drives).toMatchObject([{ path_on_host: `${MACHINE}.ext4`, is_root_device: false, is_read_only: false }]);
      const kernel = await artifact(machine, 'vmlinux');
      const handle = await open(kernel);
      const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0).finally(() => handle.close());
      expect(buffer.toString('latin1')).toBe('\x7fELF');
      const disk = { file: await artifact(machine, 'ext4'), format: 'raw' } as const;
      await tool('e2fsck', '-fn', disk.file);
      const firmware = { kernel, cmdline: source.boot_args };
      const initrd = await artifact(machine, 'initrd');
      const log = await bootUntil(disk, LOGIN, { firmware: { ...firmware, initrd }, folder: dir });
      expect(log).toMatch(/virtio_blk virtio0: \[vda\]/);
      // Why there is an initramfs.
      if (process.env.KUBEDOS_TEST_FULL) await bootUntil(disk, /Unable to mount root fs/, { firmware, folder: dir });
    },
    10 * MINUTE,
  );
});

it(
  'outputs are the same bytes under another umask, time zone, language, home and host name',
  async () => {
    const again = await bakeElsewhere({ data, home: dir }, join(dir, `${MACHINE}.yaml`), '--output', ...OUTPUTS);
    expect(again).toMatchObject({ changed: false, artifacts: machine.artifacts });
    const other = await bakeElsewhere({ data, home: dir }, join(dir, `${BOX}.yaml`), '--output', 'oci');
    expect(other).toMatchObject({ changed: false, artifacts: box.artifacts });
  },
  10 * MINUTE,
);

/** Without a kernel; a file with a capability, since those are lost easily. */
const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex');
const CONTAINER = {
  base: { distribution: 'debian', suite: 'bookworm', architecture: 'amd64' },
  mirrors: ['debian-12-bootable'],
  files: [
    {
      path: '/usr/local/bin/app',
      mode: '0755',
      content: '#!/bin/sh\necho "app: $(id -u), $(cut -d. -f1 /etc/debian_version), $*"\n',
    },
  ],
  hooks: [
    {
      name: 'capability',
      run: `cp /bin/true /usr/local/bin/capable
perl -e '($f, $n, $v) = ("/usr/local/bin/capable", "security.capability", pack("H*", "${CAPABILITY.toString('hex')}")); syscall(188, $f, $n, $v, length $v, 0) == 0 or die $!'
`,
    },
  ],
  oci: { entrypoint: ['/usr/local/bin/app', 'hello'], cmd: ['world'], user: '1000:1000' },
};

/** A user without rights of its own, nor subordinate ids. */
const NOBODY = ['setpriv', '--reuid=4242', '--regid=4242', '--clear-groups', '--inh-caps=-all'];

describe('a container image', () => {
  it(
    'is read by skopeo as an OCI archive and as a docker-archive',
    async () => {
      const file = await artifact(box, 'oci.tar');
      const [oci, docker] = [`oci-archive:${file}`, `docker-archive:${file}`];
      const config = JSON.parse(await tool('skopeo', 'inspect', '--config', oci));
      expect(config).toMatchObject({
        architecture: 'amd64',
        os: 'linux',
        config: { Entrypoint: ['/usr/local/bin/app', 'hello'], Cmd: ['world'], User: '1000:1000' },
        rootfs: { type: 'layers', diff_ids: [expect.stringMatching(/^sha256:/)] },
      });
      expect(JSON.parse(await tool('skopeo', 'inspect', '--config', docker))).toMatchObject(config);
      // Reads, checks and unpacks all of it.
      await tool('skopeo', 'copy', '--quiet', oci, `docker-archive:${join(dir, 'copy.tar')}:copy:1`);
      await tool('skopeo', 'copy', '--quiet', docker, `dir:${join(dir, 'copy')}`);
    },
    5 * MINUTE,
  );

  it(
    'is unpacked by umoci, with its capabilities, and run by crun for a user without rights',
    async () => {
      const layout = join(dir, 'layout');
      await mkdir(layout);
      await tool('tar', '-C', layout, '-xf', await artifact(box, 'oci.tar'));
      const image = `${layout}:${(await tool('umoci', 'list', '--layout', layout)).trim()}`;
      await tool('umoci', 'unpack', '--image', image, join(dir, 'bundle'));
      const attribute = 'import os, sys; print(os.getxattr(sys.argv[1], "security.capability").hex())';
      const capable = join(dir, 'bundle', 'rootfs', 'usr/local/bin/capable');
      expect((await tool('python3', '-c', attribute, capable)).trim()).toBe(CAPABILITY.toString('hex'));

      const home = join(dir, 'nobody');
      await mkdir(home);
      await chmod(dir, 0o755);
      await tool('chown', '4242:4242', home);
      await tool(
        ...NOBODY,
        'env',
        `HOME=${home}`,
        'umoci',
        'unpack',
        '--rootless',
        '--image',
        image,
        join(home, 'bundle'),
      );
      await asOneUser(join(home, 'bundle', 'config.json'));
      // As where systemd mounts cgroups: this one may run elsewhere.
      const script = 'umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup && exec "$@"';
      const crun = ['crun', '--cgroup-manager=disabled', '--root', join(home, 'run')];
      const argv = [...NOBODY, ...crun, 'run', '--bundle', join(home, 'bundle'), 'outputs-box'];
      expect(await tool('unshare', '--mount', 'sh', '-c', script, 'sh', ...argv)).toBe('app: 0, 12, hello world\n');
    },
    5 * MINUTE,
  );
});

/** One id is all that such a user has, and a test no terminal. */
async function asOneUser(file: string): Promise<void> {
  const config = JSON.parse(await readFile(file, 'utf8'));
  const process = { ...config.process, terminal: false, user: { uid: 0, gid: 0 } };
  await writeFile(file, JSON.stringify({ ...config, process }));
}
