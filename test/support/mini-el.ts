/**
 * The least system of the RHEL family, under the names that packages have there, built by rpmbuild of this machine's own
 * programs with their libraries. Stand-ins: no distribution of rpm packages can be had from Debian.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { buildRpms } from './build-rpm.ts';

const run = promisify(execFile);

interface StandIn {
  readonly requires?: string;
  readonly provides?: string;
  readonly programs?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly folders?: readonly string[];
  readonly post?: string;
}

const FOLDERS = 'etc home proc root run srv sys dev boot tmp usr/bin usr/sbin usr/lib usr/lib64 var/log var/lib'.split(
  ' ',
);

const PACKAGES: Readonly<Record<string, StandIn>> = {
  filesystem: {
    folders: FOLDERS.map((folder) => `/${folder}`),
    links: { '/bin': 'usr/bin', '/sbin': 'usr/sbin', '/lib': 'usr/lib', '/lib64': 'usr/lib64' },
    files: {
      '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
      '/etc/group': 'root:x:0:\nwheel:x:10:\n',
      '/etc/shadow': 'root:*:19000::::::\n',
      '/etc/gshadow': 'root:*::\nwheel:*::\n',
      '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\n',
      '/usr/lib/os-release': 'NAME="Stand-in Enterprise Linux"\nID=standin\nVERSION_ID=9\n',
    },
  },
  bash: {
    requires: 'filesystem glibc',
    provides: '/bin/sh',
    programs: ['/bin/bash'],
    links: { '/usr/bin/sh': 'bash' },
  },
  coreutils: {
    requires: 'bash',
    programs: ['cat', 'chmod', 'id', 'install', 'ls', 'mkdir', 'readlink', 'realpath', 'touch'].map(
      (name) => `/usr/bin/${name}`,
    ),
  },
  'glibc-common': { requires: 'bash', programs: ['/usr/bin/getent'] },
  'shadow-utils': { requires: 'bash', programs: ['/usr/sbin/useradd'] },
  systemd: { requires: 'bash', programs: ['/usr/bin/systemctl'] },
  web: {
    requires: 'coreutils glibc-common shadow-utils systemd',
    files: {
      '/usr/lib/systemd/system/web.service':
        '[Service]\nExecStart=/usr/bin/true\n[Install]\nWantedBy=multi-user.target\n',
    },
    post: 'echo "installation $1" > /etc/web.installed',
  },
};

/** Builds them; their files lie in the folder that it gives. */
export async function buildMiniEl(folder: string): Promise<string> {
  const target = join(folder, 'packages');
  const libraries = new Set<string>();
  for (const [name, standIn] of Object.entries(PACKAGES)) {
    const tree = join(folder, 'trees', name);
    await layOut(tree, standIn);
    for (const program of standIn.programs ?? []) for (const each of await librariesOf(program)) libraries.add(each);
    await pack(name, standIn, { tree, target, folder: join(folder, 'builds', name) });
  }
  const tree = join(folder, 'trees', 'glibc');
  for (const library of libraries) await place(await realpath(library), join(tree, 'usr', library));
  await pack('glibc', { requires: 'filesystem' }, { tree, target, folder: join(folder, 'builds', 'glibc') });
  return target;
}

async function layOut(tree: string, { programs = [], files = {}, links = {}, folders = [] }: StandIn): Promise<void> {
  for (const each of folders) {
    await mkdir(join(tree, each), { recursive: true });
    if (each === '/tmp') await chmod(join(tree, each), 0o1777);
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  }
  for (const program of programs) await place(program, join(tree, program.replace(/^\/bin\//, '/usr/bin/')));
  for (const [path, to] of Object.entries(links)) await symlink(to, join(tree, path));
}

async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to);
}

/** Paths as the linker names them: `/lib64/ld-linux-x86-64.so.2`. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]);
  return [...stdout.matchAll(/(?:=> |^\s+)(\/\S+)/gm)].map(([, path]) => path as string);
}

async function pack(
  name: string,
  { requires, provides, post, folders = [] }: StandIn,
  { tree, target, folder }: { readonly tree: string; readonly target: string; readonly folder: string },
): Promise<void> {
  const { stdout } = await run('find', [
    tree,
    '-mindepth',
    '1',
    '(',
    '-type',
    'f',
    '-o',
    '-type',
    'l',
    ')',
    '-printf',
    '/%P\n',
  ]);
  const spec = [
    `Name: ${name}`,
    'Version: 9.1',
    'Release: 1',
    'Summary: A stand-in',
    'License: Public Domain',
    'AutoReqProv: no',
    ...(requires === undefined ? [] : [`Requires: ${requires}`]),
    ...(provides === undefined ? [] : [`Provides: ${provides}`]),
    '%description\nA stand-in.',
    `%install\ncp -a ${tree}/. %{buildroot}`,
    ...(post === undefined ? [] : [`%post\n${post}`]),
    `%files\n${folders.map((each) => `%dir ${each}\n`).join('')}${stdout}`,
  ].join('\n');
  await buildRpms(Buffer.from(spec), target, folder);
}
