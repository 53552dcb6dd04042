/** An initramfs in place of an installer: it looks for its answers where the kernel's command line says, and shows them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BootParts } from './boot-parts.ts';
import { tool } from './real-debian.ts';

const INIT = `#!/bin/busybox sh
export PATH=/bin
busybox mkdir -p /proc /dev /cdrom
busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
exec < /dev/ttyS0 > /dev/ttyS0 2>&1
for module in scsi_common scsi_mod libata ata_piix libahci ahci cdrom sr_mod isofs; do
  busybox insmod "/modules/$module.ko"
done
for _ in 1 2 3 4 5 6 7 8 9 10; do busybox mount -t iso9660 -o ro /dev/sr0 /cdrom && break; busybox sleep 1; done
read -r line < /proc/cmdline
echo "cmdline: $line"
echo "label: $(busybox dd if=/dev/sr0 bs=1 skip=32808 count=32 2> /dev/null)"
for word in $line; do
  case $word in
    ds=nocloud\\;s=*) echo "answers: $(busybox head -n 3 "\${word#*;s=}user-data")"; busybox test -f "\${word#*;s=}meta-data" && echo 'meta-data is there' ;;
    inst.ks=hd:LABEL=*) file=\${word##*:}; echo "answers: $(busybox head -n 3 "/cdrom$file")" ;;
  esac
done
echo "payload: $(busybox ls /cdrom/darksite/*)"
echo 'end of the miniature'
busybox poweroff -f
`;

/** Busybox and its libraries are those of Debian's installer. */
export async function miniature(parts: BootParts, folder: string): Promise<string> {
  const tree = join(folder, 'miniature');
  await mkdir(join(tree, 'modules'), { recursive: true });
  const initrd = join(parts.installer, 'initrd.gz');
  const wanted = ['bin/busybox', 'lib64', 'lib64/*', 'lib/x86_64-linux-gnu/*', 'usr/lib/x86_64-linux-gnu/*'];
  await tool('sh', '-c', 'cd "$1" && zcat "$2" | cpio -idm --quiet $3', 'sh', tree, initrd, wanted.join(' '));
  await tool(
    'sh',
    '-c',
    'find "$1/lib/modules" -name "*.ko" -exec cp -t "$2" {} +',
    'sh',
    parts.cdDrivers,
    join(tree, 'modules'),
  );
  await writeFile(join(tree, 'init'), INIT, { mode: 0o755 });
  const image = join(folder, 'miniature.img');
  await tool('sh', '-c', 'cd "$1" && find . | cpio -o -H newc --quiet | gzip -1 > "$2"', 'sh', tree, image);
  return image;
}
