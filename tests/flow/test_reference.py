"""docs/reference.md beside the code's own tables: nothing is missing, nothing is invented, and every example runs."""
import json
import re

import pytest
from support.docs import brace_keys, code, headed_json, lua_list, section, table
from support.host import ROOT, run

LUA = ROOT / "lua/hookline"
DOC = (ROOT / "docs/reference.md").read_text()
pytestmark = pytest.mark.release_only
TIME = "2026-11-23T09:15:00Z"

PRELUDE = '''local hook = require "hookline"
local field = hook.field
local send = { hook.webhook { method = "POST", url = "https://app.example.com/in", encoding = "json",
  content = hook.fields { "id", "amount" } } }
'''
WORKFLOW = {"record": 'record = "deal"', "trigger": 'trigger = hook.every { "created", "updated" }', "actions": "actions = send"}
WEBHOOK = {"method": 'method = "POST"', "url": 'url = "https://app.example.com/in"', "encoding": 'encoding = "json"',
           "content": 'content = hook.fields { "id" }'}


def keys(heading):
    return [row[0] for row in table(DOC, heading)]


def source(name):
    return (LUA / f"{name}.lua").read_text()



def workflow(example=None, name=None, **other):
    """A workflow's text, an example in the place of the keys that it gives."""
    parts = {**WORKFLOW, **other}
    if example:
        parts.pop(name, None)
        parts["example"] = example
    return PRELUDE + "return hook.workflow { " + ", ".join(parts.values()) + " }\n"


@pytest.fixture
def rules(folder):
    path = folder / "rules"
    (path / "templates").mkdir(parents=True)
    (path / "templates/invoice.json").write_text('{ "id": {{ deal.id }} }')

    def write(files):
        for name, text in files.items():
            (path / name).write_text(text)
        return path
    return write


def check(folder):
    done = run("check", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stdout, done.stdout


def passes(folder):
    done = run("test", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- workflows and webhooks ----------------------------------------------------------------------


def test_workflow_keys(rules, folder):
    assert sorted(keys("Workflow keys")) == sorted(brace_keys(source("workflow"), "hook.workflow"))
    rules({f"w{i}.lua": workflow(example, name) for i, (name, example, _) in enumerate(table(DOC, "Workflow keys"))})
    check(folder)


def test_webhook_keys(rules, folder):
    assert sorted(keys("Webhook keys")) == sorted(brace_keys(source("webhook"), "hook.webhook"))
    files = {}
    for i, (name, example, _) in enumerate(table(DOC, "Webhook keys")):
        parts = {k: v for k, v in WEBHOOK.items() if k != name}
        actions = "actions = { hook.webhook { " + ", ".join([*parts.values(), example]) + " } }"
        files[f"w{i}.lua"] = workflow(actions=actions)
    rules(files)
    check(folder)


def test_triggers(rules, folder):
    examples = [row[0] for row in table(DOC, "Triggers")]
    verbs = set(re.findall(r'"(\w+)"', re.search(r"local VERBS = \{(.*?)\}", source("triggers"))[1]))
    assert verbs <= set(code(section(DOC, "Triggers")))
    assert all(any(v in e for e in examples) for v in verbs)
    when = 'when = field "amount":at_least(100)'
    rules({f"t{i}.lua": workflow(f"trigger = {e}", "trigger", when=when, record='record = "webhook"' if "delivered" in e
                                else WORKFLOW["record"])
           for i, e in enumerate(examples)})
    check(folder)


def test_times(rules, folder):
    rows = table(DOC, "Keys of a time")
    text = source("schedules")
    known = ["at"] + re.findall(r"^(?: {6}| {4}keys = \{ )(\w+) = \{", text[text.index("local KINDS"):text.index("local function constructor")],
                                re.M)
    assert [row[0] for row in rows] == known
    rules({f"t{i}.lua": workflow(f"trigger = {row[1]}", "trigger", zone='zone = "Europe/Berlin"') for i, row in enumerate(rows)})
    check(folder)


def test_every_option_of_every_table():
    """Also of the tables that have none of their own here: a key stands in code, or in an example."""
    for path in sorted(LUA.rglob("*.lua")):
        text = path.read_text()
        for name in re.findall(r'schema\.new \{\n  name = "([^"]+)",\n  keys = ', text):
            for key in brace_keys(text, name):
                assert re.search(rf"`{key}`|\b{key} = ", DOC), f"{name}: {key}"


# --- conditions ----------------------------------------------------------------------------------


def event(n, value):
    """`5 -> 6` is an update; everything else the value of a created record."""
    record, kind, previous = {"id": n, "other": 2}, "created", None
    if " -> " in value:
        before, now = map(json.loads, value.split(" -> "))
        kind, previous = "updated", {"other": 1}
        record["x"] = now
        if before != now:
            previous["x"] = before
    else:
        record["x"] = json.loads(value)
    given = {"type": f"deal.{kind}", "time": TIME, "record": record}
    return {**given, "previous": previous} if previous else given


def judge(rules, folder, rows):
    """rows: (condition, value, holds). One workflow and one case for each."""
    files = {}
    for n, (condition, value, holds) in enumerate(rows):
        files[f"c{n}.lua"] = workflow(when=f"when = {condition}")
        files[f"c{n}.json"] = json.dumps(event(n, value))
        name = json.dumps(f"{condition} for {value}").replace("\\u", "\\\\u")
        files[f"c{n}_test.lua"] = ('local hook = require "hookline"\nreturn hook.test { cases = { { name = ' + name
                                   + f', given = "c{n}.json", expect = {{ {"{}" if holds else ""} }} }} }} }}\n')
    rules(files)
    passes(folder)


def test_operators(rules, folder):
    rows = table(DOC, "Operators")
    names = re.findall(r"^  (\w+) = \{ (?:holds|change) =", source("operators"), re.M)
    assert [row[0] for row in rows] == names
    for name, example, _, _ in rows:
        assert f":{name}" in example
    judge(rules, folder, [(example, value, holds) for _, example, yes, no in rows for value, holds in ((yes, True), (no, False))])


def test_case_folding(rules, folder):
    judge(rules, folder, [(f'field "x":is {wanted}', seen, holds == "yes")
                          for seen, wanted, holds, _ in table(DOC, "Upper and lower case")])


def test_empty_and_unlike(rules, folder):
    judge(rules, folder, [(condition, value, holds == "yes") for value, condition, holds in table(DOC, "Empty and unlike values")])


# --- bodies and templates ------------------------------------------------------------------------


def sent(rules, folder, content, encoding, record, url="https://app.example.com/in"):
    rules({"encoded.lua": PRELUDE + f'''return hook.workflow {{ record = "deal", trigger = hook.every "updated",
      actions = {{ hook.webhook {{ method = "POST", url = "{url}", encoding = "{encoding}", content = {content} }} }} }}'''})
    given = folder / "e.json"
    given.write_text('{"id":"e1","type":"deal.updated","time":"' + TIME + '","record":' + record + "}")
    done = run("try", "rules/encoded.lua", "--json", "--event", "e.json", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["requests"][0]["request_sent"]


def test_encodings(rules, folder):
    text = section(DOC, "Encodings")
    record, content = re.search(r"record `(.*?)`", text)[1], re.search(r"`content = (.*?)`", text, re.S)[1]
    rows = table(DOC, "Encodings")
    assert [row[0] for row in rows] == re.findall(r'"(\w+)"', re.search(r"local NAMES = \{(.*?)\}", source("encoding"))[1])
    for encoding, body in rows:
        assert sent(rules, folder, content, encoding, record)["body"] == body, encoding


def test_places(rules, folder):
    record = re.search(r"record `(.*?)`", section(DOC, "Places"))[1]
    for place, template, gives in table(DOC, "Places"):
        if place.startswith("URL"):
            request = sent(rules, folder, 'hook.fields { "id" }', "json", record, "https://app.example.com" + template)
            assert request["url"] == "https://app.example.com" + gives
        else:
            request = sent(rules, folder, f"hook.template [=[{template}]=]", place.split()[0].lower(), record)
            assert request["body"] == gives, place


def rendered(folder, rows):
    (folder / "partials").mkdir()
    (folder / "partials/hello").write_text("Hello {{ name }}!")
    (folder / "data.json").write_text(headed_json(DOC, "Tags"))
    for name, template, gives in rows:
        (folder / "t").write_text(template)
        done = run("template", "t", "--data", "data.json", "--partials", "partials", cwd=folder)
        assert done.returncode == 0 and done.stdout.replace("\n", " ") == gives, (name, done.stdout, done.stderr)


def test_tags(folder):
    rows = table(DOC, "Tags")
    known = {"raw", "doc"}
    for name in ("tags", "loops", "partials"):
        text = source(f"liquid/{name}")
        known |= set(re.findall(r'^(?:function )?(?:tags|loops|partials)(?:\.|\[")([\w#]+)(?:"\])?(?: =|\(self, tag\))', text, re.M))
    assert {row[0] for row in rows} == known - {"forloop", "step"}
    for name, template, _ in rows:
        assert re.search(r"\{% " + name, template)
    rendered(folder, rows)


def test_filters(folder):
    rows = table(DOC, "Filters")
    known = []
    for part in ("text", "number", "list", "other"):
        known += re.findall(r"^  (\w+) = \{ \d, \d,", source(f"liquid/{part}_filters"), re.M)
    assert [row[0] for row in rows] == sorted(known)
    for name, template, _ in rows:
        assert re.search(rf"\| {name}\b", template)
    rendered(folder, rows)


# --- functions -----------------------------------------------------------------------------------


def public_names():
    text = source("init")
    names = set(re.findall(r"^hook\.(\w+) =", text, re.M)) | set(re.findall(r"^function hook\.(\w+)", text, re.M))
    names -= {"encode", "decode", "verify"}
    names |= {f"encode.{n}" for n in re.findall(r'"(\w+)"', re.search(r"local NAMES = \{(.*?)\}", source("encoding"))[1])}
    names |= {f"verify.{n}" for n in re.findall(r"^(?:function )?functions\.(\w+)", source("verify"), re.M)}
    return names | {"decode.json"}


def test_functions(rules, folder):
    rows = table(DOC, "Functions")
    assert {row[0] for row in rows} == public_names()
    for i, (name, example, _) in enumerate(rows):
        assert f"hook.{name}" in example
        rules({f"f{i}.lua": PRELUDE + f"local example = {example}\nassert(example)\n"
               "return hook.workflow { record = 'deal', trigger = hook.every 'updated', actions = send }\n"})
    check(folder)


def test_globals(rules, folder):
    listed = set(code(" ".join(row[1] for row in table(DOC, "Lua and its limits", raw=True)[:3])))
    rules({"g.lua": 'local names = {}\nfor name in pairs(_G) do names[#names + 1] = name end\nerror(table.concat(names, " "))\n'})
    said = run("check", cwd=folder).stdout.splitlines()[0]
    assert set(said.split("error: ")[1].split()) == listed


# --- tests and sources ---------------------------------------------------------------------------

DEAL = '''return hook.workflow { record = "deal", trigger = hook.every { "created", "updated" },
  when = function(event) if event.record.boom then error "boom" end return true end, actions = send }'''


def suite(case, options=""):
    return f'local hook = require "hookline"\nreturn hook.test {{ {options} cases = {{ {case} }} }}\n'


def test_test_keys(rules, folder):
    text = source("testing/suite")
    rows = table(DOC, "Keys of hook.test")
    assert sorted(row[0] for row in rows) == sorted(brace_keys(text, "hook.test"))
    for i, (name, example, _) in enumerate(rows):
        own = example if name == "cases" else 'cases = { { name = "it", given = {}, expect = { {} } } }, ' + example
        rules({f"a{i}_test.lua": f'local hook = require "hookline"\nreturn hook.test {{ {own} }}\n', f"a{i}.lua": PRELUDE + DEAL})
    rules({"deal.lua": PRELUDE + DEAL})
    passes(folder)


def test_case_keys(rules, folder):
    text = source("testing/suite")
    rows = table(DOC, "Keys of a case")
    wanted = brace_keys(text, "a case") + brace_keys(text, None, "local STEP_KEYS = {")
    assert sorted(row[0] for row in rows) == sorted(wanted)
    for i, (name, example, _) in enumerate(rows):
        assert f"{name} = " in example
        rules({f"a{i}.lua": PRELUDE + DEAL, f"a{i}_test.lua": suite("{ " + example + " }")})
    assert "1 skipped" in passes(folder)


def test_expected_keys(rules, folder):
    rows = table(DOC, "Keys of an expected webhook")
    assert sorted(row[0] for row in rows) == sorted(brace_keys(source("testing/suite"), "an expected webhook"))
    rules({"deal.lua": PRELUDE + DEAL})
    cases = []
    for name, example, _ in rows:
        answers = "answers = 503, " if "retrying" in example else "answers = 410, " if "terminated" in example else ""
        cases.append(f'{{ name = "{name}", {answers}given = {{ record = {{ id = 1, amount = 500 }} }}, deliveries = {{ {{ {example} }} }} }}')
    rules({"deal_test.lua": suite(", ".join(cases))})
    passes(folder)
    answer = set(brace_keys(source("testing/suite"), "an answer"))
    assert answer <= set(code(re.search(r"An answer that is a table has(.*)", DOC)[1]))


def test_source_keys(rules, folder):
    rows = table(DOC, "Sources")
    assert sorted(row[0] for row in rows) == sorted(brace_keys(source("sources"), "hook.source"))
    path = rules({"w.lua": workflow()})
    (path / "sources").mkdir()
    for i, (name, example, _) in enumerate(rows):
        events = "" if name == "events" else "events = function() end, "
        (path / f"sources/s{i}.lua").write_text(f'local hook = require "hookline"\nreturn hook.source {{ {events}{example} }}\n')
    check(folder)


def test_catalogue(rules, folder):
    text = source("types")
    assert sorted(keys("Catalogues")) == sorted(brace_keys(text, "hook.type"))
    assert sorted(keys("Keys of a field")) == sorted(brace_keys(text, "a field"))
    assert keys("Types of a field") == sorted(brace_keys(text, None, "types.WORDS = {"))
    path = rules({"w.lua": workflow(record='record = "deal"', actions='actions = { hook.webhook { method = "DELETE", '
                                    'url = "https://app.example.com/x" } }')})
    (path / "types").mkdir()
    fields = [row[1] for row in table(DOC, "Keys of a field") + table(DOC, "Types of a field")]
    listed = ", ".join(f"f{i} = {{ {field} }}" for i, field in enumerate(fields))
    for i, (name, example, _) in enumerate(table(DOC, "Catalogues")):
        whole = example if name == "fields" else f"fields = {{ {listed} }}, {example}"
        (path / f"types/{'deal' if i == 0 else f't{i}'}.lua").write_text(
            f'local hook = require "hookline"\nreturn hook.type {{ {whole} }}\n')
    check(folder)


# --- commands, routes --------------------------------------------------------------------------


def test_commands(folder):
    listed = {row[0]: (row[1], code(row[2])) for row in ([c if i == 2 else (code(c) or [""])[0] for i, c in enumerate(row)]
                                                         for row in table(DOC, "Commands", raw=True))}
    said = run("--help", cwd=folder).stdout
    assert list(listed) == re.findall(r"^  (\w+) ", said.split("Commands:")[1].split("Common options")[0], re.M)
    for name, (arguments, options) in listed.items():
        told = run("help", name, cwd=folder).stdout
        usage = re.match(r"Usage: hookline \w+ ?(.*?) ?\[options\]\n", told)[1]
        common = {"--config", "--rules", "--help"} | ({"--data"} if name != "template" else set())
        found = [o for o in re.findall(r"^  (--[\w-]+)", told, re.M) if o not in common]
        assert (usage, found) == (arguments, options), name


def test_routes():
    text = (ROOT / "core/api/routes.c").read_text().split("ROUTES[] = {")[1].split("\n};")[0]
    known = [f"{method} {re.sub(r'{.*?}', 'ID', path)}" for method, path in re.findall(r'\{"(\w+)", "([^"]*)", ROLE', text)]
    assert [row[0] for row in table(DOC, "Routes")] == known


def test_states():
    text = (ROOT / "lua/hookline/testing/suite.lua").read_text()
    states = re.findall(r'"(\w+)"', re.search(r"local STATES = \{(.*?)\}", text, re.S)[1])
    assert [row[0] for row in table(DOC, "Deliveries")] == states
