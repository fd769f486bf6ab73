"""systemd as far as a service sees it: the notify socket, and sockets that are opened before the service and stay."""
import os
import socket
import sys

from support.waiting import until


# Between fork and exec, as systemd: the descriptors from 3 on, and who they are for.
PASS_ON = """
import os, sys
fds = [os.dup2(int(fd), 100 + i) for i, fd in enumerate(sys.argv[1].split(","))]
for i, fd in enumerate(fds):
    os.dup2(fd, 3 + i)
os.closerange(3 + len(fds), 200)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""


class Systemd:
    """adopt() makes it the manager of a Host that is not started yet."""

    def __init__(self, folder, addresses=(), names=None, watchdog_us=None, abstract=False):
        self.folder = folder
        self.messages = []
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify_address = f"@hookline-{os.getpid()}-{id(self)}" if abstract else str(folder / "notify")
        self.notify.bind(self.notify_address.replace("@", "\0", 1))
        self.notify.settimeout(60)
        self.watchdog_us = watchdog_us
        self.names = names
        self.sockets = []
        for address in addresses:
            family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
            s = socket.socket(family)
            s.bind(address)
            s.listen(1024)
            self.sockets.append(s)

    def close(self):
        for s in [self.notify, *self.sockets]:
            s.close()

    @property
    def env(self):
        made = {"NOTIFY_SOCKET": self.notify_address}
        if self.watchdog_us:
            made["WATCHDOG_USEC"] = str(self.watchdog_us)
        return made

    def adopt(self, host):
        """The host gets the sockets as descriptors 3, 4, ... and its own LISTEN_PID."""
        keep = [s.fileno() for s in self.sockets]
        names = ":".join(self.names) if self.names else ""
        host.env = {**host.env, **self.env}
        if keep:
            host.shell = [sys.executable, "-c", PASS_ON, ",".join(map(str, keep)), names]
            host.pass_fds = keep
        return host

    def next(self):
        message = self.notify.recv(4096).decode()
        self.messages.append(message)
        return message

    def until(self, word):
        """The first message from now on that has the line, or a line that begins so."""
        found = []

        def look():
            message = self.next()
            if any(line.startswith(word) for line in message.splitlines()):
                found.append(message)
            return found
        until(look, word)
        return found[0]

    def drain(self):
        """What lies there already."""
        self.notify.setblocking(False)
        try:
            while True:
                self.next()
        except BlockingIOError:
            pass
        finally:
            self.notify.settimeout(60)
