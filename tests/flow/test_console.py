"""What serves the console: its files, without a token, under a policy that lets nothing else in."""
import hashlib
import re

import pytest
from support.rules import workflow

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")


@pytest.fixture
def host(serve):
    return serve({})


def fetch(host, path, headers=None, method="GET"):
    return host.call(method, path, headers=headers, token=False)


def test_the_page_names_what_is_there(host):
    page = fetch(host, "/")
    assert page.status == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in page.body.decode() and "<style" not in page.body.decode()
    seen, waiting = set(), re.findall(r'(?:src|href)="(/[^"]+)"', page.body.decode())
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        one = fetch(host, path)
        assert one.status == 200, path
        kind = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
        assert one.headers["content-type"] == kind[path.rpartition(".")[2]]
        if path.endswith(".js"):
            names = re.findall(r'^(?:import|export)\b[^;]*?from ?"([^"]+)"', one.body.decode(), re.M)
            assert all(name.startswith(".") for name in names), f"{path} has bare names: {names}"
            waiting += [resolve(path, name) for name in names]
    assert "/console/lib/preact.js" in seen and "/console/lib/uplot.js" in seen


def resolve(path, name):
    parts = path.split("/")[:-1]
    for part in name.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


@pytest.mark.parametrize("path", ["/", "/console/js/main.js", "/console/css/base.css", "/console/lib/LICENSES.txt"])
def test_a_file_is_guarded_and_asked_for_again_only_where_it_changed(host, path):
    one = fetch(host, path)
    assert one.headers["content-security-policy"] == POLICY
    assert one.headers["x-content-type-options"] == "nosniff" and one.headers["referrer-policy"] == "no-referrer"
    assert one.headers["cache-control"] == "no-cache"
    assert one.headers["etag"] == f'"{hashlib.sha256(one.body).hexdigest()[:16]}"'
    again = fetch(host, path, {"If-None-Match": one.headers["etag"]})
    assert (again.status, again.body) == (304, b"") and again.headers["etag"] == one.headers["etag"]
    assert fetch(host, path, {"If-None-Match": '"other"'}).status == 200
    head = fetch(host, path, method="HEAD")
    assert head.status == 200 and head.body == b"" and head.headers["content-length"] == str(len(one.body))


def test_what_is_not_there_is_not_found(host):
    for path in ("/console/nothing.js", "/console/../hookline.db", "/console/%2e%2e/x", "/console//js/main.js",
                 "/console/js", "/console/js/"):
        assert fetch(host, path).status == 404, path
    assert host.call("POST", "/console/js/main.js").status == 405
    assert fetch(host, "/v1/status").status == 401


def test_the_text_of_a_workflow(serve):
    good = workflow("https://a.example.com/")
    host = serve({"w.lua": good, "broken.lua": "return {"}, args=["--no-watch"])

    def source(id):
        reply = host.call("GET", f"/v1/workflows/{id}/source")
        assert reply.status == 200, reply
        return reply.json()
    first = source("w")
    assert first["text"] == good and first["in_force"] is None and first["file"].endswith("/w.lua")
    assert source("broken")["text"] == "return {" and source("broken")["in_force"] is None
    (host.rules_dir / "w.lua").write_text("nothing good")
    host.call("POST", "/v1/reload")
    second = source("w")
    assert (second["text"], second["in_force"]) == ("nothing good", good)
    assert second["generation"] == first["generation"] + 1
    (host.rules_dir / "w.lua").unlink()
    host.call("POST", "/v1/reload")
    assert host.call("GET", "/v1/workflows/w/source").status == 404
