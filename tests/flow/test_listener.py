"""Where the host listens: TLS, Unix sockets, several at once, and what the command line makes of it."""
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time

import pytest
from support.certificates import Authority
from support.host import BINARY, IS_SANITIZED, run
from support.nginx import Nginx
from support.rules import deal, workflow
from support.waiting import until


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("listener") / "authority")


@pytest.fixture(scope="module")
def identity(authority):
    made = authority.sign("host", "IP:127.0.0.1,DNS:hooks.example.com")
    made.key.chmod(0o600)
    return made


def tls_args(identity):
    return ["--tls-cert", str(identity.cert), "--tls-key", str(identity.key)]


def context(authority, **options):
    made = ssl.create_default_context(cafile=authority.cert)
    for name, value in options.items():
        setattr(made, name, value)
    return made


def tls_connect(host, made):
    return made.wrap_socket(socket.create_connection(("127.0.0.1", host.port), timeout=60), server_hostname="127.0.0.1")


def ask(connection, path="/healthz"):
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return connection.recv(65536)


def serial(connection):
    return connection.getpeercert()["serialNumber"]


# --- TLS ------------------------------------------------------------------------------------------

def test_events_over_tls(serve, receiver, authority, identity):
    host = serve({"w.lua": workflow(receiver.url)}, args=tls_args(identity), ca=authority.cert)
    assert host.urls == [f"https://127.0.0.1:{host.port}"]
    id = host.accept(deal(1))[0]["deliveries"][0]
    host.until_state(id, "delivered")
    # Large both ways: many records in one body, and an answer of many records.
    many = [deal(number) for number in range(2, 500)]
    assert len(host.accept(*many)) == len(many)
    assert len(host.call("GET", "/v1/events?limit=400").json()["events"]) == 400
    receiver.wait(len(many) + 1)


def test_versions_protocols_and_strangers(serve, receiver, authority, identity):
    host = serve({"w.lua": workflow(receiver.url)}, args=tls_args(identity), ca=authority.cert)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        made = context(authority, maximum_version=version)
        made.set_alpn_protocols(["h2", "http/1.1"])
        with tls_connect(host, made) as connection:
            assert connection.selected_alpn_protocol() == "http/1.1"
            assert ask(connection).startswith(b"HTTP/1.1 200 ")
            assert ask(connection).startswith(b"HTTP/1.1 200 "), "it is kept"
    old = context(authority, minimum_version=ssl.TLSVersion.MINIMUM_SUPPORTED,
                  maximum_version=ssl.TLSVersion.TLSv1_1)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        tls_connect(host, old)
    only_h2 = context(authority)
    only_h2.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        tls_connect(host, only_h2)
    with pytest.raises(ssl.SSLCertVerificationError):
        tls_connect(host, ssl.create_default_context())
    plain = host.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert plain.startswith(b"HTTP/1.1 400 ") and b"use https" in plain
    assert json.loads(plain.split(b"\r\n\r\n")[1])["status"] == 400


def test_ends_are_said(serve, receiver, authority, identity):
    """An answer that closes is followed by TLS's own end: nobody can have cut it."""
    host = serve({"w.lua": workflow(receiver.url)}, args=tls_args(identity), ca=authority.cert)
    made = context(authority)
    made.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    with tls_connect(host, made) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = b""
        while piece := connection.recv(65536):  # raises where the end was not said
            got += piece
        assert got.startswith(b"HTTP/1.1 200 ")
        connection.unwrap()


def test_hostile_tls_clients(serve, receiver, authority, identity):
    """None of them holds up another one, and with a sanitizer none breaks anything."""
    host = serve({"w.lua": workflow(receiver.url)}, args=tls_args(identity), ca=authority.cert)
    held = []
    for sent in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01", b"\x16\x03\x01\xff\xff" + b"a" * 70000,
                 b"\x00" * 70000, bytes(range(256)) * 300, b"\x80\x2e\x01\x00\x02" + b"x" * 60,
                 b"\x15\x03\x03\x00\x02\x02\x28", b"\x17\x03\x03\x40\x00" + b"z" * 20000):
        connection = socket.create_connection(("127.0.0.1", host.port), timeout=60)
        held.append(connection)
        try:
            connection.sendall(sent)
        except OSError:
            pass  # it was closed at once
    # A handshake cut off at each length, and by a reset.
    hello = ssl.MemoryBIO()
    client = context(authority).wrap_bio(ssl.MemoryBIO(), hello, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    bytes_of_hello = hello.read()
    for cut in range(1, len(bytes_of_hello) + 1, 37):
        with socket.create_connection(("127.0.0.1", host.port), timeout=60) as connection:
            connection.sendall(bytes_of_hello[:cut])
            if cut % 2:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    # Byte by byte it is a handshake like any other.
    with socket.create_connection(("127.0.0.1", host.port), timeout=60) as connection:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context(authority).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")

        def step(act):
            while True:
                try:
                    result = act()
                    break
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        connection.sendall(bytes([byte]))
                    incoming.write(connection.recv(65536))
            for byte in outgoing.read():
                connection.sendall(bytes([byte]))
            return result
        step(client.do_handshake)
        step(lambda: client.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
        assert step(lambda: client.read(65536)).startswith(b"HTTP/1.1 200 ")
        # Half a record, then garbage in place of the rest.
        client.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        record = outgoing.read()
        connection.sendall(record[:-3] + b"???")
        while connection.recv(65536):
            pass
    # And one that ends in the middle of a record.
    with tls_connect(host, context(authority)) as connection:
        assert ask(connection).startswith(b"HTTP/1.1 200 ")
        os.write(connection.fileno(), b"\x17\x03\x03\x10\x00abc")
    assert host.call("GET", "/healthz").status == 200
    for connection in held:
        connection.close()


@pytest.mark.release_only
def test_a_handshake_has_ten_seconds(serve, receiver, authority, identity):
    """However many bytes come meanwhile: those of a slow drip are no progress."""
    host = serve({"w.lua": workflow(receiver.url)}, args=tls_args(identity), ca=authority.cert)
    with socket.create_connection(("127.0.0.1", host.port)) as connection:
        connection.settimeout(0.5)
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        began = time.monotonic()
        while True:
            try:
                assert connection.recv(1) == b""
                break
            except TimeoutError:
                assert time.monotonic() - began < 30
                connection.sendall(b"x")
        assert time.monotonic() - began > 5


def test_renegotiation_is_refused(serve, receiver, authority, identity):
    host = serve({"w.lua": workflow(receiver.url)}, args=tls_args(identity), ca=authority.cert)
    client = subprocess.Popen(["openssl", "s_client", "-tls1_2", "-CAfile", authority.cert, "-connect",
                               f"127.0.0.1:{host.port}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    out, _ = client.communicate(b"R\n", timeout=60)
    assert b"no renegotiation" in out, out[-2000:]
    assert host.call("GET", "/healthz").status == 200


def test_keys_asked_for_without_end_cost_no_memory(serve, receiver, authority, identity):
    """KeyUpdate with an answer wanted, over and over, and nothing read: the connection is closed."""
    host = serve({"w.lua": workflow(receiver.url)}, args=tls_args(identity), ca=authority.cert)
    before = host.memory_kb()
    client = subprocess.Popen(["openssl", "s_client", "-tls1_3", "-CAfile", authority.cert, "-connect",
                               f"127.0.0.1:{host.port}"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    feeder = threading.Thread(target=lambda: feed(client, b"K\n", 3000))
    feeder.start()
    feeder.join(60)
    client.kill()
    client.wait()
    assert host.call("GET", "/healthz").status == 200
    assert IS_SANITIZED or host.memory_kb() - before < 8 * 1024


def feed(process, line, count):
    try:
        for _ in range(count):
            process.stdin.write(line)
            process.stdin.flush()
        process.stdin.close()
    except OSError:
        pass


def test_reload_takes_a_new_certificate_and_refuses_a_bad_one(serve, receiver, authority, folder):
    first, second = authority.sign("first"), authority.sign("second")
    stranger = authority.sign("stranger")
    cert, key = folder / "cert.pem", folder / "key.pem"

    def put(one, other=None):
        cert.write_bytes(one.cert.read_bytes())
        key.write_bytes((other or one).key.read_bytes())
        key.chmod(0o600)
    put(first)
    host = serve({"w.lua": workflow(receiver.url)}, args=["--tls-cert", str(cert), "--tls-key", str(key)],
                 ca=authority.cert)
    kept = tls_connect(host, context(authority))
    old = serial(kept)
    put(second)
    host.signal(signal.SIGHUP)

    def shown():
        with tls_connect(host, context(authority)) as connection:
            return serial(connection)
    until(lambda: shown() != old, "the new certificate is shown")
    assert ask(kept).startswith(b"HTTP/1.1 200 "), "a connection keeps what it began with"
    assert run("status", "--data", host.data).returncode == 0, "DATA/address.pem goes along"
    new = shown()
    put(first, stranger)
    host.signal(signal.SIGHUP)
    until(lambda: "the listener keeps its certificate" in host.log(), "the log says so")
    assert "the key is not the certificate's" in host.log()
    assert shown() == new
    kept.close()


@pytest.mark.parametrize("fault, words", [
    ("missing", "tls.cert: "), ("mismatch", "the key is not the certificate's"),
    ("no key", "--tls-cert: is given without tls.key"), ("garbage", "there is no certificate in it")])
def test_what_is_wrong_at_the_start(folder, authority, identity, fault, words):
    (folder / "rules").mkdir()
    cert, key = identity.cert, identity.key
    if fault == "missing":
        cert = folder / "nowhere.pem"
    elif fault == "mismatch":
        key = authority.sign("other").key
    elif fault == "garbage":
        cert = folder / "garbage.pem"
        cert.write_text("nothing of that kind")
    args = ["--tls-cert", cert] + (["--tls-key", key] if fault != "no key" else [])
    done = run("serve", "--rules", folder / "rules", "--data", folder / "data", "--listen", "127.0.0.1:0", *args)
    assert done.returncode == (2 if fault == "no key" else 1) and words in done.stderr, done.stderr


def test_a_key_that_all_can_read_is_warned_of(serve, receiver, authority):
    open_key = authority.sign("open")
    open_key.key.chmod(0o644)
    host = serve({"w.lua": workflow(receiver.url)}, args=tls_args(open_key), ca=authority.cert)
    assert "everybody on this machine can read" in host.log()


def test_the_command_line_and_tls(serve, receiver, authority, folder):
    """Its own host by its key, whatever the certificate says; another one by --ca."""
    elsewhere = authority.sign("elsewhere", "DNS:hooks.example.com", start=-48, end=-24)
    elsewhere.key.chmod(0o600)
    host = serve({"w.lua": workflow(receiver.url)}, args=tls_args(elsewhere), start=False)
    host.spawn()
    until((host.data / "address.pem").exists, "the start")
    until((host.data / "address").exists, "the start")
    assert "has expired" in host.log()
    assert run("status", "--data", host.data).returncode == 0
    token = (host.data / "admin.token").read_text().strip()
    url = (host.data / "address").read_text().strip()
    named = run("status", "--data", folder / "none", "--url", url, "--token", token)
    assert named.returncode == 1 and "--ca FILE" in named.stderr
    # Somebody else who answers at that address gets no token.
    host.signal(signal.SIGTERM)
    assert host.wait_end() == 0
    assert not (host.data / "address.pem").exists()
    good = authority.sign("good")
    good.key.chmod(0o600)
    other = serve({"w.lua": workflow(receiver.url)}, args=tls_args(good), ca=authority.cert)
    args = ("status", "--data", folder / "none", "--url", other.urls[0], "--token", other.token)
    assert run(*args).returncode == 1
    assert run(*args, "--ca", authority.cert).returncode == 0
    assert run(*args, env={"HOOKLINE_CA": str(authority.cert)}).returncode == 0
    pem = other.data / "address.pem"
    pem.write_bytes(subprocess.run(["openssl", "pkey", "-in", elsewhere.key, "-pubout"], capture_output=True,
                                   check=True).stdout)
    refused = run("status", "--data", other.data)
    assert refused.returncode == 1 and "(tls)" in refused.stderr


@pytest.mark.parametrize("kind", ["tls", "unix"])
def test_live_streams_too(serve, receiver, authority, identity, folder, kind):
    """Answers in pieces, and their end at the stop."""
    options = ({"args": tls_args(identity), "ca": authority.cert} if kind == "tls"
               else {"listen": [f"unix:{folder}/h.sock"]})
    host = serve({"w.lua": workflow(receiver.url)}, **options)
    connection = host.connect()
    connection.request("GET", "/v1/live?topics=deliveries", headers={"Authorization": f"Bearer {host.token}"})
    answer = connection.getresponse()
    assert answer.status == 200
    host.accept(deal(1))
    until(lambda: b"delivered" in answer.readline(), "the delivery is told")
    receiver.wait()
    host.hang_up()
    host.signal(signal.SIGTERM)
    while answer.readline():
        pass
    assert host.wait_end() == 0
    connection.close()


# --- Unix sockets ---------------------------------------------------------------------------------

def test_a_unix_socket(serve, receiver, folder):
    path = folder / "hookline.sock"
    host = serve({"w.lua": workflow(receiver.url)}, listen=[f"unix:{path}"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    id = host.accept(deal(1))[0]["deliveries"][0]
    host.until_state(id, "delivered")
    assert run("status", "--data", host.data).returncode == 0
    assert run("status", "--data", folder / "none", "--url", f"unix:{path}", "--token", host.token).returncode == 0
    # A live one is not taken over, a dead one's file is.
    second = serve({"w.lua": workflow(receiver.url)}, listen=[f"unix:{path}"], start=False)
    second.spawn()
    assert second.wait_end() == 1 and "another process does" in second.log()
    host.kill9()
    assert path.exists()
    host.start()
    assert host.delivery(id)["state"] == "delivered"
    host.stop()
    assert not path.exists()
    gone = run("status", "--data", folder / "none", "--url", f"unix:{path}", "--token", host.token)
    assert gone.returncode == 1 and str(path) in gone.stderr


def test_several_listeners(serve, receiver, authority, identity, folder):
    path = folder / "h.sock"
    config = (f'return {{ listen = {{ "127.0.0.1:0", "http://127.0.0.1:0", "unix:{path}" }}, socket_mode = "0600", '
              f'tls = {{ cert = "{identity.cert}", key = "{identity.key}" }} }}')
    host = serve({"w.lua": workflow(receiver.url)}, config=config, listen=(), ca=authority.cert)
    secure, plain, unix = host.urls
    assert secure.startswith("https://127.0.0.1:") and plain.startswith("http://127.0.0.1:")
    assert unix == f"unix:{path}" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [line.removeprefix("hookline listens on ") for line in host.out_path.read_text().splitlines()] == host.urls
    for url in (plain, unix):
        assert run("status", "--data", folder / "none", "--url", url, "--token", host.token).returncode == 0
    assert run("status", "--data", folder / "none", "--url", secure, "--token", host.token, "--ca",
               authority.cert).returncode == 0
    host.stop()
    # What wins gives the whole list: flags over the file.
    other = serve({"w.lua": workflow(receiver.url)}, config=config, listen=[f"unix:{path}", "http://127.0.0.1:0"])
    assert other.urls[0] == f"unix:{path}" and len(other.urls) == 2
    busy = run("serve", "--rules", other.rules_dir, "--data", folder / "d", "--listen", "127.0.0.1:0", "--listen",
               other.urls[1].removeprefix("http://"))
    assert busy.returncode == 1 and "address already in use" in busy.stderr


def test_nginx_before_a_unix_socket(serve, receiver, folder, nginxes):
    path = folder / "h.sock"
    host = serve({"w.lua": workflow(receiver.url)}, listen=[f"unix:{path}"], args=["--socket-mode", "0666"])
    proxy = nginxes(settings=f"location /v1/ {{ proxy_pass http://unix:{path}; proxy_http_version 1.1; "
                             "proxy_set_header Connection ''; }")
    assert isinstance(proxy, Nginx)
    done = run("status", "--data", folder / "none", "--url", proxy.url, "--token", host.token)
    assert done.returncode == 0, done.stderr


def test_help_names_them():
    text = subprocess.run([BINARY, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    for word in ("--listen", "unix:PATH", "--tls-cert", "--tls-key", "--socket-mode"):
        assert word in text
