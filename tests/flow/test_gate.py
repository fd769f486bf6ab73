"""Rules that misbehave end as their own workflow's error; the event and other workflows go on."""
import json

import pytest
from support.rules import deal, workflow

HOSTILE = {
    "for ever": "while true do end",
    "for ever in pcall": "while true do pcall(function() while true do end end) end",
    "for ever in a coroutine": "while true do coroutine.wrap(function() while true do end end)() end",
    "raises": 'error("not today")',
    "raises a table": "error({})",
    "raises nil": "error(nil)",
    "indexes nil": "local x = nil; return x.y",
    "recursion": "local function f() return 1 + f() end return f()",
    "big string": 'return string.rep("x", 1 << 30) == ""',
    "big table": "local t = {} for i = 1, math.huge do t[i] = i end",
    "bytes without instructions": 'local s = string.rep("x", 1 << 16) while true do s:upper() end',
    "backtracking": 'return ("a"):rep(50000):find((".-"):rep(30) .. "b") ~= nil',
    "writes a global": "leaked = 1",
    "writes a library": 'string.format = nil',
    "asks for os": "return os.time() > 0",
    "asks for io": 'return io.open("/etc/passwd") ~= nil',
    "asks for debug": "return debug.getinfo(1) ~= nil",
    "loads bytecode": 'return load(string.dump(function() return true end), "x", "b")()',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_rule_that_misbehaves_ends_as_its_own_error(serve, receiver, body):
    hostile = workflow(receiver.url + "/hostile", wf_when=f"function(event)\n{body}\nend")
    host = serve({"hostile.lua": hostile, "good.lua": workflow(receiver.url + "/good")})
    for number in (1, 2):
        answer = host.accept(deal(number, event_id=f"e{number}"))[0]
        assert len(answer["deliveries"]) == 1
        runs = {r["workflow"]: r for r in host.event(answer["id"])["runs"]}
        assert runs["hostile"]["outcome"] == "error" and runs["hostile"]["deliveries"] == []
        assert "hostile.lua" in runs["hostile"]["reason"] or "budget" in runs["hostile"]["reason"], runs["hostile"]
        assert runs["good"]["outcome"] == "sent"
    assert {r.path for r in receiver.wait(2)} == {"/good"}


def test_an_error_names_the_line_and_takes_no_mark(serve, receiver):
    text = workflow(receiver.url, wf_trigger='hook.once { "created", "updated" }', content=(
        'function(event)\n        if event.record.amount == 1 then\n          error("one is too few")\n        end\n'
        '        return { amount = event.record.amount }\n      end'))
    line = 1 + text[:text.index("error(")].count("\n")
    host = serve({"strict.lua": text})
    bad = host.accept(deal(5, amount=1))[0]
    run = host.event(bad["id"])["runs"][0]
    assert run["outcome"] == "error" and f"strict.lua:{line}: one is too few" in run["reason"]
    assert len(host.accept(deal(5, amount=2))[0]["deliveries"]) == 1
    assert receiver.wait()[0].json() == {"amount": 2}


def test_an_event_is_a_private_copy(serve, receiver):
    changing = workflow(receiver.url + "/a", wf_when="function(e) e.record.amount = 0; return true end",
                        content="function(e) e.record.name = 'changed'; return e.record end")
    reading = workflow(receiver.url + "/b", content="function(e) return { name = e.record.name, a = e.record.amount } end")
    host = serve({"a.lua": changing, "b.lua": reading})
    host.accept(deal(1, amount=7))
    seen = {r.path: r.json() for r in receiver.wait(2)}
    assert seen["/b"] == {"name": "Deal 1", "a": 7}


def test_functions_as_actions_content_transform_and_vars(serve, receiver):
    text = workflow(receiver.url, wf_actions='''function(event)
    local owed = {}
    for i, item in ipairs(event.record.items) do
      owed[i] = hook.webhook {
        method = "PUT", url = hook.var("HOST") .. "/items/" .. item.sku, encoding = "json",
        content = function(e) return { item = item, deal = e.record.id, tags = hook.array {} } end,
        transform = function(body) body.last = true return body end,
      }
    end
    return owed
  end''')
    host = serve({"items.lua": text}, env={"HOOKLINE_VAR_HOST": receiver.url})
    record = '{"id":4,"items":[{"sku":"a","price":1.50},{"sku":"b","price":2}]}'
    reply = host.post(b'{"type":"deal.created","record":' + record.encode() + b"}")
    assert reply.status == 202
    seen = {r.path: r.body.decode() for r in receiver.wait(2)}
    assert seen == {"/items/a": '{"deal":4,"item":{"price":1.50,"sku":"a"},"last":true,"tags":[]}',
                    "/items/b": '{"deal":4,"item":{"price":2,"sku":"b"},"last":true,"tags":[]}'}


METHODS = {"GET": False, "DELETE": False, "POST": True, "PUT": True, "PATCH": True}


def test_the_five_methods(serve, receiver):
    rules = {f"{m.lower()}.lua": workflow(receiver.url + "/" + m, method=f'"{m}"',
                                          encoding='"json"' if body else None,
                                          content='hook.fields { "id" }' if body else None)
             for m, body in METHODS.items()}
    host = serve(rules)
    assert len(host.accept(deal(3))[0]["deliveries"]) == 5
    for request in receiver.wait(5):
        assert request.path == "/" + request.method
        assert request.body == (b'{"id":3}' if METHODS[request.method] else b"")
        assert ("content-type" in request.headers) == METHODS[request.method]


AUTHS = {
    "api key": ('hook.api_key("k1")', {"authorization": "Token k1"}),
    "api key in a header": ('hook.api_key("k1", { header = "X-Key", prefix = "" })', {"x-key": "k1"}),
    "bearer": ('hook.bearer("t1")', {"authorization": "Bearer t1"}),
}


@pytest.mark.parametrize("auth,headers", AUTHS.values(), ids=AUTHS.keys())
def test_authentication(serve, receiver, auth, headers):
    host = serve({"w.lua": workflow(receiver.url, auth=auth)})
    host.accept(deal(1))
    request = receiver.wait()[0]
    for name, value in headers.items():
        assert request.headers[name] == value


def test_an_api_key_in_the_query(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url + "/x?a=1", auth='hook.api_key(hook.secret "K", { query = "key" })')},
                 env={"HOOKLINE_SECRET_K": "a b&c"})
    id = host.accept(deal(1))[0]["deliveries"][0]
    assert receiver.wait()[0].path == "/x?a=1&key=a%20b%26c"
    assert "a%20b" not in json.dumps(host.until_state(id, "delivered"))
