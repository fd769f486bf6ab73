"""`hookline completion SHELL`, in the shells themselves, beside what the binary's help says."""
import re
import shutil
import subprocess

import pytest
from support.host import BINARY, run

pytestmark = pytest.mark.release_only


def commands():
    return re.findall(r"^  (\w+) ", run("--help").stdout.split("Commands:")[1].split("Common options")[0], re.M)


def options(command):
    return re.findall(r"^  (--[\w-]+)", run("help", command).stdout, re.M)


@pytest.fixture
def script(folder):
    def write(shell):
        path = folder / f"hookline.{shell}"
        done = run("completion", shell)
        assert done.returncode == 0 and done.stderr == ""
        path.write_text(done.stdout)
        return path
    return write


def shell(name, *args, cwd=None, said=""):
    """What a shell prints; it reads no file of its user's."""
    if not shutil.which(name):
        pytest.skip(f"there is no {name} here")
    done = subprocess.run([name, *args], capture_output=True, text=True, cwd=cwd, timeout=60, input=said,
                          env={"PATH": f"{BINARY.parent}:/usr/bin:/bin", "HOME": str(cwd), "LANG": "C.UTF-8"})
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout


def ask(name, text, path, lines):
    """Gives each line of words to a shell that reads them from stdin, and what each was answered."""
    said = "".join("\x1f".join(words) + "\n" for words in lines)
    answers = shell(name, *(["--norc"] if name == "bash" else ["-f"]), "-c", text, name, str(path), cwd=path.parent, said=said)
    return [answer.split("\n")[:-1] for answer in answers.split("\x1e")[:-1]]


BASH = """source "$1"
complete -p hookline | grep -q -- '-F _hookline ' || exit 1
while IFS= read -r line; do
    mapfile -t -d $'\\x1f' COMP_WORDS < <(printf %s "$line")
    [[ $line == *$'\\x1f' ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _hookline
    ((!${#COMPREPLY[@]})) || printf '%s\\n' "${COMPREPLY[@]}"
    printf '\\x1e'
done
"""


def bash(script, *lines):
    """What a TAB behind each line offers; bash takes --option=value for three words."""
    return ask("bash", BASH, script("bash"), [["hookline", *line] for line in lines])


def test_bash_completes_what_the_help_names(script):
    names = commands()
    first, some, helped, *rest = bash(script, [""], ["deli"], ["help", "deli"], *([name, "--"] for name in names))
    assert first == names + ["help", "--help", "--version"] and some == helped == ["deliveries"]
    for name, offered in zip(names, rest, strict=True):
        assert sorted(offered) == sorted(options(name)), name


VALUES = [
    (["deliveries", "--state", "re"], ["retrying"]), (["deliveries", "--state", "="], None),
    (["deliveries", "--state", "=", "term"], ["terminated"]), (["tokens", "add", "x", "--role", ""], ["ingest", "read", "admin"]),
    (["tokens", ""], ["list", "add", "revoke"]), (["secrets", "r"], ["remove"]), (["workflows", "f"], ["follow-file"]),
    (["completion", ""], ["bash", "zsh", "fish"]), (["send", "eve"], ["events of today.json"]),
    (["serve", "--rules", "ru"], ["rules"]), (["serve", "--config", "host"], ["host.conf.lua"]),
    (["try", "rules/"], ["rules/won.lua"]), (["send", "--url", ""], []), (["status", ""], [])]


def test_bash_completes_values_verbs_and_files(script, folder):
    (folder / "rules").mkdir()
    for name in ("events of today.json", "host.conf.lua", "rules/won.lua"):
        (folder / name).touch()
    states = re.search(r"--state STATE +(.*)", run("help", "deliveries").stdout)[1].split()
    for (words, wanted), offered in zip(VALUES, bash(script, *(words for words, _ in VALUES)), strict=True):
        assert offered == (states if wanted is None else wanted), words


def test_fish_completes_what_the_help_names(script, folder):
    path = script("fish")

    def fish(line):
        said = shell("fish", "--no-config", "-c", f"source {path}; complete -C '{line}'", cwd=folder)
        return [row.split("\t")[0] for row in said.splitlines()]
    assert set(commands()) | {"help"} == set(fish("hookline "))
    for command in ("deliveries", "template", "serve"):
        assert sorted(fish(f"hookline {command} --")) == sorted(options(command)), command
    assert fish("hookline tokens ") == ["add", "list", "revoke"]
    assert fish("hookline tokens add x --role ") == ["admin", "ingest", "read"]
    (folder / "events.json").touch()
    assert fish("hookline send eve") == ["events.json"] and fish("hookline status eve") == []


ZSH = """
_files() { }
_describe() { print -rl -- "${(@P)2}" }
_arguments() { print -rl -- "$@" }
words=(x '') CURRENT=2
. "$1" >/dev/null
while IFS= read -r line; do
    words=("${(@ps:\\x1f:)line}") CURRENT=$#words
    _hookline
    printf '\\x1e'
done
"""


def test_zsh_is_told_what_the_help_names(script, folder):
    """zsh's own functions stand aside here: what they are called with is what counts."""
    path, names = script("zsh"), commands()
    shell("zsh", "-f", "-n", str(path), cwd=folder)
    first, *rest = ask("zsh", ZSH, path, [["hookline", ""], *(["hookline", name, "--"] for name in names)])
    assert [line.split(":")[0] for line in first] == names + ["help"]
    for name, told in zip(names, rest, strict=True):
        told = "\n".join(told)
        assert re.findall(r"^\*?(--[\w-]+)", told, re.M) == options(name), name
        assert name != "tokens" or "1:verb:(list add revoke )" in told
        assert name != "send" or "*:file:_files" in told


def test_another_shell_is_refused():
    done = run("completion", "csh")
    assert done.returncode == 2 and done.stdout == "" and "bash, zsh or fish" in done.stderr
