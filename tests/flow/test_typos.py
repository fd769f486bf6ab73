"""What somebody mistyped, or does not know yet, is said to him, and is no empty list."""
import pytest
from support.host import run
from support.receiver import Answer
from support.rules import deal, workflow


def ask(host, *args):
    done = run(*args, "--data", host.data)
    return done.stdout + done.stderr


def test_a_workflow_that_is_none_is_told_beside_the_empty_list(serve, receiver):
    host = serve({"welcome.lua": workflow(receiver.url), "other.lua": workflow(receiver.url)})
    wrong = ask(host, "deliveries", "--workflow", "welcom")
    assert wrong.splitlines() == ["There are no deliveries like that.", "There is no workflow welcom; did you mean welcome?"]
    assert "There is no workflow nothing_like_it\n" in ask(host, "deliveries", "--workflow", "nothing_like_it")
    assert ask(host, "deliveries", "--workflow", "welcome") == "There are no deliveries like that.\n"
    assert ask(host, "audit", "--who", "nobody") == "There are no acts like that.\n"


def test_a_target_is_found_however_it_is_written(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)})
    host.accept(deal(1))
    receiver.wait()
    port = receiver.url.rpartition(":")[2]
    for written in (receiver.url, receiver.url + "/", receiver.url.replace("http", "HTTP")):
        assert len(host.call("GET", f"/v1/deliveries?target={written}").json()["deliveries"]) == 1, written
    assert f"http://127.0.0.1:{port}" in ask(host, "deliveries", "--target", f"http://127.0.0.1:{port}/")
    for written in (f"127.0.0.1:{port}", "app.example.com", receiver.url + "/path"):
        reply = host.call("GET", f"/v1/deliveries?target={written}")
        assert reply.status == 400 and "such as https://app.example.com:443" in reply.json()["detail"], written
        assert host.call("GET", f"/v1/targets?target={written}").status == 400
    assert "such as https://app.example.com:443" in ask(host, "targets", "--target", f"127.0.0.1:{port}")


def test_try_with_a_workflows_id_names_its_file(folder):
    (folder / "rules").mkdir()
    (folder / "rules/welcome.lua").write_text(workflow("https://app.example.com/x"))
    assert "did you mean ./rules/welcome.lua?" in run("try", "welcome", cwd=folder).stderr.replace("mean rules", "mean ./rules")
    assert "did you mean" not in run("try", "nothing", cwd=folder).stderr


@pytest.mark.parametrize("line, words", [
    ("local now = os.time()", "(global 'os'); there is no os here"),
    ("io.open 'x'", "(global 'io'); there is no io here"),
    ("local a = hook.field 'x'", "(global 'hook'); write local hook = require \"hookline\" above"),
    ("local a = nil; a.b = 1", "(local 'a')\n"),
])
def test_check_says_what_is_missing_of_lua(folder, line, words):
    (folder / "rules").mkdir()
    (folder / "rules/w.lua").write_text(line + "\n" + workflow("https://app.example.com/x"))
    said = run("check", cwd=folder).stdout
    assert words in said, said


def test_status_says_what_holds_something_up(serve, receivers):
    receiver = receivers(lambda request: Answer(503, {}, b""))
    host = serve({"w.lua": workflow(receiver.url), "broken.lua": "return hook.workflow {"}, test_clock=True)
    host.until_state(host.accept(deal(1))[0]["deliveries"][0], "retrying")
    assert host.call("GET", "/v1/status").json()["broken"] == ["broken"]
    ready = host.call("GET", "/readyz")
    assert ready.status == 200 and ready.json()["ready"] is True and ready.json()["broken"] == ["broken"]
    said = ask(host, "status")
    assert "  broken     broken: its file has an error, see hookline workflows\n" in said and "targets resume" not in said
    run("targets", "pause", receiver.url, "--data", host.data)
    line = f"  paused     {receiver.url}, which is owed 1: hookline targets resume {receiver.url}\n"
    assert line in ask(host, "status")
    assert "targets resume" not in ask(host, "pause") and line in ask(host, "resume")
    run("targets", "resume", receiver.url, "--data", host.data)
    (host.rules_dir / "broken.lua").unlink()
    run("reload", "--data", host.data)
    assert "broken" not in ask(host, "status") and "targets resume" not in ask(host, "status")
