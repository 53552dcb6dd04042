/** Vendors' installers with answers and a payload: Debian's own installer boots to its preseed; Ubuntu and RHEL in miniature. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { artifactFile, bakeElsewhere, bakeIn } from '../support/baking.ts';
import { type BootParts, bootParts } from '../support/boot-parts.ts';
import { bootUntil, type Firmware } from '../support/qemu.ts';
import { BOOTABLE, connectedStore, kubedos, MINUTE, tool } from '../support/real-debian.ts';
import { debianMedium, rhelMedium, ubuntuMedium } from '../support/vendor-media.ts';

const run = promisify(execFile);
const FULL = Boolean(process.env.KUBEDOS_TEST_FULL);

const PRESEED = String.raw`# Answers of a site
d-i debian-installer/locale string en_GB.UTF-8
d-i keyboard-configuration/xkb-keymap select gb
d-i netcfg/enable boolean false
d-i passwd/root-password-crypted password $6$salt$hash
d-i preseed/early_command string \
  modprobe -a ahci ata_piix sr_mod isofs; mkdir -p /cdrom; \
  for try in 1 2 3 4 5 6 7 8 9; do mount -t iso9660 -o ro /dev/sr0 /cdrom && break; sleep 1; done; \
  (echo "locale: $(debconf-get debian-installer/locale)"; echo "cmdline: $(cat /proc/cmdline)"; \
  echo "payload: $(ls /cdrom/darksite/*)"; sh /cdrom/site/extra.sh; echo "end of the early command") > /dev/ttyS0 2>&1
`;
const USER_DATA = `#cloud-config
# Answers of a site
autoinstall: { version: 1, identity: { hostname: node, username: ops, password: "$6$salt$hash" } }
`;
const KICKSTART = `# Answers of a site
text
rootpw --iscrypted $6$salt$hash
%packages
@core
%end
`;

interface Vendor {
  readonly family: 'debian' | 'ubuntu' | 'rhel';
  readonly iso: string;
  readonly answers: string;
  readonly make: (parts: BootParts, folder: string) => Promise<string>;
}

const VENDORS: Readonly<Record<string, Vendor>> = {
  debian: { family: 'debian', iso: 'debian-12.12.0-amd64-netinst.iso', answers: PRESEED, make: debianMedium },
  ubuntu: { family: 'ubuntu', iso: 'ubuntu-24.04.3-live-server-amd64.iso', answers: USER_DATA, make: ubuntuMedium },
  rhel9: { family: 'rhel', iso: 'rhel-9-x86_64-boot.iso', answers: KICKSTART, make: (...at) => rhelMedium(...at, 9) },
  rhel10: {
    family: 'rhel',
    iso: 'rhel-10-x86_64-boot.iso',
    answers: KICKSTART,
    make: (...at) => rhelMedium(...at, 10),
  },
};
const LIST = 'vendor-media';

let dir: string;
/** A dark side, which was only ever filled from a bundle and from files at hand. */
let data: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubedos-vendor-'));
  const connected = await connectedStore();
  data = await darkStore(connected, dir);
  const parts = await bootParts(data, dir);
  const media: string[] = [];
  for (const [name, { make }] of Object.entries(VENDORS)) media.push(await make(parts, join(dir, name)));
  await writeFile(join(dir, 'not-an.iso'), 'nothing');
  await unbootable(join(dir, 'ubuntu'), join(dir, 'unbootable.iso'));
  await kubedos(data, 'repo', 'create', LIST, '--type', 'files');
  await kubedos(data, 'repo', 'add', LIST, ...media, join(dir, 'not-an.iso'), join(dir, 'unbootable.iso'));
  await kubedos(data, 'snapshot', 'create', '--channel', 'vendor-media');
}, 10 * MINUTE);
afterAll(() => rm(dir, { recursive: true, force: true }));

async function darkStore(connected: string, folder: string): Promise<string> {
  const media = join(folder, 'media');
  await mkdir(media);
  await kubedos(connected, 'bundle', 'export', '--channel', 'stable', '--to', media, '--quiet');
  const store = join(folder, 'dark');
  await kubedos(store, 'init', '--trust', (await kubedos(connected, 'key', 'root')).trim());
  await kubedos(store, 'bundle', 'import', media, '--quiet');
  await rm(media, { recursive: true });
  return store;
}

async function unbootable(medium: string, iso: string): Promise<void> {
  await tool('xorriso', '-no_rc', '-as', 'mkisofs', '-quiet', '-r', '-o', iso, join(medium, 'tree'));
}

/** A recipe of its own folder, so that each has its answers. */
async function recipe(name: string, more: Readonly<Record<string, unknown>> = {}, answers?: string): Promise<string> {
  const vendor = VENDORS[name] as Vendor;
  const folder = await mkdtemp(join(dir, 'recipe-'));
  await writeFile(join(folder, 'answers'), answers ?? vendor.answers);
  await writeFile(join(folder, 'extra.sh'), 'echo the payload runs\n');
  const media = {
    mirror: LIST,
    path: vendor.iso,
    family: vendor.family,
    answers: 'answers',
    cmdline: 'console=ttyS0,115200',
    payload: [{ mirror: BOOTABLE }, { source: 'extra.sh', at: 'site/extra.sh' }],
    ...more,
  };
  const file = join(folder, 'recipe.yaml');
  await writeFile(file, stringify({ name: `vendor-${name}`, media }));
  return file;
}

const CHANNEL = ['--channel', 'vendor-media'];

/** The ISO, and the folder into which all of its tree is copied. */
async function repacked(
  name: string,
): Promise<{ readonly iso: string; readonly tree: string; readonly sha256: string }> {
  const report = await bakeIn(data, await recipe(name), ...CHANNEL);
  const [{ path, sha256 } = { path: '', sha256: '' }] = report.artifacts;
  expect(path).toBe(`vendor-${name}.iso`);
  await kubedos(data, 'artifact', 'export', `vendor-${name}.provenance.json`, '--to', dir, '--force', '--quiet');
  const provenance = await readFile(join(dir, `vendor-${name}.provenance.json`), 'utf8');
  expect(provenance).toMatch(/"network":"none: each tool ran in a network namespace of its own/);
  const iso = await artifactFile(report, 'iso', { data, dir });
  const tree = join(dir, `${name}-tree`);
  await rm(tree, { recursive: true, force: true });
  await tool('xorriso', '-no_rc', '-osirrox', 'on:auto_chmod_on', '-indev', iso, '-extract', '/', tree);
  return { iso, tree, sha256 };
}

/** What firmware and readers see: without places, sizes, the ids of partitions, and what fills gaps. */
async function bootFacts(iso: string): Promise<string[]> {
  const reports = ['-report_el_torito', 'plain', '-report_system_area', 'plain', '-pvd_info'];
  const text = await tool('xorriso', '-no_rc', '-indev', iso, ...reports);
  const kept =
    /^(?:El Torito (?:boot img|img path|img opts)|System area summary|GPT type GUID +: +[12]|Volume Id|Modif)/;
  const lines = text.split('\n').filter((line) => kept.test(line));
  expect(lines.filter((line) => /boot img .*(?:BIOS|UEFI)/.test(line))).toHaveLength(2);
  return lines.map((line) => line.replace(/^(El Torito boot img .*?) +\d+ *$/, '$1'));
}

describe.each(Object.entries(VENDORS))('the medium of %s', (name, vendor) => {
  it(
    'boots as it did, with its checksums right',
    async () => {
      const { iso, tree, sha256 } = await repacked(name);
      expect(await bootFacts(iso)).toEqual(await bootFacts(join(dir, name, vendor.iso)));
      if (vendor.family === 'rhel') {
        // Its status is the answer.
        await run('checkisomd5', [iso]);
        const info = await tool('cat', join(tree, '.treeinfo'));
        const sums = [...info.matchAll(/^(\S+) = sha256:(\w+)$/gm)].map(([, path, sum]) => `${sum}  ${path}\n`);
        expect(sums).toHaveLength(2);
        await writeFile(join(dir, 'sums'), sums.join(''));
        await tool('sh', '-c', 'cd "$1" && sha256sum -c --quiet "$2"', 'sh', tree, join(dir, 'sums'));
        // The menu that UEFI reads is the one within the image.
        const efi = join(tree, 'images/efiboot.img');
        expect(await tool('mtype', '-i', efi, '::/EFI/BOOT/grub.cfg')).toContain('/ks.cfg console=ttyS0');
        expect(await tool('mtype', '-i', efi, '::/EFI/BOOT/grub.cfg')).toMatch(/inst\.rescue quiet$/m);
        const ks = await tool('cat', join(tree, 'ks.cfg'));
        expect(ks).toBe(KICKSTART);
      } else {
        await tool('sh', '-c', 'cd "$1" && md5sum -c --quiet md5sum.txt', 'sh', tree);
        const listed = (await tool('sh', '-c', 'cut -c35- "$1" | sort', 'sh', join(tree, 'md5sum.txt'))).split('\n');
        const files = (await tool('sh', '-c', 'cd "$1" && find . -type f | LC_ALL=C sort', 'sh', tree)).split('\n');
        const missing = files.filter((path) => !listed.includes(path));
        expect(missing.every((path) => /md5sum\.txt|boot\.cat|isolinux\.bin|eltorito\.img/.test(path))).toBe(true);
        expect(listed).toContain('./site/extra.sh');
      }
      const elsewhere = await bakeElsewhere({ data, home: dir }, await recipe(name), ...CHANNEL);
      expect(elsewhere).toMatchObject({ changed: false, artifacts: [{ sha256 }] });
    },
    4 * MINUTE,
  );

  const firmwares: Firmware[] = name === 'debian' ? ['bios'] : [];
  if (FULL) firmwares.push(...(name === 'debian' ? [] : ['bios' as const]), 'uefi');
  // RHEL in miniature has a GRUB that nobody signed.
  if (FULL && vendor.family !== 'rhel') firmwares.push('secure-boot');
  it.each(firmwares)(
    'starts its installer with the answers by %s',
    async (firmware) => {
      const { iso } = await repacked(name);
      const folder = join(dir, `${name}-${firmware}`);
      await mkdir(folder, { recursive: true });
      const end = name === 'debian' ? /end of the early command/ : /end of the miniature/;
      // GRUB reads the installer's initrd by the firmware's own CD driver.
      const patienceMs = 8 * MINUTE;
      const log = await bootUntil({ file: iso, format: 'iso' }, end, { firmware, folder, patienceMs });
      expect(log).toMatch(/payload: .*dists\s.*pool\s/s);
      if (vendor.family === 'debian') {
        expect(log).toContain('locale: en_GB.UTF-8');
        expect(log).toContain('the payload runs');
        expect(log).toMatch(/cmdline: .*auto=true priority=critical console=ttyS0,115200 ---/);
      } else {
        expect(log).toContain('answers: ');
        expect(log).toContain('# Answers of a site');
      }
      if (vendor.family === 'ubuntu') {
        expect(log).toContain('autoinstall ds=nocloud;s=/cdrom/nocloud/ console=ttyS0,115200 ---');
        expect(log).toContain('meta-data is there');
      }
    },
    10 * MINUTE,
  );
});

describe('is refused', () => {
  const ubuntu = { path: VENDORS.ubuntu?.iso };
  it.each([
    [
      'a medium of another family',
      'debian',
      ubuntu,
      undefined,
      /ubuntu-\S+iso: is no medium of the family debian: .*it reads \W+Ubuntu-Server/,
    ],
    [
      'a medium without the mark',
      'rhel',
      ubuntu,
      undefined,
      /no medium of the family rhel: .*\.treeinfo .*; there is no such file/,
    ],
    ['what is no ISO', 'debian', { path: 'not-an.iso' }, undefined, /not-an\.iso: is no ISO 9660 image/],
    ['an ISO that does not boot', 'ubuntu', { path: 'unbootable.iso' }, undefined, /no El Torito boot record/],
    ['an ISO that is not there', 'ubuntu', { path: 'other.iso' }, undefined, /vendor-media holds no other\.iso/],
    [
      'a payload in place of a vendor file',
      'ubuntu',
      { payload: [{ source: 'extra.sh', at: 'casper/vmlinuz' }] },
      undefined,
      /put \/casper\/vmlinuz on the medium: the vendor's own lies there/,
    ],
    ['a mirror that the snapshot lacks', 'ubuntu', { payload: [{ mirror: 'none' }] }, undefined, /holds no none/],
    [
      'answers with a readable password',
      'debian',
      {},
      'd-i passwd/root-password password secret\n',
      /answers:1: holds a password that can be read/,
    ],
  ] as const)(
    '%s',
    async (_, name, more, answers, words) => {
      const file = await recipe(name === 'rhel' ? 'rhel9' : name, more, answers);
      await expect(bakeIn(data, file, ...CHANNEL)).rejects.toThrow(words);
    },
    MINUTE,
  );
});
