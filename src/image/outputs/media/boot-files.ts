import { MOUNT_LAYERS } from '../../mount-layers.ts';
import { ROOT_STEPS } from '../../root-steps.ts';

/**
 * Script: mounts the system at `$T` and makes what boots it without a disk.
 *
 * `$W`: the work folder, in which `initramfs/` is a folder of scripts and hooks for mkinitramfs(8); the arguments are the
 * files of the layers, the uppermost first. Writes vmlinuz and initrd there.
 */
export const BOOT_FILES = `
T=$W/root
${MOUNT_LAYERS}
${ROOT_STEPS}
find_kernel
mount_root
need usr/sbin/mkinitramfs initramfs-tools
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
TMPDIR=/tmp chroot "$T" mkinitramfs -d /tmp/conf -o /tmp/initrd "$kernel" < /dev/null >&2
cp "$T/tmp/initrd" "$W/initrd"
cp "$T/boot/vmlinuz-$kernel" "$W/vmlinuz"
`;

/** Script, after BOOT_FILES: writes root.squashfs, the whole system for an overlay to lie on. */
export const LIVE_ROOT = `
say 'write the root for RAM'
mkdir -p "$W/plain"
mount -t overlay kubedos -o "ro,lowerdir=$LAYERS" "$W/plain"
mksquashfs "$W/plain" "$W/root.squashfs" -noappend -quiet -no-progress -comp zstd -Xcompression-level 3 -wildcards -e 'boot/*' >&2
`;
