"""A command of the binary on a terminal of its own, and what stands on that terminal's screen."""
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading

from support.host import BINARY
from support.waiting import until

SEQUENCE = re.compile(r"\033\[(\??)([0-9;]*)([A-Za-z])")


class Terminal:
    """out only: standard error is a pipe, or the terminal too where it is not asked for."""

    def __init__(self, *args, rows=24, columns=100, env=None):
        self.main, self.side = pty.openpty()
        self.resize(rows, columns, tell=False)
        self.before = termios.tcgetattr(self.side)
        clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
        self.process = subprocess.Popen([str(BINARY), *map(str, args)], stdin=self.side, stdout=self.side,
                                        stderr=subprocess.PIPE, env={**clean, "TERM": "xterm", **(env or {})},
                                        start_new_session=True, preexec_fn=self.take_terminal)
        self.bytes, self.errors = b"", b""
        self.threads = [threading.Thread(target=self.read_out), threading.Thread(target=self.read_errors)]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def take_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def resize(self, rows, columns, tell=True):
        self.rows, self.columns = rows, columns
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.process.send_signal(signal.SIGWINCH)

    def read_out(self):
        while True:
            try:
                piece = os.read(self.main, 65536)
            except OSError:
                return
            if not piece:
                return
            self.bytes += piece

    def read_errors(self):
        while piece := self.process.stderr.read1(65536):
            self.errors += piece

    def text(self):
        return self.bytes.decode(errors="replace")

    def plain(self):
        return SEQUENCE.sub("", self.text()).replace("\r\n", "\n")

    def words(self):
        return self.errors.decode()

    def type(self, keys):
        os.write(self.main, keys.encode())

    def screen(self):
        """The lines as a terminal would show them, of the sequences that are used."""
        lines, row, column = [""] * self.rows, 0, 0
        text, at = self.text(), 0
        while at < len(text):
            found = SEQUENCE.match(text, at)
            if found:
                at = found.end()
                number, kind = found[2], found[3]
                if kind == "H":
                    row, column = ([int(n or 1) - 1 for n in number.split(";")] + [0])[:2] if number else (0, 0)
                elif kind == "K":
                    lines[row] = lines[row][:column]
                elif kind == "J":
                    lines[row] = lines[row][:column]
                    lines[row + 1:] = [""] * (self.rows - row - 1)
                continue
            if text[at] == "\r":
                column = 0
            elif text[at] == "\n":
                row = min(row + 1, self.rows - 1)
            else:
                lines[row] = lines[row].ljust(column)[:column] + text[at] + lines[row][column + 1:]
                column += 1
            at += 1
        return lines

    def shows(self, words):
        return until(lambda: any(words in line for line in self.screen()), f"{words!r} on the screen")

    def is_as_before(self):
        """Whether the terminal is set as it was, and shows its own screen and cursor again."""
        text = self.text()
        return (termios.tcgetattr(self.side) == self.before and
                text.count("\033[?1049h") == text.count("\033[?1049l") and
                text.count("\033[?25l") == text.count("\033[?25h"))

    def end(self, number=None):
        """Waits for the end, after a signal where one is given; the exit code."""
        if number is not None and self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(30)
        self.threads[1].join(30)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.side)
        for thread in self.threads:
            thread.join(30)
        self.process.stderr.close()
        os.close(self.main)
