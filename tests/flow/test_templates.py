"""Templates in webhooks: hostile values in every place, read back by other programs."""
import json
import urllib.parse
import xml.etree.ElementTree as ElementTree

import pytest

from support.host import run
from support.nginx import Nginx
from support.rules import deal, workflow
from support.waiting import until

VALUES = [
    "plain", "", "a \"quoted\" 'text'", "</a>", "<b>&amp;</b> & more", "two\nlines\r\nand\ttabs", "\u2028\u2029",
    "]]>", "]]", "]", ">", "--", "-", "a--", "--->", "100%", "%41", "a+b c", "a&b=c;d", "../x", "x/y", "?q=1#f", "{{ deal.id }}",
    "{% raw %}", "\\", "\\\"", "\\u0041", "Zürich 日本語 😀", "\x7f", "\ufffd", "$(id) `id`", "null", "12", "é" * 3000,
]
CONTROLS = ["\x01\x08\x0b\x1f", "a\x00b"]

JSON = """{ "value": {{ deal.name }}, "text": "<{{ deal.name }}>", "{{ deal.name }}.": [{{ deal.name | json }}],
  "nested": "{{ deal | json }}", "copied": {% capture c %}[{{ deal.name }}]{% endcapture %}{{ c }},
  "loop": [{% for v in deal.values %}{{ v }}{% unless forloop.last %}, {% endunless %}{% endfor %}] }"""
XML = """<a one="{{ deal.name }}" two='{{ deal.name }}'><!-- {{ deal.name }} --><t>{{ deal.name }}</t>
  <c><![CDATA[{{ deal.name }}]]></c><f g="{{ deal.name | xml_escape }}">{{ deal.name | xml_escape }}</f>{% for v in deal.values %}<v>{{ v }}</v>{% endfor %}</a>"""
FORM = "name={{ deal.name }}&\n  again={{ deal.name | url_encode }}&{{ deal.name }}=x\n"


def template(text):
    return f"hook.template [=[{text}]=]"


def legal(text):
    """Without the characters that XML may not have."""
    return "".join(c for c in text if c in "\t\n\r" or c >= " " and c not in "\ufffe\uffff")


def test_bodies_give_back_the_very_values(serve, receiver):
    host = serve({
        "j.lua": workflow(receiver.url + "/json", content=template(JSON)),
        "x.lua": workflow(receiver.url + "/xml", encoding='"xml"', content=template(XML)),
        "f.lua": workflow(receiver.url + "/form", encoding='"form"', content=template(FORM))})
    values = VALUES + CONTROLS
    events = [deal(i, name=value, values=values[:i]) for i, value in enumerate(values)]
    reply = host.ndjson(events)
    assert reply.status == 202, reply
    seen = {}
    for request in receiver.wait(3 * len(values), 60):
        body = request.body.decode()
        if request.path == "/json":
            document = json.loads(body)
            value = document["value"]
            index = len(document["loop"])
            assert document["text"] == f"<{value}>" and document[value + "."] == [value]
            assert json.loads(document["nested"])["name"] == value and document["copied"] == f"[{value}]"
            assert document["loop"] == values[:index]
        elif request.path == "/xml":
            root = ElementTree.fromstring(body)
            value, index = root.findtext("t"), len(root.findall("v"))
            assert root.get("one") == root.get("two") == root.findtext("c") == legal(values[index])
            assert root.findtext("f") == root.find("f").get("g") == legal(values[index])
            assert [v.text or "" for v in root.findall("v")] == [legal(v) for v in values[:index]]
        else:
            pairs = urllib.parse.parse_qsl(body, keep_blank_values=True, strict_parsing=True)
            value = pairs[0][1]
            index = values.index(value)
            assert pairs == [("name", value), ("again", value), (value, "x")]
        assert value == (legal(values[index]) if request.path == "/xml" else values[index])
        seen.setdefault(request.path, set()).add(index)
    assert all(len(indexes) == len(values) for indexes in seen.values()), seen
    assert host.deliveries("&state=invalid") == []


def test_nginx_reads_the_url_and_the_header_back(serve, folder):
    nginx = Nginx(folder / "nginx", log_format='{"uri":"$uri","args":"$args","header":"$http_x_name"}')
    try:
        values = [v for v in VALUES if v and v.strip() == v and "\n" not in v and v not in ("\x7f", "../x")]
        host = serve({"w.lua": workflow(nginx.url + "/d/{{ deal.name }}/end?q={{ deal.name }}&n={{ deal.amount }}",
                                        headers='"X-Name: {{ deal.name }}"')})
        assert host.ndjson([deal(i, name=value) for i, value in enumerate(values)]).status == 202
        until(lambda: len(nginx.access.read_text().splitlines()) == len(values), "the requests")
        seen = [json.loads(line) for line in nginx.access.read_text().splitlines()]
        assert sorted(s["uri"] for s in seen) == sorted(f"/d/{v}/end" for v in values)
        assert sorted(s["header"] for s in seen) == sorted(values)
        for one in seen:
            pairs = dict(urllib.parse.parse_qsl(one["args"], strict_parsing=True))
            assert one["uri"] == f"/d/{pairs['q']}/end" and pairs["n"] == "12500.5"
    finally:
        nginx.close()


@pytest.mark.parametrize("keys, reason", [
    ({"content": template('{ "a":\n {{ deal.note | raw }} }')}, "not legal JSON: line 2, column "),
    ({"encoding": '"xml"', "content": template("<a>{{ deal.note | raw }}</a>")}, "not legal XML: line 1, column "),
    ({"headers": '"X-A: {{ deal.lines }}"'}, "a header's value has a line break"),
    ({"url": '"http://{{ deal.note | raw }}/"'}, "the URL"),
    ({"url": '"http://ADDRESS/{{ deal.dots }}"'}, "has a part that is . or .."),
    ({"url": '"http://ADDRESS/{{ deal.dots }}/{{ deal.note }}"'}, "has a part that is . or .."),
    ({"url": '"http://ADDRESS/a{{ deal.up }}"'}, "has a part that is . or .."),
])
def test_what_is_not_legal_is_invalid_and_takes_no_mark(serve, receiver, keys, reason):
    keys = {"url": f'"{receiver.url}/"', **keys}
    url = keys.pop("url").strip('"').replace("ADDRESS", receiver.url[7:])
    text = workflow(url, wf_trigger='hook.once { "created", "updated" }', **keys)
    host = serve({"w.lua": text})
    bad = {"note": "<b>\"", "lines": "a\r\nX-Evil: 1", "dots": "..", "up": "/../x"}
    good = {"note": receiver.url[7:] if "note | raw }}/" in text else "1", "lines": "a", "dots": "x"}
    for number in range(2):
        host.accept(deal(1, "deal.created", event_id=f"bad{number}", **bad))
    rows = host.deliveries("&state=invalid")
    assert len(rows) == 2 and reason in rows[0]["reason"], rows
    assert host.delivery(rows[0]["id"])["attempts"] == []
    host.accept(deal(1, "deal.created", event_id="good", **good))
    assert len(host.deliveries()) == 3
    assert all(b"Evil" not in str(r.headers).encode() for r in receiver.requests)


def test_endless_output_stops_at_the_budget_and_others_run(serve, receiver):
    host = serve({
        "bad.lua": workflow(receiver.url + "/bad", content=template(
            "[{% for i in (1..1000000000) %}{{ i }},{% endfor %}0]")),
        "huge.lua": workflow(receiver.url + "/huge", content=template(
            "{% assign a = 'aaaaaaaaaaaaaaaa' %}" + "{% assign a = a | append: a %}" * 30 + "{{ a }}")),
        "good.lua": workflow(receiver.url + "/good")})
    event = host.accept(deal(1))[0]
    assert [r.path for r in receiver.wait(1)] == ["/good"]
    runs = {r["workflow"]: r for r in host.event(event["id"])["runs"]}
    assert runs["bad"]["outcome"] == runs["huge"]["outcome"] == "error"
    assert "over its budget" in runs["bad"]["reason"] and "over its budget" in runs["huge"]["reason"]


def test_files_and_partials_of_the_folder(serve, receiver, folder):
    host = serve({"w.lua": workflow(receiver.url, content='hook.template_file "invoice.json"')}, start=False)
    templates = host.rules_dir / "templates"
    templates.mkdir()
    (templates / "invoice.json").write_text(
        '{ "lines": [{% for l in deal.lines %}{% render "line.json", line: l %}{% unless forloop.last %},'
        '{% endunless %}{% endfor %}] }\n')
    (templates / "line.json").write_text('{ "sku": "{{ line.sku }}", "price": {{ line.price }} }')
    host.start()
    lines = [{"sku": 'a"1', "price": 10.5}, {"sku": "b", "price": None}]
    host.accept(deal(1, lines=lines))
    (request,) = receiver.wait(1)
    assert request.json() == {"lines": lines}
    (templates / "line.json").write_text('{\n "sku": {{ line.sku }}, "x": {{ line.price | nosuch }} }')
    checked = run("check", "--rules", host.rules_dir, "--allow-target", "127.0.0.1")
    assert checked.returncode == 1
    assert f"{host.rules_dir}/templates/line.json:2: error: actions[1].content: column 46: there is no filter 'nosuch'" \
        in checked.stdout, checked.stdout
    tried = run("try", host.rules_dir / "w.lua", "--data", folder / "none",
                "--allow-target", "127.0.0.1")
    assert tried.returncode == 1 and "templates/line.json:2" in tried.stderr + tried.stdout


def test_a_fault_of_an_inline_template_has_its_place_in_the_file(folder):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "w.lua").write_text('''local hook = require "hookline"
return hook.workflow { record = "deal", trigger = hook.every { "created" },
  actions = { hook.webhook {
    method = "POST", url = "https://x.example.com/{{ deal.id | nosuch }}", encoding = "json",
    content = hook.template [=[
{ "a": {{ deal.x | upcas }},
  "b": "{{ deal.y | foo }}" {% if %} }
]=] } } }
''')
    done = run("check", "--rules", rules, "--json")
    places = [(f["line"], f["column"], f["path"]) for f in json.loads(done.stdout)["errors"]]
    assert places == [(4, 64, "actions[1].url"), (6, 20, "actions[1].content"), (7, 21, "actions[1].content"),
                      (7, 35, "actions[1].content")]
    assert f"{rules}/w.lua:6: error: actions[1].content: column 20: there is no filter 'upcas'; did you mean" \
        in run("check", "--rules", rules).stdout
