#!/usr/bin/python3
"""`make demo`: a won deal becomes an invoice, through a failure and a crash. Usage: demo.py HOOKLINE

Runs the real host with the rules of this checkout on a free port and a temporary folder. All callbacks are
redirected to a small receiver here that plays the invoice app. Leaves nothing behind.
"""
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
WORKFLOW, CALLBACK = "invoice_on_won_deal", "https://invoices.example.com/"
LIMIT_S = 30
WIDTH = shutil.get_terminal_size((110, 25)).columns - 2
IS_COLOURED = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if IS_COLOURED else text


def say(text):
    print("  " + text, flush=True)


def heading(text):
    print("\n" + paint("1;36", text))


def frame(title, lines):
    print("  " + paint("1", title))
    for line in lines:
        print("  " + paint("2", "| ") + line)
    sys.stdout.flush()


class Failed(Exception):
    pass


class InvoiceApp:
    """Takes every request; answers what the demo tells it to: a status, or nothing at all."""

    def __init__(self):
        self.answers, self.requests = [], []
        self.changed, self.is_ending = threading.Condition(), threading.Event()
        app = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if not self.headers.get("hookline-original-url", "").startswith(CALLBACK):
                    self.answer(200, "OK")  # of another rule in rules/
                    return
                with app.changed:
                    answer = app.answers.pop(0) if app.answers else (201, "Created")
                    app.requests.append((self.requestline, list(self.headers.items()), body.decode(), answer))
                    app.changed.notify_all()
                if answer is None:
                    app.is_ending.wait()  # it hangs
                    self.close_connection = True
                    return
                self.answer(*answer)

            def answer(self, *status):
                self.send_response(*status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count):
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.requests) >= count, LIMIT_S):
                raise Failed(f"the invoice app did not get request {count} within {LIMIT_S} s")
            return self.requests[count - 1]

    def close(self):
        self.is_ending.set()
        self.server.shutdown()
        self.server.server_close()


class Host:
    def __init__(self, binary, folder, redirect):
        self.binary, self.folder, self.data = binary, folder, folder / "data"
        self.clock = folder / "clock"
        self.redirect, self.process = redirect, None
        (folder / "rules").symlink_to(ROOT / "rules")

    def start(self):
        (self.data / "address").unlink(missing_ok=True)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--rules", "rules", "--data", self.data, "--listen", "127.0.0.1:0",
                 "--redirect-all", self.redirect, "--test-clock", self.clock], stdout=log, stderr=log,
                cwd=self.folder)
        self.until(lambda: (self.data / "address").exists() and self.clock.exists() and
                   self.run("workflows", "--json", check=False), "the host's start")

    def run(self, *words, text=None, check=True):
        """One of hookline's own commands; what it prints."""
        done = subprocess.run([self.binary, *words, "--data", self.data], input=text, cwd=self.folder,
                              capture_output=True, text=True, timeout=LIMIT_S)
        if check and done.returncode:
            raise Failed(f"hookline {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout if done.returncode == 0 else ""

    def show(self, *words, text=None):
        """The same, with the command and what it printed shown as on a terminal."""
        print("  " + paint("1;32", "$ hookline " + " ".join(words)))
        for line in self.run(*words, text=text).rstrip().splitlines():
            print("  " + (line if len(line) <= WIDTH else line[:WIDTH - 3] + "..."))
        sys.stdout.flush()

    def send(self, event):
        name = f"{event['id']}.json"
        (self.folder / name).write_text(json.dumps(event))
        self.show("send", name)

    def delivery(self, event_id):
        listed = json.loads(self.run("deliveries", "--workflow", WORKFLOW, "--json"))["deliveries"]
        found = [d for d in listed if d["event"] == event_id]
        return found[0] if found else None

    def until_state(self, event_id, state):
        self.until(lambda: (self.delivery(event_id) or {}).get("state") == state, f"the state {state}")

    def turn_clock(self, text):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(LIMIT_S)
            s.connect(str(self.clock))
            s.sendall(f"advance {text}\n".encode())
            s.recv(100)

    def until(self, condition, what):
        end = time.monotonic() + LIMIT_S
        while not condition():
            if self.process.poll() is not None:
                raise Failed(f"the host ended with {self.process.returncode}")
            if time.monotonic() > end:
                raise Failed(f"{what}: not within {LIMIT_S} s")
            time.sleep(0.02)

    def stop(self, number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def deal(event, number, stage, was):
    return {"id": event, "type": "deal.updated",
            "record": {"id": number, "name": "Acme renewal", "amount": 12500.5, "deal_stage": stage,
                       "closed_date": "2026-11-23", "created_at": "2026-10-01T08:00:00Z", "product": "Gold plan",
                       "sales_account": {"id": 88, "name": "Acme Inc"}},
            "previous": {"deal_stage": was}}


def show_request(request):
    line, headers, body, answer = request
    hidden = {"host", "accept", "accept-encoding", "content-length", "hookline-depth", "user-agent"}
    shown = [line] + [f"{k}: {v}" for k, v in headers if k.lower() not in hidden]
    frame("The invoice app received:", shown + [""] + [body])
    said = f"{answer[0]} {answer[1]}" if answer else "nothing: it hangs"
    print("  " + paint("1", "and answered: ") + said)


def webhook_id(request):
    return next(value for name, value in request[1] if name.lower() == "webhook-id")


def play(app, host):
    rule = (ROOT / f"rules/{WORKFLOW}.lua").read_text()
    heading(f"The rule: rules/{WORKFLOW}.lua")
    frame("what, and when", [line for line in re.findall(r"^  ((?:record|trigger|when) +=.*)", rule, re.M)])

    heading("1. The host starts, with every callback redirected to an invoice app of this demo")
    host.show("secrets", "set", "INVOICE_PASSWORD", text="demo-password\n")
    host.start()
    host.show("workflows")

    heading("2. A deal moves on, but is not won: nothing is owed")
    host.send(deal("crm-1", 4021, "Default Pipeline:Negotiation", "Default Pipeline:Contacted"))

    heading("3. The deal is won: the invoice app gets its POST")
    host.send(deal("crm-2", 4021, "Default Pipeline:Won", "Default Pipeline:Negotiation"))
    show_request(app.wait(1))
    host.until_state("crm-2", "delivered")
    host.send(deal("crm-3", 4021, "Default Pipeline:Won", "Default Pipeline:Won"))
    say("The trigger is `once`: for this deal there is never a second invoice.")

    heading("4. Another deal is won, and the invoice app fails: hookline tries again")
    app.answers = [(503, "Service Unavailable")]
    host.send(deal("crm-4", 4022, "Default Pipeline:Won", "Default Pipeline:Negotiation"))
    show_request(app.wait(2))
    host.until_state("crm-4", "retrying")
    host.show("deliveries", "--state", "retrying")
    say("The next attempt is 15 s away; the demo does not wait, it turns the host's clock on.")
    host.turn_clock("17s")
    again = app.wait(3)
    show_request(again)
    if webhook_id(again) != webhook_id(app.requests[1]):
        raise Failed("the retry had another webhook-id")
    host.until_state("crm-4", "delivered")

    heading("5. A third deal is won, the app hangs, and the host is killed with -9")
    app.answers = [None]
    host.send(deal("crm-5", 4023, "Default Pipeline:Won", "Default Pipeline:Negotiation"))
    owed = app.wait(4)
    say(f"The app has the request {webhook_id(owed)} and does not answer.")
    host.stop(signal.SIGKILL)
    say(paint("1;31", "kill -9: the host is gone, and one delivery is owed."))
    host.start()
    host.turn_clock("17s")  # to where it was: a host starts with the real time
    say("The host is started again, with the same data folder. By itself it sends what it owes:")
    arrived = app.wait(5)
    show_request(arrived)
    if webhook_id(arrived) != webhook_id(owed):
        raise Failed("after the restart the webhook-id was another one")
    host.until_state("crm-5", "delivered")
    say("The same webhook-id, so that the app can tell a repeated request from a new one.")

    heading("6. What became of it all")
    host.show("deliveries")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: demo.py HOOKLINE")
    binary = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hookline-demo-"))
    # Stopped from outside, it cleans up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    app, host, began = InvoiceApp(), None, time.monotonic()
    try:
        host = Host(binary, folder, app.url)
        play(app, host)
        shown = binary.relative_to(ROOT) if binary.is_relative_to(ROOT) else binary
        print(paint("1;36", f"\nDone in {time.monotonic() - began:.1f} s.") + " To go on:")
        print(f"""
  {shown} new my_workflow                              a workflow to start from
  {shown} try rules/{WORKFLOW}.lua            what this one would send, and why
  {shown} check                                        every mistake in rules/
  {shown} serve --redirect-all http://127.0.0.1:9000/  a host for the rules in rules/
  README.md, docs/architecture.md                           what it is, how it is built""")
        return 0
    except Failed as failed:
        print(f"\nThe demo failed: {failed}", file=sys.stderr)
        if (folder / "log").exists():
            print((folder / "log").read_text()[-4000:], file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if host:
            host.stop()
        app.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
