"""`once`: one run for a workflow and record, ever, with all its webhooks."""
import concurrent.futures
import http.client
import json

from support.rules import deal, workflow

TWO = ('{ hook.webhook { method = "POST", url = "%s/a", encoding = "json", content = hook.fields { "id" } },'
       ' hook.webhook { method = "DELETE", url = "%s/b" } }')


def once(url):
    return workflow(url, wf_trigger='hook.once { "created", "updated" }', wf_actions=TWO % (url, url))


def post_all(host, events, threads=16):
    """Posts from many connections at once; the parsed answers."""
    def post(share):
        connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=60)
        answers = []
        for event in share:
            connection.request("POST", "/v1/events", json.dumps(event),
                               {"Content-Type": "application/json", "Authorization": f"Bearer {host.token}"})
            reply = connection.getresponse()
            assert reply.status == 202
            answers.append(json.loads(reply.read())["events"][0])
        connection.close()
        return answers
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return [a for part in pool.map(post, [events[n::threads] for n in range(threads)]) for a in part]


def test_concurrent_events_for_one_record_fire_one_with_all_its_webhooks(serve, receiver):
    host = serve({"once.lua": once(receiver.url)})
    answers = post_all(host, [deal(n % 20) for n in range(640)])
    firing = [a for a in answers if a["deliveries"]]
    assert len(firing) == 20 and all(len(a["deliveries"]) == 2 for a in firing)
    ids = {id for a in firing for id in a["deliveries"]}
    seen = receiver.wait_until(lambda r: len({x.id for x in r}) >= 40, "40 webhooks")
    assert {x.id for x in seen} == ids
    assert sorted(x.json()["id"] for x in seen if x.path == "/a") == list(range(20))
    assert sorted(x.method for x in seen) == ["DELETE"] * 20 + ["POST"] * 20


def test_once_holds_in_one_body_and_over_a_kill(serve, receiver):
    host = serve({"once.lua": once(receiver.url)})
    answer = host.ndjson([deal(1, event_id=f"e{n}") for n in range(50)]).json()["events"]
    assert [len(e["deliveries"]) for e in answer] == [2] + [0] * 49
    host.kill9()
    host.start()
    assert host.accept(deal(1))[0]["deliveries"] == []
    assert host.accept(deal("1"))[0]["deliveries"] == [], "1 and '1' are the same record"
    assert len(host.accept(deal(2))[0]["deliveries"]) == 2


def test_once_is_by_workflow(serve, receiver):
    host = serve({"a.lua": once(receiver.url), "b.lua": once(receiver.url)})
    assert len(host.accept(deal(1))[0]["deliveries"]) == 4
    assert host.accept(deal(1))[0]["deliveries"] == []


def test_an_event_whose_conditions_fail_takes_no_mark(serve, receiver):
    host = serve({"once.lua": workflow(receiver.url, wf_trigger='hook.once { "created", "updated" }',
                                       wf_when='hook.all { field "stage":is("Won") }')})
    assert host.accept(deal(1, stage="Lost"))[0]["deliveries"] == []
    assert len(host.accept(deal(1, stage="Won"))[0]["deliveries"]) == 1


def test_the_same_event_from_many_connections_is_taken_once(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)})
    answers = post_all(host, [deal(n % 8, event_id=f"e{n % 8}") for n in range(160)])
    by_event = {}
    for answer in answers:
        by_event.setdefault(answer["id"], []).append(answer)
    for same in by_event.values():
        assert sum(not a["duplicate"] for a in same) == 1
        assert len({tuple(a["deliveries"]) for a in same}) == 1 and len(same[0]["deliveries"]) == 1
    receiver.wait_until(lambda r: len({x.id for x in r}) >= 8, "8 webhooks")
    host.accept(deal(8))
    receiver.wait_until(lambda r: any(x.json()["id"] == 8 for x in r))
    assert len(receiver.requests) == 9
