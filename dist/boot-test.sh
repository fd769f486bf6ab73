#!/bin/bash
# Boots a Debian 12 with the package in a virtual machine, and looks at the service under systemd.
#
#   make deb && sudo dist/boot-test.sh build/hookline_*.deb
#
# Wants root, debootstrap, e2fsprogs and qemu-system-x86, and this machine's apt set-up to work. It takes some minutes;
# BASE=FILE keeps the bare system in a tar file (the one of deb-test.sh does). The virtual machine has no network; it
# uses KVM where there is one, ACCEL=tcg if that is of no use. What is looked at stands in boot-test/inside.sh. Nothing
# stays behind, and nothing on this machine is changed. The last line says whether all was well.
set -eu
[ $# = 1 ] && [ "$(id -u)" = 0 ] || { sed -n '2,9s/^# \?//p' "$0" && exit 2; }
deb=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
. "$here/room.sh"
disk=$room.disk
console=$room.console
said=$room.said
machine=""

end() {
    [ -z "$machine" ] || kill "$machine" 2>/dev/null || true
    room_close
    rm -f "$disk" "$console" "$said"
}
trap end EXIT

# boot WORDS: until it powers off. What the unit in it says comes over the second serial port; WORDS are the last of it.
boot() {
    : >"$said"
    timeout 1800 qemu-system-x86_64 -machine accel="${ACCEL:-kvm:tcg}" -m 1G -smp 2 -nic none -display none -monitor none \
        -no-reboot -kernel "$room/vmlinuz" -initrd "$room/initrd.img" \
        -drive "file=$disk,format=raw,if=virtio,cache=unsafe" \
        -append "root=/dev/vda rw quiet panic=-1 console=ttyS0 systemd.show_status=no" \
        -serial "file:$console" -chardev "file,id=said,path=$said,append=on" -serial chardev:said </dev/null &
    machine=$!
    tail --pid="$machine" -n +1 -f "$said" | sed -u 's/\r$//'
    ended=0
    wait "$machine" || ended=$?
    machine=""
    [ "$ended" = 0 ] && tail -n 1 "$said" | grep -q "$1: all well" || { tail -n 20 "$console"; fail "$1 went wrong"; }
}

step "a bare system"
room_open

step "a kernel, systemd, and what the package depends on"
apt install systemd-sysv linux-image-cloud-amd64 curl
cp "$deb" "$room/root/one.deb"
newer_deb "$deb" "$room/root/two.deb"
# It is installed again where systemd runs, which has no network.
apt install /root/one.deb
apt purge hookline
cp -r "$here/boot-test" "$room/root/"
cp "$here/boot-test/boot-test.service" "$room/etc/systemd/system/"
inside systemctl -q enable boot-test
echo hookline-test >"$room/etc/hostname"
mkdir -p "$room/var/log/journal"
room_unmount
mke2fs -q -t ext4 -d "$room" "$disk" 3G >/dev/null

boot "the first boot"
boot "the second boot"
step "installed, served, hung, killed, misconfigured, restarted, booted again, upgraded, removed: all well"
