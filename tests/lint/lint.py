#!/usr/bin/python3
"""The house rules that a machine can check. `lint.py [--root DIR] [--build DIR] [CHECK...]`.

Each check is a function that takes the root of a checkout (and the folder of built objects) and
gives the faults it found, one line each, as FILE:LINE: what is wrong. Exit 1 if there is any.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

# The layers of core/: a file includes its own folder and folders of a lower layer only.
LAYERS = {"base": 0, "loop": 1, "encode": 1, "store": 2, "script": 2, "wire": 2,
          "engine": 3, "deliver": 4, "api": 5, "app": 6, "cli": 7, "main": 8}

# Headers of other projects, and the only folders that may include them. The first match counts.
FOREIGN = [
    (r"uv\.h|uv/.*", {"loop"}),
    (r"sqlite3\.h", {"store"}),
    (r"lua\.h|lauxlib\.h|lualib\.h|luaconf\.h|lua5\.4/.*", {"script"}),
    (r"curl/.*|llhttp\.h|ares.*\.h|openssl/ssl\.h", {"wire"}),
    (r"openssl/.*", {"encode", "wire"}),
    (r"libxml/.*|libxml2/.*", {"encode"}),
]

MOST_LINES = 600

# Symbols that may be written to at run time, with the reason. There are none.
MUTABLE_ALLOWED = {}


def c_files(root, *tops):
    for top in tops:
        yield from sorted(p for p in (root / top).rglob("*") if p.suffix in (".c", ".h"))


def console_files(root):
    return sorted(p for p in (root / "core/console").rglob("*") if p.suffix in (".js", ".css", ".html"))


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def folder_of(root, path):
    """The layer's name of a file under core/: its first folder, or app / main for the top files."""
    parts = path.relative_to(root / "core").parts
    if len(parts) > 1:
        return parts[0]
    return "main" if parts[0] == "main.c" else "app"


def check_layers(root, build):
    for path in c_files(root, "core"):
        own = folder_of(root, path)
        where = path.relative_to(root)
        if own not in LAYERS:
            yield f"{where}:1: core/{own}/ is not one of the layers"
            continue
        for number, line in enumerate(lines(path), 1):
            found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not found:
                continue
            quoted, name = found[1] == '"', found[2]
            foreign = next((allowed for pattern, allowed in FOREIGN if re.fullmatch(pattern, name)), None)
            if foreign is not None:
                if own not in foreign:
                    yield f"{where}:{number}: {name} belongs to {' and '.join(sorted(foreign))}, not to {own}"
                continue
            if not quoted:
                continue
            if ".." in name or not (root / "core" / name).exists():
                yield f'{where}:{number}: "{name}" is not a path under core/'
                continue
            other = folder_of(root, root / "core" / name)
            if other == own:
                continue
            if LAYERS.get(other, 99) >= LAYERS[own]:
                yield f"{where}:{number}: {own} may not include {other} ({name})"
            elif len(pathlib.PurePath(name).parts) > 2:
                yield f"{where}:{number}: {name} is private to {other}"


def check_sizes(root, build):
    for path in [*c_files(root, "core"), *sorted((root / "lua").rglob("*.lua")), *console_files(root)]:
        count = len(lines(path))
        if count > MOST_LINES:
            yield f"{path.relative_to(root)}:{count}: {count} lines, at most {MOST_LINES}"


def run_tool(root, command, files):
    """The output lines of a tool where it fails; a fault where it is not there."""
    if not files:
        return []
    try:
        done = subprocess.run([*command, *[str(f.relative_to(root)) for f in files]], cwd=root,
                              capture_output=True, text=True)
    except FileNotFoundError:
        return [f"{command[0]} is not installed: dist/packages.sh test"]
    return (done.stdout + done.stderr).splitlines() if done.returncode else []


def check_format(root, build):
    files = list(c_files(root, "core", "tests"))
    seen = set()
    for line in run_tool(root, ["clang-format", "--dry-run", "-Werror"], files):
        place = line.split(": error: ")[0]
        if place == line and "not installed" not in line or place.split(":")[0] in seen:
            continue
        seen.add(place.split(":")[0])
        yield line if place == line else f"{place}: not as clang-format writes it (make format)"


def check_lua(root, build):
    files = [p for top in ("lua", "rules", "tests") for p in sorted((root / top).rglob("*.lua"))]
    for line in run_tool(root, ["luacheck", "--no-color", "--codes", "-q"], files):
        if re.match(r"\s*\S+:\d+:", line) or "not installed" in line:
            yield line.strip()


def check_scripts(root, build):
    """The console's scripts parse, as the modules that they are, where there is a node to say so."""
    if not shutil.which("node"):
        return
    for path in (p for p in console_files(root) if p.suffix == ".js"):
        done = subprocess.run(["node", "--check", "--input-type=module", "-"], input=path.read_text(encoding="utf-8"),
                              text=True, capture_output=True)
        if done.returncode:
            found = re.search(r"\[stdin\]:(\d+)", done.stderr)
            fault = re.search(r"^\w*Error: .*", done.stderr, re.M)
            yield (f"{path.relative_to(root)}:{found[1] if found else 1}: "
                   f"{fault[0] if fault else done.stderr.strip()}")


def check_globals(root, build):
    for path in sorted((build / "core").rglob("*.o")):
        done = subprocess.run(["nm", "-f", "sysv", str(path)], capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            cells = [c.strip() for c in line.split("|")]
            if len(cells) < 7 or cells[3] == "SECTION":
                continue
            name, section = cells[0], cells[6]
            writable = re.match(r"\.(data|bss|tdata|tbss)\b|\*COM\*", section)
            if writable and not section.startswith(".data.rel.ro") and name not in MUTABLE_ALLOWED:
                source = path.relative_to(build).with_suffix(".c")
                yield f"{source}:1: {name} is a mutable global ({section})"


FUNCTION = re.compile(r"^(?!typedef|static|#|//|\s|\}|extern \"C\")[a-z_][\w\s\*]*?\**\b(\w+)\(")


def check_comments(root, build):
    """A public function's declaration has a comment: in its paragraph, at its end, or on the struct
    just before it."""
    for path in sorted((root / "core").rglob("*.h")):
        text = lines(path)
        if not text or not text[0].startswith("//"):
            yield f"{path.relative_to(root)}:1: no comment that says what the header is for"
        commented = was_commented = False
        for number, line in enumerate(text):
            if not line.strip():
                was_commented, commented = commented, False
            if "//" in line:
                commented = True
            found = FUNCTION.match(line)
            if not found or commented or was_commented:
                continue
            end = number
            while end + 1 < len(text) and ";" not in text[end]:
                end += 1
            if not any("//" in t for t in text[number:end + 1]):
                yield f"{path.relative_to(root)}:{number + 1}: {found[1]} has no comment"


def check_snippets(root, build):
    """Every Lua snippet in the documents parses."""
    for path in [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]:
        snippet, start = None, 0
        for number, line in enumerate(lines(path), 1):
            if snippet is None and re.match(r"\s*```lua\b", line):
                snippet, start = [], number
            elif snippet is not None and line.strip().startswith("```"):
                done = subprocess.run(["luac5.4", "-p", "-"], input="\n".join(snippet), text=True,
                                      capture_output=True)
                if done.returncode:
                    yield f"{path.relative_to(root)}:{start}: {done.stderr.strip()}"
                snippet = None
            elif snippet is not None:
                snippet.append(line)


def check_links(root, build):
    """What the documents link to in the repository is there."""
    for path in [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]:
        for number, line in enumerate(lines(path), 1):
            for target in re.findall(r"\]\(([^)#\s]+)", line):
                if not re.match(r"\w+:", target) and not (path.parent / target).exists():
                    yield f"{path.relative_to(root)}:{number}: {target} is not there"


def check_markers(root, build):
    for top in ("core", "lua", "rules", "tests", "docs", "dist"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".c", ".h", ".lua", ".py", ".sh", ".md", ".js", ".css"):
                continue
            for number, line in enumerate(lines(path), 1):
                if re.search(r"\b(" + "TO" + "DO|FIX" + "ME|HA" + r"CK)\b", line):
                    yield f"{path.relative_to(root)}:{number}: a marker of unfinished work"


CHECKS = {"layers": check_layers, "sizes": check_sizes, "format": check_format, "lua": check_lua, "scripts": check_scripts,
          "globals": check_globals, "comments": check_comments, "snippets": check_snippets,
          "links": check_links, "markers": check_markers}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=pathlib.Path, default="build/release")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=" ".join(CHECKS))
    args = parser.parse_args()
    root = args.root.resolve()
    build = root / args.build
    faults = 0
    for name in args.checks or CHECKS:
        for fault in CHECKS[name](root, build):
            print(fault)
            faults += 1
    print(f"lint: {faults or 'no'} fault{'' if faults == 1 else 's'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
