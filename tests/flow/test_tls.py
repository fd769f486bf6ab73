"""TLS: what each target trusts and shows, what is refused, and that the advice says which fault it is."""
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest
from support.certificates import Authority, openssl
from support.host import run
from support.proxy import Proxy
from support.rules import deal, workflow
from support.trial import try_out
from support.waiting import until


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(scope="module")
def good(authority):
    return authority.sign("good", "IP:127.0.0.1,DNS:localhost")


def server_side(identity, client_ca=None, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if version is not None:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.maximum_version = version
    context.load_cert_chain(identity.cert, identity.key)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context


def config(targets):
    """The text of a configuration with these keys of targets."""
    entries = "".join(f'["{url}"] = {{ {", ".join(f"{k} = {v}" for k, v in keys.items())} }},\n'
                      for url, keys in targets.items())
    return f"return {{ targets = {{ {entries} }} }}"


def quoted(path):
    return json.dumps(str(path))


def drain(connection):
    """Until the other side closes: a close with something unread would be a reset."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


@contextlib.contextmanager
def server(context):
    """One connection and one request after another, with blocking sockets: asyncio's TLS, which the receiver uses,
    closes a connection that it refuses without the alert that other servers send. context None: no TLS."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)

        def serve_one(connection):
            plain = connection
            try:
                if context:
                    connection = context.wrap_socket(connection.dup(), server_side=True)
                connection.recv(65536)
                status = "200 OK" if context else "400 Bad Request"
                connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
                connection.recv(1)
            except ssl.SSLError:
                pass  # the alert is out
            drain(plain)
            connection.close()

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        serve_one(connection)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_a_target_trusts_its_own_authority(serve, receivers, authority, good):
    receiver = receivers(tls=(good.cert, good.key))
    other = receivers(tls=(good.cert, good.key))
    host = serve({"w.lua": workflow(receiver.url), "x.lua": workflow(other.url)},
                 config=config({receiver.url: {"ca": quoted(authority.cert)}}))
    ids = host.accept(deal(1))[0]["deliveries"]
    by_target = {host.delivery(id)["target"]: id for id in ids}
    host.until_state(by_target[receiver.url], "delivered")
    # Nobody else is trusted for it.
    attempt = host.until_state(by_target[other.url], "retrying")["attempts"][0]
    assert attempt["error"] == "tls" and attempt["response_received"] is None
    assert len(receiver.requests) == 1 and not other.requests


FAULTS = {
    "name": ("the certificate is made for another name than 127.0.0.1", lambda a: a.sign("n", "DNS:other.example.com")),
    "expired": ("has expired", lambda a: a.sign("e", start=-48, end=-1)),
    "not yet": ("is not valid yet", lambda a: a.sign("y", start=1)),
    "self-signed": ("is self-signed", lambda a: a.self_signed("s")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_advice_says_what_is_wrong_with_a_certificate(folder, receivers, authority, fault):
    words, make = FAULTS[fault]
    identity = make(authority)
    receiver = receivers(tls=(identity.cert, identity.key))
    request = try_out(folder, receiver.url, config({receiver.url: {"ca": quoted(authority.cert)}}))
    assert request["error"] == "tls" and request["response_received"] is None
    assert words in request["advice"].lower(), request
    assert not receiver.requests


def test_the_advice_says_that_an_authority_is_not_known(folder, receivers, good):
    receiver = receivers(tls=(good.cert, good.key))
    request = try_out(folder, receiver.url, "return {}")
    assert request["error"] == "tls"
    # And what to write, which then does it.
    key = f'targets["{receiver.url}"] = {{ ca = "FILE.pem" }}'
    assert "authority that is not trusted" in request["advice"] and key in request["advice"], request


def test_the_self_signed_certificate_itself_can_be_trusted(folder, receivers, authority):
    identity = authority.self_signed("itself")
    receiver = receivers(tls=(identity.cert, identity.key))
    assert try_out(folder, receiver.url, config({receiver.url: {"ca": quoted(identity.cert)}}))["success"]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
def test_tls_before_1_2_is_not_spoken(folder, authority, good):
    for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2):
        with server(server_side(good, version=version)) as url:
            request = try_out(folder, url, config({url: {"ca": quoted(authority.cert)}}))
        if version == ssl.TLSVersion.TLSv1_2:
            assert request["success"], request
        else:
            assert request["error"] == "tls" and "from version 1.2 on" in request["advice"], request


def test_plain_http_on_an_https_port(folder):
    with server(None) as url:
        request = try_out(folder, url, "return {}")
    assert request["error"] == "tls" and "does not speak TLS" in request["advice"], request


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_client_certificate(folder, receivers, authority, good, version):
    def asks():
        return server_side(good, client_ca=authority.cert, version=version)
    stranger = Authority(folder / "stranger").sign("client", "DNS:client")
    known = authority.sign(f"client-{version.name}", "DNS:client")
    keys = {"ca": quoted(authority.cert)}
    silent = receivers(tls=asks())  # it closes the connection without a word
    with server(asks()) as url:
        for one in (url, silent.url):
            request = try_out(folder, one, config({one: keys}))
            assert request["error"] == "tls" and "asks for a client certificate" in request["advice"], request
            assert f'targets["{one}"] = {{ cert = "FILE.pem", key = "FILE.pem" }}' in request["advice"]
        keys |= {"cert": quoted(stranger.cert), "key": quoted(stranger.key)}
        request = try_out(folder, url, config({url: keys}))
        assert request["error"] == "tls" and "does not take the client certificate" in request["advice"], request
        keys |= {"cert": quoted(known.cert), "key": quoted(known.key)}
        assert try_out(folder, url, config({url: keys}))["success"]


def test_nginx_that_wants_a_client_certificate(folder, nginxes, authority, good):
    """It makes the connection without one, and refuses the request with 400."""
    nginx = nginxes(tls=good, client_ca=authority.cert)
    keys = {"ca": quoted(authority.cert)}
    request = try_out(folder, nginx.url, config({nginx.url: keys}))
    assert request["error"] is None and request["response_received"]["status"] == 400
    assert "asks for a client certificate" in request["advice"], request
    client = authority.sign("nginx-client", "DNS:client")
    keys |= {"cert": quoted(client.cert), "key": quoted(client.key)}
    assert try_out(folder, nginx.url, config({nginx.url: keys}))["success"]


def test_a_certificate_is_shown_to_its_target_alone(serve, receivers, authority, good):
    """Two targets on one host: neither the connections nor the sessions of one are the other's."""
    def asks():
        context = server_side(good, client_ca=authority.cert)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context
    known, open_ = receivers(tls=asks()), receivers(tls=asks())
    client = authority.sign("shown", "DNS:client")
    host = serve({"a.lua": workflow(known.url), "b.lua": workflow(open_.url)},
                 config=config({known.url: {"ca": quoted(authority.cert), "cert": quoted(client.cert),
                                            "key": quoted(client.key)},
                                open_.url: {"ca": quoted(authority.cert)}}))
    for number in range(10):
        host.accept(deal(number))
        known.wait(number + 1)
        open_.wait(number + 1)
    assert {r.peer for r in known.requests} == {"shown"} and {r.peer for r in open_.requests} == {None}


def test_the_files_are_read_again(serve, receivers, authority, good):
    """SIGHUP and a reload: a renewed certificate is used from the next request on; a bad one is not, and it is said."""
    receiver = receivers(tls=server_side(good, client_ca=authority.cert))
    first, second = authority.sign("first", "DNS:client"), authority.sign("second", "DNS:client")
    cert, key = authority.folder / "used.pem", authority.folder / "used.key"

    def use(identity):
        cert.write_bytes(identity.cert.read_bytes())
        key.write_bytes(identity.key.read_bytes())
    use(first)
    host = serve({"w.lua": workflow(receiver.url)},
                 config=config({receiver.url: {"ca": quoted(authority.cert), "cert": quoted(cert), "key": quoted(key)}}))
    host.accept(deal(1))
    receiver.wait(1)
    use(second)
    host.signal(signal.SIGHUP)
    until(lambda: "are read again" in host.log(), "SIGHUP")
    host.accept(deal(2))
    receiver.wait(2)
    key.write_text("no key")
    assert host.call("POST", "/v1/reload").status == 200
    assert "there is no private key in it" in host.log() and str(key) in host.log()
    host.accept(deal(3))
    assert [r.peer for r in receiver.wait(3)] == ["first", "second", "second"]
    use(first)
    assert host.call("POST", "/v1/reload").status == 200
    host.accept(deal(4))
    assert receiver.wait(4)[3].peer == "first"


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_curl_command_has_the_targets_files(folder, receivers, authority, good):
    receiver, proxy = receivers(tls=server_side(good, client_ca=authority.cert)), Proxy(login="crm:pw")
    client = authority.sign("it's curl", "DNS:client")
    text = config({receiver.url: {"ca": quoted(authority.cert), "cert": quoted(client.cert), "key": quoted(client.key),
                                  "proxy": 'require("hookline").secret "PROXY"'}})
    env = {"HOOKLINE_SECRET_PROXY": f"http://crm:pw@127.0.0.1:{proxy.port}"}
    request = try_out(folder, receiver.url, text, env)
    assert request["success"] and "crm:pw" not in request["curl"], request
    subprocess.run(["sh", "-c", request["curl"]], check=True, env={**os.environ, **env}, stdout=subprocess.DEVNULL)
    sent, pasted = receiver.wait(2)
    assert (pasted.peer, pasted.body) == (sent.peer, sent.body) == ("it's curl", sent.body)
    assert proxy.requests == [f"CONNECT 127.0.0.1:{receiver.port} HTTP/1.1"] * 2
    proxy.close()


def bad_files(authority, good, folder):
    other = authority.sign("other-key", "DNS:client")
    locked, damaged, empty = folder / "locked.key", folder / "damaged.pem", folder / "empty.pem"
    text = good.cert.read_text()
    damaged.write_text(text[:200] + "*" + text[201:])
    empty.write_text("")
    openssl("pkey", "-in", good.key, "-aes128", "-passout", "pass:x", "-out", locked)
    secret = folder / "secret.key"
    secret.write_bytes(good.key.read_bytes())
    secret.chmod(0)
    rows = [
        ({"ca": folder / "missing.pem"}, "ca", "No such file"),
        ({"ca": good.key}, "ca", "there is no certificate in it"),
        ({"ca": empty}, "ca", "there is no certificate in it"),
        ({"ca": damaged}, "ca", "certificate 1 cannot be read"),
        ({"cert": good.cert, "key": other.key}, "key", "the key is not the certificate's"),
        ({"cert": good.cert, "key": good.cert}, "key", "there is no private key in it"),
        ({"cert": good.cert, "key": locked}, "key", "has a passphrase"),
    ]
    if os.geteuid() != 0:
        rows.append(({"cert": good.cert, "key": secret}, "key", "Permission denied"))
    return rows


def test_bad_files_stop_the_start(authority, good, folder):
    for keys, key, words in bad_files(authority, good, folder):
        (folder / "c.lua").write_text(config({"https://a.example.com": {k: quoted(v) for k, v in keys.items()}}))
        done = run("serve", "--config", folder / "c.lua", "--data", folder / "data", "--listen", "127.0.0.1:0")
        place = f'targets["https://a.example.com:443"].{key}'
        assert done.returncode != 0 and place in done.stderr and words in done.stderr, (keys, done.stderr)
        assert str(keys[key]) in done.stderr


def test_keys_of_tls_are_for_https(folder, good):
    (folder / "c.lua").write_text(config({"http://a.example.com": {"ca": quoted(good.cert)}}))
    done = run("check", "--config", folder / "c.lua", cwd=folder)
    assert done.returncode != 0 and "are for https://" in done.stderr


def test_paths_count_from_the_configurations_folder(folder, receivers, authority, good):
    receiver = receivers(tls=(good.cert, good.key))
    (folder / "ca.pem").write_bytes(authority.cert.read_bytes())
    assert try_out(folder, receiver.url, config({receiver.url: {"ca": '"ca.pem"'}}))["success"]
