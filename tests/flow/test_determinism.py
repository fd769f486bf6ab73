"""The same event and rules give the same bytes: nothing is kept from one run to the next, and nothing shows the
address of an object, the seed of a hash, the time or chance."""
import json

from support.host import run
from support.rules import deal, workflow

MODULE = '''local hook = require "hookline"
local count = 0
local counter = {}
function counter.next() count = count + 1 return count end
counter.webhook = function(url)
  return hook.webhook { method = "POST", url = url, encoding = "json", content = function()
    count = count + 1
    return { shared = count }
  end }
end
counter.shared = counter.webhook(hook.var "URL" .. "/shared")
return counter
'''

KEEPS = '''function(event)
        n = n + 1
        last = last or event.record.id
        local first = counter.next()
        return { n = n, last = last, counted = counter.next(), first = first }
      end'''


def test_what_a_run_keeps_is_undone(serve, receiver):
    def keeping(path):
        return 'local n, last = 0, nil\nlocal counter = require "lib.counter"\n' + workflow(
            receiver.url + path, content=KEEPS)

    shared = 'local counter = require "lib.counter"\n' + workflow(receiver.url, wf_actions="{ counter.shared }")
    caching = "local cache = {}\n" + workflow(
        receiver.url + "/cache", content="function(event)\n cache[event.record.id] = true return cache end")
    host = serve({"a.lua": keeping("/a"), "b.lua": keeping("/b"), "c.lua": shared,
                  "d.lua": caching},
                 env={"HOOKLINE_VAR_URL": receiver.url}, start=False)
    (host.rules_dir / "lib").mkdir()
    (host.rules_dir / "lib/counter.lua").write_text(MODULE)
    host.start()
    for number in (1, 2, 3):
        answer = host.accept(deal(number))[0]
        runs = {r["workflow"]: r for r in host.event(answer["id"])["runs"]}
        assert runs["d"]["outcome"] == "error"
        assert "d.lua:" in runs["d"]["reason"] and (
            f"cannot set '{number}': the table in 'cache' is read-only outside the load") in runs["d"]["reason"]
    bodies = {(r.path, r.body) for r in receiver.wait(9)}
    assert {path for path, _ in bodies} == {"/a", "/b", "/shared"}
    for path, body in bodies:
        seen = json.loads(body)
        if path == "/shared":
            assert seen == {"shared": 1}
        else:
            assert seen == {"n": 1, "last": seen["last"], "counted": 2, "first": 1}
    assert len(bodies) == 7  # `last` differs by event, in two workflows


ITERATES = r'''function(event)
        local text = {}
        local function put(...) for _, v in ipairs { ... } do text[#text + 1] = tostring(v) end end
        for k, v in pairs(event.record) do put(k, v) end
        for k in pairs(string) do put(k) end
        for k, v in next, known do put(k, v) end
        local t = {}
        for i = 1, 300 do t["key" .. (i * 7919) % 1000] = i t[i * 1.5] = i end
        t[true], t[false], t[hook.null], t[text] = 1, 2, 3, 4
        for k, v in pairs(t) do put(k, v) end
        put(next(t))
        local list = {}
        for i = 1, 500 do list[i] = { i % 3, i } end
        table.sort(list, function(a, b) return a[1] < b[1] end)
        for _, v in ipairs(list) do put(v[2]) end
        put(print, {}, text, coroutine.create(print), ("%s|%s"):format({}, print), hook, string)
        put(select(2, pcall(error, {})), select(2, pcall(function() return {} .. "x" end)))
        put(math.random(), math.random(1000), collectgarbage "count", pcall(string.format, "%p", text))
        put(require "cjson".encode(event.record), require "cjson".encode { known, t = { 1, b = 2, a = 3 } and nil })
        put(hook.encode.json(known), #text)
        return { text = table.concat(text, "\n") }
      end'''


def test_the_same_bytes_in_every_process(folder, receiver):
    rules = folder / "rules"
    rules.mkdir()
    names = ", ".join(f'{name} = {i}' for i, name in enumerate("omega alpha mid zeta beta x1 x2 x10 Q".split()))
    (rules / "w.lua").write_text(f"local known = {{ {names} }}\n" + workflow(receiver.url, content=ITERATES))
    event = deal(7, event_id="e-7", b="2", a="1", z=[1, 2], nested={"q": 1}, **{f"f{i}": i for i in range(40)})
    (folder / "event.json").write_text(json.dumps(event))
    seen = set()
    for _ in range(12):
        done = run("try", rules / "w.lua", "--event", folder / "event.json", "--data", folder / "data", "--json",
                   "--allow-target", "127.0.0.0/8")
        assert done.returncode == 0, done.stdout + done.stderr
        body = json.loads(done.stdout)["requests"][0]["request_sent"]["body"]
        seen.add(json.loads(body)["text"])
    assert len(seen) == 1
    text = seen.pop()
    assert "0x" not in text and "table: 1" in text and "omega" in text
