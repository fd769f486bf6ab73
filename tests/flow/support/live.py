"""GET /v1/live as a client reads it: one message after the other."""
import http.client
import json

WAIT_S = 30


class Live:
    def __init__(self, host, query="", token=None, version=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=WAIT_S)
        if version:
            self.connection._http_vsn, self.connection._http_vsn_str = 10, version
        self.connection.request("GET", "/v1/live" + query,
                                headers={"Authorization": f"Bearer {token or host.token}"})
        self.response = self.connection.getresponse()
        self.status = self.response.status
        if self.status == 200:
            assert self.line() == ": live", "the stream says at once that it is there"
            assert self.line() == ""

    def line(self):
        """One line; None at the end."""
        text = self.response.readline()
        return text.decode().rstrip("\n") if text else None

    def message(self):
        """The next (event, data); None at the end. Comments are left out."""
        while True:
            line = self.line()
            if line is None:
                return None
            if line.startswith("event: "):
                data = self.line()
                assert data.startswith("data: ") and self.line() == "", data
                return line[len("event: "):], json.loads(data[len("data: "):])
            assert line == "" or line.startswith(":"), line

    def next(self, event, **wanted):
        """The next message of that event whose data has these members."""
        while True:
            message = self.message()
            assert message, f"the stream ended before a {event}"
            if message[0] == event and all(message[1][k] == v for k, v in wanted.items()):
                return message[1]

    def close(self):
        self.response.close()
        self.connection.close()
