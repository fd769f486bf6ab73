"""nginx as a receiver: a web server that was not written for these tests. Logs each webhook-id, and counts."""
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import urllib.request

from support.waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[3]
UNPACKED = ROOT / "build/packages/nginx/usr/sbin/nginx"


def program():
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin") or str(UNPACKED)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    def __init__(self, folder, logs=True, log_format="$http_webhook_id $request_method $uri $status",
                 tls=None, client_ca=None, http2=False, settings="", address="127.0.0.1"):
        """tls: an Identity. client_ca: whose certificates clients must have. settings: more of the server's."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.log_format, self.address = log_format, address
        self.scheme = "https" if tls else "http"
        self.listen = " ssl" * bool(tls) + " http2" * http2
        self.settings = settings
        if tls:
            self.settings += f" ssl_certificate {tls.cert}; ssl_certificate_key {tls.key};"
        if client_ca:
            self.settings += f" ssl_client_certificate {client_ca}; ssl_verify_client on;"
        self.logs, self.asked = logs, 0
        self.access = self.folder / "access"
        # nginx cannot be told to take any free port: another may take the one found, then the next is tried.
        for _ in range(5):
            self.port = free_port()
            if self.start():
                return
        raise AssertionError("nginx did not start: " + (self.folder / "error").read_text()[-2000:])

    def start(self):
        temps = "".join(f"{kind}_temp_path {self.folder}/t-{kind};\n"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "conf").write_text(f"""
            worker_processes 1; daemon off; master_process off; pid {self.folder}/pid;
            error_log {self.folder}/error;
            events {{ worker_connections 4096; }}
            http {{
              {temps}
              log_format ids escape=json '{self.log_format}';
              merge_slashes off; large_client_header_buffers 4 64k;
              access_log {f"{self.access} ids" if self.logs else "off"};
              keepalive_requests 100000000; keepalive_timeout 600s;
              server {{ listen {self.address}:{self.port}{self.listen} backlog=4096;
                        {self.settings}
                        location / {{ return 200 "ok"; }}
                        location /busy {{ return 503 "busy"; }}
                        location /count {{ stub_status; access_log off; }} }}
            }}""")
        self.process = subprocess.Popen(
            [program(), "-e", str(self.folder / "error"), "-c", str(self.folder / "conf"), "-p", str(self.folder)],
            stderr=subprocess.DEVNULL)
        until(lambda: self.is_open() or self.process.poll() is not None, "nginx's start")
        return self.process.poll() is None

    def is_open(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def lines(self):
        return [tuple(line.split()) for line in self.access.read_text().splitlines()] if self.access.exists() else []

    def count(self):
        """Requests handled so far, without those that asked for this number."""
        self.asked += 1
        with urllib.request.urlopen(self.url + "/count") as reply:
            return int(re.search(r"^\s*\d+\s+\d+\s+(\d+)", reply.read().decode(), re.M)[1]) - self.asked

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
