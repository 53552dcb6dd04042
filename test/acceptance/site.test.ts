/** Where machines get packages from later, and what travels along in an image: built, booted, and asked by the real apt. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { artifactFile, type BakeReport, bakeElsewhere, bakeIn } from '../support/baking.ts';
import { bootUntil } from '../support/qemu.ts';
import { kubedos, MINUTE, serveData, tool } from '../support/real-debian.ts';
import { rolesStore } from '../support/roles-store.ts';
import { teller } from '../support/teller.ts';

let dir: string;
let data: string;
/** A darksite: what is Debian's is served, what is ours travels along. */
let site: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-site-'));
  data = await rolesStore();
  await writeFile(join(dir, 'note.txt'), 'travelled along\n');
  site = await recipe('test-site', {
    extends: 'node',
    mirrors: ['kubernetes'],
    ...teller(TELL),
    build: { type: 'darksite', url: 'http://10.0.2.100/c/roles' },
    payload: [
      { mirror: 'kubernetes', at: '/srv/darksite/kubernetes' },
      // Below a link of the system that stands for a folder.
      { source: 'note.txt', at: '/lib/note.txt' },
    ],
  });
}, 10 * MINUTE);
afterAll(async () => {
  const known = await kubedos(data, 'mirror', 'list');
  if (known.includes('image-test-site')) await kubedos(data, 'mirror', 'remove', 'image-test-site', '--yes');
  await rm(dir, { recursive: true, force: true });
});

/** Installs from both, and shows at the end that a changed list is refused. */
const TELL = `cat /lib/note.txt
test -x /bin/sh && test -L /lib && echo system whole
apt-get -q update && apt-get -qq install kubectl iputils-ping > /dev/null && kubectl && ping -V
echo cut here
sed -i s/^Suite/Suine/ /srv/darksite/kubernetes/dists/stable/InRelease
apt-get -q update 2>&1
echo told everything
`;

async function recipe(name: string, fields: object): Promise<string> {
  const file = join(dir, `${name}.yaml`);
  await writeFile(file, stringify({ name, ...fields }));
  return file;
}

const OPTIONS = ['--channel', 'roles', '--output', 'raw'];
const bake = (file: string, ...more: string[]): Promise<BakeReport> => bakeIn(data, file, ...OPTIONS, ...more);
const disk = (report: BakeReport): Promise<string> => artifactFile(report, 'raw', { data, dir });
const layers = (): Promise<string[]> => readdir(join(data, 'cache', 'layers'));

it(
  'a darksite machine installs from what is served and from what travels along, both by their signatures',
  async () => {
    const report = await bake(site);
    const server = await serveData(data);
    try {
      const { port } = new URL(server.url);
      const nic = `user,model=virtio-net-pci,restrict=on,guestfwd=tcp:10.0.2.100:80-cmd:nc 127.0.0.1 ${port}`;
      const file = await disk(report);
      const log = await bootUntil({ file, format: 'raw' }, /told everything/, { firmware: 'bios', folder: dir, nic });
      const [good = '', bad = ''] = log.split('cut here');
      expect(good).toMatch(/travelled along\s+system whole/);
      expect(good).toMatch(
        /Get:\d+ http:\/\/10\.0\.2\.100\/c\/roles\/debian-12-bootable bookworm\/main amd64 Packages/,
      );
      expect(good).toMatch(/Get:\d+ file:\/srv\/darksite\/kubernetes stable\/main amd64 Packages/);
      expect(good).toMatch(/stand-in of kubectl\s+ping from iputils/);
      expect(bad).toMatch(/signatures were invalid: BADSIG/);
    } finally {
      await server.stop();
    }
  },
  20 * MINUTE,
);

it(
  'is the same bytes elsewhere; of another type it builds no layer anew, and its sources are public ones',
  async () => {
    const first = await bake(site);
    expect(await bakeElsewhere({ data, home: dir }, site, ...OPTIONS)).toMatchObject({ artifacts: first.artifacts });
    const before = await layers();
    const image = await disk(await bake(site, '--build', 'connected'));
    expect(await layers()).toEqual(before);
    // The root begins at 66 MiB.
    const inside = (what: string) => tool('debugfs', '-R', what, `${image}?offset=${66 * 1024 ** 2}`);
    expect(await inside('ls -p /etc/apt/sources.list.d')).not.toContain('darksite');
    const parts = join(dir, 'parts');
    await mkdir(parts);
    const text = await inside('cat /etc/apt/sources.list.d/debian.sources');
    await writeFile(join(parts, 'debian.sources'), text);
    const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
    expect(text.match(/^Signed-By: .*/gm)).toEqual([`Signed-By: ${keyring}`, `Signed-By: ${keyring}`]);
    const options = ['Dir::Etc::SourceList=/dev/null', `Dir::Etc::SourceParts=${parts}`, `Dir::State::Lists=${parts}`];
    const asked = await tool('apt-get', 'update', '--print-uris', ...options.flatMap((each) => ['-o', each]));
    expect(asked.match(/(?<=^')[^']*InRelease/gm)?.sort()).toEqual([
      'https://ftp.debian.org/debian/dists/bookworm-updates/InRelease',
      'https://ftp.debian.org/debian/dists/bookworm/InRelease',
      'https://security.debian.org/debian-security/dists/bookworm-security/InRelease',
    ]);
    expect(await inside(`stat ${keyring}`)).toMatch(/Type: regular/);
  },
  20 * MINUTE,
);

it.each([
  [
    'a mirror that machines would not find',
    { extends: 'node', build: { type: 'darksite' } },
    { message: /bad\.yaml: build: darksite: machines would not find the mirror debian-12-bootable/ },
  ],
  [
    'public sources without the certificates of their servers',
    {
      ...{ extends: 'base', build: { type: 'connected' } },
      hooks: [{ name: 'no-certificates', run: 'rm /etc/ssl/certs/ca-certificates.crt' }],
    },
    { message: /bad\.yaml: .*the system has no \/etc\/ssl\/certs\/ca-certificates\.crt: add ca-certificates/ },
  ],
  [
    'a payload of no mirror of the snapshot',
    { extends: 'base', payload: [{ mirror: 'absent', at: '/srv/absent' }] },
    { message: /bad\.yaml:\d+: snapshot \S+ holds no absent/ },
  ],
  [
    'a payload in place of a folder of the system',
    { extends: 'base', payload: [{ source: 'note.txt', at: '/etc' }] },
    { message: /payload: \/etc is a folder of the system/ },
  ],
])(
  'refuses %s',
  async (_, fields, { message }) => {
    const file = await recipe('bad', fields);
    await expect(bake(file)).rejects.toMatchObject({ message: expect.stringMatching(message) });
    expect(await kubedos(data, 'mirror', 'list')).not.toContain('image-bad');
  },
  5 * MINUTE,
);
