/**
 * The shipped roles, booted: each answers for its service, most of them over the network. What is of Debian is real; kubelet,
 * kubeadm, kubectl and grafana are stand-ins (test/support/stand-ins.ts).
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { artifactFile, type BakeReport, bakeAllIn } from '../support/baking.ts';
import { type Forwarded, forwarded } from '../support/forwarded.ts';
import { bootAnd } from '../support/qemu.ts';
import { kubedos, MINUTE, tool } from '../support/real-debian.ts';
import { rolesStore } from '../support/roles-store.ts';
import { teller } from '../support/teller.ts';

const FULL = Boolean(process.env.KUBEDOS_TEST_FULL);

let dir: string;
let data: string;
const images: string[] = [];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-roles-'));
  data = await rolesStore();
}, 10 * MINUTE);
afterAll(async () => {
  for (const image of images) await kubedos(data, 'mirror', 'remove', image, '--yes');
  await rm(dir, { recursive: true, force: true });
});

interface Role {
  readonly role: string;
  /** Of the machine. */
  readonly ports: readonly number[];
  /** Runs in the machine once it is up, and says what it finds on its serial line: a script for /bin/sh. */
  readonly script?: string;
  /** Made while it is built. */
  readonly hook?: string;
  /** False until the machine has answered; rejects, or a failed expectation, for what is not an answer. */
  readonly ask: (ports: readonly Forwarded[], log: string) => Promise<boolean>;
}

/** klibc is what the initramfs has for a shell. */
const MICROVM = `mkdir -p /var/lib/microvm/probe /run/probe/dev
cp -L /vmlinuz /var/lib/microvm/probe/vmlinux
cd /run/probe
mkdir -p bin lib
cp -a /usr/lib/klibc/bin/sh /usr/lib/klibc/bin/uname /usr/lib/klibc/bin/reboot /usr/lib/klibc/bin/sleep bin/
cp -a /usr/lib/klibc-*.so lib/
mknod -m 600 dev/console c 5 1
printf '#!/bin/sh\\necho "from inside: $(uname -r)"\\nsleep 1\\nreboot\\n' > init
chmod 755 init
find . | cpio --quiet -o -H newc > /var/lib/microvm/probe/initrd
chmod 644 /var/lib/microvm/probe/*`;

const ROLES: readonly Role[] = [
  {
    role: 'etcd',
    ports: [2381],
    ask: async ([health]) => /"health":"true"/.test((await health?.get('/health')) ?? ''),
  },
  {
    role: 'storage',
    ports: [2049],
    ask: async ([nfs]) => {
      const { port } = nfs as Forwarded;
      const url = `nfs://127.0.0.1//README?version=4&nfsport=${port}`;
      return (await tool('nfs-cat', url).catch(() => '')).startsWith('Shared by NFS.');
    },
  },
  {
    role: 'worker',
    ports: [10250],
    script:
      'ctr version; stat -fc "cgroup is %T" /sys/fs/cgroup; lsmod | grep -o ^br_netfilter; sysctl net.ipv4.ip_forward',
    ask: async ([kubelet], log) => {
      if (!/stand-in of kubelet/.test((await kubelet?.get('/healthz')) ?? '') || !/ip_forward = /.test(log))
        return false;
      expect(log).toMatch(/Server:\s+Version: +1\.6/);
      expect(log).toMatch(/cgroup is cgroup2fs\s+br_netfilter\s+net.ipv4.ip_forward = 1/);
      return true;
    },
  },
];

const MORE: readonly Role[] = [
  {
    role: 'master',
    ports: [2381, 10250],
    ask: async ([etcd, kubelet]) =>
      /"health":"true"/.test((await etcd?.get('/health')) ?? '') &&
      /stand-in of kubelet/.test((await kubelet?.get('/healthz')) ?? ''),
  },
  {
    role: 'prometheus',
    ports: [9090],
    ask: async ([web]) => {
      if (!/is Ready/.test((await web?.get('/-/ready')) ?? '')) return false;
      // It has asked its own exporter.
      const up = (await web?.get('/api/v1/query?query=up%7Bjob%3D%22node%22%7D')) ?? '';
      return /"job":"node"\},"value":\[[\d.]+,"1"\]/.test(up);
    },
  },
  {
    role: 'grafana',
    ports: [3000],
    script: 'stat -c "password: %a %U %s" /var/lib/grafana/admin-password',
    ask: async ([web], log) => {
      if (!/stand-in of grafana/.test((await web?.get('/api/health')) ?? '') || !/password: /.test(log)) return false;
      expect(log).toMatch(/password: 600 grafana 33/);
      return true;
    },
  },
  {
    role: 'lb',
    ports: [8404],
    ask: async ([health]) => {
      if (!/Service ready/.test((await health?.get('/healthz')) ?? '')) return false;
      expect(await health?.get('/metrics')).toMatch(/^haproxy_process_uptime_seconds \d/m);
      return true;
    },
  },
  {
    role: 'qa-worker',
    ports: [],
    hook: MICROVM,
    script:
      'systemctl start microvm@probe; while systemctl is-active -q microvm@probe; do sleep 1; done; journalctl -o cat -u microvm@probe',
    ask: async (_, log) => /from inside: 6\.1\./.test(log),
  },
];

/** The role itself, or with what the test has it do. */
async function recipeOf({ role, script, hook }: Role): Promise<string> {
  if (script === undefined) return role;
  const file = join(dir, `test-${role}.yaml`);
  const recipe = {
    name: `test-${role}`,
    extends: role,
    ...teller(`${script}\n`),
    hooks: hook === undefined ? [] : [{ name: 'probe', run: hook }],
  };
  await writeFile(file, stringify(recipe));
  return file;
}

describe('a machine of each role answers for its service', () => {
  const roles = FULL ? [...ROLES, ...MORE] : ROLES;
  let baked: BakeReport[];
  beforeAll(async () => {
    const recipes = await Promise.all(roles.map(recipeOf));
    baked = await bakeAllIn(data, recipes, '--channel', 'roles', '--output', 'raw');
    images.push(...baked.map(({ image }) => image));
  }, 30 * MINUTE);

  it.each(roles.map((role, at) => ({ ...role, at })))(
    '$role',
    async ({ at, ask, ports }) => {
      const file = await artifactFile(baked[at] as BakeReport, 'raw', { data, dir });
      const { nic, ports: forward } = await forwarded(ports);
      const answered = async (log: string) => ((await ask(forward, log)) ? true : undefined);
      expect(await bootAnd({ file, format: 'raw' }, { firmware: 'bios', folder: dir, nic }, answered)).toBe(true);
    },
    20 * MINUTE,
  );
});
