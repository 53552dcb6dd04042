/** The steps of a layer that are apt's and dpkg's: functions for layer-script.ts. */
export const DEBIAN_STEPS = String.raw`
make_base() {
  mmdebstrap --quiet --mode=root --variant=minbase --format=directory --skip=output/dev \
    --aptopt='APT::Sandbox::User "root"' --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
    "$SUITE" "$T" "$W/sources.host" >&2
  rm -f "$T/etc/apt/apt.conf.d/99mmdebstrap" "$T/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
  rm -f "$T"/etc/apt/sources.list "$T"/etc/apt/sources.list.d/*
}

apt_get() {
  inside apt-get -q=1 -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=/run/kubedos/ \
    -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Acquire::Languages=none \
    -o Dpkg::Use-Pty=false -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Options::=--force-confnew "$@"
}

install_packages() {
  cp "$W/sources.inside" "$T/run/kubedos/packages.sources"
  printf '#!/bin/sh\nexit 101\n' > "$T/usr/sbin/policy-rc.d"
  chmod 755 "$T/usr/sbin/policy-rc.d"
  apt_get update
  # The initramfs is made once, at the end.
  INITRD=No apt_get --yes install $(words packages)
  rm "$T/usr/sbin/policy-rc.d"
}

make_initramfs() {
  if [ -e "$T/boot/vmlinuz-$1" ] && [ ! -e "$T/boot/initrd.img-$1" ]; then inside update-initramfs -c -k "$1"; fi
}

tidy_packages() {
  find "$T/var/cache/apt" "$T/var/lib/apt/lists" -type f -delete
  rm -f "$T"/var/cache/debconf/*-old "$T"/var/lib/dpkg/*-old "$T/var/lib/dbus/machine-id" "$T/vmlinuz.old" "$T/initrd.img.old"
}
`;
