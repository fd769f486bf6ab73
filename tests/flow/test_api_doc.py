"""docs/api.md is walked through: each line is run against a host, and what is shown is what comes."""
import json
import re
import subprocess

import pytest
from support.docs import fenced
from support.host import ROOT
from support.rules import workflow

pytestmark = pytest.mark.release_only


def shape(value):
    """The members and types of a JSON value."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value]
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def test_the_walk(serve, receiver):
    host = serve({"won_deal.lua": workflow(receiver.url)})
    blocks = [(kind, text) for kind, text, _ in fenced((ROOT / "docs/api.md").read_text()) if kind in ("sh", "json")]
    functions = "\n".join(line for line in blocks[0][1].splitlines() if line.startswith("auth()"))
    assert blocks[0][1].startswith("HOST=") and functions
    known, answer = {}, None
    for kind, text in blocks[1:]:
        if kind == "json":
            shown = json.loads(text)
            assert shape(shown) == shape(json.loads(answer)), (text, answer)
            known.update(zip(re.findall(r"dlv_\w{13}", text), re.findall(r"dlv_\w{13}", answer)))
            continue
        for name in set(re.findall(r"dlv_\w{13}", text)):
            host.until_state(known[name], "delivered")
            text = text.replace(name, known[name])
        # It may have arrived again by then: the document says that this is refused.
        script = re.sub(r"^(auth .*/cancel).*$", r"\1 || true", text, flags=re.M)
        if "?workflow=won_deal&since" in text:
            host.until_state(host.deliveries()[0]["id"], "delivered")
        done = subprocess.run(["bash", "-ec", functions + "\n" + script], capture_output=True, text=True, timeout=60,
                              env={"HOST": f"http://127.0.0.1:{host.port}", "TOKEN": host.token, "PATH": "/usr/bin:/bin"})
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        answer = done.stdout
