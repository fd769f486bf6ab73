#!/bin/bash
# Installs, runs, upgrades, removes and purges the package in a Debian 12 of its own, in a folder.
#
#   make deb && sudo dist/deb-test.sh build/hookline_*.deb
#
# Wants root and debootstrap, and this machine's apt set-up to work: it is what the folder gets. It takes some
# minutes; BASE=FILE keeps the bare system in a tar file, so that the next time takes one. Nothing stays behind,
# and nothing on this machine is changed. The last line says whether all was well.
set -eu
[ $# = 1 ] && [ "$(id -u)" = 0 ] || { sed -n '2,8s/^# \?//p' "$0" && exit 2; }
deb=$(realpath "$1")
. "$(dirname "$0")/room.sh"
host=""

end() {
    [ -z "$host" ] || kill "$host" 2>/dev/null || true
    room_close
}
trap end EXIT
# As the user of the service, who stands where the configuration is.
hookline() { inside runuser -u hookline -- sh -c 'cd /etc/hookline && exec hookline "$@"' sh "$@"; }

start() {
    chroot "$room" env -i PATH=/usr/bin:/bin setpriv --reuid hookline --regid hookline --init-groups \
        hookline serve --config /etc/hookline/hookline.conf.lua >"$room/serve.log" 2>&1 &
    host=$!
    for _ in $(seq 100); do
        ! hookline status >/dev/null 2>&1 || return 0
        kill -0 "$host" 2>/dev/null || break
        sleep 0.2
    done
    cat "$room/serve.log"
    fail "the host did not start"
}
stop() {
    kill "$host"
    wait "$host" || { cat "$room/serve.log"; fail "the host did not end well"; }
    host=""
}
post() { echo "{\"id\":\"$1\",\"type\":\"deal.updated\",\"record\":{\"id\":1}}" | hookline send - >/dev/null; }
events() { hookline events --json | grep -o '"id":"test-[0-9]*"' | wc -l; }

step "a bare system"
room_open
cp "$deb" "$room/root/one.deb"

step "install"
apt install /root/one.deb
version=$(inside dpkg-query -W -f '${Version}' hookline)
[ "$(inside hookline --version)" = "hookline $version" ] || fail "it is another version"
inside getent passwd hookline >/dev/null || fail "there is no user hookline"
[ "$(inside stat -c '%U %a' /var/lib/hookline)" = "hookline 750" ] || fail "/var/lib/hookline is somebody else's"
! inside pgrep -x hookline >/dev/null 2>&1 || fail "it was started where no systemd runs"

step "run"
# A free port: the folder shares the machine's network.
sed -i 's|listen = .*|listen = "127.0.0.1:0",|' "$room/etc/hookline/hookline.conf.lua"
start
post test-1
[ "$(events)" = 1 ] || fail "the event is not there"
stop

step "upgrade"
newer_deb "$deb" "$room/root/two.deb"
apt install -o Dpkg::Options::=--force-confdef /root/two.deb
[ "$(inside dpkg-query -W -f '${Version}' hookline)" = "$version+1" ] || fail "it was not upgraded"
grep -q 127.0.0.1:0 "$room/etc/hookline/hookline.conf.lua" || fail "the changed configuration was replaced"
start
post test-2
[ "$(events)" = 2 ] || fail "an event is gone"
stop

step "remove"
echo '-- mine' >"$room/etc/hookline/rules/mine.lua"
apt remove hookline
[ ! -e "$room/usr/bin/hookline" ] || fail "the program is still there"
[ -e "$room/etc/hookline/hookline.conf.lua" ] && [ -e "$room/var/lib/hookline/hookline.db" ] ||
    fail "remove took the configuration or the data"

step "purge"
apt purge hookline
[ ! -e "$room/etc/hookline/hookline.conf.lua" ] && [ ! -e "$room/var/lib/hookline" ] || fail "purge left something"
[ -e "$room/etc/hookline/rules/mine.lua" ] || fail "purge took a rule that somebody wrote"
left=$(find "$room" -xdev \( -path "$room/proc" -o -path "$room/dev" -o -path "$room/root" -o -path "$room/var/cache" \
    -o -path "$room/var/log" \) -prune -o -name '*hookline*' ! -path "$room/etc/hookline*" -print)
[ -z "$left" ] || fail "left behind: $left"

if command -v lintian >/dev/null; then
    step "lintian"
    lintian --fail-on error "$deb" || fail "lintian found errors"
fi
step "installed, run, upgraded, removed, purged: all well"
