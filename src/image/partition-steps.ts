/**
 * For DISK_SCRIPT, beside ROOT_STEPS: functions for partitions that a recipe names. `$W/partitions` has one a line, outer
 * places before those within: ext4 or swap, name, start on the disk (bytes), size (KiB), UUID of what is in it, GUID, place or
 * none, options of fstab(5).
 */
export const PARTITION_STEPS = `
# Before the root is mounted: their lines in fstab, and the folders that they need where the system has none.
place_partitions() {
  [ -s "$W/partitions" ] || return 0
  say 'find the places of partitions'
  mkdir "$W/plain"
  mount -t overlay kubedos -o "ro,lowerdir=$LAYERS" "$W/plain"
  while read -r use name _ _ _ guid place options; do
    if [ "$use" = swap ]; then
      echo "PARTUUID=$guid none swap sw 0 0" >> "$W/top/etc/fstab"
      continue
    fi
    echo "PARTUUID=$guid $place ext4 $options 0 2" >> "$W/top/etc/fstab"
    make_place "$place"
  done < "$W/partitions"
}

# As they are, down to the first that is missing.
make_place() {
  [ "$1" != / ] || return 0
  make_place "$(dirname "$1")"
  if [ -e "$W/plain$1" ] || [ -L "$W/plain$1" ]; then
    [ -d "$W/plain$1" ] && [ ! -L "$W/plain$1" ] || fail "disk: partitions: $place: $1 is no folder of the system"
    [ -d "$W/top$1" ] || mkdir "$W/top$1"
    chown --reference="$W/plain$1" "$W/top$1"
    chmod --reference="$W/plain$1" "$W/top$1"
  else
    mkdir -p "$W/top$1"
  fi
}

# Each has what the system has in its place; from there on that is hidden in what lies outside of it.
write_partitions() {
  while read -r use name _ _ _ _ place _; do
    [ "$use" = ext4 ] || continue
    mkdir "$W/own-$name"
    mount --bind "$T$place" "$W/own-$name"
  done < "$W/partitions"
  while read -r use name _ _ _ _ place _; do
    [ "$use" = ext4 ] || continue
    hide "$name" "$place"
  done < "$W/partitions"
  while read -r use name start kib fsid _ place _; do
    if [ "$use" = ext4 ]; then
      write_ext4 "$DISK" "$start" "$kib" "$fsid" "$name" "$W/own-$name"
    else
      truncate -s "$kib"k "$W/$name.swap"
      mkswap -q -U "$fsid" -L "$name" "$W/$name.swap" >&2
    fi
  done < "$W/partitions"
}

# Partition, its place: an empty folder that looks like it, of one time for all three of ext4.
hide() {
  mkdir -p "$W/empty/$1"
  chown --reference="$W/own-$1" "$W/empty/$1"
  chmod --reference="$W/own-$1" "$W/empty/$1"
  touch --date="@$SOURCE_DATE_EPOCH" "$W/empty/$1"
  mksquashfs "$W/empty/$1" "$W/empty/$1.squashfs" -noappend -quiet -no-progress >&2
  while read -r outer_use outer _ _ _ _ outer_place _; do
    case $outer_use:$2 in
      ext4:"$outer_place"/*)
        within=$(realpath --canonicalize-missing --relative-to="$outer_place" "$2")
        mount -t squashfs -o loop,ro "$W/empty/$1.squashfs" "$W/own-$outer/$within" ;;
    esac
  done < "$W/partitions"
  # Within another place it is hidden already.
  [ ! -d "$T$2" ] || mount -t squashfs -o loop,ro "$W/empty/$1.squashfs" "$T$2"
}
`;
