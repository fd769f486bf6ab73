"""What `make install`, `make uninstall` and `make deb` bring, and that it is the same bytes each time."""
import hashlib
import os
import re
import shutil
import subprocess

import pytest
from support.host import BINARY, ROOT

pytestmark = pytest.mark.release_only


def make(*words):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(["make", "--no-print-directory", *words], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def version():
    return re.search(r"^VERSION := (\S+)", (ROOT / "Makefile").read_text(), re.M)[1]


def documents():
    listed = {str(p.relative_to(ROOT)) for top in ("docs", "rules") for p in (ROOT / top).rglob("*") if p.is_file()}
    return {f"share/doc/hookline/{name}" for name in listed | {"README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md"}}


PROGRAM = {"bin/hookline", "share/man/man1/hookline.1", "share/man/man5/hookline.conf.lua.5",
           "share/bash-completion/completions/hookline", "share/zsh/site-functions/_hookline",
           "share/fish/vendor_completions.d/hookline.fish", "lib/systemd/system/hookline.service",
           "lib/systemd/system/hookline.socket", "lib/sysusers.d/hookline.conf",
           "share/hookline/grafana/hookline.json", "share/hookline/prometheus/alerts.yml"}


def test_install_and_uninstall(folder):
    where = [f"DESTDIR={folder}", "PREFIX=/opt/hl"]
    make("install", *where)
    at = folder / "opt/hl"
    assert files(at) == PROGRAM | documents()
    assert files(folder / "etc") == {"hookline/hookline.conf.lua"} and (folder / "etc/hookline/rules").is_dir()
    assert (at / "bin/hookline").read_bytes() == BINARY.read_bytes()
    shown = subprocess.run([at / "bin/hookline", "--version"], capture_output=True, text=True, check=True).stdout
    assert shown == f"hookline {version()}\n"
    unit = (at / "lib/systemd/system/hookline.service").read_text()
    assert "\nExecStart=/opt/hl/bin/hookline serve --config /etc/hookline/hookline.conf.lua\n" in unit
    checked = subprocess.run([at / "bin/hookline", "check"], cwd=folder / "etc/hookline", capture_output=True, text=True)
    assert checked.returncode == 0, checked

    configuration = folder / "etc/hookline/hookline.conf.lua"
    configuration.write_text("return {}\n")
    make("install", *where)
    assert configuration.read_text() == "return {}\n", "it is not replaced"
    make("uninstall", *where)
    assert files(folder) == {"etc/hookline/hookline.conf.lua"} and not (at / "share/doc/hookline").exists()
    configuration.unlink()
    make("install", *where)
    (folder / "etc/hookline/rules/mine.lua").touch()
    make("uninstall", *where)
    assert files(folder) == {"etc/hookline/rules/mine.lua"}


def test_where_it_was_built_is_not_in_it():
    assert str(ROOT).encode() not in BINARY.read_bytes()


def test_the_package(folder):
    if not shutil.which("dpkg-shlibdeps"):
        pytest.skip("there is no dpkg-shlibdeps here")
    sums = []
    for _ in range(2):
        path = ROOT / make("deb").split()[-1]
        sums.append(hashlib.sha256(path.read_bytes()).hexdigest())
    assert sums[0] == sums[1] and path.name.startswith(f"hookline_{version()}_")
    subprocess.run(["dpkg-deb", "-R", path, folder / "deb"], check=True)
    root = folder / "deb"
    control = (root / "DEBIAN/control").read_text()
    depends = re.search(r"^Depends: (.*)$", control, re.M)[1]
    assert f"\nVersion: {version()}\n" in control and "@" not in control.replace("<maintainers@", "")
    for wanted in ("libc6 (>=", "libcurl4", "libsqlite3-0", "liblua5.4-0", "ca-certificates", "tzdata", "adduser"):
        assert wanted in depends, wanted
    assert (root / "DEBIAN/conffiles").read_text() == "/etc/hookline/hookline.conf.lua\n"
    for name in ("usr/bin/hookline", "lib/systemd/system/hookline.service", "usr/share/man/man1/hookline.1.gz",
                 "usr/share/zsh/vendor-completions/_hookline", "usr/share/doc/hookline/copyright"):
        assert (root / name).exists(), name
    subprocess.run(["md5sum", "--quiet", "-c", "DEBIAN/md5sums"], cwd=root, check=True)
    for name in ("postinst", "prerm", "postrm"):
        subprocess.run(["sh", "-n", root / "DEBIAN" / name], check=True)
    said = subprocess.run([root / "usr/bin/hookline", "--version"], capture_output=True, text=True, check=True).stdout
    assert said == f"hookline {version()}\n", "it runs without its symbols"
