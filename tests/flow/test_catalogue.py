"""Catalogues of record types: types/*.lua, through check, a host, and the stubs for editors."""
import json
import shutil

from support import luacats
from support.host import ROOT, run
from support.rules import workflow

DEAL = '''local hook = require "hookline"
return hook.type { label = "Deal", fields = {
  name = "text", amount = { type = "decimal", label = "Deal value" },
  stage = { type = "choice", choices = { "New", "Won" } },
} }
'''


def folder_of(folder, **files):
    rules = folder / "rules"
    (rules / "types").mkdir(parents=True)
    (rules / "types/deal.lua").write_text(DEAL)
    for name, text in files.items():
        (rules / f"{name}.lua").write_text(text)
    return rules


def test_check_warns_with_the_nearest_name_and_fails_only_where_it_is_strict(folder):
    rules = folder_of(folder, a=workflow("https://a.example.com/", wf_when='field "stgae":is "Won"'),
                      b=workflow("https://a.example.com/", wf_when='field "stage":is "Wonn"'))
    done = run("check", "--rules", rules)
    assert done.returncode == 0, done
    assert done.stdout.splitlines() == [
        f'{rules}/a.lua:8: warning: when: {rules}/types/deal.lua has no field "stgae"; did you mean "stage"?',
        f'{rules}/b.lua:8: warning: when: "stage": "Wonn" is none of its choices; did you mean "Won"?',
        "2 workflows: 0 errors, 2 warnings."]
    assert run("check", "--strict", "--rules", rules).returncode == 1
    shown = json.loads(run("check", "--json", "--rules", rules).stdout)
    assert shown["errors"] == [] and [w["line"] for w in shown["warnings"]] == [8, 8]
    (rules / "types/deal.lua").write_text(DEAL.replace("decimal", "number"))
    done = run("check", "--rules", rules)
    assert done.returncode == 1 and f'{rules}/types/deal.lua:2: error: fields.amount.type: "number" is none of' in done.stdout
    assert done.stdout.endswith("2 workflows: 1 error.\n"), "a catalogue with a mistake says nothing of workflows"


def test_a_template_whose_variable_is_misspelt_is_warned_of_without_a_catalogue(folder):
    def checked(template, **more):
        rules = folder / "rules"
        (rules / "templates").mkdir(parents=True, exist_ok=True)
        (rules / "templates/part.txt").write_text("{{ part }}{{ given }}{{ record.id }}")
        (rules / "a.lua").write_text(workflow("https://a.example.com/", wf_record='"contact"',
                                              content=f"hook.template [==[{template}]==]", **more))
        return run("check", "--strict", "--rules", rules)
    for template, told in (
            ('{"a": {{ contct.country | json }}}', 'actions[1]: a template reads "contct.country", which is none of its variables; '
                                                   'did you mean "contact"?'),
            ('{% if deal.amount %}{}{% else %}[]{% endif %}', 'reads "deal.amount", which is none of its variables: there are "contact", '
                                                              '"record", "previous", "event" and "workflow"'),
            ('{% for x in prevous.list %}{% endfor %}{}', 'did you mean "previous"?')):
        done = checked(template)
        assert done.returncode == 1 and told in done.stdout and done.stdout.count("warning") == 2, done
    done = checked("{}", headers='{ ["X-A"] = "{{ recrd.id }}" }')
    assert done.returncode == 1 and 'did you mean "record"?' in done.stdout, done
    fine = ('{% assign a = contact.x %}{% capture b %}{{ previous.y }}{% endcapture %}{% increment c %}{% decrement d %}'
            '{% for e in record.list %}{{ forloop.index }}{{ e.x }}{% endfor %}{{ a }}{{ b }}{{ c }}{{ d }}'
            '{% cycle group: "1", "2" %}'
            '{{ event.id }}{{ workflow.name }}{% render "part.txt", given: 1 %}{% include "part.txt" with a as g %}{{ g }}'
            '{% if a == empty or b == nil %}{% endif %}')
    for text, encoding in ((fine, '"form"'), ('<a>{% tablerow f in record.list %}{{ f }}{{ tablerowloop.row }}'
                                              '{% endtablerow %}</a>', '"xml"')):
        done = checked(text, encoding=encoding)
        assert done.returncode == 0, done


def test_the_examples_fit_their_catalogues():
    done = run("check", "--strict", "--rules", ROOT / "rules")
    assert done.returncode == 0 and "all fine" in done.stdout, done


def test_a_host_logs_the_warnings_and_a_reload_takes_a_new_catalogue(serve, receiver):
    host = serve({"a.lua": workflow(receiver.url, wf_when='field "stage":is "Lost"')}, start=False)
    (host.rules_dir / "types").mkdir()
    (host.rules_dir / "types/deal.lua").write_text(DEAL)
    host.start()
    said = 'Lost\\" is none of its choices'
    assert said in host.log(), host.log()
    (host.rules_dir / "types/deal.lua").write_text(DEAL.replace('"Won"', '"Won", "Lost"'))
    answer = host.call("POST", "/v1/reload").json()
    assert answer["errors"] == []
    assert host.log().count(said) == 1


def test_stubs_are_annotations_that_an_editor_understands(folder):
    shutil.copytree(ROOT / "rules", folder / "rules")
    done = run("stubs", cwd=folder)
    assert done.returncode == 0 and done.stderr == "", done
    assert done.stdout.split() == ["./.hookline/hookline.lua", "./.hookline/types.lua", "./.luarc.json"]
    files = [luacats.File((folder / ".hookline" / name).read_text()) for name in ("hookline.lua", "types.lua")]
    assert luacats.undeclared(files) == set()
    library, types = files
    assert library.functions["hook.api_key"] == ["key", "options"]
    assert len(library.functions) >= 20 and "hook.workflow" in library.functions
    assert {"deal", "deal.Event", "deal.products", "lead", "contact", "sales_account"} <= set(types.classes)
    assert types.classes["deal"]["amount"] == "---@field amount? number Deal value"
    assert types.classes["deal"]["sales_account"].startswith("---@field sales_account? sales_account")
    settings = json.loads((folder / ".luarc.json").read_text())
    assert settings["workspace.library"] == [".hookline"]
    assert run("check", "--strict", "--rules", folder / "rules").returncode == 0


def test_stubs_leave_the_users_settings_alone_and_follow_the_catalogue(folder):
    rules = folder_of(folder)
    (folder / ".luarc.json").write_text('{ "mine": true }\n')
    done = run("stubs", folder, "--rules", rules)
    assert done.returncode == 0 and '"workspace.library": [".hookline"]' in done.stderr, done
    assert (folder / ".luarc.json").read_text() == '{ "mine": true }\n'
    (rules / "types/deal.lua").write_text(DEAL.replace("amount", "value"))
    (rules / "types/lead.lua").write_text("return 5\n")
    done = run("stubs", folder, "--rules", rules)
    assert done.returncode == 1 and "types/lead.lua" in done.stderr, done
    text = (folder / ".hookline/types.lua").read_text()
    assert "---@field value? number Deal value" in text and "lead" not in text
    assert run("stubs", folder / "nowhere", "--rules", rules).returncode == 1
    assert run("stubs", folder, "--rules", folder / "nowhere").returncode == 1
