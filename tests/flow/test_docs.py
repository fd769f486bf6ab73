"""The documents: every snippet of them is what the program does."""
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest
from support.docs import fenced, section
from support.host import BINARY, ROOT, run
from support.waiting import until

pytestmark = pytest.mark.release_only
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COOKBOOK = ROOT / "tests/data/cookbook"
WAIT_S = 30


def snippets(language):
    return [pytest.param(text, id=f"{path.name}:{line}") for path in DOCUMENTS
            for kind, text, line in fenced(path.read_text()) if kind == language]


@pytest.mark.parametrize("text", snippets("json"))
def test_json_parses(text):
    json.loads(text)


@pytest.mark.parametrize("text", [p for p in snippets("lua") if "return hook.workflow" in p.values[0]])
def test_a_whole_workflow_has_no_mistake(text, folder):
    rules = folder / "rules"
    rules.mkdir()
    for name in ("lib", "templates"):
        shutil.copytree(COOKBOOK / name, rules / name)
    (rules / "w.lua").write_text(text)
    done = run("check", cwd=folder)
    assert done.returncode == 0 and "warning" not in done.stdout, done.stdout


# --- the tutorial ---------------------------------------------------------------------------------


def is_like(got, wanted):
    """wanted: what a document shows. `...` alone on a line stands for any lines, inside one for any text."""
    def plain(text):
        return re.sub(r"[ \t]+", " ", text).strip()
    pattern = "".join("(?:.*\n)*?" if line.strip() == "..." else
                      ".*?".join(re.escape(plain(part)).replace(r"\ ", " ?") for part in line.split("...")) + " ?\n"
                      for line in plain(wanted).splitlines())
    got = "\n".join(plain(line) for line in got.strip().splitlines()) + "\n"
    return re.fullmatch(pattern, got) is not None


class Reader:
    """Follows a document in a folder: writes its files, runs its commands, compares what they print."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "bin/hookline").symlink_to(BINARY)
        self.place = folder / "crm"
        self.place.mkdir()
        self.env = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"}
        self.background = []
        self.shown_by_receiver = 0

    def sh(self, line):
        address = self.place / "data/address"
        line = line.replace("http://127.0.0.1:8080", address.read_text().split()[0]) if address.exists() else line
        done = subprocess.run(["sh", "-c", line], cwd=self.place, env=self.env, capture_output=True, text=True,
                              timeout=WAIT_S)
        return done.stdout + done.stderr

    def start(self, line, out):
        """A command that stays. Free ports in place of the document's."""
        line = line.replace("hookline serve", "exec hookline serve --listen 127.0.0.1:0")
        line = line.replace("python3", "exec /usr/bin/python3")
        with open(self.place / out, "wb") as log:
            self.background.append(subprocess.Popen(["sh", "-c", line], cwd=self.place, env=self.env, stdout=log, stderr=log))

    def wait(self, what, test):
        try:
            until(test, limit_s=WAIT_S)
        except AssertionError as late:
            raise AssertionError(what()) from late

    def compare(self, command, wanted):
        got = self.sh(command)

        def comes():
            nonlocal got
            got = self.sh(command)
            return is_like(got, wanted)

        def shown():
            return f"{command}\n--- wanted\n{wanted}\n--- got\n{got}"
        if not is_like(got, wanted) and re.match(r"hookline (deliveries|workflows|explain)\b", command):
            self.wait(shown, comes)  # it comes of itself
        assert is_like(got, wanted), shown()

    def receiver_shows(self, wanted):
        def new():
            return (self.place / "receiver.log").read_text()[self.shown_by_receiver:]
        self.wait(lambda: f"--- wanted\n{wanted}\n--- got\n{new()}", lambda: is_like(new(), wanted))
        self.shown_by_receiver += len(new())

    def stop(self):
        for process in reversed(self.background):
            process.send_signal(signal.SIGTERM)
            process.wait(WAIT_S)


@pytest.fixture
def reader(folder):
    made = Reader(folder)
    yield made
    made.stop()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def follow(reader, text):
    """Every snippet of the text, in its order."""
    text = text.replace("9009", str(free_port()))
    blocks = list(re.finditer(r"(?:^`([\w./]+)`:\n\n)?(^[^\n]*receiver[^\n]* shows[^\n]*:\n\n)?^```(\w+)\n(.*?)^```$",
                              text, re.M | re.S))
    assert len(blocks) == len(fenced(text))
    pending = None
    for block in itertools.chain(blocks, [None]):
        name, receiver, language, body = block.groups() if block else (None, None, "end", "")
        if language == "text":
            if receiver:
                reader.receiver_shows(body)
            else:
                assert pending, body
                reader.compare(pending, body)
                pending = None
            continue
        if pending:
            reader.sh(pending)
            pending = None
        if name:
            (reader.place / name).write_text(body)
        elif language == "sh":
            if body.startswith("make "):
                continue
            if body.startswith("python3"):
                reader.start(body.strip(), "receiver.log")
            elif body.startswith("hookline serve"):
                reader.start(body.strip(), "serve.log")
                reader.wait(lambda: "no start: " + (reader.place / "serve.log").read_text(),
                            (reader.place / "data/address").exists)
            else:
                pending = body.strip()
    assert (reader.place / "data/hookline.db").exists()


def test_the_tutorial(reader):
    follow(reader, (ROOT / "docs/tutorial.md").read_text())


# --- README.md ------------------------------------------------------------------------------------


def test_what_readme_says_to_type_in_an_empty_folder(reader):
    use = section((ROOT / "README.md").read_text(), "Use it")
    assert len(fenced(use)) >= 8
    follow(reader, use)


def test_readme_shows_the_file_that_it_names():
    name, text = re.search(r"^`(rules/\w+\.lua)`:[^\n]*\n\n```lua\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S).groups()
    assert text == (ROOT / name).read_text()


# --- architecture.md ------------------------------------------------------------------------------


def test_the_architecture_names_files_that_are_there_and_every_folder():
    text = (ROOT / "docs/architecture.md").read_text()
    roots = [ROOT, ROOT / "core", ROOT / "core/console", ROOT / "core/store", ROOT / "core/store/sqlite", ROOT / "lua/hookline",
             ROOT / "lua/hookline/liquid", ROOT / "tests"]
    foreign = {"ares.h", "llhttp.h", "lua.h", "sqlite3.h", "uv.h", "openssl/ssl.h"}
    named = {name for name in re.findall(r"`([\w/*.]+\.(?:c|h|lua|js)|[\w/]+/)`", text)} - foreign - {"sources/", "types/"}
    assert len(named) > 100
    assert [name for name in sorted(named) if not any(next(root.glob(name), None) for root in roots)] == []
    folders = {f"{path.name}/" for path in (ROOT / "core").iterdir() if path.is_dir()}
    assert folders <= {name.removeprefix("core/") for name in named}


# --- the cookbook ---------------------------------------------------------------------------------

def shown():
    """(path, text) of each file that the cookbook shows."""
    text = (ROOT / "docs/cookbook.md").read_text()
    return re.findall(r"^\[(\S+)\]\(\.\./\1\):\n\n```\w+\n(.*?)^```$", text, re.M | re.S)


def test_the_cookbook_shows_the_files_as_they_are():
    text = (ROOT / "docs/cookbook.md").read_text()
    assert len(shown()) == len(fenced(text)), "each snippet is a file's"
    for path, snippet in shown():
        assert snippet.rstrip("\n") == (ROOT / path).read_text().rstrip("\n"), path
    assert len(re.findall(r"^## ", text, re.M)) == int(re.search(r"(\d+) recipes", text)[1]) >= 20
    files = {str(p.relative_to(ROOT)) for p in COOKBOOK.rglob("*") if p.is_file() and not p.stem.endswith("_test")}
    assert files <= {path for path, _ in shown()}


def test_the_recipes_pass_their_tests():
    checked = run("check", "--rules", COOKBOOK, cwd=ROOT)
    assert checked.returncode == 0 and "warning" not in checked.stdout, checked.stdout
    tested = run("test", COOKBOOK, cwd=ROOT)
    assert tested.returncode == 0, tested.stdout
    for path in COOKBOOK.glob("*.lua"):
        assert path.stem.endswith("_test") or path.with_name(f"{path.stem}_test.lua").exists(), path.name


def test_other_systems_words_stand_beside_names_that_are_there(folder):
    """What coming-from.md calls ours: each hook function, and each condition, is one."""
    text = (ROOT / "docs/coming-from.md").read_text()
    names = sorted(set(re.findall(r"`hook\.(\w+)", text)) | set(re.findall(r" hook\.(\w+)", text)))
    operators = set(re.findall(r"`(\w+)\([a-z, ]*\)`", text))
    rules = folder / "rules"
    rules.mkdir()
    known = (ROOT / "lua/hookline/operators.lua").read_text()
    assert operators and all(re.search(rf"^  {name} = ", known, re.M) for name in operators), operators
    (rules / "w.lua").write_text('local hook = require "hookline"\nfor _, name in ipairs { "' + '", "'.join(names)
                                 + '" } do assert(hook[name] ~= nil, name) end\nreturn nil\n')
    said = run("check", cwd=folder).stdout
    assert "there is no hook" not in said and "assert" not in said, said
