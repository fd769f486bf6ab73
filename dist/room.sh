# shellcheck shell=bash
# A bare Debian 12 in a folder, $room, for the tests of the package; sourced by deb-test.sh and boot-test.sh.
# It gets this machine's apt set-up. BASE=FILE keeps the bare system in a tar file.
name=$(basename "$0" .sh)
base=${BASE:-}
room=$(mktemp -d)

fail() { echo "$name: $*" >&2; exit 1; }
step() { echo "$name: $*"; }
inside() {
    chroot "$room" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
apt() { inside apt-get -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends "$@" >"$room/apt.log" 2>&1 || { cat "$room/apt.log"; fail "apt-get $*"; }; }

room_open() {
    if [ -n "$base" ] && [ -f "$base" ]; then
        tar -C "$room" -xf "$base"
    else
        mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
            awk '/^URIs:/ { print $2; exit } /^deb / { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; exit } }')
        debootstrap --variant=minbase --include=ca-certificates bookworm "$room" "$mirror" >"$room.log" 2>&1 ||
            { tail -n 3 "$room.log" && fail "debootstrap failed"; }
        rm -f "$room.log"
        [ -z "$base" ] || tar -C "$room" --one-file-system -cf "$base" .
    fi
    chmod 755 "$room"
    for f in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/resolv.conf /etc/hosts \
        /usr/local/share/ca-certificates; do
        rm -rf "${room:?}$f"
        [ ! -e "$f" ] || { mkdir -p "$room$(dirname "$f")" && cp -rL "$f" "$room$f"; }
    done
    mount -t proc proc "$room/proc"
    mount --rbind /dev "$room/dev" && mount --make-rslave "$room/dev"
    inside update-ca-certificates >/dev/null 2>&1
    apt update
}
room_unmount() {
    for m in dev/shm dev/pts dev sys proc; do
        ! mountpoint -q "$room/$m" || umount -l "$room/$m"
    done
}
room_close() {
    room_unmount
    rm -rf --one-file-system "$room"
}

# The package as a next version, with another text of the configuration: newer_deb DEB OUT.
newer_deb() {
    dpkg-deb -R "$1" "$room/root/newer"
    sed -i 's/^Version: .*/&+1/' "$room/root/newer/DEBIAN/control"
    echo '-- the next version has another text' >>"$room/root/newer/etc/hookline/hookline.conf.lua"
    dpkg-deb --root-owner-group --build "$room/root/newer" "$2" >/dev/null
    rm -rf "$room/root/newer"
}
