#!/bin/sh
# `make reproducible`: builds what is committed twice, in two folders of other names and lengths, with other
# clocks, umasks, zones and languages, and compares the packages and the programs byte by byte.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build FOLDER: a clone in it, and its package.
build() {
    git clone -q "$top" "$1"
    # What packages.sh unpacked and npm fetched are inputs, not results.
    mkdir -p "$1/build/console"
    [ ! -d build/packages ] || cp -r build/packages "$1/build/"
    (cd "$1" && find . -name .git -prune -o -type f -exec touch -d "$2" {} + && CCACHE_DISABLE=1 make deb >build/log 2>&1) ||
        { tail -n 20 "$1/build/log" && exit 1; }
}

(umask 022 && TZ=UTC LC_ALL=C build "$work/a" '2 days ago')
(umask 027 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 build "$work/another/place" '1 hour ago')
for f in build/release/hookline build/release/libhookline.a $(cd "$work/a" && echo build/*.deb); do
    if ! cmp "$work/a/$f" "$work/another/place/$f"; then
        echo "not reproducible: $f (diffoscope shows where)" >&2
        exit 1
    fi
    echo "the same twice: $(basename "$f") $(sha256sum <"$work/a/$f" | cut -c1-64)"
done
