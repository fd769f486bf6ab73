#!/bin/sh
# Brings what hookline needs from Debian 12: dist/packages.sh GROUP...
#   build   compiler and libraries        demo    what `make demo` wants besides
#   test    what `make test` wants        bench   what `make bench` wants
#   fuzz    what `make fuzz` wants        package what `make deb` wants
# What is there already is left alone, and costs one dpkg-query. As root apt is called directly, else
# through sudo. No recommended packages. Nothing here starts or enables a service: three packages from
# which one file each is wanted (node-llhttp, which would bring Node.js, nginx and prometheus, whose packages
# start a server) are only unpacked, under build/packages/.
set -eu
cd "$(dirname "$0")/.."
unpacked=build/packages

build="make gcc libc6-dev pkg-config liblua5.4-dev lua-cjson-dev libuv1-dev libcurl4-openssl-dev
       libsqlite3-dev libc-ares-dev libssl-dev libxml2-dev libmimalloc-dev"
demo="python3 tzdata"
test="tzdata mandoc dpkg-dev systemd python3-pytest python3-jsonschema python3-aiosmtpd openssl libcmocka-dev lua5.4 lua-check clang-format
      strace curl libxml2-utils iproute2 php-cli php-curl golang-go chromium chromium-driver python3-selenium"
bench="python3 wrk strace tzdata"
fuzz="python3 clang libclang-rt-14-dev"
package="dpkg-dev"

packages=""
files=""
for group in "$@"; do
    case $group in
    build)
        packages="$packages $build" files="$files node-llhttp:usr/share/llhttp/llhttp.c"
        # An npm from elsewhere does, and cannot be installed beside Debian's.
        command -v npm >/dev/null || packages="$packages npm"
        ;;
    demo) packages="$packages $demo" ;;
    test) packages="$packages $test"
        files="$files nginx:usr/sbin/nginx prometheus:usr/bin/promtool" ;;
    bench) packages="$packages $bench" files="$files nginx:usr/sbin/nginx" ;;
    fuzz) packages="$packages $fuzz" ;;
    package) packages="$packages $package" ;;
    *) echo "dist/packages.sh: no group '$group' (build, demo, test, bench, fuzz, package)" >&2 && exit 2 ;;
    esac
done
[ $# -gt 0 ] || { sed -n '2,5s/^# //p' "$0" && exit 2; }

# Names of the wanted packages that are not installed.
missing_packages() {
    # shellcheck disable=SC2086
    dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' $packages 2>/dev/null |
        awk -v wanted="$packages" '
            $1 == "ii" { have[$2] = 1 }
            END { n = split(wanted, w); for (i = 1; i <= n; i++) if (!have[w[i]]++) print w[i] }'
}

# PACKAGE:FILE of the wanted files that are neither on the system nor unpacked.
missing_files() {
    for f in $files; do
        [ -e "/${f#*:}" ] || [ -e "$unpacked/${f%%:*}/${f#*:}" ] || echo "$f"
    done
}

want_packages=$(command -v dpkg-query >/dev/null && missing_packages || echo "$packages")
want_files=$(missing_files)
[ -n "$want_packages$want_files" ] || exit 0

say() { echo "packages: $*" >&2; }
wanted_words="$(echo $want_packages)"
if ! command -v apt-get >/dev/null; then
    say "this is not a Debian system (no apt-get). Please install what these packages hold:"
    say "  $wanted_words $(for f in $want_files; do echo "${f%%:*}"; done)"
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root() { "$@"; }
elif command -v sudo >/dev/null; then
    as_root() { sudo "$@"; }
else
    as_root() {
        say "missing, and neither root nor sudo is at hand. Please run as root:"
        say "  apt-get update && apt-get install -y --no-install-recommends $wanted_words"
        exit 1
    }
fi

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"; }
lists_are_fresh() {
    [ -n "$(find /var/lib/apt/lists -maxdepth 0 -mmin -60)" ] &&
        ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1
}
# Runs a command that needs the lists of packages; brings them up to date first where they are old,
# and once more where the command fails (a list may name a version that is gone).
with_lists() {
    if lists_are_fresh && "$@"; then return 0; fi
    apt update && "$@"
}
install() { apt install -y --no-install-recommends $want_packages >/dev/null; }
unpack() {
    mkdir -p "$unpacked/$1.part"
    (cd "$unpacked/$1.part" && apt-get -qq download "$1" 2>&1 | grep -v unsandboxed >&2
        dpkg-deb -x ./*.deb . && rm ./*.deb)
    [ -e "$unpacked/$1.part/$2" ] || { say "the package $1 holds no /$2" && return 1; }
    mv "$unpacked/$1.part" "$unpacked/$1"
}

if [ -n "$want_packages" ]; then
    say "installing $wanted_words"
    with_lists install || { say "apt-get could not install them; see above" && exit 1; }
fi
for f in $want_files; do
    say "unpacking /${f#*:} of ${f%%:*} into $unpacked"
    rm -rf "$unpacked/${f%%:*}.part" "${unpacked:?}/${f%%:*}"
    with_lists unpack "${f%%:*}" "${f#*:}" || { say "could not get ${f%%:*}" && exit 1; }
done
