"""Thousands of streams in one thread. Each is HTTP/1.0, whose body has no chunks, from an address of its own kind."""

import selectors
import socket
import time

from .sse import Parser


class Member:
    def __init__(self, index, target, last_event_id=None):
        self.index, self.target = index, target
        self.position = last_event_id
        self.received = []  # first lines of the data
        self.control = []  # (type, data) of the broker's own events
        self.open = False
        self.status = None

    def begin(self, address):
        self.parser = Parser()
        self.parser.last_event_id = self.parser._id = self.position or ""
        self.head = b""
        self.status = None
        self.socket = socket.socket()
        self.socket.bind((f"127.0.1.{self.index % 250 + 1}", 0))
        self.socket.setblocking(False)
        self.socket.connect_ex(address)
        self.open = True

    def request(self):
        resume = f"Last-Event-ID: {self.position}\r\n" if self.position else ""
        self.socket.send(f"GET {self.target} HTTP/1.0\r\nHost: x\r\nAccept: text/event-stream\r\n{resume}\r\n".encode())

    def take(self, data):
        if self.status is None:
            self.head += data
            head, end, data = self.head.partition(b"\r\n\r\n")
            if not end:
                return
            self.status = int(head.split(b" ", 2)[1])
        for item in self.parser.feed(data):
            if item.kind == "event" and item.type.startswith("tidings."):
                self.control.append((item.type, item.data))
            elif item.kind == "event":
                self.deliver(item)
        self.position = self.parser.last_event_id or self.position


    def deliver(self, item):
        self.received.append(item.data.split("\n", 1)[0])


class Crowd:
    kind = Member

    def __init__(self, test, address):
        self.address = address
        self.selector = selectors.DefaultSelector()
        self.members = []
        test.addCleanup(self.close)

    def add(self, count, target):
        """`target`: of the member with that number."""
        for _ in range(count):
            index = len(self.members)
            self.members.append(self.kind(index, target(index) if callable(target) else target))

    def connect(self):
        """All that are not connected, at once."""
        for member in self.members:
            if not member.open:
                member.begin(self.address_for(member))
                self.selector.register(member.socket, selectors.EVENT_WRITE, member)

    def address_for(self, _member):
        return self.address

    def turn(self, timeout=0.1):
        for key, events in self.selector.select(timeout):
            member = key.data
            try:
                if events & selectors.EVENT_WRITE:
                    member.request()
                    self.selector.modify(member.socket, selectors.EVENT_READ, member)
                    continue
                data = member.socket.recv(1 << 16)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if data:
                member.take(data)
            else:
                self._end(member)

    def _end(self, member):
        self.selector.unregister(member.socket)
        member.socket.close()
        member.open = False

    def until(self, condition, timeout, what):
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout} s: {what}")
            self.turn()

    def placed(self):
        """Whether all have an id to come back with, and are told that they are there."""
        return all(x.position and x.control for x in self.members)

    def drop(self):
        for member in self.members:
            if member.open:
                self._end(member)

    def close(self):
        self.drop()
        self.selector.close()
