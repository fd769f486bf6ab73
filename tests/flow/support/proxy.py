"""A proxy: records each CONNECT, and connects where it was asked to, or does what its script says."""
import base64
import contextlib
import socket
import threading


FLOOD_MAX = 32 << 20  # bytes of one answer that nobody stopped: far more than buffers hold


class Proxy:
    """refuse: a status for every request. login: "USER:PASSWORD" that it wants. tls: a context: it is an https:// one.
    flood: (head, piece): it answers with that head, and then with the piece without end."""

    def __init__(self, refuse=None, login=None, tls=None, flood=None):
        self.refuse, self.login, self.tls, self.flood = refuse, login, tls, flood
        self.flooded = 0  # answers that nobody stopped
        self.requests = []  # request lines
        self.heads = []  # the whole heads
        self.changed = threading.Condition()
        self.sockets = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.threads = []
        self.start(self.accept)

    def start(self, function, *args):
        self.threads.append(threading.Thread(target=function, args=args, daemon=True))
        self.threads[-1].start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.start(self.serve, self.listener.accept()[0])

    def serve(self, client):
        with contextlib.suppress(OSError):
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            self.sockets.add(client)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(1)  # not a byte of what comes behind
                if not piece:
                    return
                head += piece
            self.handle(client, head.decode("latin-1"))
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        client.close()

    def handle(self, client, head):
        line = head.split("\r\n", 1)[0]
        with self.changed:
            self.requests.append(line)
            self.heads.append(head)
            self.changed.notify_all()
        if self.flood:
            client.sendall(self.flood[0])
            for _ in range(FLOOD_MAX // len(self.flood[1])):
                client.sendall(self.flood[1])
            self.flooded += 1
            return
        login = "Proxy-Authorization: Basic " + base64.b64encode((self.login or "").encode()).decode()
        if self.refuse or (self.login and login not in head):
            status = self.refuse or 407
            client.sendall(f"HTTP/1.1 {status} No\r\nProxy-Authenticate: Basic realm=x\r\nX-Proxy: secret inside\r\n"
                           "Content-Length: 3\r\n\r\nno\n".encode())
            return
        method, address, _ = line.split(" ")
        assert method == "CONNECT", line
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host.strip("[]"), int(port))) as target:
            self.sockets.add(target)
            client.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: inside\r\n\r\n")
            self.start(self.pump, target, client)
            self.pump(client, target)

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        for one in [self.listener, *self.sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self.threads:
            thread.join(10)
