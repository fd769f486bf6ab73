#!/bin/bash
# The part of boot-test.sh that runs inside, as a unit of the systemd that the service is under. The first boot
# installs the package, the second one removes it.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive SYSTEMD_PAGER=
conf=/etc/hookline/hookline.conf.lua
data=/var/lib/hookline
drop_in=/run/systemd/system/hookline.service.d/test.conf
events=http://127.0.0.1:8080/v1/events
clients=8
trap '[ $? = 0 ] || { journalctl -u "hookline*" -n 30; systemctl status "hookline*"; }' EXIT

step() { echo "  $*"; }
fail() { echo "failed: $*" && exit 1; }
apt() { apt-get -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends "$@" >/run/apt.log 2>&1 || { cat /run/apt.log; fail "apt-get $*"; }; }
hookline() { runuser -u hookline -- sh -c 'cd /etc/hookline && exec hookline "$@"' sh "$@"; }
property() { systemctl show -P "$1" hookline.service; }
is() { [ "$(property "$1")" = "$2" ] || fail "$1 is '$(property "$1")', not '$2'"; }
log() { journalctl -o cat -u hookline "$@"; }
# A drop-in for the unit, its text on stdin, and a start with it.
restart_with() {
    mkdir -p "${drop_in%/*}"
    cat >"$drop_in"
    systemctl daemon-reload
    systemctl restart hookline || fail "it does not start with $(cat "$drop_in")"
    rm "$drop_in"
    systemctl daemon-reload
}
# until_true WHAT-IF-NOT COMMAND...
until_true() {
    local what=$1
    shift
    for _ in $(seq 600); do
        ! "$@" >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    fail "$what"
}
# post ID [CURL-OPTION...] URL: the status of the answer.
post() {
    local id=$1
    shift
    curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d "{\"id\":\"$id\",\"type\":\"deal.updated\",\"record\":{\"id\":\"$id\"}}" "$@"
}
accept() { [ "$(post "$@")" = 202 ] || fail "the event $1 is not accepted"; }
has_arrived() { grep -qs "\"$1\"" /run/received; }
has_logged() { log | grep -q "$1"; }
has_workflow() { hookline workflows 2>/dev/null | grep -q "^$1 "; }
is_another_than() { [ "$(property MainPID)" != "$1" ] && [ "$(property ActiveState)" = active ]; }

installed() {
    step "install: it is enabled, and active once it can be asked"
    apt install /root/one.deb
    is ActiveState active
    hookline status >/dev/null || fail "it was not ready when it was said to be started"
    is UnitFileState enabled
    is StatusText "Listening on http://127.0.0.1:8080"
    [ "$(stat -c %U "/proc/$(property MainPID)")" = hookline ] || fail "it is another user's"
    [ "$(stat -c '%U:%G %a' $data)" = "hookline:hookline 750" ] || fail "$(stat $data)"
    [ "$(stat -c '%U %a' $data/hookline.db)" = "hookline 600" ] || fail "$(stat $data/hookline.db)"
    token=$(cat $data/admin.token)
}

understood() {
    step "the units are understood, and little is exposed"
    systemd-analyze verify --man=no hookline.service hookline.socket >/run/verify 2>&1 || fail "$(cat /run/verify)"
    [ ! -s /run/verify ] || fail "$(cat /run/verify)"
    exposure=$(systemd-analyze security hookline | sed -n 's/.*Overall exposure level for hookline.service: \([0-9.]*\).*/\1/p')
    step "  exposure $exposure"
    [ "${exposure%.*}" -lt 2 ] || fail "it is too much"
}

example() {
    step "an example workflow, as docs/install.md has it"
    cp /usr/share/doc/hookline/rules/invoice_on_won_deal.lua /etc/hookline/rules/
    hookline check >/dev/null
    echo secret | hookline secrets set INVOICE_PASSWORD >/dev/null 2>&1
    systemctl reload hookline
    has_workflow invoice_on_won_deal || fail "there is no such workflow"
    rm /etc/hookline/rules/invoice_on_won_deal.lua
}

delivered() {
    step "events, a webhook that is not taken, and some that are; the journal"
    sed -i 's|^}|  network = { allow = { "127.0.0.1/32" } },\n}|' $conf
    cp told.lua /etc/hookline/rules/
    systemctl restart hookline
    accept refused $events
    until_true "the journal has no delivery that failed" has_logged '"delivery":"dlv_'
    perl receiver.pl >/run/received 2>&1 &
    accept posted $events
    echo '{"id":"sent","type":"deal.updated","record":{"id":"sent"}}' | hookline send - >/dev/null
    for id in posted sent refused; do
        until_true "no webhook of $id came" has_arrived $id
    done
    log -p warning | grep -q '"level":"warn"' || fail "a warning is not one in the journal"
    ! log -p warning | grep '"level":"info"' || fail "what is none is a warning in the journal"
}

reloaded() {
    step "reload: it waits, and says what was wrong"
    pid=$(property MainPID)
    sed 's/Told/Told otherwise/' told.lua >/etc/hookline/rules/otherwise.lua
    systemctl reload hookline
    has_workflow otherwise || fail "the reload is not over when systemctl comes back"
    echo 'return 1 +' >/etc/hookline/rules/otherwise.lua
    ! systemctl reload hookline 2>/dev/null || fail "a broken file does not fail the reload"
    has_workflow otherwise || fail "the last good text is not in force"
    rm /etc/hookline/rules/otherwise.lua
    systemctl reload hookline
    is MainPID "$pid"
    is ActiveState active
}

hung_and_killed() {
    step "what hangs is restarted"
    printf '[Service]\nWatchdogSec=2s\n' | restart_with
    pid=$(property MainPID)
    kill -STOP "$pid"
    until_true "the watchdog did nothing" is_another_than "$pid"
    has_logged 'Watchdog timeout' || fail "it was not the watchdog"
    [ -z "$(find $data -name 'core*')" ] || fail "it left a core"

    step "what is killed is restarted"
    systemctl restart hookline
    pid=$(property MainPID)
    kill -9 "$pid"
    until_true "it was not restarted" is_another_than "$pid"
    hookline events show posted >/dev/null || fail "an event is gone"
}

shut_off() {
    step "the sandbox"
    install -d -m 777 /etc/open /etc/hookline/open /usr/local/open /opt/open /srv/open /var/log/open /home/open
    echo readable >/home/open/file
    install -m 755 sandbox.sh /usr/local/bin/sandbox
    printf '[Service]\nExecStartPre=/usr/local/bin/sandbox\n' | restart_with
    rm -r /etc/hookline/open
}

copied() {
    step "a backup beside the running host"
    install -d -o hookline -m 700 /backup
    hookline backup /backup/one.db >/dev/null
    [ -s /backup/one.db ] || fail "there is no backup"
    hookline verify >/dev/null
}

stopped() {
    step "the stop"
    systemctl stop hookline
    is ActiveState inactive
    is Result success
    is ExecMainStatus 0
    [ -z "$(systemctl --failed --no-legend)" ] || fail "$(systemctl --failed)"
}

misconfigured() {
    step "a wrong configuration is told, and not tried again"
    cp -p $conf /run/conf
    echo 'return { listn = "127.0.0.1:8080" }' >$conf
    ! systemctl start hookline 2>/dev/null || fail "it started"
    is ActiveState failed
    is NRestarts 0
    has_logged 'listn: there is no such key; did you mean listen?' || fail "the journal does not tell"
    cp -p /run/conf $conf
    systemctl start hookline
}

# One client: an event after the other, each on a connection of its own, until /run/over is there.
client() {
    n=0
    while [ ! -e /run/over ]; do
        n=$((n + 1))
        echo "$(post "load-$1-$n" $events || true) load-$1-$n"
    done >"/run/client.$1"
}
posted() { cat /run/client.* 2>/dev/null | wc -l; }
have_posted() { [ "$(posted)" -ge "$1" ]; }
all_have_arrived() { [ "$(grep -o '"load-[^"]*"' /run/received | sort -u | wc -l)" = "$(posted)" ]; }

restarted_under_load() {
    step "the socket, and restarts under load that refuse nobody"
    systemctl -q enable hookline.socket
    systemctl stop hookline
    systemctl start hookline.socket hookline
    local jobs=""
    for n in $(seq $clients); do
        client "$n" &
        jobs="$jobs $!"
    done
    for _ in 1 2 3; do
        until_true "the clients do not go on" have_posted $(($(posted) + 10 * clients))
        systemctl restart hookline
    done
    until_true "the clients do not go on" have_posted $(($(posted) + 10 * clients))
    touch /run/over
    # shellcheck disable=SC2086
    wait $jobs
    step "  $(posted) requests, 3 restarts"
    ! cat /run/client.* | grep -v '^202 ' || fail "a request failed"
    until_true "a webhook did not come" all_have_arrived
}

up_again() {
    step "the next boot: it ended well before, and is up by itself"
    until_true "it is not up" hookline status
    is ActiveState active
    log -b -1 -n 5 | grep -q 'Deactivated successfully' || fail "$(log -b -1 -n 5)"
    hookline events show posted >/dev/null || fail "an event is gone"
    token=$(cat $data/admin.token)
}

other_sockets() {
    step "sockets of one's own: a port below 1024, a path for a group"
    mkdir -p /etc/systemd/system/hookline.socket.d
    printf '[Socket]\nListenStream=\nListenStream=0.0.0.0:443\nListenStream=/run/hookline/hookline.sock\nSocketMode=0660\nSocketGroup=www-data\n' \
        >/etc/systemd/system/hookline.socket.d/override.conf
    systemctl daemon-reload
    systemctl stop hookline.socket hookline
    systemctl start hookline.socket hookline
    is StatusText "Listening on http://0.0.0.0:443, unix:/run/hookline/hookline.sock"
    accept low http://127.0.0.1:443/v1/events
    hookline status >/dev/null
    systemctl restart hookline
    local ask="curl -sf -o /dev/null --unix-socket /run/hookline/hookline.sock http://hookline/healthz"
    # shellcheck disable=SC2086
    runuser -u www-data -- $ask || fail "the group may not connect"
    # shellcheck disable=SC2086
    ! runuser -u nobody -- $ask || fail "anybody may connect"
    rm -r /etc/systemd/system/hookline.socket.d
    systemctl daemon-reload
    systemctl stop hookline.socket hookline
}

misconfigured_socket() {
    step "a wrong configuration with the socket: some tries, then both have failed, and both are started again"
    cp -p $conf /run/conf
    echo 'return {' >$conf
    systemctl start hookline.socket
    ! curl -s -m 60 -o /dev/null http://127.0.0.1:8080/healthz || fail "somebody answers"
    until_true "it goes on and on" systemctl -q is-failed hookline.socket
    is ActiveState failed
    cp -p /run/conf $conf
    systemctl reset-failed
    systemctl start hookline.socket hookline
    accept mended $events
}

upgraded() {
    step "upgrade: the new one takes over, and what was stored is there"
    pid=$(property MainPID)
    apt install -o Dpkg::Options::=--force-confdef /root/two.deb
    is_another_than "$pid" || fail "the old one goes on"
    hookline events show posted >/dev/null || fail "an event is gone"
    accept upgraded $events
}

removed() {
    step "remove and purge"
    pid=$(property MainPID)
    apt remove hookline
    is ActiveState inactive
    [ ! -e "/proc/$pid" ] || fail "it runs"
    ! curl -s http://127.0.0.1:8080/healthz || fail "somebody listens"
    [ -e $data/hookline.db ] || fail "remove took the data"
    apt purge hookline
    left=$(find $data /run/hookline /etc/systemd/system -name '*hookline*' 2>/dev/null || true)
    [ -z "$left" ] || fail "purge left $left"
    [ -z "$(systemctl --failed --no-legend)" ] || fail "$(systemctl --failed)"
}

parts() {
    for part in "$@"; do
        systemctl reset-failed # the starts of the part before do not count
        $part
    done
}
if [ ! -e second ]; then
    touch second
    parts installed understood example delivered reloaded hung_and_killed shut_off copied stopped misconfigured \
        restarted_under_load
    step "the first boot: all well"
else
    parts up_again other_sockets misconfigured_socket upgraded removed
    step "the second boot: all well"
fi
