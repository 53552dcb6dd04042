import { MOUNT_LAYERS } from './mount-layers.ts';

/**
 * Makes a layer: an overlay over those below, in which packages, files, users, units and hooks of one recipe take their
 * places. What it leaves in `upper` depends on nothing but that (docs/determinism.md).
 *
 * `$1`: the work folder; `$2`: suite of the first layer, or empty; then the files of the layers below, the lowest last.
 * In the work folder:
 *
 *     repos/NAME/         the mirrors
 *     sources.host        deb822, by copy: from repos/
 *     sources.inside      deb822, by file: from /run/kubedos/repos/
 *     packages            one a line
 *     files/              to be copied to /
 *     users               name, uid or -, groups by comma or -, shell: by blanks, one a line
 *     keys/NAME           authorized_keys of a user
 *     enable, mask        units, one a line
 *     hooks/NN-NAME       scripts for /bin/sh
 *     step                written: what is under way, for messages
 *     layer.squashfs      written: the layer
 *
 * Prints /proc/net/dev of its network at the end: nothing was sent or received.
 */
export const LAYER_SCRIPT = String.raw`
W=$1 SUITE=$2 T=$1/root
shift 2
say() { echo "$*" > "$W/step"; }
words() { tr '\n' ' ' < "$W/$1"; }

say 'prepare'
mkdir -p "$W/upper" "$W/overlay" "$T"
${MOUNT_LAYERS}
# volatile: dpkg asks for each file to be durable; what counts is the one file at the end.
mount -t overlay kubedos -o "volatile,lowerdir=$LAYERS,upperdir=$W/upper,workdir=$W/overlay" "$T"

if [ -n "$SUITE" ]; then
  say 'make the base system'
  mmdebstrap --quiet --mode=root --variant=minbase --format=directory --skip=output/dev \
    --aptopt='APT::Sandbox::User "root"' --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
    "$SUITE" "$T" "$W/sources.host" >&2
  rm -f "$T/etc/apt/apt.conf.d/99mmdebstrap" "$T/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
  rm -f "$T"/etc/apt/sources.list "$T"/etc/apt/sources.list.d/*
fi

mount -t proc proc "$T/proc"
mount -t sysfs -o ro sysfs "$T/sys"
mount -t tmpfs -o mode=755 tmpfs "$T/run"
mount -t tmpfs -o mode=1777 tmpfs "$T/tmp"
mount -t tmpfs -o mode=755 tmpfs "$T/dev"
for device in null zero full random urandom tty; do
  : > "$T/dev/$device"
  mount --bind "/dev/$device" "$T/dev/$device"
done
ln -s /proc/self/fd "$T/dev/fd"
mkdir -p "$T/dev/pts" "$T/dev/shm" "$T/run/lock" "$T/run/kubedos/repos"
mount --bind -o ro "$W/repos" "$T/run/kubedos/repos"
cp "$W/sources.inside" "$T/run/kubedos/packages.sources"

inside() { chroot "$T" "$@" < /dev/null >&2; }
# Whatever packages and hooks left running: it would go on writing, and hold the mounts. This shell is the first process.
stop_all() {
  while kill -s KILL -- -1 2> /dev/null; do sleep 0.05; done
}
if [ -s "$W/packages" ]; then
  say 'install packages'
  printf '#!/bin/sh\nexit 101\n' > "$T/usr/sbin/policy-rc.d"
  chmod 755 "$T/usr/sbin/policy-rc.d"
  apt_get() {
    inside apt-get -q=1 -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=/run/kubedos/ \
      -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Acquire::Languages=none \
      -o Dpkg::Use-Pty=false -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Options::=--force-confnew "$@"
  }
  apt_get update
  # The initramfs is made once, at the end.
  INITRD=No apt_get --yes install $(words packages)
  rm "$T/usr/sbin/policy-rc.d"
  stop_all
fi

say 'add users'
while read -r name uid groups shell; do
  set -- --create-home --shell "$shell"
  [ "$uid" = - ] || set -- "$@" --uid "$uid"
  [ "$groups" = - ] || set -- "$@" --groups "$groups"
  inside useradd "$@" "$name"
  if [ -s "$W/keys/$name" ]; then
    home=$(chroot "$T" getent passwd "$name" | cut -d: -f6)
    inside install -d -m 700 -o "$name" -g "$name" "$home/.ssh"
    cp "$W/keys/$name" "$T/run/kubedos/keys"
    inside install -m 600 -o "$name" -g "$name" /run/kubedos/keys "$home/.ssh/authorized_keys"
  fi
done < "$W/users"

say 'copy files'
find "$W/files" -type d -exec chmod 755 {} +
# Through links of the system that stand for folders, as /lib does.
tar -C "$W/files" --owner=0 --group=0 -cf - . | tar -C "$T" --no-same-owner --keep-directory-symlink --no-overwrite-dir -xpf -

say 'enable units'
for unit in $(words enable); do inside systemctl --quiet enable "$unit"; done
for unit in $(words mask); do inside systemctl --quiet mask "$unit"; done

for hook in "$W"/hooks/*; do
  [ -e "$hook" ] || continue
  say "hook $(basename "$hook" | cut -d- -f2-)"
  cp "$hook" "$T/run/kubedos/hook"
  inside /bin/sh -eu /run/kubedos/hook
  stop_all
done

say 'make the initramfs'
for modules in "$T"/lib/modules/*; do
  version=$(basename "$modules")
  if [ -e "$T/boot/vmlinuz-$version" ] && [ ! -e "$T/boot/initrd.img-$version" ]; then
    inside update-initramfs -c -k "$version"
  fi
done

say 'tidy up'
# Nothing of this run stays: logs, caches, what a machine makes for itself.
find "$T/var/log" -type f -delete
find "$T/var/cache/apt" "$T/var/lib/apt/lists" -type f -delete
rm -rf "$T"/var/cache/ldconfig/aux-cache "$T"/var/cache/fontconfig/* "$T"/var/cache/man/* "$T"/var/cache/debconf/*-old
rm -f "$T"/var/lib/dpkg/*-old "$T"/var/lib/systemd/random-seed "$T"/var/lib/dbus/machine-id "$T"/var/lib/systemd/catalog/database
rm -f "$T"/etc/passwd- "$T"/etc/shadow- "$T"/etc/group- "$T"/etc/gshadow- "$T"/etc/subuid- "$T"/etc/subgid-
rm -f "$T"/etc/ssh/ssh_host_* "$T"/etc/hostname "$T"/etc/resolv.conf "$T"/vmlinuz.old "$T"/initrd.img.old
: > "$T/etc/machine-id"
umount -R "$T/dev" "$T/run" "$T/tmp" "$T/sys" "$T/proc"
find "$T" -xdev -newermt "@$SOURCE_DATE_EPOCH" -print0 | xargs -0 -r touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
umount "$T"
mksquashfs "$W/upper" "$W/layer.squashfs" -noappend -quiet -no-progress -comp zstd -Xcompression-level 1 >&2
cat /proc/net/dev
`;
