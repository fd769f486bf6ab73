"""The real host in a folder of its own: started, asked, killed, restarted."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time

from support import openapi
from support.waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = ROOT / os.environ.get("HOOKLINE", "build/release/hookline")
IS_SANITIZED = "asan" in str(BINARY) or "tsan" in str(BINARY)
START_S = 60
SANITIZER = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:")


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class Host:
    """Ends with the test: stop() is called by the fixture, and expects a clean exit."""

    def __init__(self, folder, rules, args=(), env=None, prefix=(), config=None, test_clock=False,
                 allow=("127.0.0.0/8",), data=None, has_own_mounts=False, start=True,
                 listen=("127.0.0.1:0",), ca=None):
        """listen: the addresses; () for what the configuration says. ca: whom to trust where the first is TLS."""
        self.folder = pathlib.Path(folder)
        self.rules_dir = self.folder / "rules"
        self.rules_dir.mkdir(parents=True, exist_ok=True)
        for name, text in rules.items():
            (self.rules_dir / name).parent.mkdir(parents=True, exist_ok=True)
            (self.rules_dir / name).write_text(text)
        self.data = pathlib.Path(data) if data else self.folder / "data"
        self.args, self.prefix = list(args), list(prefix)
        for address in listen:
            self.args += ["--listen", str(address)]
        self.ca = ca
        self.shell, self.pass_fds = [], []  # support/systemd.py
        for block in allow:
            self.args += ["--allow-target", block]
        if config:
            (self.folder / "hookline.conf.lua").write_text(config)
            self.args += ["--config", str(self.folder / "hookline.conf.lua")]
        self.clock_path = self.folder / "clock" if test_clock else None
        if test_clock:
            self.args += ["--test-clock", str(self.clock_path)]
        self.env = {**os.environ, **(env or {})}
        self.log_path, self.out_path = self.folder / "log", self.folder / "out"
        self.has_own_mounts = has_own_mounts
        self.process = None
        self.connection = None
        self.is_damaged = False  # its data, by the test: `hookline verify` need not like it
        if start:
            self.start()

    # --- life ---------------------------------------------------------------------------------

    def command(self, *more):
        return [*self.shell, *self.prefix, str(BINARY), "serve", "--rules", str(self.rules_dir), "--data", str(self.data),
                *self.args, *more]

    def spawn(self, *more):
        """Starts the process and does not wait for it to be ready."""
        (self.data / "address").unlink(missing_ok=True)
        with open(self.log_path, "ab") as log, open(self.out_path, "wb") as out:
            self.process = subprocess.Popen(self.command(*more), stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=log, env=self.env, cwd=self.folder, pass_fds=self.pass_fds)

    def start(self, *more):
        self.spawn(*more)
        until(self.is_ready, "the host's start", START_S)
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"serve ended with {self.process.returncode}: {self.log()[-4000:]}")
        return self.is_up()

    def is_up(self):
        try:
            self.urls = self.seen(self.data / "address").read_text().split()
            self.port = int((re.search(r":(\d+)", self.urls[0]) or ("", "0"))[1])
            self.token = self.seen(self.data / "admin.token").read_text().strip()
            return self.call("GET", "/healthz").status == 200
        except (OSError, IndexError, http.client.HTTPException):
            return False

    @property
    def pid(self):
        """The host's own process: under a program such as strace it is that one's child."""
        if not self.prefix:
            return self.process.pid
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return int(children.split()[0]) if children else self.process.pid

    def seen(self, path):
        """A path as the host sees it, which may have mounts of its own."""
        return pathlib.Path(f"/proc/{self.process.pid}/root{path}") if self.has_own_mounts else path

    def cpu_s(self):
        """CPU seconds of the whole process, threads that ended too: its CPU clock (clock_getcpuclockid(3))."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def memory_kb(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        os.kill(self.pid, number)

    def kill9(self):
        if self.is_running():
            self.signal(signal.SIGKILL)
        self.process.wait()
        self.hang_up()

    def wait_end(self, limit_s=60):
        """The exit code, when the process has ended."""
        code = self.process.wait(limit_s)
        self.hang_up()
        return code

    def stop(self):
        """SIGTERM, a clean exit, and no word of a sanitizer."""
        self.hang_up()  # it waits a moment for who is connected
        if self.is_running():
            self.signal(signal.SIGTERM)
            try:
                code = self.wait_end()
            except subprocess.TimeoutExpired:
                self.kill9()
                raise AssertionError("the host did not end within 60 s of SIGTERM: " + self.log()[-4000:])
            assert code == 0, f"exit {code}: {self.log()[-8000:]}"
        self.hang_up()
        assert not SANITIZER.search(self.log()), self.log()[-8000:]

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_lines(self):
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    # --- asking -------------------------------------------------------------------------------

    def hang_up(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def connect(self):
        if self.urls[0].startswith("unix:"):
            return UnixConnection(self.urls[0][5:])
        if self.urls[0].startswith("https:"):
            context = ssl.create_default_context(cafile=self.ca)
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def call(self, method, path, body=None, headers=None, token=True, fresh=False):
        """One request; body: bytes as they are, anything else as JSON. Keeps its connection unless fresh."""
        sent = {}
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        if token:
            sent["Authorization"] = f"Bearer {self.token}"
        sent.update(headers or {})
        connection = None if fresh else self.connection
        if connection is None:
            connection = self.connect()
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            reply = Reply(response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            self.connection = None
            raise
        if fresh or response.will_close:
            connection.close()
            connection = None
        if not fresh:
            self.connection = connection
        fault = openapi.fault(method, path, reply.status, reply.headers, reply.body)
        assert fault is None, f"{fault}: {reply}"
        return reply

    def post(self, event, **options):
        return self.call("POST", "/v1/events", event, **options)

    def accept(self, *events):
        """Posts events in one body, expects 202; the answers."""
        reply = self.post(list(events) if len(events) > 1 else events[0])
        assert reply.status == 202, reply
        return reply.json()["events"]

    def ndjson(self, events):
        lines = "".join(json.dumps(e) + "\n" for e in events).encode()
        return self.call("POST", "/v1/events", lines, {"Content-Type": "application/x-ndjson"})

    def delivery(self, id):
        reply = self.call("GET", f"/v1/deliveries/{id}")
        assert reply.status == 200, reply
        return reply.json()

    def deliveries(self, query=""):
        """All deliveries that a list gives, page by page."""
        found, cursor = [], ""
        while True:
            reply = self.call("GET", f"/v1/deliveries?limit=200{query}{cursor}")
            assert reply.status == 200, reply
            page = reply.json()
            found += page["deliveries"]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"

    def event(self, id):
        reply = self.call("GET", f"/v1/events/{id}")
        assert reply.status == 200, reply
        return reply.json()

    def until_state(self, id, state):
        """The delivery, when it has come into the state."""
        return until(lambda: (d := self.delivery(id))["state"] == state and d, f"{id} {state}")

    def raw(self, data, read_until=None):
        """Sends bytes over a connection of their own, reads until the host closes or the text is there."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as s:
            s.sendall(data)
            got = b""
            while read_until is None or read_until not in got:
                piece = s.recv(65536)
                if not piece:
                    break
                got += piece
            return got

    # --- the test clock -----------------------------------------------------------------------

    def tell_clock(self, line):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(str(self.clock_path))
            s.sendall(line.encode() + b"\n")
            answer = s.makefile().readline().strip()
        assert answer.startswith("ok "), f"{line}: {answer}"
        return answer[3:]

    def advance(self, text):
        return self.tell_clock(f"advance {text}")

    def now(self):
        return self.tell_clock("now")


def run(*args, env=None, cwd=None, input=None, limit_s=120):
    """One command of the binary, to its end."""
    return subprocess.run([str(BINARY), *map(str, args)], env={**os.environ, **(env or {})}, cwd=cwd,
                          input=input, capture_output=True, text=True, timeout=limit_s)
