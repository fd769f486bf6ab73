"""`hookline template`: the conformance suite of Liquid where it is at hand, and the command itself.

The suite is read where it lies: in the folder that HOOKLINE_SHARED names, or in `shared` beside the
checkout. Without it its cases are skipped.
"""
import json
import os
import pathlib
import subprocess

import pytest

from support.host import BINARY, ROOT

SUITE = "liquid/golden_liquid_half.json"
RENDER_S = 60


def find_suite():
    named = os.environ.get("HOOKLINE_SHARED")
    for folder in [pathlib.Path(named)] if named else [ROOT.parent / "shared"]:
        if (folder / SUITE).is_file():
            return json.loads((folder / SUITE).read_text(encoding="utf-8"))["tests"]
    return None


def render(folder, template, data=None, partials=None):
    """The exit status, stdout and stderr of one rendering."""
    if isinstance(template, str):
        template = template.encode()
    (folder / "template").write_bytes(template)
    command = [BINARY, "template", folder / "template"]
    if data is not None:
        (folder / "data.json").write_text(json.dumps(data))
        command += ["--data", folder / "data.json"]
    if partials is not None:
        for name, text in partials.items():
            (folder / "partials" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "partials" / name).write_bytes(text.encode())
        command += ["--partials", folder / "partials"]
    done = subprocess.run(command, capture_output=True, timeout=RENDER_S)
    return done.returncode, done.stdout, done.stderr.decode()


def fault_of(case, folder):
    """What is wrong with how a case of the suite is rendered; None: nothing."""
    status, out, messages = render(folder, case["template"], case.get("data", {}), case.get("templates"))
    if case.get("invalid"):
        if status != 1 or out or not messages:
            return f"is not valid, but: exit {status}, {out!r} {messages!r}"
        if ": error: " not in messages:
            return f"a message without a place: {messages!r}"
        return None
    wanted = case["results"] if "results" in case else [case["result"]]
    if status != 0 or out not in [one.encode() for one in wanted]:
        return f"exit {status}, {out!r}, wanted {wanted!r} {messages!r}"
    return None


def test_conformance_suite(folder):
    cases = find_suite()
    if cases is None:
        pytest.skip(f"{SUITE} is neither in $HOOKLINE_SHARED nor in {ROOT.parent / 'shared'}")
    faults = []
    for number, case in enumerate(cases):
        own = folder / str(number)
        own.mkdir()
        fault = fault_of(case, own)
        if fault:
            faults.append(f"{case['name']}: {case['template']!r}: {fault}")
    assert not faults, f"{len(faults)} of {len(cases)}:\n" + "\n".join(faults)
    assert len(cases) > 100


def test_bytes_are_left_alone(folder):
    text = b"\r\n\xc3\xa4 \x00 </a>&\"'\\ no newline at the end"
    assert render(folder, text) == (0, text, "")
    assert render(folder, b"") == (0, b"", "")
    assert render(folder, "{{ a }}", {"a": "</a>&\"'\u2028\n"}) == (0, "</a>&\"'\u2028\n".encode(), "")


def test_fault_has_line_and_column(folder):
    status, out, messages = render(folder, "one\ntwo {% if a %}\n{{ a | nosuch }}{% endif %}", {})
    assert (status, out) == (1, b"")
    assert messages.startswith(f"{folder / 'template'}:3:8: error: there is no filter 'nosuch'")


def test_fault_in_a_partial_names_it(folder):
    status, out, messages = render(folder, "{% render 'bad' %}", {}, {"bad": "\n {% endif %}"})
    assert (status, out) == (1, b"")
    assert messages.startswith("bad:2:5: error: ")


def test_partials_are_of_the_folder_alone(folder):
    (folder / "secret").write_text("secret")
    for name in ["../secret", "/etc/hostname", "a/../../secret", "", "nosuch"]:
        status, out, messages = render(folder, "{% include name %}", {"name": name}, {"a/b": "x"})
        assert (status, out) == (1, b""), name
        assert messages.startswith(f"{folder / 'template'}:1:12: error: "), name
    assert render(folder, "{% render 'a/b' %}", {}, {"a/b": "x"}) == (0, b"x", "")
    assert render(folder, "{% render 'a' %}", {})[0] == 1


def test_order_of_objects_is_kept(folder):
    (folder / "template").write_text("{% for p in o %}{{ p[0] }}={{ p[1] }};{% endfor %}{{ o }}")
    (folder / "data.json").write_text('{"o": {"z": 1, "a": null, "m": [1, "x"], "z": 2}}')
    done = subprocess.run([BINARY, "template", folder / "template", "--data", folder / "data.json"],
                          capture_output=True, timeout=RENDER_S)
    assert done.stdout == b'z=2;a=;m=1x;{"z"=>2, "a"=>nil, "m"=>[1, "x"]}'


@pytest.mark.parametrize("template", [
    "{% for i in (1..2000000000) %}x{% endfor %}",
    "{% for i in (1..9000) %}{% for j in (1..9000) %}{% endfor %}{% endfor %}",
    "{{ (1..2000000000) | join: ',' }}",
    "{% assign a = 'aaaaaaaaaa' %}{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}{{ a }}",
    "{% include 'me' %}",
    "{% tablerow i in (1..2000000000) %}{% endtablerow %}",
])
def test_what_does_not_end_is_stopped(folder, template):
    status, out, messages = render(folder, template, {}, {"me": "{% include 'me' %}"})
    assert (status, out) == (1, b"")
    assert "over its budget" in messages or "more than 100 deep" in messages


def test_wrong_data_and_files_are_told(folder):
    for text in ["[1]", "{", "1", '{"a": tru}', ""]:
        (folder / "template").write_text("x")
        (folder / "bad.json").write_text(text)
        done = subprocess.run([BINARY, "template", folder / "template", "--data", folder / "bad.json"],
                              capture_output=True, timeout=RENDER_S)
        assert (done.returncode, done.stdout) == (1, b""), text
        assert b"the data is not" in done.stderr, text
    done = subprocess.run([BINARY, "template", folder / "nosuch"], capture_output=True, timeout=RENDER_S)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"nosuch" in done.stderr
    assert subprocess.run([BINARY, "template"], capture_output=True, timeout=RENDER_S).returncode == 2
