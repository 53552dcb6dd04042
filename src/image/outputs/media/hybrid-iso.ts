/**
 * Scripts, after BOOT_FILES, that write a hybrid ISO of the folder `$W/iso` (medium.iso). It boots
 *
 * - by BIOS from a CD: El Torito, GRUB's core image;
 * - by BIOS from a USB stick: the first sector loads that same core image;
 * - by UEFI, under Secure Boot too, from both: Debian's signed shim and GRUB in a FAT file system, which is an El Torito
 *   image and a partition of the GPT at once.
 *
 * `$ID`: the name of a file that tells this medium from others; `$VOLUME`: volume id of the FAT file system, hexadecimal;
 * `$LABEL`: that of the ISO; `$DISK_GUID`; `$W/grub.cfg`: the boot menu.
 */
export const ISO_PARTS = String.raw`
say 'write what boots'
need usr/lib/grub/i386-pc/cdboot.img grub-pc-bin
need_signed_chain
I=$W/iso
mkdir -p "$I/boot/grub" "$I/EFI/debian" "$I/kubedos"
mv "$W/vmlinuz" "$W/initrd" "$I/boot/"
mv "$W/grub.cfg" "$I/boot/grub/"
: > "$I/kubedos/$ID"
search="search --no-floppy --file --set=root /kubedos/$ID"
printf '%s\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n' "$search" > "$T/tmp/early.cfg"
chroot "$T" grub-mkimage --format=i386-pc-eltorito --prefix=/boot/grub --config=/tmp/early.cfg --output=/tmp/eltorito.img \
  biosdisk iso9660 part_gpt part_msdos ext2 search search_fs_file search_fs_uuid configfile normal linux echo serial terminal test
cp "$T/tmp/eltorito.img" "$I/boot/grub/"
cp "$T/usr/lib/grub/i386-pc/boot_hybrid.img" "$W/"

# GRUB, when the firmware loaded it from a CD, takes the ISO itself for where it came from.
cp "$T/tmp/early.cfg" "$I/EFI/debian/grub.cfg"
write_efi 8M "$VOLUME"
`;

/** Script: one pass over the files, hashed on their way; prints the SHA-256. */
export const WRITE_ISO = String.raw`
say 'write the ISO'
{
  xorriso -as mkisofs -quiet -iso-level 3 -r -V "$LABEL" --set_all_file_dates "=$SOURCE_DATE_EPOCH" \
    --gpt_disk_guid "$DISK_GUID" --grub2-mbr "$W/boot_hybrid.img" --mbr-force-bootable \
    -append_partition 2 C12A7328-F81F-11D2-BA4B-00A0C93EC93B "$W/efi.img" -appended_part_as_gpt \
    -c /boot/boot.cat -b /boot/grub/eltorito.img -no-emul-boot -boot-load-size 4 -boot-info-table --grub2-boot-info \
    -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot -o - "$W/iso" || : > "$W/failed"
} | sha256 "$W/medium.iso"
[ ! -e "$W/failed" ] || fail 'it cannot be written'
`;
