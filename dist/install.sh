#!/bin/sh
# `make install` and `make uninstall`: dist/install.sh install|uninstall
# BUILD is where the binary, man/ and completions/ were made; PREFIX, SYSCONFDIR and UNITDIR are where things
# go, under DESTDIR. A configuration that is there is never replaced, and one that was changed never removed.
set -eu
act=$1
cd "$(dirname "$0")/.."
share=$PREFIX/share
doc=$share/doc/hookline
configuration=$SYSCONFDIR/hookline/hookline.conf.lua

# put MODE SOURCE PLACE: into its place, or out of it.
put() {
    case $act in
    install) install -D -m "$1" "$2" "$DESTDIR$3" ;;
    uninstall) rm -f "$DESTDIR$3" ;;
    esac
}
# The unit runs the program where it was put.
unit() {
    sed -e "s|/usr/bin/hookline|$PREFIX/bin/hookline|" -e "s|/etc/hookline|$SYSCONFDIR/hookline|" \
        "dist/systemd/$1" >"$BUILD/$1"
    put 644 "$BUILD/$1" "$UNITDIR/$1"
}

put 755 "$BUILD/hookline" "$PREFIX/bin/hookline"
put 644 "$BUILD/man/hookline.1" "$share/man/man1/hookline.1"
put 644 "$BUILD/man/hookline.conf.lua.5" "$share/man/man5/hookline.conf.lua.5"
put 644 "$BUILD/completions/hookline.bash" "$share/bash-completion/completions/hookline"
put 644 "$BUILD/completions/hookline.zsh" "$share/zsh/$ZSHDIR/_hookline"
put 644 "$BUILD/completions/hookline.fish" "$share/fish/vendor_completions.d/hookline.fish"
for f in README.md LICENSE CHANGELOG.md SECURITY.md $(find docs rules -type f | LC_ALL=C sort); do
    put 644 "$f" "$doc/$f"
done
for f in $(find dist/grafana dist/prometheus -type f | LC_ALL=C sort); do
    put 644 "$f" "$share/hookline/${f#dist/}"
done
unit hookline.service
unit hookline.socket
put 644 dist/systemd/hookline.sysusers "$PREFIX/lib/sysusers.d/hookline.conf"

case $act in
install)
    install -d "$DESTDIR$SYSCONFDIR/hookline/rules"
    [ -e "$DESTDIR$configuration" ] || put 644 dist/hookline.conf.lua "$configuration"
    ;;
uninstall)
    ! cmp -s dist/hookline.conf.lua "$DESTDIR$configuration" || put 644 - "$configuration"
    for folder in "$DESTDIR$doc" "$DESTDIR$share/hookline"; do
        [ ! -d "$folder" ] || find "$folder" -depth -type d -exec rmdir --ignore-fail-on-non-empty {} +
    done
    for folder in hookline/rules hookline; do
        [ ! -d "$DESTDIR$SYSCONFDIR/$folder" ] || rmdir --ignore-fail-on-non-empty "$DESTDIR$SYSCONFDIR/$folder"
    done
    ;;
esac
