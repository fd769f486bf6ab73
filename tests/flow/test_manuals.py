"""The man pages that dist/man/make.sh makes: clean, and beside the commands, options and keys that there are."""
import re
import shutil
import subprocess

import pytest
from support.docs import configuration_keys
from support.host import BINARY, ROOT, run

pytestmark = pytest.mark.release_only


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("man")
    subprocess.run([ROOT / "dist/man/make.sh", BINARY, folder, "November 26, 2026"], check=True)
    return folder


def words_of(text):
    """In one line; a line may have been broken at a hyphen."""
    return " ".join(text.replace("`", "").split()).replace("- ", "-")


def shown(page, section=None):
    """A page as it is read, in words with one blank between; the lines of one section."""
    text = subprocess.run(["mandoc", "-Tutf8", "-O", "width=200", page], check=True, capture_output=True, text=True).stdout
    text = re.sub(r".\x08", "", text)
    return re.search(rf"^{section}\n(.*?)(?=^\S)", text, re.M | re.S)[1] if section else text


def test_mandoc_finds_nothing(pages):
    assert shutil.which("mandoc"), "dist/packages.sh test"
    said = subprocess.run(["mandoc", "-Tlint", *sorted(pages.iterdir())], capture_output=True, text=True).stdout
    # Where a page is not installed, nothing that refers to it finds it.
    assert [line for line in said.splitlines() if "referenced manual not found: Xr hookline" not in line] == []
    assert sorted(p.name for p in pages.iterdir()) == ["hookline.1", "hookline.conf.lua.5"]
    assert "@" not in re.sub(r"\w+@\w", "", (pages / "hookline.1").read_text() + (pages / "hookline.conf.lua.5").read_text())


def test_the_commands_and_options_are_those_of_the_binary(pages):
    overview = run("--help").stdout
    names = re.findall(r"^  (\w+) ", overview.split("Commands:")[1].split("Common options")[0], re.M)
    text = shown(pages / "hookline.1", "COMMANDS")
    parts = re.split(r"^   (\S+)\n", text, flags=re.M)
    assert parts[1::2] == names
    everywhere = re.findall(r"^  (--\w+)", overview, re.M)
    assert re.findall(r"^     (--[\w-]+)", shown(pages / "hookline.1", "OPTIONS"), re.M) == everywhere
    for name, part in zip(names, parts[2::2], strict=True):
        told = run("help", name).stdout
        wanted = re.findall(r"^  (--[\w-]+(?: \S+)?) {2,}(.*)|^  (--[\w-]+ \S+) (.*)", told, re.M)
        wanted = [(a or c, b or d) for a, b, c, d in wanted]
        own = [(left, said) for left, said in wanted if left.split()[0] not in everywhere or (name, left[:6]) == ("template", "--data")]
        words = words_of(part)
        assert re.findall(r"^     (--[\w-]+(?: \S+)?)(?:\n|  )", part, re.M) == [left for left, _ in own], name
        assert all(words_of(said) in words for _, said in own), name
        usage, *paragraphs = told.split("\nOptions:\n")[0].split("\n\n")
        for paragraph in paragraphs:
            assert words_of(paragraph) in words, (name, paragraph)
        assert words_of(usage.removeprefix("Usage: ")) in words


def test_the_keys_are_those_of_the_configuration(pages):
    keys = configuration_keys()
    page = shown(pages / "hookline.conf.lua.5", "KEYS")
    found = re.findall(r"^     ([a-z][\w.*]*)(?: \(([^)]+)\))?(?:\n|  )", page, re.M)
    assert found == [(key, ", ".join(filter(None, (variable, flag)))) for key, variable, flag, _ in keys if key]
    assert "Whole number, 1 to 1024; default 64." in " ".join(page.split())
    alone = [variable for key, variable, _, _ in keys if not key]
    environment = shown(pages / "hookline.1", "ENVIRONMENT")
    assert [env for env in alone if env not in environment] == [] and len(alone) > 3
