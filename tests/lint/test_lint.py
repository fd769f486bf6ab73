"""The linter finds what it is there to find: each case plants one fault in a small clean tree."""
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

CLEAN = {
    "core/base/err.h": "// Errors.\n#ifndef E\n#define E\n\n// Zero.\nint err_zero(void);\n\n#endif\n",
    "core/loop/loop.h": "// The loop.\n#ifndef L\n#define L\n#include \"base/err.h\"\n#include <uv.h>\n#endif\n",
    "core/store/store.c": "#include \"base/err.h\"\n#include \"loop/loop.h\"\n#include <sqlite3.h>\n",
    "core/store/sqlite/rows.h": "// Rows.\n#ifndef R\n#define R\n#endif\n",
    "core/base/err.c": "static const int zero = 0;\nint err_zero(void);\n"
                       "int err_zero(void)\n{\n    return zero;\n}\n",
    "lua/hookline/init.lua": "local x = 1\nreturn x\n",
    "README.md": "# a\n\n```lua\nlocal x = 1\n```\n",
}

FAULTS = [
    # check, file, text in place of the clean one (or a new file), what the report says
    ("layers", "core/base/up.c", '#include "loop/loop.h"\n', "base may not include loop"),
    ("layers", "core/encode/side.c", '#include "loop/loop.h"\n', "encode may not include loop"),
    ("layers", "core/engine/private.c", '#include "store/sqlite/rows.h"\n', "private to store"),
    ("layers", "core/base/uv.c", "#include <uv.h>\n", "uv.h belongs to loop, not to base"),
    ("layers", "core/engine/db.c", "#include <sqlite3.h>\n", "sqlite3.h belongs to store"),
    ("layers", "core/api/lua.c", "#include <lauxlib.h>\n", "lauxlib.h belongs to script"),
    ("layers", "core/deliver/c.c", "#include <curl/curl.h>\n", "curl/curl.h belongs to wire"),
    ("layers", "core/encode/tls.c", "#include <openssl/ssl.h>\n", "openssl/ssl.h belongs to wire"),
    ("layers", "core/api/mac.c", "#include <openssl/hmac.h>\n", "openssl/hmac.h belongs to encode and wire"),
    ("layers", "core/misc/a.c", "int a;\n", "core/misc/ is not one of the layers"),
    ("layers", "core/base/lost.c", '#include "base/nowhere.h"\n', "not a path under core/"),
    ("layers", "core/base/dots.c", '#include "../loop/loop.h"\n', "not a path under core/"),
    ("sizes", "core/base/long.c", "//\n" * 601, "601 lines, at most 600"),
    ("sizes", "lua/hookline/long.lua", "--\n" * 601, "601 lines, at most 600"),
    ("format", "core/base/ugly.c", "int  f( void ) {return 0;}\n", "ugly.c:1:"),
    ("lua", "lua/hookline/bad.lua", "y = 1\n", "(W111)"),
    ("lua", "rules/os.lua", "return os.time()\n", "os"),
    ("sizes", "core/console/js/long.js", "//\n" * 601, "601 lines, at most 600"),
    ("scripts", "core/console/js/bad.js", "\nconst a = ;\n", "core/console/js/bad.js:2: SyntaxError"),
    ("globals", "core/base/err.c", "int err_count = 1;\n", "err_count is a mutable global"),
    ("globals", "core/base/err.c", "int f(void);\nint f(void)\n{\n    static int n;\n    return ++n;\n}\n",
     "is a mutable global (.bss)"),
    ("comments", "core/base/bare.h", "int bare(void); // Bare.\n", "no comment that says what the header is for"),
    ("comments", "core/base/bare.h", "// Bare.\n#ifndef B\n#define B\n\n#include <stddef.h>\n\nint x_y(int a,\n        int b);\n",
     "x_y has no comment"),
    ("snippets", "README.md", "```lua\nlocal = 1\n```\n", "README.md:1:"),
    ("snippets", "docs/a/b.md", "text\n\n```lua\nreturn {\n```\n", "docs/a/b.md:3:"),
    ("links", "docs/c.md", "see [a](../README.md), [b](gone.md) and [c](https://example.com)\n",
     "docs/c.md:1: gone.md is not there"),
    ("markers", "core/base/later.c", "// TO" + "DO: later\n", "a marker of unfinished work"),
]


def plant(tmp_path, extra):
    for name, text in {**CLEAN, **extra}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in (".clang-format", ".luacheckrc"):
        shutil.copy(ROOT / name, tmp_path / name)
    objects = tmp_path / "build/core/base"
    objects.mkdir(parents=True)
    subprocess.run(["cc", "-c", "-o", objects / "err.o", tmp_path / "core/base/err.c"], check=True)


def lint(tmp_path, *checks):
    return subprocess.run([sys.executable, str(HERE / "lint.py"), "--root", str(tmp_path), "--build", "build",
                           *checks], capture_output=True, text=True)


def test_a_clean_tree_has_no_fault(tmp_path):
    plant(tmp_path, {})
    done = lint(tmp_path)
    assert (done.returncode, done.stdout) == (0, "lint: no faults\n")


@pytest.mark.parametrize("check,name,text,said", FAULTS, ids=[f"{f[0]}-{f[1]}" for f in FAULTS])
def test_a_planted_fault_is_found(tmp_path, check, name, text, said):
    if check == "scripts" and not shutil.which("node"):
        pytest.skip("there is no node")
    plant(tmp_path, {name: text})
    done = lint(tmp_path, check)
    assert done.returncode == 1
    assert said in done.stdout
    assert done.stdout.count("\n") == 2, "the planted fault and the sum, nothing else"
