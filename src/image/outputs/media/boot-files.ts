import { MOUNT_LAYERS } from '../../mount-layers.ts';
import { ROOT_STEPS } from '../../root-steps.ts';

/**
 * Script: mounts the system at `$T` and makes what boots it without a disk.
 *
 * `$W`: the work folder, in which `initramfs/` is a folder of scripts and hooks for mkinitramfs(8); the arguments are the
 * files of the layers, the uppermost first. Writes vmlinuz and initrd there.
 */
export const BOOT_FILES = String.raw`
T=$W/root
${MOUNT_LAYERS}
${ROOT_STEPS}
find_kernel
mount_root
need usr/sbin/mkinitramfs initramfs-tools
need "boot/initrd.img-$kernel" initramfs-tools
need usr/bin/zstd zstd
mount -t proc proc "$T/proc"
mount -t tmpfs tmpfs "$T/tmp"
mount -t tmpfs tmpfs "$T/dev"
for device in null zero urandom; do
  : > "$T/dev/$device"
  mount --bind "/dev/$device" "$T/dev/$device"
done
ln -s /proc/self/fd "$T/dev/fd"

say 'make the initramfs'
cp -r "$T/etc/initramfs-tools" "$T/tmp/conf"
# Whatever umask the files were written under.
cp -r --no-preserve=mode "$W"/initramfs/* "$T/tmp/conf/"
chmod 755 "$T/tmp/conf/hooks/kubedos"
# Nor does what this machine swaps to go into it.
echo RESUME=none > "$T/tmp/conf/conf.d/resume"
# The system's own has what the machine is made of, and took long to make. Only what a medium needs besides is made here,
# and goes behind it: the kernel unpacks both, the second over the first (early-userspace/buffer-format of Linux).
echo MODULES=list > "$T/tmp/conf/conf.d/modules"
TMPDIR=/tmp chroot "$T" mkinitramfs -d /tmp/conf -o /tmp/more.img "$kernel" < /dev/null >&2
TMPDIR=/tmp chroot "$T" unmkinitramfs "/boot/initrd.img-$kernel" /tmp/system >&2
TMPDIR=/tmp chroot "$T" unmkinitramfs /tmp/more.img /tmp/more >&2
# Where there is microcode, the rest is in a folder of its own.
system=/tmp/system
[ ! -d "$T/tmp/system/main" ] || system=/tmp/system/main
modules=$(cd "$T/tmp/more" && realpath --relative-to=. "lib/modules/$kernel")
(
  cd "$T/tmp/more"
  LC_ALL=C diff -rqs --no-dereference . "$T$system" | sed -n 's/^Files \(.*\) and .* are identical$/\1/p' | tr '\n' '\0' | xargs -0 -r rm
)
cp -r "$T/tmp/more/$modules/kernel" "$T$system/$modules/"
chroot "$T" depmod -b "$system" "$kernel"
cp "$T$system/$modules"/modules.* "$T/tmp/more/$modules/"
find "$T/tmp/more" -newermt "@$SOURCE_DATE_EPOCH" -print0 | xargs -0 -r touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
chroot "$T" sh -ec 'cd /tmp/more; find . | LC_ALL=C sort | cpio --reproducible --quiet -o -H newc > /tmp/more.cpio'
chroot "$T" zstd -q -9 -c /tmp/more.cpio > "$W/more"
cat "$T/boot/initrd.img-$kernel" "$W/more" > "$W/initrd"
cp "$T/boot/vmlinuz-$kernel" "$W/vmlinuz"
`;

/** Script, after BOOT_FILES: writes root.squashfs, the whole system for an overlay to lie on. */
export const LIVE_ROOT = `
say 'write the root for RAM'
mkdir -p "$W/plain"
mount -t overlay kubedos -o "ro,lowerdir=$LAYERS" "$W/plain"
mksquashfs "$W/plain" "$W/root.squashfs" -noappend -quiet -no-progress -comp zstd -Xcompression-level 3 -wildcards -e 'boot/*' >&2
`;
