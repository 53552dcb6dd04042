/** Images are described, verified, exported, and made again: with real packages, keys, disks and diffoscope. */
import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { explainDifference } from '../../src/exec/diffoscope.ts';
import { convertImage } from '../../src/exec/qemu-img.ts';
import { run } from '../../src/exec/run.ts';
import { runSealed } from '../../src/exec/sealed.ts';
import { unpackFile } from '../../src/exec/tar.ts';
import { explain } from '../../src/image/compare.ts';
import { diskLayout } from '../../src/image/disk-layout.ts';
import { INSTALLATION } from '../../src/wiring.ts';
import { Bakery } from '../support/bakery.ts';
import { KUBEDOS } from '../support/command-line.ts';
import { loopOn } from '../support/loop.ts';
import { BOOTABLE, kubedos, MINUTE, tool } from '../support/real-debian.ts';
import { faultsOf } from '../support/sbom-schemas.ts';

const FULL = Boolean(process.env.KUBEDOS_TEST_FULL);
const NAME = 'evidence';
const MIB = 1024 ** 2;
const LONG = { timeout: 12 * MINUTE };
/** Made from nothing in a moment. */
const BOX = {
  name: 'box',
  base: { distribution: 'debian', suite: 'bookworm', architecture: 'amd64' },
  mirrors: [BOOTABLE],
  oci: { entrypoint: ['/bin/true'] },
  outputs: ['oci'],
};

let dir: string;
let data: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-artifact-'));
  const [bakery] = (await Bakery.dark(dir, 'baker')) as [Bakery];
  await bakery.warm();
  data = bakery.data;
  await kubedos(data, 'bake', await recipe(NAME, {}), '--quiet');
}, 15 * MINUTE);
afterAll(() => rm(dir, { recursive: true, force: true }));

async function recipe(name: string, more: object): Promise<string> {
  const file = join(dir, `${name}.yaml`);
  await writeFile(file, stringify({ name, extends: 'base', disk: { size: '1GiB' }, outputs: ['raw'], ...more }));
  return file;
}

/** What a command answers, whether it found something or not. */
async function answer(store: string, ...args: readonly string[]) {
  const limits = { cwd: INSTALLATION, timeoutMs: 15 * MINUTE, maxOutputBytes: 16 * MIB, statuses: [0, 3, 8] };
  const { status, stdout } = await run([...KUBEDOS, ...args, '--json', '--quiet', '--data', store], limits);
  return { status, ...JSON.parse(stdout.toString()) };
}

async function exported(store: string, path: string): Promise<string> {
  const file = join(dir, path);
  await kubedos(store, 'artifact', 'export', path, '--to', file, '--force', '--quiet');
  return file;
}

it('says what is in an image and what it was made of', LONG, async () => {
  const shown = await answer(data, 'artifact', 'show', NAME);
  expect(shown).toMatchObject({ image: `image-${NAME}`, recipe: NAME, recipes: [{ name: 'base' }, { name: NAME }] });
  expect(shown.signedBy).toHaveLength(1);
  const spdx = JSON.parse(await readFile(await exported(data, `${NAME}.spdx.json`), 'utf8'));
  const cyclonedx = JSON.parse(await readFile(await exported(data, `${NAME}.cdx.json`), 'utf8'));
  expect([faultsOf('spdx', spdx), faultsOf('cyclonedx', cyclonedx)]).toEqual([[], []]);
  // As the dpkg of the image itself counts them, and each by the digest of its .deb.
  const disk = await exported(data, `${NAME}.raw`);
  const status = join(dir, 'status');
  const root = 66 * MIB;
  await tool('sh', '-c', `debugfs -R 'cat /var/lib/dpkg/status' '${disk}?offset=${root}' > ${status} 2> /dev/null`);
  const installed = (await tool('sh', '-c', `grep -c '^Status: .* installed$' ${status}`)).trim();
  expect(shown.packages).toBe(Number(installed));
  expect(cyclonedx.components).toHaveLength(shown.packages);
  expect(cyclonedx.components.filter((each: { hashes?: unknown }) => each.hashes === undefined)).toEqual([]);
  expect(spdx.packages).toHaveLength(shown.packages + 1);
});

it('is verified by the keys of its sender where it came by bundle, and by hand with gpgv', LONG, async () => {
  const media = join(dir, 'media');
  const dark = join(dir, 'dark');
  await tool('mkdir', media);
  await kubedos(data, 'snapshot', 'create', '--mirror', `image-${NAME}`, '--channel', NAME);
  await kubedos(data, 'bundle', 'export', '--channel', NAME, '--to', media, '--quiet');
  await kubedos(dark, 'init', '--trust', (await kubedos(data, 'key', 'root')).trim());
  await kubedos(dark, 'bundle', 'import', media, '--quiet');
  const { signedBy } = await answer(data, 'artifact', 'show', NAME);
  expect(await answer(dark, 'artifact', 'verify', NAME, '--channel', NAME)).toMatchObject({
    status: 0,
    findings: [],
    signedBy,
  });

  // As docs/artifacts.md has it.
  const page = await readFile(join(INSTALLATION, 'docs/artifacts.md'), 'utf8');
  const script = /```sh\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  await writeFile(join(dir, 'verify.sh'), script);
  const folder = join(dir, 'by-hand');
  await tool('mkdir', folder);
  for (const end of [
    'raw',
    'spdx.json',
    'spdx.json.asc',
    'cdx.json',
    'cdx.json.asc',
    'provenance.json',
    'provenance.json.asc',
  ])
    await kubedos(dark, 'artifact', 'export', `${NAME}.${end}`, '--to', folder, '--quiet');
  await tool('sh', '-c', `cp ${media}/*/sender.gpg ${folder}/keys.gpg`);
  const byHand = () => tool('sh', join(dir, 'verify.sh'), folder, NAME);
  expect(await byHand()).toContain(`${NAME}.raw: OK`);
  await truncate(join(folder, `${NAME}.raw`), MIB);
  await expect(byHand()).rejects.toThrow(/FAILED/);

  // A file whose bytes changed, and a store that does not know who signed.
  const { artifacts } = await answer(dark, 'artifact', 'show', NAME);
  const object = join(dark, 'objects', artifacts[0].sha256.slice(0, 2), artifacts[0].sha256);
  await tool('sh', '-c', `chmod u+w ${object}; printf x | dd of=${object} bs=1 seek=1000 conv=notrunc`);
  const damaged = await answer(dark, 'artifact', 'verify', NAME);
  expect(damaged).toMatchObject({ status: 8, findings: [{ path: `${NAME}.raw`, code: 'store.bad-object' }] });
  const to = join(dir, 'damaged.raw');
  await expect(kubedos(dark, 'artifact', 'export', NAME, '--to', to)).rejects.toThrow(/store.bad-object/);
  await expect(stat(to)).rejects.toThrow();
  await tool('rm', '-r', join(dark, 'trust', 'pinned'));
  const strange = await answer(dark, 'artifact', 'verify', NAME);
  expect(strange).toMatchObject({ status: 3, findings: [{ code: 'trust.key-unknown' }] });
  await rm(dark, { recursive: true });
  await rm(media, { recursive: true });
});

it('goes to a disk, which is shown first', LONG, async () => {
  const file = join(dir, 'disk');
  const device = await loopOn(file, 1200 * MIB);
  await tool('mkfs.ext4', '-q', '-L', 'letters', device);
  const shown = await kubedos(data, 'artifact', 'export', NAME, '--to', device);
  expect(shown).toMatch(/lost: +ext4 "letters"/);
  expect(shown).toMatch(/add --yes/);
  expect(await tool('blkid', '-p', '-o', 'value', '-s', 'LABEL', device)).toBe('letters\n');
  const { sha256, direct } = await answer(data, 'artifact', 'export', NAME, '--to', device, '--yes');
  expect(direct).toBe(true);
  expect(await tool('sh', '-c', `head -c ${1024 * MIB} ${file} | sha256sum`)).toContain(sha256);
  expect(await tool('sfdisk', '--dump', file)).toContain('name="efi"');
  const system = (await tool('findmnt', '-no', 'SOURCE', '/')).trim();
  await expect(kubedos(data, 'artifact', 'export', NAME, '--to', system, '--yes')).rejects.toThrow(
    /the running system is on it/,
  );
  await rm(file);
});

it('is made again without the cache, and is the same', LONG, async () => {
  const box = join(dir, 'box.yaml');
  await writeFile(box, stringify(BOX));
  await kubedos(data, 'bake', box, '--quiet');
  const layers = () => tool('ls', '-l', '--time-style=full-iso', join(data, 'cache/layers'));
  const before = await layers();
  // A disk takes minutes from nothing; it is done at length.
  const images = FULL ? { box: 'oci.tar', [NAME]: 'raw' } : { box: 'oci.tar' };
  for (const [name, ending] of Object.entries(images)) {
    const again = await answer(data, 'bake', join(dir, `${name}.yaml`), '--verify', name);
    const artifacts = [{ path: `${name}.${ending}`, difference: null }];
    expect(again).toMatchObject({ status: 0, identical: true, artifacts });
  }
  expect(await layers()).toBe(before);
  await expect(kubedos(data, 'bake', '--verify', NAME)).rejects.toThrow(/shipped are/);
  await expect(kubedos(data, 'bake', await recipe(NAME, { cmdline: 'quiet' }), '--verify', NAME)).rejects.toThrow(
    /artifact.recipe.*|recipe evidence was/s,
  );
});

/** A moment of its own each time it is made. */
const MOMENT = { hooks: [{ name: 'moment', run: 'date +%N > /etc/moment\nchmod 640 /etc/moment' }] };
const CHANGED = /etc\/moment[\s\S]*@@[\s\S]*-\d+[\s\S]*\+\d+/;

it('is told that it differs, and in what', LONG, async () => {
  const file = join(dir, 'moment-box.yaml');
  await writeFile(file, stringify({ ...BOX, ...MOMENT, name: 'moment-box' }));
  await kubedos(data, 'bake', file, '--quiet');
  const again = await answer(data, 'bake', file, '--verify', 'moment-box');
  expect(again).toMatchObject({ status: 8, identical: false, artifacts: [{ path: 'moment-box.oci.tar' }] });
  expect(again.artifacts[0].difference.text).toMatch(CHANGED);
});

it('is told in which files of a disk it differs', LONG, async () => {
  const disks = ['1', '2'].map((side) => join(dir, `side-${side}.raw`));
  const file = join(dir, 'moment');
  const original = await exported(data, `${NAME}.raw`);
  for (const [at, disk] of disks.entries()) {
    await tool('cp', '--sparse=always', original, disk);
    await writeFile(file, `${at + 1}000\n`);
    await tool('debugfs', '-w', '-R', `write ${file} /etc/moment`, `${disk}?offset=${66 * MIB}`);
  }
  const folder = join(dir, 'compared');
  await mkdir(folder);
  const [kept = '', built = ''] = disks;
  const layout = diskLayout(1024 * MIB, [], 'x');
  const deps = { runSealed, convertImage, unpackFile, explainDifference };
  const { files, text } = await explain(deps, { kept, built, path: 'x.raw', layout, folder });
  expect(files.map(({ side, path }) => `${side} ${path}`)).toEqual(['- etc/moment', '+ etc/moment']);
  expect(text).toMatch(CHANGED);
});

// From nothing once more, which takes minutes.
if (FULL)
  it('is told so when a disk is made again', LONG, async () => {
    const file = await recipe('moment', MOMENT);
    await kubedos(data, 'bake', file, '--quiet');
    const again = await answer(data, 'bake', file, '--verify', 'moment');
    expect(again).toMatchObject({ status: 8, identical: false });
    const [{ path, difference }] = again.artifacts;
    expect(path).toBe('moment.raw');
    expect(difference.files.map((each: { side: string; path: string }) => `${each.side} ${each.path}`)).toEqual([
      '- etc/moment',
      '+ etc/moment',
    ]);
    expect(difference.text).toMatch(CHANGED);
  });
