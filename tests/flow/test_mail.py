"""What people are told by mail: at once, in a digest, never lost, never with a secret."""
import email
import email.policy
import pathlib
import socket
import ssl
import subprocess
import types

import pytest
from support.rules import deal, workflow
from support.waiting import until

Controller = pytest.importorskip("aiosmtpd.controller").Controller
SMTP = pytest.importorskip("aiosmtpd.smtp")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class MailServer:
    """Takes mails while it is up; `refuse` is what it answers instead."""

    def __init__(self, **keys):
        self.port, self.keys = free_port(), keys
        self.mails, self.sessions, self.refuse, self.controller = [], [], None, None

    async def handle_DATA(self, server, session, envelope):
        if self.refuse:
            return self.refuse
        self.mails.append((envelope.rcpt_tos, envelope.content))
        self.sessions.append(session)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def start(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, **self.keys)
        self.controller.start()
        return self

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None

    def message(self, i=-1):
        return email.message_from_bytes(self.mails[i][1], policy=email.policy.default)

    def text(self, i=-1):
        message = self.message(i)
        return f"{message['subject']}\n{message.get_content()}"

    def wait(self, count):
        until(lambda: len(self.mails) >= count, f"{count} mails")
        return self


@pytest.fixture
def mail_servers():
    made = []

    def make(**keys):
        made.append(MailServer(**keys))
        return made[-1]
    yield make
    for one in made:
        one.stop()


def config(server, more='tls = "none"', scheme="smtp", admins='"admin@example.com"'):
    return (f'return {{ mail = {{ server = "{scheme}://127.0.0.1:{server.port}", '
            f'from = "Hookline <hookline@example.com>", admins = {{ {admins} }}, {more} }} }}')


def count(host, state):
    return len(host.call("GET", f"/v1/deliveries?state={state}&limit=1000").json()["deliveries"])


def fail_then(switch):
    return lambda request: 200 if switch[0] else 500


RETRY = 'hook.retry { { "20m", "40m" } }'


def test_first_failure_digest_and_recovery(serve, receivers, mail_servers):
    server, is_up = mail_servers().start(), [False]
    receiver = receivers(fail_then(is_up))
    host = serve({"w.lua": workflow(receiver.url + "/callback", wf_retry=RETRY,
                                    auth='hook.api_key(hook.secret "KEY", { query = "key" })')},
                 config=config(server), test_clock=True, env={"HOOKLINE_SECRET_KEY": "s3cr3t"})
    host.accept(*[deal(i) for i in range(300)])
    server.wait(1)
    text = server.text()
    assert "/callback" in text and "key=****" in text and "status 500" in text, text
    assert "Next try:" in text and "Workflow:     w" in text and "dlv_" in text
    assert server.message()["from"] == "Hookline <hookline@example.com>"
    assert server.mails[0][0] == ["admin@example.com"]
    until(lambda: count(host, "retrying") == 300, "300 failures")
    assert len(server.mails) == 1
    host.advance("15m")
    server.wait(2)
    assert "299 attempts" in server.text(), server.text()
    is_up[0] = True
    host.advance("10m")
    server.wait(3)
    assert "takes webhooks again" in server.message()["subject"]
    assert len(server.mails) == 3 and not any(b"s3cr3t" in content for _, content in server.mails)


def test_termination_at_once_and_flapping_in_the_digest(serve, receivers, mail_servers):
    server, answers = mail_servers().start(), [410, 200, 410, 200]
    receiver = receivers(lambda request: answers[request.number - 1])
    host = serve({"w.lua": workflow(receiver.url)}, config=config(server), test_clock=True)
    for i, state in enumerate(["terminated", "delivered", "terminated", "delivered"]):
        host.until_state(host.accept(deal(i))[0]["deliveries"][0], state)
    server.wait(2)
    assert "given up" in server.text(0) and "takes webhooks again" in server.text(1)
    assert len(server.mails) == 2
    host.advance("16m")
    server.wait(3)
    assert "given up" in server.text() and "took a webhook again" in server.text(), server.text()


def test_mails_go_on_while_everything_is_paused(serve, receivers, mail_servers):
    """Rules run on in a pause: a mail that failed is tried again, a digest comes in its time, and so does the next."""
    server, receiver = mail_servers().start(), receivers()
    server.refuse = "451 not now"
    host = serve({"w.lua": workflow(receiver.url, wf_when='function(event) error("broken") end')},
                 config=config(server), test_clock=True)
    assert host.call("POST", "/v1/pause").status == 200
    host.accept(deal(1))
    until(lambda: "a mail could not be sent" in host.log(), "the first try")
    server.refuse = None
    host.advance("20s")
    server.wait(1)
    host.accept(deal(2), deal(3))
    host.advance("14m")
    assert len(server.mails) == 1
    host.advance("2m")
    server.wait(2)
    host.kill9()
    host.start()
    assert host.call("POST", "/v1/resume").status == 200
    host.accept(deal(4))
    host.advance("16m")
    server.wait(3)


def test_a_clock_that_is_set_holds_no_mail_back_and_lets_none_go_early(serve, receivers, mail_servers):
    server = mail_servers().start()
    receiver = receivers(lambda request: 500)
    host = serve({"w.lua": workflow(receiver.url, wf_retry='hook.retry { { "20m" } }')}, config=config(server),
                 test_clock=True)
    host.accept(*[deal(i) for i in range(2)])
    server.wait(1)
    until(lambda: count(host, "retrying") == 2, "2 failures")
    host.tell_clock("wall 1d")
    host.advance("14m")
    host.stop()
    assert len(server.mails) == 1
    host.start()
    host.tell_clock("wall -2d")
    host.advance("2m")
    server.wait(2)


INVALID = '''local hook = require "hookline"
return hook.workflow { record = "deal", trigger = hook.every { "created", "updated" }, notify = { "owner@example.com" },
  actions = { hook.webhook { method = "POST", url = "https://x.example.com/", encoding = "json",
    content = hook.template [=[{ "a": {{ deal.name | raw }} }]=] } } }'''
RAISES = '''local hook = require "hookline"
return hook.workflow { record = "deal", trigger = hook.every { "created", "updated" }, notify = { "owner@example.com" },
  actions = function(event) error("no \\r\\nBcc: evil@example.com " .. event.record.name) end }'''
LOOPS = RAISES.replace('error("no \\r\\nBcc: evil@example.com " .. event.record.name)', "while true do end")
EVIL = "\r\nBcc: evil@example.com\r\n\r\n.\r\nÄrger ✓"


@pytest.mark.parametrize("rule, words", [(INVALID, "not legal"), (RAISES, "failed"), (LOOPS, "failed")],
                         ids=["invalid", "raises", "loops"])
def test_what_a_workflow_does_wrong(serve, mail_servers, rule, words):
    server = mail_servers().start()
    host = serve({"w.lua": rule}, config=config(server), test_clock=True)
    host.accept(*[dict(deal(i), record=dict(deal(i)["record"], name=EVIL)) for i in range(4)])
    server.wait(1)
    assert words in server.text(0) and "workflow w" in server.message(0)["subject"], server.text(0)
    assert sorted(server.mails[0][0]) == ["admin@example.com", "owner@example.com"]
    if rule == LOOPS:
        host.accept(*[deal(i) for i in range(10, 14)])
        server.wait(2)
        assert "is suspended" in server.message(1)["subject"], server.text(1)
        assert "activate" in server.text(1)
    host.advance("15m")
    for i in range(len(server.mails)):
        head = server.message(i)
        assert "evil@example.com" not in str(head.items()) and head["bcc"] is None
        assert len(head.get_all("subject")) == 1
    if rule == INVALID:
        server.wait(2)
        assert "3 webhooks were not legal" in server.text(1), server.text(1)


def test_a_workflow_that_runs_too_often_for_a_record_is_told_once(serve, receiver, mail_servers):
    server = mail_servers().start()
    host = serve({"w.lua": workflow(receiver.url)}, config=config(server), test_clock=True)
    host.accept(*[deal(1, turn=n) for n in range(70)])
    server.wait(1)
    assert "w runs too often for one record" in server.message(0)["subject"]
    assert "more than 60 runs for the deal 1 in a minute" in server.text(0) and "cooldown" in server.text(0)
    host.accept(*[deal(1, turn=n) for n in range(70, 80)])
    host.advance("20m")
    assert len(server.mails) == 1


def test_a_server_that_is_down_and_a_kill_lose_nothing(serve, receivers, mail_servers):
    server, is_up = mail_servers(), [False]
    receiver = receivers(fail_then(is_up))
    host = serve({"w.lua": workflow(receiver.url, wf_retry=RETRY)}, config=config(server), test_clock=True)
    host.accept(*[deal(i) for i in range(20)])
    until(lambda: "a mail could not be sent" in host.log(), "a try")
    host.kill9()
    host.start()
    until(lambda: host.log().count("a mail could not be sent") >= 2, "a try after the restart")
    server.refuse = "451 not now"
    server.start()
    host.advance("15s")
    until(lambda: host.log().count("a mail could not be sent") >= 3, "a refusal")
    server.refuse = None
    host.advance("30s")
    server.wait(1)
    assert "fails to take webhooks" in server.message()["subject"]
    is_up[0] = True
    host.kill9()  # that the target fails is remembered too
    host.start()
    host.advance("45m")
    until(lambda: any("takes webhooks again" in server.text(i) for i in range(len(server.mails))), "recovery")


def test_a_server_that_hangs_stops_nothing(serve, receivers):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = silent.getsockname()[1]
        receiver = receivers(lambda request: 500 if request.number == 1 else 200)
        host = serve({"w.lua": workflow(receiver.url, wf_retry=RETRY)}, config=config(types.SimpleNamespace(port=address)))
        host.accept(deal(0))
        connection = silent.accept()[0]  # it never says a word
        ids = [one["deliveries"][0] for one in host.accept(*[deal(i) for i in range(1, 50)])]
        for id in ids:
            host.until_state(id, "delivered")
        host.stop()
        connection.close()


def test_many_targets_make_few_mails(serve, mail_servers):
    server = mail_servers().start()
    rule = '''local hook = require "hookline"
return hook.workflow { record = "deal", trigger = hook.every { "created", "updated" }, actions = function(event)
  return { hook.webhook { method = "GET", url = "http://127.0.0.1:" .. event.record.port .. "/" } } end }'''
    host = serve({"w.lua": rule}, config=config(server), test_clock=True)
    host.accept(*[dict(deal(i), record=dict(deal(i)["record"], port=20000 + i)) for i in range(1500)])
    until(lambda: any("news of" in server.text(i) for i in range(len(server.mails))), "one for many")
    host.advance("16m")
    assert len(server.mails) <= 60


@pytest.fixture
def certificate(folder):
    path = pathlib.Path(folder) / "mail.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", path],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def login(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (b"me", b"p4ss w0rd")
    return SMTP.AuthResult(success=is_right)


def test_tls_and_login(serve, receivers, mail_servers, certificate):
    server = mail_servers(tls_context=certificate, require_starttls=True, authenticator=login,
                          auth_required=True).start()
    receiver = receivers(lambda request: 500)
    host = serve({"w.lua": workflow(receiver.url)}, env={"HOOKLINE_SECRET_MAIL": "p4ss w0rd"},
                 config=config(server, 'tls = "opportunistic", user = "me", password = hook.secret "MAIL"',
                               admins='"nobody@example.com", "admin@example.com"'))
    host.accept(deal(0))
    server.wait(1)
    assert server.sessions[0].ssl and server.sessions[0].authenticated
    assert server.mails[0][0] == ["admin@example.com"]  # one that is refused keeps nothing from the others
    assert "p4ss" not in host.log()


@pytest.mark.parametrize("more", ['tls = "required"', 'user = "me", password = hook.secret "MISSING"'],
                         ids=["a certificate nobody knows", "no secret"])
def test_without_safety_nothing_is_sent(serve, receivers, mail_servers, certificate, more):
    server = mail_servers(tls_context=certificate).start()
    receiver = receivers(lambda request: 500)
    host = serve({"w.lua": workflow(receiver.url)}, config=config(server, more))
    host.accept(deal(0))
    until(lambda: "a mail could not be sent" in host.log(), "a try")
    assert ("MISSING" in host.log()) == ("MISSING" in more) and not server.mails


def test_required_wants_starttls(serve, receivers, mail_servers):
    server = mail_servers().start()
    receiver = receivers(lambda request: 500)
    host = serve({"w.lua": workflow(receiver.url)}, config=config(server, 'tls = "required"'))
    host.accept(deal(0))
    until(lambda: "a mail could not be sent" in host.log(), "a try")
    assert not server.mails


def test_without_mail_a_warning(serve, receiver):
    host = serve({"w.lua": workflow(receiver.url)})
    assert "no mail is configured" in host.log()


def test_the_mail_server_may_be_anywhere(serve, receiver, mail_servers):
    """What no webhook may be sent to, and the mail that says so goes there."""
    server = mail_servers().start()
    host = serve({"w.lua": workflow(f"http://localhost:{receiver.port}/")}, config=config(server), allow=())
    (id,) = host.accept(deal(1))[0]["deliveries"]
    assert host.until_state(id, "retrying")["attempts"][0]["error"] == "address_refused"
    assert "is refused (loopback)" in server.wait(1).text() and "--allow-target" in server.text()
    assert receiver.connections == 0
