import { SYSTEM_FILES } from './system-files.ts';

/**
 * What a disk image is put together from, out of the system's own files: an ext4 root in its place in the image, a FAT
 * file system with the signed chain of UEFI, and GRUB for BIOS.
 *
 * `$1`: the work folder; `$2`: the disk image, of its full size; `$3`: offset of the root in it, bytes; `$4`: size of the
 * root, KiB; `$5`: UUID of the root file system; `$6`: GUID of its partition; `$7`: size of the EFI file system, bytes;
 * `$8`: its volume id, hexadecimal; `$9`: the kernel's command line; then the files of the layers, the lowest last.
 *
 * Writes into the work folder: efi.img, boot.img and core.img (GRUB's first sector, and what lies in the BIOS partition).
 */
export const DISK_SCRIPT = String.raw`
W=$1 DISK=$2 OFFSET=$3 KIB=$4 FSID=$5 PARTITION=$6 EFI_BYTES=$7 VOLUME=$8 CMDLINE=$9
shift 9
T=$W/root
${SYSTEM_FILES}
mkdir -p "$T" "$W/top/boot/grub" "$W/top/etc"
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
find "$W/top" -exec touch --date="@$SOURCE_DATE_EPOCH" {} +
# As a layer, since squashfs has but one time of a file, and that is fixed: ext4 takes three.
mksquashfs "$W/top" "$W/top.squashfs" -noappend -quiet -no-progress -noI -noD >&2
mkdir "$W/below/top"
mount -t squashfs -o loop,ro "$W/top.squashfs" "$W/below/top"
mount -t overlay kubedos -o "ro,lowerdir=$W/below/top:$LAYERS" "$T"

need "boot/initrd.img-$kernel" initramfs-tools
need usr/lib/grub/i386-pc/boot.img grub-pc-bin
need usr/lib/shim/shimx64.efi.signed shim-signed
need usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed grub-efi-amd64-signed

say 'write the root file system'
export E2FSPROGS_FAKE_TIME="$SOURCE_DATE_EPOCH"
mke2fs -q -F -t ext4 -L root -U "$FSID" -m 1 \
  -E "offset=$OFFSET,hash_seed=$FSID,lazy_itable_init=0,lazy_journal_init=0,nodiscard" -d "$T" "$DISK" "$KIB"k >&2

say 'write what boots'
search="search --no-floppy --fs-uuid --set=root $FSID"
mount -t tmpfs tmpfs "$T/tmp"
cp "$T/usr/lib/grub/i386-pc/boot.img" "$W/boot.img"
printf '%s\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n' "$search" > "$T/tmp/early.cfg"
chroot "$T" grub-mkimage --format=i386-pc --prefix=/boot/grub --config=/tmp/early.cfg --output=/tmp/core.img \
  biosdisk part_gpt ext2 search search_fs_uuid configfile normal linux echo serial terminal test
cp "$T/tmp/core.img" "$W/core.img"

truncate -s "$EFI_BYTES" "$W/efi.img"
mkfs.vfat --invariant -i "$VOLUME" -n EFI "$W/efi.img" > /dev/null
mkdir "$W/efi"
cp "$T/usr/lib/shim/shimx64.efi.signed" "$W/efi/BOOTX64.EFI"
cp "$T/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" "$W/efi/grubx64.efi"
cp "$T/tmp/early.cfg" "$W/efi/grub.cfg"
touch --date="@$SOURCE_DATE_EPOCH" "$W"/efi/*
mmd -i "$W/efi.img" ::/EFI ::/EFI/BOOT ::/EFI/debian
mcopy -m -i "$W/efi.img" "$W/efi/BOOTX64.EFI" "$W/efi/grubx64.efi" ::/EFI/BOOT/
mcopy -m -i "$W/efi.img" "$W/efi/grub.cfg" ::/EFI/debian/
`;
