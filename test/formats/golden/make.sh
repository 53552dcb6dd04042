#!/bin/sh
# Makes the golden files of this folder from a Debian 12 machine with bookworm, its sources, Contents and Translation in
# apt's lists (apt-get update with `deb-src`, and the Contents and Translation targets switched on). Needs dpkg-dev,
# apt-utils. Made with apt 2.6.1 and dpkg 1.21.22 on bookworm 12.15.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
lists=/var/lib/apt/lists
cat_list() { /usr/lib/apt/apt-helper cat-file "$(ls $lists/*_dists_bookworm_$1* | head -1)"; }
# Stanzas of a file whose first field is one of the names.
pick() { awk -v RS= -v ORS='\n\n' -v names=" $1 " -F '\n' '{ split($1, f, ": "); if (index(names, " " f[2] " ")) print }'; }

names="0ad apt bash coreutils default-jre dpkg e2fsprogs exim4-daemon-light g++ gstreamer1.0-plugins-base init libc6 \
libghc-aeson-dev librust-serde-dev linux-image-amd64 mawk openssl postgresql-15 python3 systemd tzdata vim"
cat_list main_binary-amd64_Packages | pick "$names" > "$here/Packages"
cat_list main_source_Sources | pick "acl bash hello libselinux mawk zlib" > "$here/Sources"
cat_list main_i18n_Translation-en | pick "apt bash hello mawk tzdata" > "$here/Translation-en"
cat_list main_Contents-amd64 | grep -E '^bin/b|/(mawk|hello)($| )|  *[^ ]*/hello$| .* .* ' | head -400 > "$here/Contents"
sed -e '1,/^$/d' -e '/^-----BEGIN PGP SIGNATURE/,$d' $lists/*_dists_bookworm-security_InRelease > "$here/Release-security"

# A source package of nothing, for what dpkg-source and dpkg-genchanges write.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tiny-1.0/debian/source" "$work/tiny-1.0/debian/tiny/DEBIAN"
cd "$work/tiny-1.0"
echo '3.0 (native)' > debian/source/format
printf 'tiny (1:1.0+x~1) unstable; urgency=low\n\n  * First.\n\n -- A Person <a@example.org>  Mon, 01 Jan 2024 00:00:00 +0000\n' > debian/changelog
printf 'Source: tiny\nSection: misc\nPriority: optional\nMaintainer: A Person <a@example.org>\nStandards-Version: 4.6.2\nBuild-Depends: debhelper-compat (= 13),\n foo:any (>= 1:2) [linux-any !hurd-i386] <!nocheck> | bar\n\nPackage: tiny\nArchitecture: all\nDescription: nothing\n Nothing at all.\n' > debian/control
printf '#!/usr/bin/make -f\n' > debian/rules
export SOURCE_DATE_EPOCH=1704067200
(cd .. && dpkg-source -b tiny-1.0 > /dev/null)
dpkg-gencontrol -ptiny -Pdebian/tiny
dpkg-deb --root-owner-group -b debian/tiny .. > /dev/null
dpkg-genbuildinfo > /dev/null 2>&1 || true
dpkg-genchanges > "$here/tiny.changes" 2> /dev/null
cp ../tiny_*.dsc "$here/tiny.dsc"
