import { MOUNT_LAYERS } from './mount-layers.ts';

/**
 * Makes the uppermost layer, of files that are there already: they are linked, not copied, into their places.
 *
 * `$1`: the work folder; then the files of the layers, the lowest last. In the work folder:
 *
 *     site/NUMBER     a file or a folder
 *     places          its number and its path in the system: by a blank, one a line
 *     needs           a path that the system must have, and the package that brings it: by a blank, one a line
 *     step            written: what is under way, for messages
 *     site.squashfs   written: the layer, not compressed, since it lives no longer than the build
 */
export const SITE_SCRIPT = String.raw`
W=$1 T=$1/root
shift
say() { echo "$*" > "$W/step"; }
fail() { echo "$*" >&2; exit 1; }
say 'find the places of what travels along'
mkdir -p "$W/upper" "$W/overlay" "$T"
${MOUNT_LAYERS}
mount -t overlay kubedos -o "volatile,lowerdir=$LAYERS,upperdir=$W/upper,workdir=$W/overlay" "$T"
while read -r path package; do
  [ -e "$T$path" ] || fail "build: connected: the system has no $path: add $package to packages:"
done < "$W/needs"
# By the system itself: its folders keep owner and mode, and links that stand for folders are followed.
while read -r number at; do
  parent=$(dirname "$at")
  chroot "$T" mkdir -p "$parent"
  [ ! -d "$T$at" ] || [ -d "$W/site/$number" ] || fail "payload: $at is a folder of the system"
  echo "$number $(chroot "$T" realpath "$parent")/$(basename "$at")" >> "$W/real"
done < "$W/places"
umount "$T"
foreign=$(find "$W/upper" -mindepth 1 ! -user 0 -printf '/%P\n' | head -n 1)
[ -z "$foreign" ] || fail "payload: $foreign is a folder of a user: choose a place in one of root's"

say 'lay out what travels along'
find "$W/site" -type d -exec chmod 755 {} +
while read -r number at; do
  mkdir -p "$W/upper/$(dirname "$at")"
  cp --archive --link --no-target-directory "$W/site/$number" "$W/upper/$at"
done < "$W/real"
# Modification times of objects are of the store, and so is how often one is linked.
env -u SOURCE_DATE_EPOCH mksquashfs "$W/upper" "$W/site.squashfs" -noappend -quiet -no-progress -no-xattrs -all-root \
  -no-hardlinks -all-time "$SOURCE_DATE_EPOCH" -mkfs-time "$SOURCE_DATE_EPOCH" -noI -noD -noF >&2
rm -rf "$W/upper" "$W/site"
`;
