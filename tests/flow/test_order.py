"""order: webhooks of one workflow and record go one after another, or the newest alone."""
import random
import urllib.parse

import pytest
from support.host import run
from support.receiver import PARK, RESET, Answer
from support.rules import deal, workflow
from support.waiting import until


def turn(number, n, **keys):
    return deal(number, turn=n, **keys)


CONTENT = 'hook.fields { "id", "turn" }'


def owe(host, number, n):
    (id,) = host.accept(turn(number, n))[0]["deliveries"]
    return id


def test_one_after_another_through_failures_and_a_kill(serve, receivers):
    answers = {}

    def answer(request):
        answers[request.id] = answers.get(request.id, 0) + 1
        return 503 if answers[request.id] == 1 else 200
    receiver = receivers(answer)
    host = serve({"w.lua": workflow(receiver.url, wf_order='"record"', content=CONTENT)}, test_clock=True)
    ids = [owe(host, 1, n) for n in range(3)]
    other = owe(host, 2, 0)
    host.until_state(ids[0], "retrying")
    host.until_state(other, "retrying")
    for id in ids[1:]:
        shown = host.delivery(id)
        assert shown["state"] == "held" and shown["reason"] == f"{ids[0]} goes first" and shown["next_attempt_at"] is None
    host.kill9()
    host.start()
    until(lambda: host.advance("1h") and host.delivery(ids[-1])["state"] == "delivered", "the last one")
    assert [host.delivery(id)["state"] for id in ids] == ["delivered"] * 3
    of_one = [r.json()["turn"] for r in receiver.requests if r.json()["id"] == 1]
    assert of_one == [0, 0, 1, 1, 2, 2], "each twice, since each failed once"


def test_the_end_is_counted_from_when_it_first_fell_due(serve, receivers):
    receiver = receivers(lambda request: 503)
    host = serve({"w.lua": workflow(receiver.url, wf_order='"record"', wf_retry='hook.retry { { "10m", "1h" } }')},
                 test_clock=True)
    first, second = owe(host, 1, 0), owe(host, 1, 1)
    host.until_state(first, "retrying")
    host.advance("11m")
    until(lambda: len(host.delivery(first)["attempts"]) == 2, "the second attempt")
    host.advance("50m")
    host.until_state(first, "terminated")
    shown = host.until_state(second, "terminated")
    assert shown["attempts"] == [] and "it waited for others of its order" in shown["reason"]


def test_all_that_waited_behind_a_dead_one_ends_with_it(serve, receivers):
    """Hundreds of them, each an outcome of its own; one that was accepted later has not come to its end."""
    receiver, outcomes = receivers(lambda request: 500), receivers()
    told = workflow(outcomes.url, wf_record='"webhook"', wf_trigger='hook.every { "terminated" }',
                    content='function(event) return { id = event.record.id } end')
    many = """function(event)
      local owed = {}
      for i = 1, 20 do
        owed[i] = hook.webhook { method = "POST", url = "%s", encoding = "json", content = hook.fields { "turn" } }
      end
      return owed
    end""" % receiver.url
    host = serve({"w.lua": workflow("", wf_actions=many, wf_order='"record"', wf_retry='hook.retry { { "10m", "1h" } }'),
                  "told.lua": told}, test_clock=True)
    ids = [id for e in host.accept(*[turn(1, n) for n in range(20)]) for id in e["deliveries"]]
    host.until_state(ids[0], "retrying")
    host.advance("11m")
    until(lambda: len(host.delivery(ids[0])["attempts"]) == 2, "the second attempt")
    later = host.accept(turn(1, 50))[0]["deliveries"]
    host.advance("50m")
    host.until_state(later[0], "retrying")
    ended = host.deliveries("&workflow=w&state=terminated")
    assert {d["id"] for d in ended} == set(ids)
    assert sum("it waited for others of its order" in d["reason"] for d in ended) == len(ids) - 1
    assert {r.json()["id"] for r in outcomes.wait(len(ids))} == set(ids)
    assert len(receiver.requests) == 4


@pytest.mark.parametrize("what", ["target", "workflow", "both"])
def test_what_waits_is_paused_with_what_it_waits_for(serve, receivers, what):
    receiver = receivers(lambda request: 503 if request.number == 1 else 200)
    host = serve({"w.lua": workflow(receiver.url, wf_order='"record"', wf_when_stopped='"hold"',
                                    wf_retry='hook.retry { { "20m", "1h" } }')}, test_clock=True)
    ids = [owe(host, 1, n) for n in range(3)]
    host.until_state(ids[0], "retrying")
    target = "targets/" + urllib.parse.quote(receiver.url, safe="")
    acts = {"target": [f"{target}/pause", f"{target}/resume"], "workflow": ["workflows/w/deactivate", "workflows/w/activate"]}
    acts["both"] = [acts["target"][0], acts["workflow"][0], acts["target"][1], acts["workflow"][1]]
    host.advance("10m")
    for n, act in enumerate(acts[what]):
        if n:
            host.advance("72h")
        assert host.call("POST", f"/v1/{act}").status == 200
        if n == 0:
            host.until_state(ids[0], "held")
    host.until_state(ids[0], "retrying")
    host.advance("20m")
    for id in ids:
        host.until_state(id, "delivered")
    assert [r.id for r in receiver.requests] == [ids[0], *ids]


def test_one_that_a_breaker_holds_up_to_its_end_lets_the_next_one_go(serve, receivers):
    is_up = [False]
    receiver = receivers(lambda request: 200 if is_up[0] else 503)
    host = serve({"w.lua": workflow(receiver.url, wf_order='"record"', wf_retry='hook.retry { { "1m" } }'),
                  "x.lua": workflow(receiver.url, wf_retry='hook.retry { { "50h" } }')}, test_clock=True)
    host.accept(*[deal(1, n=n) for n in range(12)])
    until(lambda: host.call("GET", "/v1/targets").json()["targets"][0]["state"] == "open", "the breaker")
    host.advance("10m")
    ended = until(lambda: len(found := host.deliveries("&workflow=w&state=terminated")) == 12 and found,
                  "the end of all of the order")
    assert any("no more got through" in d["reason"] for d in ended)
    is_up[0] = True
    host.advance("1m")
    id = next(i for i in host.accept(deal(1, n=12))[0]["deliveries"] if host.delivery(i)["workflow"] == "w")
    host.advance("2m")
    host.until_state(id, "delivered")


def test_the_latest_supersedes_those_that_wait(serve, receivers):
    receiver = receivers(lambda request: PARK if request.number == 1 else 200)
    host = serve({"w.lua": workflow(receiver.url, order='"latest"', content=CONTENT)}, test_clock=True)
    ids = [owe(host, 1, 0)]
    receiver.wait(1)
    ids += [owe(host, 1, n) for n in range(1, 5)]
    for older, newer in zip(ids[1:], ids[2:]):
        shown = host.until_state(older, "superseded")
        assert shown["reason"] == f"{newer} is newer" and shown["next_attempt_at"] is None
    receiver.release(Answer(200))
    host.until_state(ids[0], "delivered")
    host.until_state(ids[-1], "delivered")
    assert [r.json()["turn"] for r in receiver.wait(2)] == [0, 4]


def test_the_latest_supersedes_one_that_waits_for_its_retry(serve, receivers):
    receiver = receivers(lambda request: 503 if request.json()["turn"] == 0 else 200)
    host = serve({"w.lua": workflow(receiver.url, order='"latest"', content=CONTENT)}, test_clock=True)
    older = owe(host, 1, 0)
    host.until_state(older, "retrying")
    newer = owe(host, 1, 1)
    shown = host.until_state(older, "superseded")
    assert shown["reason"] == f"{newer} is newer" and shown["next_attempt_at"] is None and len(shown["attempts"]) == 1
    host.until_state(newer, "delivered")
    host.advance("72h")
    assert [r.json()["turn"] for r in receiver.requests] == [0, 1]


@pytest.mark.parametrize("end", [200, 503, "kill"])
def test_a_retry_that_is_under_way_ends_before_a_newer_one_goes(serve, receivers, end):
    receiver = receivers(lambda request: {1: 503, 2: PARK}.get(request.number, 200))
    host = serve({"w.lua": workflow(receiver.url, order='"latest"', content=CONTENT)}, test_clock=True)
    older = owe(host, 1, 0)
    host.until_state(older, "retrying")
    host.advance("20s")
    receiver.wait(2)
    newer = owe(host, 1, 1)
    assert host.delivery(newer)["reason"] == f"{older} goes first"
    assert host.delivery(older)["state"] == "retrying" and len(receiver.requests) == 2
    if end == "kill":
        host.kill9()
        host.start()
    else:
        receiver.release(Answer(end))
    shown = host.until_state(older, "delivered" if end == 200 else "superseded")
    assert len(shown["attempts"]) == (1 if end == "kill" else 2)
    host.until_state(newer, "delivered")
    assert [r.json()["turn"] for r in receiver.requests] == [0, 0, 1]


def test_the_latest_supersedes_one_that_a_breaker_or_a_pause_holds_up(serve, receivers):
    is_up = [False]
    receiver = receivers(lambda request: 200 if is_up[0] else 503)
    host = serve({"w.lua": workflow(receiver.url, order='"latest"', content=CONTENT)}, test_clock=True)
    older = {number: owe(host, number, 0) for number in range(1, 13)}
    until(lambda: host.call("GET", "/v1/targets").json()["targets"][0]["state"] == "open", "the breaker")
    host.advance("16s")
    tried = [n for n, id in older.items() if host.delivery(id)["state"] == "retrying"]
    newer = {number: owe(host, number, 1) for number in tried[:3]}
    for number in newer:
        host.until_state(older[number], "superseded")
    target = "targets/" + urllib.parse.quote(receiver.url, safe="")
    assert host.call("POST", f"/v1/{target}/pause").status == 200
    host.until_state(older[tried[4]], "held")
    newer[tried[4]] = owe(host, tried[4], 1)
    is_up[0] = True
    assert host.call("POST", f"/v1/{target}/resume").status == 200
    until(lambda: host.advance("2m") and host.delivery(newer[tried[4]])["state"] == "delivered", "the newer one")
    assert host.delivery(older[tried[4]])["state"] == "superseded"
    for number, id in newer.items():
        host.until_state(id, "delivered")


def test_two_webhooks_of_one_run(serve, receivers):
    """By record the second waits for the first; of the latest they do not know each other."""
    receiver = receivers(lambda request: PARK if request.number == 1 else 200)
    two = """{ hook.webhook { method = "POST", url = "%s/a", encoding = "json", content = hook.fields { "turn" } },
      hook.webhook { method = "POST", url = "%s/b", encoding = "json", content = hook.fields { "turn" } } }""" % (
        receiver.url, receiver.url)
    host = serve({"w.lua": workflow(receiver.url, wf_order='"record"', wf_actions=two)})
    first, second = host.accept(turn(1, 0))[0]["deliveries"]
    receiver.wait(1)
    assert host.delivery(second)["reason"] == f"{first} goes first"
    receiver.release()
    host.until_state(second, "delivered")
    (host.rules_dir / "w.lua").write_text(workflow(receiver.url, wf_order='"latest"', wf_actions=two))
    assert host.call("POST", "/v1/reload").json()["errors"] == []
    assert [host.until_state(id, "delivered")["state"] for id in host.accept(turn(2, 0))[0]["deliveries"]]


@pytest.mark.parametrize("words", ["hold", "cancel"])
def test_a_stopped_workflow(serve, receivers, words):
    receiver = receivers(lambda request: 503 if request.number == 1 else 200)
    host = serve({"w.lua": workflow(receiver.url, wf_order='"record"', wf_when_stopped=f'"{words}"')}, test_clock=True)
    ids = [owe(host, 1, n) for n in range(3)]
    host.until_state(ids[0], "retrying")
    assert host.call("POST", "/v1/workflows/w/deactivate").status == 200
    if words == "cancel":
        for id in ids:
            host.until_state(id, "cancelled")
        return
    host.until_state(ids[0], "held")
    assert host.call("POST", "/v1/workflows/w/activate").status == 200
    host.until_state(ids[0], "retrying")
    assert host.delivery(ids[1])["reason"] == f"{ids[0]} goes first", "what waits in an order is not let go"
    host.advance("20s")
    for id in ids:
        host.until_state(id, "delivered")
    assert [r.id for r in receiver.wait(4)] == [ids[0], *ids]


def test_cancel_and_resend_keep_the_order(serve, receivers):
    receiver = receivers(lambda request: 410 if request.number == 1 else PARK if request.number == 2 else 200)
    host = serve({"w.lua": workflow(receiver.url, wf_order='"record"')}, test_clock=True)
    ids = [owe(host, 1, n) for n in range(3)]
    host.until_state(ids[0], "terminated")
    receiver.wait(2)
    assert host.call("POST", f"/v1/deliveries/{ids[0]}/resend").json()["state"] == "held"
    assert host.delivery(ids[0])["reason"] == f"{ids[1]} goes first"
    assert host.call("POST", f"/v1/deliveries/{ids[2]}/cancel").json()["state"] == "cancelled"
    receiver.release()
    host.until_state(ids[0], "delivered")
    assert [r.id for r in receiver.wait(3)] == [ids[0], ids[1], ids[0]]


@pytest.mark.parametrize("order", ["record", "latest"])
def test_any_history_keeps_the_order(serve, receivers, order):
    """Random events, answers, kills and acts beside a model: of one record no webhook is begun while another one is
    under way, none goes before an older one, and each ends."""
    seed = random.SystemRandom().randrange(1 << 32)
    print("seed", seed)
    chance, failed = random.Random(seed), {}

    def answer(arrived):
        failed[arrived.id] = failed.get(arrived.id, 0) + 1
        return 200 if failed[arrived.id] > 2 else chance.choice([200, 503, RESET, 410])
    receiver = receivers(answer)
    host = serve({"w.lua": workflow(receiver.url, wf_order=f'"{order}"', content=CONTENT)}, test_clock=True)
    ids = {}
    for n in range(60):
        number = chance.randrange(3)
        ids.setdefault(number, []).append(owe(host, number, n))
        act = chance.random()
        if act < 0.05:
            host.kill9()
            host.start()
        elif act < 0.2:
            host.advance("20s")
        elif act < 0.25:
            host.call("POST", f"/v1/deliveries/{chance.choice(ids[number])}/cancel")
    for _ in range(60):
        host.advance("50h")
        left = [d for d in host.deliveries() if d["state"] in ("pending", "retrying", "held")]
        if not left:
            break
        until(lambda: host.delivery(left[-1]["id"])["attempts"] or host.delivery(left[-1]["id"])["state"] != "pending", "a step")
    until(lambda: all(d["state"] not in ("pending", "retrying", "held") for d in host.deliveries()), "the end")
    states = {d["id"]: d["state"] for d in host.deliveries()}
    for number, owed in ids.items():
        sent = [r.json()["turn"] for r in receiver.requests if r.json()["id"] == number]
        assert sent == sorted(sent), (seed, number, sent)
        if order == "record":
            assert not any(states[id] == "superseded" for id in owed)
        else:
            assert states[owed[-1]] != "superseded", "the newest is never superseded"


@pytest.mark.parametrize("keys, words", [({"order": '"newest"'}, "wants"), ({"wf_order": "true"}, '"record" or "latest"')])
def test_what_is_no_order_is_told(folder, keys, words):
    rules = folder / "rules"
    rules.mkdir()
    (rules / "w.lua").write_text(workflow("https://a.example/", **keys))
    done = run("check", "--rules", rules)
    assert done.returncode == 1 and words in done.stdout, done.stdout
