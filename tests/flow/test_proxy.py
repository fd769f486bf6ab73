"""A target's proxy: used for it alone, asked for the address that was checked, and no way around the guard."""
import json
import ssl

import pytest
from support.certificates import Authority
from support.host import run
from support.proxy import Proxy
from support.rules import deal, workflow
from support.trial import try_out
from support.waiting import until


@pytest.fixture
def proxies():
    made = []

    def make(**keys):
        made.append(Proxy(**keys))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("proxy") / "authority")


def config(url, **keys):
    entries = ", ".join(f"{key} = {value if value.startswith('hook.') else json.dumps(value)}"
                        for key, value in keys.items())
    return f'local hook = require "hookline"\nreturn {{ targets = {{ ["{url}"] = {{ {entries} }} }} }}'


def test_the_proxy_connects_to_the_address_that_was_checked(serve, receivers, proxies, authority):
    """Not to the name, which it would look up again; the certificate is still judged by the name."""
    identity = authority.sign("by-name", "DNS:localhost")
    receiver, plain, proxy = receivers(tls=(identity.cert, identity.key)), receivers(), proxies()
    url, other = f"https://localhost:{receiver.port}", f"http://localhost:{plain.port}"
    text = (f'return {{ targets = {{ ["{url}"] = {{ proxy = "{proxy.url}", ca = "{authority.cert}" }}, '
            f'["{other}"] = {{ proxy = "{proxy.url}" }} }} }}')
    host = serve({"w.lua": workflow(url), "x.lua": workflow(other)}, config=text)
    for number in range(3):
        for id in host.accept(deal(number))[0]["deliveries"]:
            answer = host.until_state(id, "delivered")["attempts"][0]["response_received"]
            assert "x-proxy" not in {name.lower() for name in answer["headers"]}, "not of the target"
    # A tunnel each, for http:// too, and kept from the second request on: the first connection to a target is not.
    assert sorted(proxy.requests) == sorted([f"CONNECT 127.0.0.1:{r.port} HTTP/1.1" for r in (receiver, plain)] * 2)
    assert {r.headers["host"] for r in receiver.requests} == {f"localhost:{receiver.port}"}
    assert {r.headers["host"] for r in plain.requests} == {f"localhost:{plain.port}"}
    assert len(receiver.requests) == len(plain.requests) == 3
    # What goes to the target does not go to the proxy.
    assert not any(word in head.lower() for head in proxy.heads for word in ("webhook-id", "hookline-depth"))


def test_a_proxy_is_used_for_its_target_alone(serve, receivers, proxies):
    behind, direct, proxy = receivers(), receivers(), proxies()
    host = serve({"a.lua": workflow(behind.url), "b.lua": workflow(direct.url)},
                 config=config(behind.url, proxy=proxy.url))
    for id in host.accept(deal(1))[0]["deliveries"]:
        host.until_state(id, "delivered")
    assert proxy.requests == [f"CONNECT 127.0.0.1:{behind.port} HTTP/1.1"] and len(direct.requests) == 1


def test_a_refused_address_is_refused_through_a_proxy_too(serve, receivers, proxies):
    receiver, proxy = receivers(), proxies()
    url = f"http://localhost:{receiver.port}"
    host = serve({"w.lua": workflow(url)}, config=config(url, proxy=proxy.url), allow=())
    id = host.accept(deal(1))[0]["deliveries"][0]
    attempt = host.until_state(id, "retrying")["attempts"][0]
    assert attempt["error"] == "address_refused" and "--allow-target" in host.log()
    assert not proxy.requests and not receiver.requests


def test_a_literal_address_is_refused_through_a_proxy_too(serve, receivers, proxies):
    receiver, proxy = receivers(), proxies()
    host = serve({"w.lua": workflow(receiver.url)}, config=config(receiver.url, proxy=proxy.url), allow=())
    assert "--allow-target" in host.call("GET", "/v1/workflows/w").json()["error"]["message"]
    assert not proxy.requests


def test_the_environment_names_no_proxy(serve, receivers, proxies):
    receiver, proxy = receivers(), proxies()
    env = {name: proxy.url for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY",
                                        "ALL_PROXY")}
    host = serve({"w.lua": workflow(receiver.url)}, env=env)
    host.until_state(host.accept(deal(1))[0]["deliveries"][0], "delivered")
    assert not proxy.requests
    # Nor an exception from the one that is configured.
    behind = receivers()
    host = serve({"w.lua": workflow(behind.url)}, env={"no_proxy": "*", "NO_PROXY": "127.0.0.1"},
                 config=config(behind.url, proxy=proxy.url))
    host.until_state(host.accept(deal(1))[0]["deliveries"][0], "delivered")
    assert len(proxy.requests) == 1


def test_a_proxy_with_a_login_is_a_secret(serve, folder, receivers, proxies):
    receiver, proxy = receivers(), proxies(login="crm:p@ss")
    secret = f"http://crm:p%40ss@127.0.0.1:{proxy.port}"
    text = config(receiver.url, proxy='hook.secret "PROXY"')
    host = serve({"w.lua": workflow(receiver.url)}, config=text, env={"HOOKLINE_SECRET_PROXY": secret})
    id = host.accept(deal(1))[0]["deliveries"][0]
    host.until_state(id, "delivered")
    assert "p%40ss" not in host.log() + json.dumps(host.delivery(id)) and "p@ss" not in host.log()
    # Without it the proxy says no, and the advice says what to do.
    request = try_out(folder, receiver.url, config(receiver.url, proxy=proxy.url))
    assert request["error"] == "connect" and request["response_received"] is None
    assert "answered 407" in request["detail"] and 'proxy = hook.secret "NAME"' in request["advice"], request
    # A secret that is missing, or no URL, stops the start without being told.
    for value, words in ((None, "hookline secrets set PROXY"), ("ftp://crm:hidden@127.0.0.1", "a proxy is http://HOST:PORT")):
        (folder / "c.lua").write_text(text)
        env = {"HOOKLINE_SECRET_PROXY": value} if value else {}
        done = run("serve", "--config", folder / "c.lua", "--data", folder / "data", "--listen", "127.0.0.1:0", env=env)
        assert done.returncode != 0 and words in done.stderr and ".proxy" in done.stderr, done.stderr
        assert "hidden" not in done.stderr


def test_a_proxy_that_says_no_or_is_not_there(folder, receivers, proxies):
    receiver = receivers()
    request = try_out(folder, receiver.url, config(receiver.url, proxy=proxies(refuse=403).url))
    assert request["error"] == "connect" and request["response_received"] is None
    assert "answered 403 to CONNECT" in request["detail"] and "must allow CONNECT" in request["advice"], request
    gone = proxies()
    gone.close()
    request = try_out(folder, receiver.url, config(receiver.url, proxy=gone.url))
    assert request["error"] == "connect" and "The proxy takes no connections" in request["advice"], request
    request = try_out(folder, receiver.url, config(receiver.url, proxy="http://no-such-name.invalid:3128"))
    assert request["error"] == "dns" and "the proxy no-such-name.invalid" in request["detail"], request
    assert not receiver.requests


REFUSAL = b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n"
FLOODS = {
    "a body of a length": (REFUSAL + b"Content-Length: 1000000000000\r\n\r\n", b"x" * 65536, "answered 407"),
    "a body in chunks": (REFUSAL + b"Transfer-Encoding: chunked\r\n\r\n", b"4000\r\n" + b"x" * 0x4000 + b"\r\n",
                         "answered 407"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, ""),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 8192, ""),
}


@pytest.mark.parametrize("login", ["", "crm:pass@"])
@pytest.mark.parametrize("what", FLOODS)
def test_an_answer_without_end_does_not_hold_the_host(serve, receivers, proxies, what, login):
    *flood, words = FLOODS[what]
    behind, direct, proxy = receivers(), receivers(), proxies(flood=flood)
    host = serve({"a.lua": workflow(behind.url), "b.lua": workflow(direct.url)},
                 config=config(behind.url, proxy='hook.secret "PROXY"'),
                 env={"HOOKLINE_SECRET_PROXY": proxy.url.replace("//", "//" + login)})
    owed = {d["workflow"]: d["id"] for d in map(host.delivery, host.accept(deal(1))[0]["deliveries"])}
    host.until_state(owed["b"], "delivered")
    attempt = host.until_state(owed["a"], "retrying")["attempts"][0]
    assert attempt["error"] in ("connect", "reset") and words in attempt["detail"], attempt
    assert proxy.requests and proxy.flooded == 0


def test_an_https_proxy_is_judged_by_the_systems_authorities(folder, receivers, proxies, authority):
    """And not by the target's own; the target's certificate is not shown to it."""
    identity = authority.sign("https-proxy")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.cert, identity.key)
    receiver, proxy = receivers(tls=(identity.cert, identity.key)), proxies(tls=context)
    text = config(receiver.url, proxy=proxy.url, ca=str(authority.cert))
    request = try_out(folder, receiver.url, text)
    assert request["error"] == "tls" and "TLS handshake with the proxy" in request["advice"], request
    assert not proxy.requests and not receiver.requests


def test_redirect_all_goes_through_the_proxy_of_its_target(serve, receivers, proxies):
    receiver, proxy = receivers(), proxies()
    url = f"http://localhost:{receiver.port}/all"
    host = serve({"w.lua": workflow("http://elsewhere.example.com/")}, args=["--redirect-all", url], allow=(),
                 config=config(url[:-4], proxy=proxy.url))
    host.accept(deal(1))
    receiver.wait(1)
    until(lambda: proxy.requests, "the tunnel")
    assert proxy.requests == [f"CONNECT 127.0.0.1:{receiver.port} HTTP/1.1"]
