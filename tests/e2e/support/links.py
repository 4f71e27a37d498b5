"""Relays between the members of a cluster that read the frames of their links, and do to them what networks do."""

import collections
import queue
import socket
import struct
import threading
import time

HEAD = struct.Struct(">2sBBI8x")  # magic, version, type, length of the payload; and the checksum
HANDSHAKE = 2  # frames in each direction: who it is, and the proof
RESET = struct.pack("ii", 1, 0)


class Link:
    """One connection through a relay."""

    def __init__(self, near, far):
        self.ends = (near, far)

    def reset(self):
        """Both sides get an RST."""
        for end in self.ends:
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RD)  # wakes who reads
                end.close()
            except OSError:
                pass


class Relay(threading.Thread):
    """Listens at `address` for who dials the member at `to`. Links are plain text.

    `mood`: None, or what happens to frames behind the handshake: `delay` (10 to 500 ms for each, order kept), `cut` (a
    reset in the middle of one), `double` (said twice), `swap` (said after the next one). `done` counts frames by what
    happened to them.
    """

    def __init__(self, test, to, random):
        super().__init__(daemon=True)
        self.to, self.random, self.mood = to, random, None
        self.done = collections.Counter()
        self.links = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        test.addCleanup(self.close)
        self.start()

    def close(self):
        self.listener.close()
        for link in self.links:
            link.reset()

    def run(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.to)
            except OSError:
                near.close()  # who is dialled is not there
                continue
            link = Link(near, far)
            self.links.append(link)
            for one, other in ((near, far), (far, near)):
                said = queue.Queue()
                threading.Thread(target=self.listen, args=(link, one, said), daemon=True).start()
                threading.Thread(target=self.say, args=(link, other, said), daemon=True).start()

    def listen(self, link, end, said):
        """Puts (when, bytes, whether that is the end of it)."""
        held, frames, last = None, 0, 0.0
        try:
            while frame := read_frame(end):
                frames += 1
                mood = self.mood if frames > HANDSHAKE else None
                now = time.monotonic()
                if mood == "delay":
                    now += self.random.uniform(0.01, 0.5)
                    self.done[mood] += 1
                last = max(now, last)
                if mood == "cut" and self.random.random() < 0.05:
                    self.done[mood] += 1
                    said.put((last, frame[:self.random.randrange(1, len(frame))], True))
                    return
                if mood == "swap" and held is None and self.random.random() < 0.1:
                    held = frame
                    continue
                said.put((last, frame, False))
                if mood == "double" and self.random.random() < 0.1:
                    self.done[mood] += 1
                    said.put((last, frame, False))
                if held:
                    self.done["swap"] += 1
                    said.put((last, held, False))
                    held = None
        except OSError:
            pass
        said.put((last, b"", True))

    def say(self, link, end, said):
        over = False
        while not over:
            when, data, over = said.get()
            time.sleep(max(when - time.monotonic(), 0))
            try:
                end.sendall(data)
            except OSError:
                break
        link.reset()


def read_exactly(end, count):
    data = b""
    while len(data) < count and (piece := end.recv(count - len(data))):
        data += piece
    return data if len(data) == count else b""


def read_frame(end):
    """Empty if the link is over."""
    head = read_exactly(end, HEAD.size)
    if not head:
        return b""
    magic, _, _, length = HEAD.unpack(head)
    if magic != b"Td":
        raise AssertionError(f"not a frame: {head!r}")
    body = read_exactly(end, length)
    return head + body if len(body) == length else b""
