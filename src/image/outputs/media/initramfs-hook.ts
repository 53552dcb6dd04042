/**
 * A hook of initramfs-tools(7): what boots from a medium or the network needs more than what boots from a disk. The tools
 * are those of the system itself; they lie beside those of klibc, which knows less.
 */
export const INITRAMFS_HOOK = `#!/bin/sh
[ "$1" = prereqs ] && exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules isofs squashfs overlay loop ext4 nls_utf8
for tool in dd cp readlink sha256sum tr zstd lsblk losetup blockdev resize2fs systemd-repart; do
  found=$(command -v "$tool") || { echo "the system has no $tool" >&2; exit 1; }
  copy_exec "$found" "/usr/lib/kubedos/$tool"
done
# Any image of Debian has apt, which fetches by HTTP and HTTPS, and checks what it fetched.
copy_exec /usr/lib/apt/apt-helper
for method in http https; do copy_exec "/usr/lib/apt/methods/$method"; done
for table in cputable tupletable; do copy_file table "/usr/share/dpkg/$table"; done
for folder in etc/apt/apt.conf.d var/lib/dpkg var/lib/apt/lists/partial var/cache/apt/archives/partial usr/lib/kubedos/repart.d; do
  mkdir -p "$DESTDIR/$folder"
done
: > "$DESTDIR/var/lib/dpkg/status"
echo 'root:x:0:0::/:/bin/sh' > "$DESTDIR/etc/passwd"
echo 'hosts: files dns' > "$DESTDIR/etc/nsswitch.conf"
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then copy_file certs /etc/ssl/certs/ca-certificates.crt; fi
# The one partition that grows with the disk.
printf '[Partition]\\nType=root\\n' > "$DESTDIR/usr/lib/kubedos/repart.d/root.conf"
`;
