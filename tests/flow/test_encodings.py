"""XML, XML (extended) and forms, as other programs read them."""
import json
import pathlib
import random
import re
import shutil
import subprocess
import urllib.parse
import xml.etree.ElementTree as ElementTree

import pytest

from support.host import run
from support.rules import deal, workflow
from support.values import SEED, Written, text, value

DOCUMENTS = pathlib.Path(__file__).resolve().parents[1] / "data/encodings"
XML = "application/xml; charset=utf-8"
FORM = "application/x-www-form-urlencoded"
MEGABYTE = 1 << 20


def legal(words):
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", words)


def name(key):
    return re.sub(r"[^A-Za-z0-9_.\-ë日本語]", "_", key)


def scalar(v):
    return {None: "", True: "true", False: "false"}[v] if v is None or isinstance(v, bool) else legal(v)


def kind(v):
    """The attributes that XML (extended) gives a value."""
    if v is None:
        return {"nil": "true"}
    if isinstance(v, bool):
        return {"type": "boolean"}
    if isinstance(v, Written):
        return {"type": "decimal" if re.search("[.eE]", v) else "integer"}
    return {"type": "array"} if isinstance(v, list) else {}


def wanted(v, is_extended):
    """What an element of the value holds: its attributes, and its children or its text."""
    if isinstance(v, list):
        content = [("item", wanted(x, is_extended)) for x in v]
    elif isinstance(v, dict):
        content = [(name(k), wanted(v[k], is_extended)) for k in sorted(v, key=lambda k: k.encode())]
    else:
        content = scalar(v)
    return (kind(v) if is_extended else {}), content or ""


def found(element):
    return dict(element.attrib), [(child.tag, found(child)) for child in element] or element.text or ""


def flat(v, path):
    """The pairs of a form."""
    if isinstance(v, list) and v:
        return [pair for i, x in enumerate(v) for pair in flat(x, f"{path}[{i}]")]
    if isinstance(v, dict) and v:
        return [pair for k in sorted(v, key=lambda k: k.encode())
                for pair in flat(v[k], f"{path}[{k}]" if path else k)]
    return [(path, "" if v is None or v in ([], {}) else {True: "true", False: "false"}.get(v, v))]


def test_random_records_read_back_as_they_were(serve, receiver):
    chance = random.Random(SEED)
    record_of = "function(event) return event.record end"
    host = serve({
        "plain.lua": workflow(receiver.url + "/xml", encoding='"xml"', content=record_of),
        "typed.lua": workflow(receiver.url + "/extended", encoding='"xml_extended"',
                              content='hook.fields { "id", "x" }'),
        "form.lua": workflow(receiver.url + "/form", encoding='"form"', content=record_of)})
    records, lines = {}, []
    for number in range(200):
        record = {"id": Written(number), "x": value(chance, 0), "y": value(chance, 0)}
        records[str(number)] = record
        lines.append('{"id":"e%d","type":"deal.created","time":"2026-11-23T09:15:00Z","record":%s}'
                     % (number, text(record, chance)))
    reply = host.call("POST", "/v1/events", "\n".join(lines).encode(), {"Content-Type": "application/x-ndjson"})
    assert reply.status == 202, (SEED, reply)
    for request in receiver.wait(600):
        if request.path == "/form":
            assert request.headers["content-type"] == FORM
            pairs = urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)
            assert pairs == flat(records[dict(pairs)["id"]], ""), f"SEED={SEED}"
            continue
        assert request.headers["content-type"] == XML
        root = ElementTree.fromstring(request.body)
        assert root.tag == "deal"
        if request.path == "/extended":
            number = root.findtext("id")
            event = {"id": "e" + number, "type": "deal.created", "time": "2026-11-23T09:15:00Z", "workflow": "typed"}
            want = {"id": records[number]["id"], "x": records[number]["x"]}
            assert found(root) == ({}, [("event", (event, ""))] + wanted(want, True)[1]), f"SEED={SEED}"
        else:
            assert found(root) == wanted(records[root.findtext("id")], False), f"SEED={SEED}"


@pytest.mark.parametrize("encoding", ["xml", "xml_extended", "form", "json"])
def test_a_value_of_a_megabyte(serve, receiver, encoding):
    host = serve({"w.lua": workflow(receiver.url, encoding=f'"{encoding}"', content='hook.fields { "note" }'),
                  "f.lua": workflow(receiver.url, encoding=f'"{encoding}"',
                                    content="function(event) return { note = event.record.note } end")})
    note = ("ä<&>\n x" * (MEGABYTE // 8))[:MEGABYTE]
    host.accept(deal(1, note=note))
    for request in receiver.wait(2):
        body = request.body.decode()
        if encoding == "form":
            assert urllib.parse.parse_qsl(body) == [("note", note)]
        elif encoding == "json":
            assert request.json() == {"note": note}
        else:
            assert ElementTree.fromstring(body).findtext("note") == note


def test_what_is_not_legal_is_invalid_and_never_sent(serve, receiver):
    host = serve({"bad.lua": workflow(receiver.url + "/bad", encoding='"xml"',
                                      content="function() return '<a>\\n<b></a>' end"),
                  "good.lua": workflow(receiver.url + "/good", encoding='"xml"',
                                       content="function() return '<a>\\n<b/></a>' end")})
    host.accept(deal(1))
    (request,) = receiver.wait(1)
    assert (request.path, request.body) == ("/good", b"<a>\n<b/></a>")
    (bad,) = host.deliveries("&workflow=bad")
    assert bad["state"] == "invalid"
    assert bad["reason"].startswith("the content is not legal XML: line 2, column ")


def test_check_refuses_a_text_that_is_not_legal(folder):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "w.lua").write_text(workflow("https://app.example.com/", encoding='"xml"', content='"<a>"'))
    done = run("check", "--rules", rules)
    assert done.returncode == 1
    assert "content: the text is not legal XML: line 1, column " in done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("xmllint"), reason="xmllint is not installed")
def test_xmllint_takes_the_documents():
    documents = sorted(DOCUMENTS.glob("*.xml"))
    assert len(documents) == 6
    subprocess.run(["xmllint", "--noout", "--nonet", *documents], check=True)


@pytest.mark.skipif(not shutil.which("xmllint"), reason="xmllint is not installed")
def test_xmllint_takes_what_try_shows(folder):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "w.lua").write_text(workflow("https://app.example.com/", encoding='"xml_extended"',
                                          content="function(event) return event.record end"))
    record = json.loads((DOCUMENTS / "hostile.json").read_text())
    (folder / "e.json").write_text(json.dumps({"type": "deal.created", "record": {"id": 1, **record}}))
    done = run("try", rules / "w.lua", "--event", folder / "e.json", "--data", folder / "data", "--json")
    request = json.loads(done.stdout)["requests"][0]
    assert request["dropped_characters"] == 8
    subprocess.run(["xmllint", "--noout", "--nonet", "-"], input=request["request_sent"]["body"].encode(), check=True)
    shown = run("try", rules / "w.lua", "--event", folder / "e.json", "--data", folder / "data").stdout
    assert "dropped: 8 of the values' characters" in shown
