/**
 * For the scripts, after the layers are mounted: functions that put a root together and look at it. They know `$W`, the
 * work folder; `$T`, where the root goes; and `$LAYERS`.
 */
export const ROOT_STEPS = String.raw`
say() { echo "$*" > "$W/step"; }
fail() { echo "$*" >&2; exit 1; }

# Sets $kernel.
find_kernel() {
  say 'look for what boots'
  kernel=
  for each in "$W"/below/*/boot/vmlinuz-*; do [ -e "$each" ] && kernel=$(basename "$each" | cut -d- -f2-); done
  [ -n "$kernel" ] || fail 'the system has no kernel: add linux-image-amd64 to packages:'
}

# What lies in "$W/top", if it is there, goes over the layers.
mount_root() {
  mkdir -p "$T"
  if [ -d "$W/top" ]; then
    find "$W/top" -exec touch --date="@$SOURCE_DATE_EPOCH" {} +
    # As a layer, since squashfs has but one time of a file, and that is fixed: ext4 takes three.
    mksquashfs "$W/top" "$W/top.squashfs" -noappend -quiet -no-progress -noI -noD >&2
    mkdir "$W/below/top"
    mount -t squashfs -o loop,ro "$W/top.squashfs" "$W/below/top"
    LAYERS="$W/below/top:$LAYERS"
  fi
  mount -t overlay kubedos -o "ro,lowerdir=$LAYERS" "$T"
}

need() { [ -e "$T/$1" ] || fail "the system has no /$1: add $2 to packages:"; }

# File, offset in it (bytes), size (KiB), UUID, label, folder that goes into it.
write_ext4() {
  say "write the file system $5"
  # In the order in which mke2fs asks for files: the kernel has unpacked the next ones by then.
  { tar -C "$6" -cf - . | cat > /dev/null; } &
  E2FSPROGS_FAKE_TIME="$SOURCE_DATE_EPOCH" mke2fs -q -F -t ext4 -L "$5" -U "$4" -m 1 \
    -E "offset=$2,hash_seed=$4,lazy_itable_init=0,lazy_journal_init=0,nodiscard" -d "$6" "$1" "$3k" >&2
  wait $!
}

need_signed_chain() {
  need usr/lib/shim/shimx64.efi.signed shim-signed
  need usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed grub-efi-amd64-signed
}

# Size (bytes), volume id: efi.img, a FAT file system with the signed chain of UEFI, which goes on with /tmp/early.cfg.
write_efi() {
  truncate -s "$1" "$W/efi.img"
  mkfs.vfat --invariant -i "$2" -n EFI "$W/efi.img" > /dev/null
  mkdir "$W/efi"
  cp "$T/usr/lib/shim/shimx64.efi.signed" "$W/efi/BOOTX64.EFI"
  cp "$T/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" "$W/efi/grubx64.efi"
  cp "$T/tmp/early.cfg" "$W/efi/grub.cfg"
  touch --date="@$SOURCE_DATE_EPOCH" "$W"/efi/*
  mmd -i "$W/efi.img" ::/EFI ::/EFI/BOOT ::/EFI/debian
  mcopy -m -i "$W/efi.img" "$W/efi/BOOTX64.EFI" "$W/efi/grubx64.efi" ::/EFI/BOOT/
  mcopy -m -i "$W/efi.img" "$W/efi/grub.cfg" ::/EFI/debian/
}
`;
