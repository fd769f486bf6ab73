"""The programs of docs/sending.md, each run as it stands against a real host, behind something that fails first."""
import shutil
import subprocess

import pytest
from support.docs import PROGRAM_ENVIRONMENT, fenced
from support.host import ROOT
from support.receiver import RESET, Answer
from support.rules import workflow

pytestmark = pytest.mark.release_only
PROGRAMS = {  # language: file, command, and what it needs besides
    "sh": ("send.sh", ["sh"], "curl"), "python": ("send.py", ["/usr/bin/python3"], None), "js": ("send.mjs", ["node"], None),
    "go": ("send.go", ["go", "run"], None), "php": ("send.php", ["php"], None), "lua": ("send.lua", ["lua5.4"], "curl"),
}


@pytest.fixture(params=PROGRAMS)
def program(request, folder):
    """Runs the document's program of a language with a host's URL and token."""
    name, command, other = PROGRAMS[request.param]
    for needed in (command[0], other):
        if needed and not shutil.which(needed):
            pytest.skip(f"{needed} is not here")
    (text,) = [text for kind, text, _ in fenced((ROOT / "docs/sending.md").read_text()) if kind == request.param]
    (folder / name).write_text(text)

    def run(url, token):
        return subprocess.run([*command, folder / name], capture_output=True, text=True, timeout=60, cwd=folder, env={
            **PROGRAM_ENVIRONMENT, "HOME": str(folder), "HOOKLINE_URL": url, "HOOKLINE_TOKEN": token})
    return run


def test_an_event_arrives_once_whatever_happens_on_the_way(serve, receiver, receivers, program):
    host = serve({"w.lua": workflow(receiver.url)})
    taken = []

    def on_the_way(request):
        if request.number == 1:
            return Answer(429, {"Retry-After": "2"})
        if request.number == 3:
            return 503
        answer = host.call("POST", request.path, request.body, {
            "Content-Type": request.headers["content-type"], "Authorization": request.headers["authorization"]}, fresh=True)
        taken.append(answer)
        return RESET if request.number == 2 else Answer(answer.status, body=answer.body)

    front = receivers(on_the_way)
    done = program(front.url, host.token)
    assert done.returncode == 0, done
    assert len(front.requests) == 4 and len({request.body for request in front.requests}) == 1
    first, second = front.requests[:2]
    assert second.at - first.at >= 1.9, "Retry-After"
    assert all(b.at - a.at >= 0.2 for a, b in zip(front.requests[1:], front.requests[2:]))
    assert [(t.status, t.json()["events"][0].get("duplicate", False)) for t in taken] == [(202, False), (202, True)]
    assert len(receiver.wait()) == 1 and host.event("crm-88121")["type"] == "deal.updated"


# A redirect is followed nowhere: of the POST it would make a GET, whose 200 says nothing of the event.
@pytest.mark.parametrize("status", [302, 400, 409])
def test_what_is_refused_is_not_sent_again(receivers, program, status):
    front = receivers(lambda request: Answer(200 if request.method == "GET" else status, {"Location": "/v1/events"},
                                             body=b'{"detail":"the words of the host"}'))
    done = program(front.url, "token")
    assert done.returncode != 0 and len(front.requests) == 1
    assert "the words of the host" in done.stdout + done.stderr
