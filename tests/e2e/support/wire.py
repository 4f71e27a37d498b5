"""HTTP/1.1 on a plain socket: tests see each byte and cut where they like."""

import json
import socket
import struct
import time

from .sse import Parser


class Closed(Exception):
    """The other side ended the connection; `clean` if that was where a message ends."""

    def __init__(self, clean, detail=""):
        super().__init__(f"closed {'cleanly' if clean else 'in the middle'} {detail}")
        self.clean = clean


class Cut(Exception):
    """The byte at which this client was to cut its own connection is reached."""


class Head:
    def __init__(self, text):
        first, *lines = text.split("\r\n")
        version, status, self.reason = (first.split(" ", 2) + [""])[:3]
        if not version.startswith("HTTP/1."):
            raise ValueError(f"not an HTTP/1 answer: {first!r}")
        self.version = version
        self.status = int(status)
        self.headers = []
        for line in lines:
            if line:
                name, _, value = line.partition(":")
                self.headers.append((name.strip().lower(), value.strip()))

    def header(self, name, default=None):
        values = [v for n, v in self.headers if n == name.lower()]
        return ", ".join(values) if values else default


class Response(Head):
    def __init__(self, head, body):
        self.__dict__.update(head.__dict__)
        self.body = body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def lines(self):
        """The body as NDJSON."""
        return [json.loads(x) for x in self.body.splitlines() if x.strip()]

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:500]!r}>"


class Connection:
    def __init__(self, address, timeout=20.0, tls=None, receive_buffer=None, cut_after=None, source=None):
        """`source`: the address to come from, for instance another one of the loopback network."""
        self.timeout = timeout
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if source:
            self.socket.bind((source, 0))
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
            if tls:
                self.socket = tls.wrap_socket(self.socket, server_hostname=address[0])
        except BaseException:
            self.socket.close()
            raise
        self._buffer = bytearray()
        self._left = cut_after  # bytes until this client cuts; None: never
        self.host = f"{address[0]}:{address[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with RST instead of FIN, unless it is closed already."""
        if self.socket.fileno() < 0:
            return
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # -- sending ---------------------------------------------------------------------------------

    def send(self, data):
        self.socket.sendall(data)

    def send_request(self, method, target, headers=None, body=None):
        fields = {"Host": self.host}
        fields.update(headers or {})
        if isinstance(body, str):
            body = body.encode()
        if body is not None and "Transfer-Encoding" not in fields:
            fields.setdefault("Content-Length", str(len(body)))
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items())
        self.send(head.encode("latin-1") + b"\r\n" + (body or b""))

    def send_chunk(self, data):
        if isinstance(data, str):
            data = data.encode()
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    # -- receiving -------------------------------------------------------------------------------

    def _more(self, deadline, clean=False):
        if self._left is not None and self._left <= 0:
            raise Cut()
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("no answer in time")
        self.socket.settimeout(remaining)
        data = self.socket.recv(65536 if self._left is None else min(65536, self._left))
        if not data:
            raise Closed(clean and not self._buffer, f"with {bytes(self._buffer[:200])!r} pending")
        if self._left is not None:
            self._left -= len(data)
        self._buffer += data

    def _line(self, deadline, clean=False):
        while True:
            at = self._buffer.find(b"\r\n")
            if at >= 0:
                line = bytes(self._buffer[:at])
                del self._buffer[: at + 2]
                return line
            self._more(deadline, clean)

    def _exactly(self, count, deadline):
        while len(self._buffer) < count:
            self._more(deadline)
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _deadline(self, timeout):
        return time.monotonic() + (self.timeout if timeout is None else timeout)

    def read_head(self, timeout=None):
        deadline = self._deadline(timeout)
        while b"\r\n\r\n" not in self._buffer:
            self._more(deadline, clean=True)
        text, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer[:] = rest
        return Head(text.decode("latin-1"))

    def body(self, head):
        return Body(self, head)

    def read_response(self, method="GET", timeout=None):
        head = self.read_head(timeout)
        while head.status == 100:
            head = self.read_head(timeout)
        if method == "HEAD" or head.status in (204, 304):
            return Response(head, b"")
        body, pieces = self.body(head), []
        # For the whole: a stream that should have been an answer must not hold a test for ever.
        deadline = self._deadline(timeout)
        while (piece := body.piece(deadline - time.monotonic())) is not None:
            pieces.append(piece)
        return Response(head, b"".join(pieces))

    def request(self, method, target, headers=None, body=None, timeout=None):
        self.send_request(method, target, headers, body)
        return self.read_response(method, timeout)

    def at_end(self, timeout=5.0):
        """Waits for the other side to close; False if it sends something or keeps open."""
        try:
            self._more(time.monotonic() + timeout, clean=True)
        except (Closed, ConnectionResetError):
            return True
        except TimeoutError:
            pass
        return False


class Body:
    """A body piece by piece, as it arrives. Time-outs lose nothing: one may ask again."""

    def __init__(self, connection, head):
        self._connection = connection
        self._chunked = (head.header("transfer-encoding") or "").lower() == "chunked"
        length = head.header("content-length")
        self._until_close = not self._chunked and length is None
        self._left = 0 if self._until_close or self._chunked else int(length)
        self._begun = self._done = False

    def piece(self, timeout=None):
        """Some bytes; None at the body's end. A body that breaks off raises Closed."""
        link = self._connection
        deadline = link._deadline(timeout)
        if self._done:
            return None
        if self._until_close:
            try:
                if not link._buffer:
                    link._more(deadline, clean=True)
            except Closed:
                self._done = True
                return None
            self._left = len(link._buffer)
        elif self._chunked and self._left == 0:
            if self._begun and link._exactly(2, deadline) != b"\r\n":
                raise ValueError("chunk without its end")
            self._begun = False
            line = link._line(deadline)
            self._left = int(line.split(b";")[0], 16)
            self._begun = True
            if self._left == 0:
                while link._line(deadline):
                    pass
        if self._left == 0:
            self._done = True
            return None
        # Not the whole chunk at once: a cut may lie within it.
        if not link._buffer:
            link._more(deadline)
        data = bytes(link._buffer[: self._left])
        del link._buffer[: len(data)]
        self._left -= len(data)
        return data


class Stream(Connection):
    """A GET whose answer does not end: Server-Sent Events, item by item."""

    def __init__(self, address, target, headers=None, **options):
        super().__init__(address, **options)
        try:
            self.send_request("GET", target, {"Accept": "text/event-stream", **(headers or {})})
            self.head = self.read_head()
        except BaseException:
            self.close()
            raise
        self.parser = Parser()
        self.raw = bytearray()
        self._body = self.body(self.head)
        self._items = []

    def cut_after(self, count):
        """From now on, Cut is raised after so many more bytes, wherever that is."""
        self._left = count

    @property
    def last_event_id(self):
        return self.parser.last_event_id

    def item(self, timeout=10.0):
        """The next event, position, comment or retry. Closed when the broker ends the stream."""
        deadline = time.monotonic() + timeout
        while not self._items:
            try:
                piece = self._body.piece(max(deadline - time.monotonic(), 0.001))
            except TimeoutError:
                raise TimeoutError(f"nothing in time; so far: {bytes(self.raw[-400:])!r}") from None
            if piece is None:
                self.close()  # as a browser does; the broker waits for it
                raise Closed(True, "after the last chunk")
            if len(self.raw) < 1 << 16:
                self.raw += piece
            self._items = self.parser.feed(piece)[::-1]
        return self._items.pop()

    def event(self, timeout=10.0, control=False):
        """The next event; those of the broker itself (tidings.…) only if asked for."""
        deadline = time.monotonic() + timeout
        while True:
            item = self.item(deadline - time.monotonic())
            if item.kind == "event" and (control or not item.type.startswith("tidings.")):
                return item

    def events(self, count, timeout=10.0):
        deadline = time.monotonic() + timeout
        return [self.event(deadline - time.monotonic()) for _ in range(count)]

    def control(self, name, timeout=10.0):
        """Skips to the broker's event of that name and returns its data."""
        deadline = time.monotonic() + timeout
        while True:
            item = self.event(deadline - time.monotonic(), control=True)
            if item.type == name:
                return json.loads(item.data)

    def ready(self, timeout=10.0):
        return self.control("tidings.ready", timeout)

    def silent(self, seconds):
        """Whether no event comes for so long (positions and comments may)."""
        try:
            self.event(seconds, control=True)
            return False
        except TimeoutError:
            return True
