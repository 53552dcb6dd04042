import { MOUNT_LAYERS } from './mount-layers.ts';
import { PARTITION_STEPS } from './partition-steps.ts';
import { ROOT_STEPS } from './root-steps.ts';

/**
 * What a disk image is put together from, out of the system's own files: an ext4 root in its place in the image, a FAT
 * file system with the signed chain of UEFI, and GRUB for BIOS.
 *
 * `$1`: the work folder; `$2`: the disk image, of its full size; `$3`: offset of the root in it, bytes; `$4`: size of the
 * root, KiB; `$5`: UUID of the root file system; `$6`: GUID of its partition; `$7`: size of the EFI file system, bytes;
 * `$8`: its volume id, hexadecimal; `$9`: the kernel's command line; then the files of the layers, the lowest last.
 *
 * Writes into the work folder: efi.img, boot.img and core.img (GRUB's first sector, and what lies in the BIOS partition), and
 * NAME.swap of each partition for swap.
 */
export const DISK_SCRIPT = String.raw`
W=$1 DISK=$2 OFFSET=$3 KIB=$4 FSID=$5 PARTITION=$6 EFI_BYTES=$7 VOLUME=$8 CMDLINE=$9
shift 9
T=$W/root
${MOUNT_LAYERS}
${ROOT_STEPS}
${PARTITION_STEPS}
find_kernel
mkdir -p "$W/top/boot/grub" "$W/top/etc"
cat > "$W/top/boot/grub/grub.cfg" <<CONFIG
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=1
menuentry "$kernel" {
  linux /boot/vmlinuz-$kernel root=PARTUUID=$PARTITION ro $CMDLINE
  initrd /boot/initrd.img-$kernel
}
CONFIG
echo "PARTUUID=$PARTITION / ext4 defaults 0 1" > "$W/top/etc/fstab"
place_partitions
mount_root

need "boot/initrd.img-$kernel" initramfs-tools
need usr/lib/grub/i386-pc/boot.img grub-pc-bin
need_signed_chain

write_partitions
write_ext4 "$DISK" "$OFFSET" "$KIB" "$FSID" root "$T"

say 'write what boots'
search="search --no-floppy --fs-uuid --set=root $FSID"
mount -t tmpfs tmpfs "$T/tmp"
cp "$T/usr/lib/grub/i386-pc/boot.img" "$W/boot.img"
printf '%s\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n' "$search" > "$T/tmp/early.cfg"
chroot "$T" grub-mkimage --format=i386-pc --prefix=/boot/grub --config=/tmp/early.cfg --output=/tmp/core.img \
  biosdisk part_gpt ext2 search search_fs_uuid configfile normal linux echo serial terminal test
cp "$T/tmp/core.img" "$W/core.img"

write_efi "$EFI_BYTES" "$VOLUME"
`;
