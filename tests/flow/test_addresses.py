"""Where webhooks may go: tests/data/addresses.txt, in a network where each of these addresses is real and has a
listener. A gap is a connection that is seen, and nothing leaves the machine."""
import ipaddress
import itertools
import json
import pathlib
import re

import pytest
from support.docs import table
from support.host import ROOT, run
from support.names import NameServer
from support.mounts import own_files
from support.network import own_network
from support.receiver import Answer
from support.rules import workflow
from support.waiting import until

DATA = pathlib.Path(__file__).resolve().parents[1] / "data/addresses.txt"
PORTS = (80, 8080)
PUBLIC, PRIVATE = "93.184.216.34", "10.0.0.1"
ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def plain(text):
    return ESCAPE.sub(lambda m: chr(int(m[1] or m[2] or m[3], 16)), text)


def sections():
    found, rows = {}, None
    for line in DATA.read_text().splitlines():
        if re.fullmatch(r"\[[a-z ]+\]", line):
            rows = found.setdefault(line[1:-1], [])
        elif line.strip() and not line.startswith("#"):
            rows.append([plain(cell.strip()) for cell in line.split("|")])
    return found


TABLE = sections()
BLOCKS = [(ipaddress.ip_network(block), name) for block, name in TABLE["blocks"]]
# URL and the words of its error; the error of an address names it and the option.
INVALID = [(f"http://{host}/", words) for host, words in TABLE["invalid hosts"]] + \
          [(url, words) for url, words in TABLE["invalid urls"]]
REFUSED = [(f"http://{host}/", name, to) for host, name, to in TABLE["refused hosts"]]
REACHED = TABLE["reached urls"]


def url_of(address):
    return f"http://[{address}]/" if address.version == 6 else f"http://{address}/"


def edges():
    """The first and the last address of each block, and those beside it: URL, address, whether a block holds it."""
    for block, _ in BLOCKS:
        first, last = block[0], block[-1]
        beside = [first - 1] if int(first) else []
        beside += [last + 1] if int(last) + 1 < 2 ** block.max_prefixlen else []
        for address in (first, last, *beside):
            yield url_of(address), str(address), any(address in block for block, _ in BLOCKS)


@pytest.fixture
def network():
    with own_network():
        yield


@pytest.fixture
def world(network, receivers):
    """The listener at every address."""
    return receivers(at=[("::", port) for port in PORTS])


def lua(text):
    return "".join(f"\\{byte:03d}" for byte in text.encode())


RAW = {"whole.lua": workflow("{{ record.url | raw }}"),
       "made.lua": workflow("", wf_actions='function(event)\n    return { hook.webhook { method = "GET", '
                            'url = event.record.url } }\n  end')}


def events(urls):
    return [{"type": "deal.updated", "record": {"id": n, "url": url}} for n, url in enumerate(urls)]


def post(host, urls):
    """Each URL in an event of its own; the ids of the deliveries by URL."""
    answer = host.ndjson(events(urls))
    assert answer.status == 202, answer
    return dict(zip(urls, [(e["id"], e["deliveries"]) for e in answer.json()["events"]]))


def is_said(text, words):
    return words in text and (not words.startswith("(") or "--allow-target" in text)


def fault_words():
    """Each URL that is refused when it is written down, and words of its error."""
    for url, words in INVALID:
        yield url, words
    for url, name, _ in REFUSED:
        yield url, f"({name})"
    for url, _, is_held in edges():
        if is_held:
            yield url, "--allow-target"


def test_each_spelling_is_refused_before_anything_is_sent(serve, world, folder):
    """In a file, through hook.var, through a template, through a function."""
    faults = dict(fault_words())
    files, variables = dict(RAW), ""
    for n, url in enumerate(faults):
        files[f"l{n}.lua"] = workflow(lua(url))
        files[f"v{n}.lua"] = workflow(f'" .. hook.var "U{n}" .. "')
        variables += f'U{n} = "{lua(url)}", '
    host = serve(files, config=f"return {{ vars = {{ {variables} }} }}", allow=(), start=False)
    checked = run("check", "--rules", host.rules_dir, "--config", host.folder / "hookline.conf.lua", "--json")
    said = {pathlib.Path(fault["file"]).name: fault for fault in json.loads(checked.stdout)["errors"]}
    wrong = [(url, said.get(f"{kind}{n}.lua")) for n, (url, words) in enumerate(faults.items()) for kind in "lv"
             if not is_said(said.get(f"{kind}{n}.lua", {"message": ""})["message"], words)]
    assert not wrong
    assert checked.returncode == 1 and all(fault["line"] for fault in said.values())
    host.start()
    reached = {url: to for url, to in REACHED}
    reached.update((url, address) for url, address, is_held in edges() if not is_held)
    posted = post(host, [*faults, *reached])
    requests = {r.id: r for r in world.wait(2 * len(reached))}
    for url, words in faults.items():
        event, deliveries = posted[url]
        runs = {r["workflow"]: r for r in host.event(event)["runs"]}
        if set(runs) != {"whole", "made"} or len(deliveries) != 1 or not is_said(runs["made"]["reason"], words):
            wrong.append((url, runs))
        delivery = host.delivery(deliveries[0])
        if delivery["state"] != "invalid" or not is_said(delivery["reason"], words):
            wrong.append((url, delivery))
    assert not wrong
    for url, to in reached.items():
        assert [requests[id].to for id in posted[url][1]] == [to] * 2, url
    assert set(world.reached) == set(reached.values()) and len(requests) == 2 * len(reached)


def test_each_is_reached_where_its_block_is_allowed(serve, world):
    """So the test above can fail. What is no URL stays so."""
    reached = {url: to for url, _, to in REFUSED if to != "-"}
    host = serve(RAW, allow=[str(block) for block, _ in BLOCKS])
    posted = post(host, [*reached, *(url for url, _ in INVALID)])
    requests = {r.id: r for r in world.wait(2 * len(reached))}
    wrong = [(url, to, [requests[id].to for id in posted[url][1]]) for url, to in reached.items()
             if [requests[id].to for id in posted[url][1]] != [to] * 2]
    assert not wrong
    assert all(len(posted[url][1]) == 1 and host.delivery(posted[url][1][0])["state"] == "invalid" for url, _ in INVALID)
    assert set(world.reached) == set(reached.values())


# --- names ----------------------------------------------------------------------------------------


def records_of(text):
    for record in filter(None, text.split(", ")):
        kind, value, *times = record.split()
        yield from itertools.repeat((kind, value), int(times[0][1:]) if times else 1)


@pytest.fixture
def named(network, serve, folder):
    """A host whose name server says what the test gives it: named(names, **options of Host)."""
    servers = []
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\nsearch corp.test\n")
    (folder / "hosts").write_text("127.0.0.1 localhost hosts-file.test\n")
    files = own_files((folder / "resolv.conf", "/etc/resolv.conf"), (folder / "hosts", "/etc/hosts"))

    def start(names, **options):
        servers.append(NameServer(names))
        return serve({"host.lua": workflow("http://{{ record.host | raw }}/")}, prefix=files, allow=(),
                     test_clock=True, **options)
    yield start
    for one in servers:
        one.close()


RECORDS = itertools.count()


def send(host, name):
    """The delivery, when its first attempt has ended."""
    (id,) = host.accept({"type": "deal.updated", "record": {"id": next(RECORDS), "host": name}})[0]["deliveries"]
    return until(lambda: (d := host.delivery(id))["attempts"] and d, name)


def is_refused(delivery):
    (attempt,) = delivery["attempts"]
    return delivery["state"] == "retrying" and attempt["error"] == "address_refused" and attempt["response_received"] is None


def test_each_name_is_refused_or_reached_by_what_it_resolves_to(named, world):
    """No proxy of the environment is used either."""
    names = {name.lower().rstrip("."): list(records_of(records)) for name, records, _ in TABLE["names"] if records}
    proxy = {key: "http://10.9.9.9:80" for key in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY")}
    host = named({**names, "intranet.corp.test": [("A", PRIVATE)]}, env=proxy)
    wrong = []
    for name, _, verdict in TABLE["names"]:
        delivery = send(host, name)
        if not (is_refused(delivery) if verdict == "refused" else delivery["state"] == "delivered"
                and world.wait_until(lambda seen, id=delivery["id"]: any(r.id == id for r in seen), name)[-1].to == verdict):
            wrong.append((name, delivery["state"], delivery["attempts"]))
    assert not wrong
    assert set(world.reached) == {verdict for _, _, verdict in TABLE["names"]} - {"refused"}
    assert host.log().count("--allow-target") == sum(verdict == "refused" for _, _, verdict in TABLE["names"])


def test_what_was_left_out_is_told_where_the_rest_does_not_answer(named, world):
    host = named({"mixed.test": [("A", PUBLIC), ("A", PRIVATE)]})
    (attempt,) = send(host, "mixed.test:81")["attempts"]
    assert attempt["error"] == "connect" and f"--allow-target {PRIVATE}/32" in attempt["detail"], attempt


def test_an_answer_that_changes_between_check_and_connect(named, world):
    """One lookup a request: the address that was checked is the one that is connected to. What a later lookup gives is
    refused, though a connection to the address before may still be there."""
    server = {"flip.test": lambda asked: [("A", PRIVATE if asked else PUBLIC)]}
    host = named(server)
    states = []
    until(lambda: states.append(send(host, "flip.test")) or states[-1]["state"] == "retrying", "another answer")
    assert [d["state"] for d in states[:-1]] == ["delivered"] * (len(states) - 1) and len(states) > 1
    assert is_refused(states[-1])
    assert set(world.reached) == {PUBLIC}


def test_a_redirect_is_not_followed(serve, world):
    statuses = {str(status): status for status in (300, 301, 302, 303, 305, 307, 308)}
    places = {"Location": "http://169.254.169.254/x", "Refresh": "0; url=http://169.254.169.254/x"}
    world.script = lambda request: Answer(statuses[request.path[1:]], places)
    host = serve({"w.lua": workflow(f"http://{PUBLIC}/{{{{ record.id }}}}")}, allow=(), test_clock=True)
    ids = {s: host.accept({"type": "deal.updated", "record": {"id": s}})[0]["deliveries"][0] for s in statuses}
    for status, id in ids.items():
        (attempt,) = host.until_state(id, "retrying")["attempts"]
        assert attempt["response_received"]["status"] == statuses[status]
    assert set(world.reached) == {PUBLIC} and len(world.requests) == len(statuses)


PARTS = ("\r\nHost: 10.0.0.1\r\n\r\n", "@10.0.0.1/", "#@10.0.0.1/", "\\@10.0.0.1", "//10.0.0.1/", ":80@10.0.0.1", "?x", "?@10.0.0.1",
         " HTTP/1.1\r\nX: y", "http://10.0.0.1/", "\x00", "\t@10.0.0.1", "\uff05\uff10d", "%0d%0a", "/@10.0.0.1", ".", "")


def test_what_fills_a_url_moves_it_nowhere(serve, world):
    """Escaped, each part stays in its path and its query; with `| raw` it is refused, or still goes to the same place."""
    host = serve({"escaped.lua": workflow(f"http://{PUBLIC}/a{{{{ record.x }}}}b?q={{{{ record.x }}}}&c"),
                  "path.lua": workflow(f"http://{PUBLIC}/{{{{ record.x | raw }}}}"),
                  "authority.lua": workflow(f"http://{PUBLIC}{{{{ record.x | raw }}}}")}, allow=())
    answer = host.ndjson([{"type": "deal.updated", "record": {"id": n, "x": part}} for n, part in enumerate(PARTS)])
    ids = [id for event in answer.json()["events"] for id in event["deliveries"]]
    assert len(ids) == 3 * len(PARTS)
    deliveries = until(lambda: (all_ := [host.delivery(id) for id in ids]) and all(
        d["state"] in ("delivered", "invalid") for d in all_) and all_, "their ends")
    paths = [r.path for r in world.requests]
    escaped = [p for p in paths if re.fullmatch(r"/a[\w.~%:@!$&'()*+,;=-]*b\?q=[\w.~%:@!$'()*+,;/-]*&c", p)]
    assert len(escaped) == len(PARTS), paths
    assert len(paths) == sum(d["state"] == "delivered" for d in deliveries) > len(PARTS)
    assert set(world.reached) == {PUBLIC}
    assert all(r.headers["host"] == PUBLIC and "x" not in r.headers for r in world.requests)


def test_a_trial_is_guarded_alike(network, world, serve):
    """`try --send` and the test of the API."""
    host = serve({"w.lua": workflow("http://localhost/"), **RAW}, allow=())
    event = {"type": "deal.updated", "record": {"id": 1, "url": "http://127.0.0.1/"}}
    (host.folder / "e.json").write_text(json.dumps(event))

    def trial(name, *options):
        done = run("try", host.rules_dir / f"{name}.lua", "--event", host.folder / "e.json", "--send", "--json", *options)
        return done.returncode, done.stdout + done.stderr
    for code, said in (trial("w"), trial("whole"), trial("made")):
        assert code == 1 and "--allow-target" in said, said
    for name in ("w", "whole"):
        answer = host.call("POST", f"/v1/workflows/{name}/test", {"event": event, "send": True})
        assert "--allow-target" in answer.body.decode(), answer
    assert not world.reached
    loopback = ("--allow-target", "127.0.0.0/8", "--allow-target", "::1")
    assert [trial(name, *loopback)[0] for name in ("w", "whole", "made")] == [0, 0, 0]
    assert sum(world.reached.values()) == 3


def test_the_documents_have_the_same_blocks():
    rows = table((ROOT / "docs/reference.md").read_text(), "Addresses")
    assert sorted((block.strip("`"), name) for name, blocks, _ in rows for block in blocks.split(" ")) == \
        sorted((str(block), name) for block, name in BLOCKS)
