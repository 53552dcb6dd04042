/** What test media are made of: Debian's installer kernel and initrd, its drivers for CDs, signed loaders, GRUB's modules. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeView } from '../../src/image/mirror-view.ts';
import { openHouse } from '../../src/wiring.ts';
import { BOOTABLE, cachedStore, tool } from './real-debian.ts';

export interface BootParts {
  /** Of the package debian-installer-12-netboot-amd64, text. */
  readonly installer: string;
  readonly kernelVersion: string;
  /** Unpacked: the drivers that installers on CDs have and those of the network lack. */
  readonly cdDrivers: string;
  /** Files of the packages shim-signed, grub-efi-amd64-signed and -bin. */
  readonly loaders: string;
}

const INSTALLER = '/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64';
const LOADERS = ['shim-signed', 'grub-efi-amd64-signed', 'grub-efi-amd64-bin'];

export async function bootParts(data: string, folder: string): Promise<BootParts> {
  const kernelVersion = versionOf(await readFile(join(INSTALLER, 'linux')));
  const loaders = join(folder, 'loaders');
  await mkdir(loaders, { recursive: true });
  for (const deb of await storedDebs(data, join(folder, 'mirror'))) await tool('dpkg-deb', '-x', deb, loaders);
  return { installer: INSTALLER, kernelVersion, cdDrivers: await drivers(kernelVersion), loaders };
}

/** The Linux/x86 boot protocol, 0x20e. */
function versionOf(kernel: Buffer): string {
  const at = kernel.readUInt16LE(0x20e) + 0x200;
  return kernel.toString('latin1', at, kernel.indexOf(' ', at));
}

async function storedDebs(data: string, folder: string): Promise<string[]> {
  const house = openHouse(data);
  try {
    const store = await house.store();
    const head = await store.heads.read(BOOTABLE);
    if (head === undefined) throw new Error(`no ${BOOTABLE} in ${data}`);
    await makeView(store.objects, head.manifest.root, { folder });
  } finally {
    await house.close();
  }
  const files = await readdir(join(folder, 'pool'), { recursive: true });
  const wanted = files.filter((file) => LOADERS.some((name) => file.includes(`/${name}_`)));
  if (wanted.length !== LOADERS.length) throw new Error(`loaders in ${folder}: ${wanted.join(' ')}`);
  return wanted.map((file) => join(folder, 'pool', file));
}

/** By this machine's own apt source, verified by it; kept between runs. */
async function drivers(version: string): Promise<string> {
  const kept = cachedStore(`cd-drivers-${version}`);
  if (existsSync(kept)) return kept;
  const work = `${kept}.part`;
  await rm(work, { recursive: true, force: true });
  for (const name of ['lists/partial', 'archives/partial', 'root']) await mkdir(join(work, name), { recursive: true });
  const uris = await tool('apt-get', 'indextargets', '--format', '$(CODENAME) $(REPO_URI)', 'Created-By: Packages');
  const uri = /^bookworm (\S+)/m.exec(uris)?.[1];
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  await writeFile(join(work, 'list'), `deb [signed-by=${keyring}] ${uri} bookworm main/debian-installer\n`);
  const dirs = { 'Etc::SourceList': 'list', 'Etc::SourceParts': 'none', 'State::Lists': 'lists', Cache: '.' };
  const options = Object.entries(dirs).flatMap(([name, place]) => ['-o', `Dir::${name}=${join(work, place)}`]);
  const apt = ['apt-get', ...options, '-o', 'APT::Sandbox::User=root', '-qq'];
  await tool(...apt, 'update');
  const names = ['cdrom-core', 'isofs', 'ata', 'sata', 'scsi-core'].map((name) => `${name}-modules-${version}-di`);
  await tool('sh', '-c', 'cd "$1" && shift && "$@"', 'sh', join(work, 'archives'), ...apt, 'download', ...names);
  for (const file of await readdir(join(work, 'archives')))
    if (file.endsWith('.udeb')) await tool('dpkg-deb', '-x', join(work, 'archives', file), join(work, 'root'));
  await tool('mv', join(work, 'root'), kept);
  await rm(work, { recursive: true });
  return kept;
}
