/**
 * scripts/kubedos-live of the initramfs: a root in RAM, below an overlay that takes what is written.
 *
 * `kubedos.root=`: `medium`, a URL, or nothing, for a file /kubedos/root.squashfs that the boot loader added to the initramfs.
 * `kubedos.sha256=`: what it must be.
 */
export const INITRAMFS_LIVE = `
. /scripts/kubedos-functions

fetch_root() {
  configure_networking
  for name in "$IPV4DNS0" "$IPV4DNS1"; do
    case $name in '' | 0.0.0.0) ;; *) echo "nameserver $name" >> /etc/resolv.conf ;; esac
  done
  say "fetching $1"
  /usr/lib/apt/apt-helper -q -o APT::Sandbox::User=root -o Acquire::Retries=5 \\
    download-file "$1" "$2" "SHA256:$expected" || stop "$1 cannot be fetched, or is not what kubedos.sha256= says"
}

mountroot() {
  expected=$(param kubedos.sha256)
  from=$(param kubedos.root)
  or=
  root=/run/kubedos/root.squashfs
  [ -n "$expected" ] || stop "the kernel's command line has no kubedos.sha256="
  mkdir -p /run/kubedos
  mount -t tmpfs -o mode=755,size=90% kubedos /run/kubedos
  case $from in
    http://* | https://*) fetch_root "$from" "$root" ;;
    medium)
      find_medium
      say "reading the medium"
      cp "$medium/kubedos/root.squashfs" "$root" || stop "the medium cannot be read, or the memory is too small"
      umount "$medium"
      ;;
    '')
      [ -e /kubedos/root.squashfs ] || stop "there is no root: neither kubedos.root= nor /kubedos/root.squashfs"
      # It stays in memory as long as it is mounted, though run-init(8) removes its name.
      root=/kubedos/root.squashfs
      or=", or the memory is too small to unpack it"
      ;;
    *) stop "kubedos.root=$from is neither a URL nor medium" ;;
  esac
  sum=$(sha256sum "$root")
  [ "\${sum%% *}" = "$expected" ] || stop "the root is not what kubedos.sha256= says$or: it has \${sum%% *}"
  say "the root is what it should be, running from RAM"
  mkdir -p /run/kubedos/lower /run/kubedos/write/upper /run/kubedos/write/work
  modprobe loop
  modprobe overlay
  loop=$(losetup --find --show --read-only "$root") || stop "there is no loop device"
  mount -t squashfs -o ro "$loop" /run/kubedos/lower || stop "the root cannot be mounted"
  mount -t overlay -o "lowerdir=/run/kubedos/lower,upperdir=/run/kubedos/write/upper,workdir=/run/kubedos/write/work" \\
    kubedos "$rootmnt" || stop "the overlay cannot be mounted"
}
`;
