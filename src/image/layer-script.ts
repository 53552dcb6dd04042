import type { Family } from '../spec/recipe-spec.ts';
import { DEBIAN_STEPS } from './debian-steps.ts';
import { MOUNT_LAYERS } from './mount-layers.ts';
import { RPM_STEPS } from './rpm-steps.ts';

/** The script for systems of this family. */
export const layerScript = (family: Family): string => `${STEPS[family]}\n${LAYER_SCRIPT}`;

const STEPS = { debian: DEBIAN_STEPS, el: RPM_STEPS };

/**
 * Makes a layer: an overlay over those below, in which packages, files, users, units and hooks of one recipe take their
 * places. What it leaves in `upper` depends on nothing but that (docs/determinism.md).
 *
 * `$1`: the work folder; `$2`: suite or release; then the files of the layers below, the lowest last.
 * In the work folder:
 *
 *     repos/NAME/         the mirrors
 *     sources.host        of apt or dnf, from repos/
 *     sources.inside      of apt, from /run/kubedos/repos/
 *     packages            one a line
 *     files/              to be copied to /
 *     users               name, uid or -, groups by comma or -, shell or -: by blanks, one a line
 *     keys/NAME           authorized_keys of a user
 *     enable, mask        units, one a line
 *     hooks/NN-NAME       scripts for /bin/sh
 *     step                written: what is under way, for messages
 *     layer.squashfs      written: the layer
 */
const LAYER_SCRIPT = String.raw`
W=$1 SUITE=$2 T=$1/root
shift 2
say() { echo "$*" > "$W/step"; }
words() { tr '\n' ' ' < "$W/$1"; }

say 'prepare'
mkdir -p "$W/upper" "$W/overlay" "$T"
${MOUNT_LAYERS}
# volatile: dpkg asks for each file to be durable; what counts is the one file at the end.
mount -t overlay kubedos -o "volatile,lowerdir=$LAYERS,upperdir=$W/upper,workdir=$W/overlay" "$T"

if [ $# = 0 ]; then
  say 'make the base system'
  make_base
fi

mount -t proc proc "$T/proc"
# An initramfs would resume from what this machine swaps to.
mount --bind /dev/null "$T/proc/swaps"
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

inside() { chroot "$T" "$@" < /dev/null >&2; }
# Whatever packages and hooks left running: it would go on writing, and hold the mounts. This shell is the first process.
stop_all() {
  while kill -s KILL -- -1 2> /dev/null; do sleep 0.05; done
}
if [ -s "$W/packages" ]; then
  say 'install packages'
  install_packages
  stop_all
fi

say 'add users'
while read -r name uid groups shell; do
  if chroot "$T" getent passwd "$name" > /dev/null; then
    # Of a recipe below, or of a package.
    [ "$uid" = - ] || inside usermod --uid "$uid" "$name"
    [ "$groups" = - ] || inside usermod --append --groups "$groups" "$name"
    [ "$shell" = - ] || inside usermod --shell "$shell" "$name"
  else
    set -- --create-home --shell /bin/bash
    [ "$uid" = - ] || set -- "$@" --uid "$uid"
    [ "$groups" = - ] || set -- "$@" --groups "$groups"
    [ "$shell" = - ] || set -- "$@" --shell "$shell"
    inside useradd "$@" "$name"
  fi
  if [ -s "$W/keys/$name" ]; then
    IFS=: read -r _ _ user group _ home _ <<ENTRY
$(chroot "$T" getent passwd "$name")
ENTRY
    inside install -d -m 700 -o "$user" -g "$group" "$home/.ssh"
    { chroot "$T" cat "$home/.ssh/authorized_keys" 2> /dev/null || :; cat "$W/keys/$name"; } > "$T/run/kubedos/keys"
    inside install -m 600 -o "$user" -g "$group" /run/kubedos/keys "$home/.ssh/authorized_keys"
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
  [ -d "$modules" ] && make_initramfs "$(basename "$modules")"
done

say 'tidy up'
# Nothing of this run stays: logs, caches, what a machine makes for itself.
find "$T/var/log" -type f -delete
rm -rf "$T"/var/cache/ldconfig/aux-cache "$T"/var/cache/fontconfig/* "$T"/var/cache/man/*
rm -f "$T"/var/lib/systemd/random-seed "$T"/var/lib/systemd/catalog/database
rm -f "$T"/etc/passwd- "$T"/etc/shadow- "$T"/etc/group- "$T"/etc/gshadow- "$T"/etc/subuid- "$T"/etc/subgid-
rm -f "$T"/etc/ssh/ssh_host_* "$T"/etc/hostname "$T"/etc/resolv.conf
tidy_packages
: > "$T/etc/machine-id"
umount -R "$T/dev" "$T/run" "$T/tmp" "$T/sys" "$T/proc"
find "$T" -xdev -newermt "@$SOURCE_DATE_EPOCH" -print0 | xargs -0 -r touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
umount "$T"
mksquashfs "$W/upper" "$W/layer.squashfs" -noappend -quiet -no-progress -comp zstd -Xcompression-level 1 >&2
`;
