#!/bin/sh
# The package for Debian 12: dist/deb/build.sh HOOKLINE-VERSION MAINTAINER; see `make deb`.
# What `make install` installs, stripped, with what Debian wants beside it. SOURCE_DATE_EPOCH is the date of
# everything in it, so that the same sources make the same bytes.
set -eu
umask 022
export LC_ALL=C SOURCE_DATE_EPOCH
cd "$(dirname "$0")/../.."
version=$1
maintainer=$2
work=build/deb
root=$work/root
architecture=$(dpkg --print-architecture)
doc=$root/usr/share/doc/hookline

rm -rf "$work"
mkdir -p "$root/DEBIAN" "$work/debian"
env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory install DESTDIR="$PWD/$root" PREFIX=/usr SYSCONFDIR=/etc UNITDIR=/lib/systemd/system \
    ZSHDIR=vendor-completions
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$root/usr/bin/hookline"
gzip -9n "$root"/usr/share/man/man?/*
rm "$doc/LICENSE"
# Debian has the Apache license in one place for all.
awk '/^== / { text[++n] = "" } { text[n] = text[n] $0 "\n" }
     END { for (i = 1; i <= n; i++) if (text[i] ~ /Apache License/) sub(/\n.*/, "\nThe Apache License, Version 2.0.\n\n", text[i])
           for (i = 1; i <= n; i++) printf "%s", text[i] }' build/console/lib/LICENSES.txt |
    cat dist/deb/copyright - >"$doc/copyright"
{
    printf 'hookline (%s) unstable; urgency=medium\n\n  * CHANGELOG.md says what is new.\n\n' "$version"
    printf ' -- %s  %s\n' "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
} | gzip -9n >"$doc/changelog.gz"

# dpkg-shlibdeps wants a folder as a source package has it.
printf 'Source: hookline\n\nPackage: hookline\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O root/usr/bin/hookline | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ]

for f in postinst prerm postrm; do
    install -m 755 "dist/deb/$f" "$root/DEBIAN/$f"
done
(cd "$root" && find etc -type f | sed 's|^|/|' | sort) >"$root/DEBIAN/conffiles"
(cd "$root" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' | sed 's|^\./||' | sort | xargs -d '\n' md5sum) \
    >"$root/DEBIAN/md5sums"
# By the bytes of the files: what a file system takes for them differs.
size=$(find "$root" -type f ! -path '*/DEBIAN/*' -printf '%s\n' | awk '{ n += int(($1 + 1023) / 1024) } END { print n }')
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$size/" \
    -e "s/@DEPENDS@/$depends/" -e "s/@MAINTAINER@/$maintainer/" dist/deb/control.in >"$root/DEBIAN/control"
chmod 644 "$root"/DEBIAN/control "$root"/DEBIAN/conffiles "$root"/DEBIAN/md5sums
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
out=build/hookline_${version}_$architecture.deb
dpkg-deb --root-owner-group --build "$root" "$out" >/dev/null
echo "$out"
