/** The steps of a layer that are dnf's and rpm's: functions for layer-script.ts. dnf is the host's, the root may be empty. */
export const RPM_STEPS = String.raw`
# Folders that are mounted below, and where dnf has its logs: packages of the system own them later.
make_base() {
  for folder in proc sys run tmp dev var/log; do mkdir -p "$T/$folder"; done
  chmod 1777 "$T/tmp"
}

install_packages() {
  mkdir -p "$W/home" "$W/repos.d"
  cp "$W/sources.host" "$W/repos.d/kubedos.repo"
  # Where the family has its database, which is elsewhere on Debian; and no package touches what is mounted.
  printf '%%_dbpath /var/lib/rpm\n%%_db_backend sqlite\n%%_netsharedpath /proc:/sys:/dev\n' > "$W/home/.rpmmacros"
  # The database has the time of each installation. A clock that stands still is told to be the snapshot's.
  HOME="$W/home" FAKETIME_FMT=%s faketime -f "$SOURCE_DATE_EPOCH" \
    dnf --quiet --assumeyes --installroot="$T" --releasever="$SUITE" --forcearch=x86_64 \
    --setopt=reposdir="$W/repos.d" --setopt=install_weak_deps=False --setopt=plugins=False \
    --setopt=module_platform_id="platform:el$SUITE" --setopt=tsflags= \
    install $(words packages) < /dev/null >&2
}

make_initramfs() {
  if [ -e "$T/boot/vmlinuz-$1" ] && [ ! -e "$T/boot/initramfs-$1.img" ]; then
    inside dracut --quiet --no-hostonly --reproducible "/boot/initramfs-$1.img" "$1"
  fi
}

# What dnf did is in its history by wall clock; the packages and who signed them are in rpm's database, one file of which
# is left when its log is written into it.
tidy_packages() {
  rm -rf "$T"/var/cache/dnf "$T"/var/lib/dnf/history.sqlite* "$T/var/lib/rpm/.rpm.lock"
  python3 -c 'import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
base.close()' "$T/var/lib/rpm/rpmdb.sqlite"
}
`;
