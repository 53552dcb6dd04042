/** Systems of the RHEL family, of stand-in packages: dnf puts them together without a network, and they are the same each time. */
import { mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { artifactFile, bakeElsewhere, bakeIn } from '../support/baking.ts';
import { buildMiniEl } from '../support/mini-el.ts';
import { kubedos, MINUTE, tool } from '../support/real-debian.ts';

let dir: string;
let data: string;
let role: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-bake-rpm-'));
  data = join(dir, 'data');
  const packages = await buildMiniEl(join(dir, 'mini'));
  await kubedos(data, 'init');
  await kubedos(data, 'repo', 'create', 'mini-el', '--type', 'yum', '--sign-packages');
  const files = (await tool('find', packages, '-name', '*.x86_64.rpm')).trim().split('\n');
  await kubedos(data, 'repo', 'add', 'mini-el', ...files);
  await kubedos(data, 'snapshot', 'create', '--channel', 'stable');
  await writeFile(
    join(dir, 'el-base.yaml'),
    stringify({
      name: 'el-base',
      base: { distribution: 'el', release: '9', architecture: 'x86_64' },
      mirrors: ['mini-el'],
      packages: ['filesystem', 'glibc', 'coreutils'],
    }),
  );
  role = join(dir, 'el-web.yaml');
  await writeFile(
    role,
    stringify({
      name: 'el-web',
      extends: './el-base.yaml',
      packages: ['web'],
      users: [{ name: 'ops', groups: ['wheel'], keys: ['ssh-ed25519 AAAA ops'] }],
      enable: ['web.service'],
      hooks: [{ name: 'mark', run: 'id ops > /etc/mark' }],
      build: { type: 'darksite', url: 'http://depot.example/c/stable/' },
      outputs: ['oci'],
    }),
  );
}, 10 * MINUTE);
afterAll(() => rm(dir, { recursive: true, force: true }));

it(
  'has its packages, user, unit, hook and repositories, in a database of rpm that is whole',
  async () => {
    const oci = await artifactFile(await bakeIn(data, role), 'oci.tar', { data, dir });
    const layout = join(dir, 'layout');
    await mkdir(layout);
    await tool('tar', '-xf', oci, '-C', layout);
    const tag = (await tool('umoci', 'list', '--layout', layout)).trim();
    await tool('umoci', 'unpack', '--image', `${layout}:${tag}`, join(dir, 'bundle'));
    const root = join(dir, 'bundle', 'rootfs');
    const text = (path: string): Promise<string> => readFile(join(root, path), 'utf8');
    expect(await text('etc/web.installed')).toBe('installation 1\n');
    expect(await text('etc/mark')).toMatch(/^uid=\d+\(ops\) .*10\(wheel\)/);
    expect(await text('home/ops/.ssh/authorized_keys')).toBe('ssh-ed25519 AAAA ops\n');
    expect(await readlink(join(root, 'etc/systemd/system/multi-user.target.wants/web.service'))).toMatch(
      /web\.service$/,
    );
    expect(await text('etc/yum.repos.d/mini-el.repo')).toMatch(
      /baseurl=http:\/\/depot\.example\/c\/stable\/mini-el\/\n(?:.*\n)*gpgcheck=1\nrepo_gpgcheck=1/,
    );
    const rpm = ['rpm', '--root', root, '--dbpath', '/var/lib/rpm'];
    expect((await tool(...rpm, '-qa')).split('\n')).toContain('web-9.1-1.x86_64');
    // What changed is what the recipe changed: accounts.
    const changed = await tool('sh', '-c', '"$@" -Va || true', 'sh', ...rpm);
    expect(
      changed
        .trim()
        .split('\n')
        .map((line) => line.split(' ').at(-1))
        .filter((path) => !/^\/etc\/(?:group|gshadow|passwd|shadow)$/.test(path ?? '')),
    ).toEqual([]);
    await rm(join(dir, 'bundle'), { recursive: true });
  },
  10 * MINUTE,
);

it(
  'is described by what rpm knows',
  async () => {
    await bakeIn(data, role);
    const sbom = join(dir, 'el-web.cdx.json');
    await kubedos(data, 'artifact', 'export', 'el-web.cdx.json', '--to', sbom);
    const { components } = JSON.parse(await readFile(sbom, 'utf8'));
    const web = components.find(({ name }: { name: string }) => name === 'web');
    expect(web).toMatchObject({ version: '9.1-1', purl: 'pkg:rpm/web@9.1-1?arch=x86_64&distro=el-9' });
    expect(web.hashes).toMatchObject([{ alg: 'SHA-256' }]);
    expect(components).toHaveLength(8);
  },
  10 * MINUTE,
);

it(
  'is the same bytes when it is built elsewhere, without the cache',
  async () => {
    const first = await bakeIn(data, role);
    await rm(join(data, 'cache', 'layers'), { recursive: true });
    expect(await bakeElsewhere({ data, home: dir }, role)).toMatchObject({
      artifacts: first.artifacts,
      changed: false,
    });
  },
  10 * MINUTE,
);

it(
  'is refused as a disk, and of a mirror of Debian packages',
  async () => {
    await expect(bakeIn(data, role, '--output', 'raw')).rejects.toThrow(/outputs: raw.*oci/s);
    await kubedos(data, 'repo', 'create', 'debs');
    await kubedos(data, 'snapshot', 'create', '--channel', 'both');
    const bad = join(dir, 'bad.yaml');
    await writeFile(bad, `${await readFile(join(dir, 'el-base.yaml'), 'utf8')}`.replace('mini-el', 'debs'));
    await expect(bakeIn(data, bad, '--channel', 'both', '--output', 'oci')).rejects.toThrow(
      /bad\.yaml:\d+: mirrors: debs is no yum/,
    );
  },
  10 * MINUTE,
);
