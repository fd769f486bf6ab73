"""`hookline try --send`."""
import json

from support.host import run
from support.rules import workflow


def try_out(folder, url, text, env=None):
    """`hookline try --send` of one webhook to the url: its request's object."""
    rules = folder / "try"
    rules.mkdir(exist_ok=True)
    (rules / "w.lua").write_text(workflow(url))
    (folder / "try.conf.lua").write_text(text)
    done = run("try", rules / "w.lua", "--send", "--json", "--config", folder / "try.conf.lua", "--data",
               folder / "try-data", "--allow-target", "127.0.0.0/8", env=env)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)["requests"][0]
