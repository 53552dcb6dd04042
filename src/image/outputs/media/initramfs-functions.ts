/** scripts/kubedos-functions of the initramfs: what installing and running from RAM have in common. */
export const INITRAMFS_FUNCTIONS = `
PATH=/usr/lib/kubedos:$PATH
medium=/run/kubedos/medium
# Nothing of a disk is assembled or activated.
mount_top() { :; }
mount_premount() { :; }
mount_bottom() { :; }

# On every console that the kernel was told of.
say() {
  for console in $(cat /sys/class/tty/console/active); do echo "kubedos: $*" > "/dev/$console"; done
}

stop() {
  say "stopped: $*"
  while :; do sleep 3600; done
}

# The last value of a word of the kernel's command line.
param() {
  value=
  for word in $(cat /proc/cmdline); do
    case $word in "$1="*) value=\${word#"$1="} ;; esac
  done
  echo "$value"
}

# Mounts the medium that this was booted from, whatever it is plugged into.
find_medium() {
  mkdir -p "$medium"
  wanted=$(param kubedos.medium)
  for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    for each in /sys/class/block/*; do
      each=\${each##*/}
      case $each in loop* | ram* | zram* | dm-* | fd*) continue ;; esac
      mount -t iso9660 -o ro "/dev/$each" "$medium" 2> /dev/null || continue
      if [ -e "$medium/kubedos/$wanted" ]; then
        medium_device=/dev/$each
        return
      fi
      umount "$medium"
    done
    sleep 3
  done
  stop "the medium is not found: plug it in again, and restart"
}
`;
