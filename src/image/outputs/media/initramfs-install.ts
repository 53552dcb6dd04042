/**
 * scripts/kubedos-install of the initramfs: writes the image of the medium to the one disk that the answer names, or
 * says why not and stops. docs/installer.md is made for people.
 *
 * The answer (/kubedos/answer on the medium) sets `answer_disk`, `answer_wipe`, `answer_end`, `image_bytes`,
 * `image_sha256`, `root_partition` (GUID), `payload_bytes` and `payload` (names of mirrors below /darksite).
 *
 * The first MiB, which makes a disk of it, is written last, when all else was read back: a disk whose installation was
 * interrupted does not boot.
 */
export const INITRAMFS_INSTALL = `
. /scripts/kubedos-functions
MIB=1048576

# Disks of the machine, as kernel names: no optical drives, no RAM, no parts of others.
all_disks() {
  for each in /sys/block/*; do
    name=\${each##*/}
    case $name in loop* | ram* | zram* | sr* | fd* | dm-* | md* | mmcblk*boot* | mmcblk*rpmb) continue ;; esac
    [ -e "$each/device" ] && [ "$(cat "$each/size")" -gt 0 ] || continue
    [ "$(cat "$each/hidden" 2> /dev/null)" = 1 ] || echo "/dev/$name" | tr '!' /
  done
}

column() { echo $(lsblk --nodeps --noheadings --bytes --output "$1" "$2" 2> /dev/null); }

show_disks() {
  say "the disks of this machine:"
  for disk in $(all_disks); do
    ids=
    for link in /dev/disk/by-id/*; do
      [ "$(readlink -f "$link")" = "$disk" ] && ids="$ids id=\${link##*/}"
    done
    note=
    [ "$disk" = "$medium_disk" ] && note=" (the medium itself)"
    say "  $disk $(($(column SIZE "$disk") / MIB)) MiB, $(column MODEL "$disk")," \\
      "serial=$(column SERIAL "$disk" | tr ' ' _) wwn=$(column WWN "$disk")$ids$note"
  done
}

refuse() {
  show_disks
  say "nothing was written"
  stop "$*"
}

bytes_of() {
  case $1 in
    *MiB) echo $((\${1%MiB} * MIB)) ;;
    *GiB) echo $((\${1%GiB} * MIB * 1024)) ;;
    *TiB) echo $((\${1%TiB} * MIB * 1024 * 1024)) ;;
  esac
}

# Does disk $1 answer to rule $2?
answers_to() {
  wanted=\${2#*=}
  case $2 in
    serial=*) [ "$(column SERIAL "$1" | tr ' ' _)" = "$wanted" ] ;;
    wwn=*) [ "$(column WWN "$1")" = "$wanted" ] ;;
    id=*) [ "$(readlink -f "/dev/disk/by-id/$wanted")" = "$1" ] ;;
    path=*) [ "$(readlink -f "/dev/disk/by-path/$wanted")" = "$1" ] ;;
    size=*..*)
      least=$(bytes_of "\${wanted%%..*}")
      most=$(bytes_of "\${wanted#*..}")
      size=$(column SIZE "$1")
      [ "$1" != "$medium_disk" ] && [ "$size" -ge "\${least:-0}" ] && [ "$size" -le "\${most:-$size}" ]
      ;;
    /dev/*) [ "$(readlink -f "$2")" = "$1" ] ;;
    *) refuse "disk $2: expected serial=, wwn=, id=, path=, size=LEAST..MOST or /dev/NAME" ;;
  esac
}

choose_disk() {
  rule=$1
  disk=
  [ -n "$rule" ] || refuse "no disk is named: add kubedos.disk= to the kernel's command line (e in the boot menu)"
  for each in $(all_disks); do
    answers_to "$each" "$rule" || continue
    [ -z "$disk" ] || refuse "disk $rule is ambiguous: $disk and $each both answer to it"
    disk=$each
  done
  [ -n "$disk" ] || refuse "disk $rule is not there"
  [ "$disk" != "$medium_disk" ] || refuse "disk $rule is the medium itself"
}

# Of a disk and its partitions, whether something holds or mounts them.
in_use() {
  for part in $(lsblk --noheadings --raw --paths --output NAME "$1"); do
    name=$(echo "\${part#/dev/}" | tr / '!')
    for holder in "/sys/class/block/$name/holders"/*; do [ -e "$holder" ] && return 0; done
    while read -r device rest; do [ "$device" = "$part" ] && return 0; done < /proc/mounts
    while read -r device rest; do [ "$device" = "$part" ] && return 0; done < /proc/swaps
  done
  return 1
}

check_disk() {
  size=$(column SIZE "$disk")
  # What ext4 needs beside the files.
  needed=$((image_bytes + payload_bytes + payload_bytes / 16))
  [ "$size" -ge "$needed" ] || refuse "disk $disk has $((size / MIB)) MiB, $((needed / MIB)) are needed"
  [ "$(column RO "$disk")" = 0 ] || refuse "disk $disk is write-protected"
  in_use "$disk" && refuse "disk $disk is in use"
  [ "$wipe" = yes ] && return
  if [ "$(lsblk --noheadings --raw --output NAME "$disk" | wc_lines)" -gt 1 ] || blkid -p "$disk" > /dev/null 2>&1; then
    refuse "disk $disk is not empty: kubedos.wipe=yes on the kernel's command line overwrites it"
  fi
}

wc_lines() {
  count=0
  while read -r line; do count=$((count + 1)); done
  echo "$count"
}

# Sectors that were read (3) or written (7) of the disk so far: Documentation/admin-guide/iostats.rst of Linux.
sectors() {
  set -- "$1" $(cat "/sys/class/block/$(echo "\${disk#/dev/}" | tr / '!')/stat")
  case $1 in read) echo "$4" ;; written) echo "$8" ;; esac
}

# Says every few seconds how far the work is, until it is killed. $1: what; $2: read or written.
watch_disk() {
  before=$(sectors "$2")
  while sleep 5; do say "$1: $((($(sectors "$2") - before) * 512 * 100 / image_bytes)) %"; done
}

fail() {
  say "disk $disk does not boot now"
  stop "$*"
}

write_image() {
  say "writing $((image_bytes / MIB)) MiB to $disk"
  dd if=/dev/zero of="$disk" bs=1M count=1 oflag=direct conv=fsync status=none || fail "disk $disk cannot be written"
  dd if=/dev/zero of="$disk" bs=1M count=1 seek=$((size / MIB - 1)) oflag=direct conv=fsync status=none ||
    fail "disk $disk cannot be written"
  watch_disk written written &
  watcher=$!
  { zstd -dcq "$medium/kubedos/disk.raw.zst" || : > /run/kubedos/damaged; } | {
    dd bs=1M count=1 iflag=fullblock of=/run/kubedos/head status=none
    dd bs=1M iflag=fullblock of="$disk" seek=1 oflag=direct conv=fsync status=none || : > /run/kubedos/unwritable
  }
  kill "$watcher"
  [ ! -e /run/kubedos/unwritable ] || fail "disk $disk cannot be written"
  [ ! -e /run/kubedos/damaged ] || fail "the image on the medium is damaged"
}

verify_image() {
  say "reading it back"
  watch_disk 'read back' read &
  watcher=$!
  sum=$({
    cat /run/kubedos/head
    dd if="$disk" bs=1M skip=1 count=$((image_bytes / MIB - 1)) iflag=direct status=none
  } | sha256sum)
  kill "$watcher"
  [ "\${sum%% *}" = "$image_sha256" ] ||
    fail "what was written is not the image: SHA-256 is \${sum%% *}, expected $image_sha256"
  dd if=/run/kubedos/head of="$disk" bs=1M oflag=direct conv=fsync,notrunc status=none || fail "disk $disk cannot be written"
  [ "$(dd if="$disk" bs=1M count=1 iflag=direct status=none | sha256sum)" = "$(sha256sum < /run/kubedos/head)" ] ||
    fail "the first MiB of $disk is not what was written"
  say "verified: SHA-256 $image_sha256"
}

# The second partition table at the end of this disk, the root up to it.
grow_root() {
  udevadm settle
  blockdev --rereadpt "$disk"
  udevadm settle
  systemd-repart --dry-run=no --definitions=/usr/lib/kubedos/repart.d "$disk" > /run/kubedos/repart 2>&1 ||
    stop "the partition table cannot be grown: $(cat /run/kubedos/repart)"
  udevadm settle
  root=
  for part in $(lsblk --noheadings --raw --paths --output NAME "$disk"); do
    [ "$(column PARTUUID "$part")" = "$root_partition" ] && root=$part
  done
  [ -n "$root" ] || stop "the root partition is not there"
  modprobe ext4
  resize2fs "$root" > /run/kubedos/resize 2>&1 || stop "the root cannot be grown: $(cat /run/kubedos/resize)"
  say "the root has $(($(column SIZE "$root") / MIB)) MiB"
}

copy_payload() {
  [ -n "$payload" ] || return 0
  mkdir -p /run/kubedos/root
  mount -t ext4 "$root" /run/kubedos/root || stop "the root cannot be mounted"
  mkdir -p /run/kubedos/root/srv/darksite
  for each in $payload; do
    say "copying $each"
    cp -r --no-preserve=mode "$medium/darksite/$each" /run/kubedos/root/srv/darksite/ || stop "$each cannot be copied"
  done
  umount /run/kubedos/root
  mount -t ext4 "$root" /run/kubedos/root || stop "the root cannot be mounted"
  for each in $payload; do
    (cd "/run/kubedos/root/srv/darksite/$each" && sha256sum --check --quiet "$medium/kubedos/$each.sha256") > /run/kubedos/sums 2>&1 ||
      stop "$each was not copied as it is: $(cat /run/kubedos/sums)"
    say "verified: /srv/darksite/$each"
  done
  umount /run/kubedos/root
}

mountroot() {
  wait_for_udev 30
  mkdir -p /run/kubedos
  find_medium
  medium_disk=/dev/$(column PKNAME "$medium_device")
  [ "$medium_disk" != /dev/ ] || medium_disk=$medium_device
  . "$medium/kubedos/answer"
  wanted_disk=$(param kubedos.disk)
  wipe=$(param kubedos.wipe)
  end=$(param kubedos.end)
  wipe=\${wipe:-$answer_wipe}
  end=\${end:-$answer_end}
  choose_disk "\${wanted_disk:-$answer_disk}"
  check_disk
  write_image
  verify_image
  grow_root
  copy_payload
  umount "$medium"
  sync
  say "installed on $disk: $end"
  sleep 1
  case $end in poweroff) poweroff -f ;; *) reboot -f ;; esac
}
`;
