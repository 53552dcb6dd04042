/** Installers' media in the layouts of three vendors, made of Debian's parts: as far as loaders and files go, theirs. */
import { appendFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BootParts } from './boot-parts.ts';
import { miniature } from './miniature.ts';
import { tool } from './real-debian.ts';

type Files = Readonly<Record<string, string | { readonly copy: string }>>;

/** debian-cd's netinst: isolinux, GRUB by an EFI image in the tree, isohybrid. Its initrd finds CDs as that of a CD does. */
export async function debianMedium(parts: BootParts, folder: string): Promise<string> {
  const tree = join(folder, 'tree');
  const screens = join(parts.installer, 'boot-screens');
  const renamed = (text: string): string =>
    text
      .replaceAll('debian-installer/amd64/boot-screens/', '')
      .replaceAll(/\/?debian-installer\/amd64\/linux/g, '/install.amd/vmlinuz')
      .replaceAll(/\/?debian-installer\/amd64\/initrd/g, '/install.amd/initrd');
  for (const name of await readdir(screens)) {
    const from = join(screens, name);
    const text = /\.(?:cfg|txt)$/.test(name) ? renamed(await readFile(from, 'latin1')) : { copy: from };
    await place(tree, { [`isolinux/${name === 'syslinux.cfg' ? 'isolinux.cfg' : name}`]: text });
  }
  await place(tree, {
    // Of the media with a voice: after a while it is that which starts.
    'isolinux/spk.cfg':
      'label installspk\n\tmenu label Install with ^speech synthesis\n\tkernel /install.amd/vmlinuz\n\tappend vga=788 initrd=/install.amd/initrd.gz speakup.synth=soft --- quiet \ntimeout 300\nontimeout /install.amd/vmlinuz vga=788 initrd=/install.amd/initrd.gz speakup.synth=soft --- quiet \nmenu autoboot Press a key, otherwise speech synthesis will be started in # second{,s}...\n',
    'isolinux/isolinux.bin': { copy: '/usr/lib/ISOLINUX/isolinux.bin' },
    'boot/grub/grub.cfg': renamed(await readFile(join(parts.installer, 'grub/grub.cfg'), 'latin1')),
    '.disk/info': 'Debian GNU/Linux 12.12.0 "Bookworm" - Official amd64 NETINST with firmware 20250906-10:22',
    'README.txt': 'A medium in the layout of debian-cd.\n',
    'install.amd/vmlinuz': { copy: join(parts.installer, 'linux') },
    'install.amd/initrd.gz': { copy: join(parts.installer, 'initrd.gz') },
    ...signedLoaders(parts, 'EFI/boot'),
  });
  await appendFile(join(tree, 'install.amd/initrd.gz'), await cdInitramfs(parts, folder));
  await fat(join(tree, 'boot/grub/efi.img'), signedLoaders(parts, 'EFI/boot'), folder);
  await sums(tree);
  const iso = join(folder, 'debian-12.12.0-amd64-netinst.iso');
  await mkisofs(iso, 'Debian 12.12.0 amd64 n', tree, [
    ...[...ISOLINUX, '-eltorito-alt-boot'],
    ...['-e', 'boot/grub/efi.img', '-no-emul-boot', '-isohybrid-gpt-basdat', '-isohybrid-apm-hfsplus'],
  ]);
  return iso;
}

/** The drivers, and the lists by which modprobe finds them. */
async function cdInitramfs({ installer, cdDrivers, kernelVersion }: BootParts, folder: string): Promise<Buffer> {
  const modules = join(folder, 'modules');
  const image = join(folder, 'drivers.gz');
  const script = `mkdir "$1" && cd "$1" && zcat "$2" | cpio -idm --quiet 'lib/modules/*' && cp -a "$3/lib" . && depmod -b . "$4"
    { (cd "$3" && find lib) && find lib/modules -name 'modules.*'; } | sort -u | cpio -o -H newc --quiet | gzip -n > "$5"`;
  await tool('sh', '-ec', script, 'sh', modules, join(installer, 'initrd.gz'), cdDrivers, kernelVersion, image);
  return readFile(image);
}

/** Ubuntu's live server since 21.10: GRUB for BIOS too, and the EFI image in a partition behind the tree. */
export async function ubuntuMedium(parts: BootParts, folder: string): Promise<string> {
  const tree = join(folder, 'tree');
  await place(tree, {
    '.disk/info': 'Ubuntu-Server 24.04.3 LTS "Noble Numbat" - Release amd64 (20250805.1)',
    'boot/grub/grub.cfg':
      'set timeout=30\n\nloadfont unicode\n\nset menu_color_normal=white/black\nset menu_color_highlight=black/light-gray\n\nmenuentry "Try or Install Ubuntu Server" {\n\tset gfxpayload=keep\n\tlinux\t/casper/vmlinuz  ---\n\tinitrd\t/casper/initrd\n}\nmenuentry "Ubuntu Server with the HWE kernel" {\n\tset gfxpayload=keep\n\tlinux\t/casper/hwe-vmlinuz  ---\n\tinitrd\t/casper/hwe-initrd\n}\ngrub_platform\nif [ "$grub_platform" = "efi" ]; then\nmenuentry \'Boot from next volume\' {\n\texit 1\n}\nmenuentry \'UEFI Firmware Settings\' {\n\tfwsetup\n}\nelse\nmenuentry \'Test memory\' {\n\tlinux16 /boot/memtest86+x64.bin\n}\nfi\n',
    'boot/grub/loopback.cfg':
      'menuentry "Try" {\n\tlinux\t/casper/vmlinuz  iso-scan/filename=$iso_path ---\n\tinitrd\t/casper/initrd\n}\n',
    'casper/vmlinuz': { copy: join(parts.installer, 'linux') },
    'casper/initrd': { copy: await miniature(parts, folder) },
    ...signedLoaders(parts, 'EFI/boot'),
  });
  const efi = join(folder, 'efi.img');
  await fat(efi, signedLoaders(parts, 'EFI/boot'), folder);
  const boot = await grubBoot(tree, 'boot/grub/i386-pc/eltorito.img', '/boot/grub', efi);
  await sums(tree);
  const iso = join(folder, 'ubuntu-24.04.3-live-server-amd64.iso');
  await mkisofs(iso, 'Ubuntu-Server 24.04.3 LTS amd64', tree, boot);
  return iso;
}

const RHEL_LABEL = 'RHEL-9-6-0-BaseOS-x86_64';
const STAGE = `inst.stage2=hd:LABEL=${RHEL_LABEL}`;

/** lorax's: of RHEL 9 by isolinux, the EFI image in the tree; of RHEL 10 by GRUB alone, the EFI image also behind it. */
export async function rhelMedium(parts: BootParts, folder: string, release: 9 | 10): Promise<string> {
  const tree = join(folder, 'tree');
  const grub = join(folder, 'grubx64.efi');
  await mkdir(folder, { recursive: true });
  const modules =
    'part_gpt part_msdos fat iso9660 normal linux search search_label configfile all_video test echo'.split(' ');
  const from = ['-d', join(parts.loaders, 'usr/lib/grub/x86_64-efi')];
  await tool('grub-mkimage', ...from, '-O', 'x86_64-efi', '-p', '/EFI/BOOT', '-o', grub, ...modules);
  const efiFiles: Files = { 'EFI/BOOT/BOOTX64.EFI': { copy: grub }, 'EFI/BOOT/grub.cfg': rhelMenu() };
  await place(tree, {
    ...efiFiles,
    '.discinfo': '1744900000.0\nRed Hat Enterprise Linux 9.6.0\nx86_64\n',
    'images/pxeboot/vmlinuz': { copy: join(parts.installer, 'linux') },
    'images/pxeboot/initrd.img': { copy: await miniature(parts, folder) },
  });
  const image = join(tree, 'images/efiboot.img');
  await fat(image, efiFiles, folder);
  const sum = async (path: string) => `${path} = sha256:${(await tool('sha256sum', join(tree, path))).slice(0, 64)}\n`;
  const sums = `${await sum('images/efiboot.img')}${await sum('images/pxeboot/vmlinuz')}`;
  const general = '[general]\narch = x86_64\nfamily = Red Hat Enterprise Linux\nversion = 9.6\n';
  await place(tree, { '.treeinfo': `[checksums]\n${sums}\n${general}` });
  const iso = join(folder, `rhel-${release}-x86_64-boot.iso`);
  const boot = release === 9 ? await isolinuxOfRhel(parts, tree) : await grubOfRhel(tree, image);
  await mkisofs(iso, RHEL_LABEL, tree, boot);
  await tool('implantisomd5', iso);
  return iso;
}

function rhelMenu(): string {
  const entry = (name: string, args: string): string =>
    `menuentry '${name}' --class red {\n\tlinux /images/pxeboot/vmlinuz ${STAGE} ${args}\n\tinitrd /images/pxeboot/initrd.img\n}\n`;
  return [
    'set default="1"\n\nfunction load_video {\n  insmod all_video\n}\n\nload_video\nset timeout=60\n',
    `### END /etc/grub.d/00_header ###\n\nsearch --no-floppy --set=root -l '${RHEL_LABEL}'\n\n`,
    entry('Install Red Hat Enterprise Linux 9.6', 'quiet'),
    entry('Test this media & install Red Hat Enterprise Linux 9.6', 'rd.live.check quiet'),
    `submenu 'Troubleshooting -->' {\n${entry('Rescue a Red Hat Enterprise Linux system', 'inst.rescue quiet')}}\n`,
  ].join('');
}

async function isolinuxOfRhel(parts: BootParts, tree: string): Promise<string[]> {
  const label = (name: string, title: string, args: string): string =>
    `label ${name}\n  menu label ${title}\n  kernel vmlinuz\n  append initrd=initrd.img ${STAGE} ${args}quiet\n\n`;
  const modules = ['vesamenu', 'ldlinux', 'libcom32', 'libutil'].map((name) => `${name}.c32`);
  await place(tree, {
    'isolinux/isolinux.cfg': [
      'default vesamenu.c32\ntimeout 600\n\ndisplay boot.msg\n\nmenu title Red Hat Enterprise Linux 9.6\n\n',
      label('linux', '^Install Red Hat Enterprise Linux 9.6', ''),
      label('check', 'Test this ^media & install\n  menu default', 'rd.live.check '),
      label('rescue', '^Rescue a Red Hat Enterprise Linux system', 'inst.rescue '),
      'label local\n  menu label Boot from ^local drive\n  localboot 0xffff\n',
    ].join(''),
    'isolinux/isolinux.bin': { copy: '/usr/lib/ISOLINUX/isolinux.bin' },
    ...Object.fromEntries(
      modules.map((name) => [`isolinux/${name}`, { copy: join(parts.installer, 'boot-screens', name) }]),
    ),
    'isolinux/vmlinuz': { copy: join(parts.installer, 'linux') },
    'isolinux/initrd.img': { copy: join(tree, 'images/pxeboot/initrd.img') },
  });
  return [...ISOLINUX, '-eltorito-alt-boot', '-e', 'images/efiboot.img', '-no-emul-boot', '-isohybrid-gpt-basdat'];
}

async function grubOfRhel(tree: string, efi: string): Promise<string[]> {
  await place(tree, { 'boot/grub2/grub.cfg': rhelMenu() });
  return grubBoot(tree, 'images/eltorito.img', '/boot/grub2', efi);
}

const ISOLINUX = [
  ...['-isohybrid-mbr', '/usr/lib/ISOLINUX/isohdpfx.bin', '-b', 'isolinux/isolinux.bin', '-c', 'isolinux/boot.cat'],
  ...['-boot-load-size', '4', '-boot-info-table', '-no-emul-boot'],
];

/** BIOS and UEFI by GRUB; the EFI image goes behind the tree. */
async function grubBoot(tree: string, image: string, prefix: string, efi: string): Promise<string[]> {
  await mkdir(join(tree, dirname(image)), { recursive: true });
  const modules = 'biosdisk iso9660 linux normal configfile search search_label test all_video echo'.split(' ');
  await tool('grub-mkimage', '-O', 'i386-pc-eltorito', '-p', prefix, '-o', join(tree, image), ...modules);
  return [
    ...['--grub2-mbr', '/usr/lib/grub/i386-pc/boot_hybrid.img', '-partition_offset', '16', '--mbr-force-bootable'],
    ...['-append_partition', '2', '0xef', efi, '-appended_part_as_gpt', '-c', '/boot.catalog', '-b', `/${image}`],
    ...['-no-emul-boot', '-boot-load-size', '4', '-boot-info-table', '--grub2-boot-info', '-eltorito-alt-boot'],
    ...['-e', '--interval:appended_partition_2:all::', '-no-emul-boot'],
  ];
}

function signedLoaders({ loaders }: BootParts, folder: string): Files {
  return {
    [`${folder}/bootx64.efi`]: { copy: join(loaders, 'usr/lib/shim/shimx64.efi.signed') },
    [`${folder}/grubx64.efi`]: { copy: join(loaders, 'usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed') },
  };
}

async function place(tree: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const to = join(tree, path);
    await mkdir(dirname(to), { recursive: true });
    if (typeof content === 'string') await writeFile(to, content);
    else await cp(content.copy, to);
  }
}

async function fat(image: string, files: Files, folder: string): Promise<void> {
  const tree = join(folder, 'efi');
  await place(tree, files);
  await mkdir(dirname(image), { recursive: true });
  await tool('mkfs.vfat', '--invariant', '-C', image, '10240');
  await tool('mcopy', '-s', '-i', image, join(tree, 'EFI'), '::');
}

/** As debian-cd does: all but what is written into later. */
async function sums(tree: string): Promise<void> {
  const find =
    'cd "$1" && find . -type f ! -name isolinux.bin ! -name eltorito.img ! -name md5sum.txt | sort | xargs md5sum > md5sum.txt';
  await tool('sh', '-c', find, 'sh', tree);
}

async function mkisofs(iso: string, label: string, tree: string, options: readonly string[]): Promise<void> {
  await tool('xorriso', '-no_rc', '-as', 'mkisofs', '-quiet', '-r', '-J', '-V', label, '-o', iso, ...options, tree);
}
