"""A relay between a client and a broker that passes on what the broker says in pieces of so many bytes."""

import socket
import threading
import time

PAUSE = 0.0002  # seconds between pieces, so that the client's system does not put them together again


def pass_on(source, sink, send):
    """Until one side ends, which is the end of both."""
    try:
        while data := source.recv(65536):
            send(data)
    except OSError:
        pass
    for side in (source, sink):
        try:
            side.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Relay:
    def __init__(self, test, target, size=None):
        """`size` may be changed at any time; None: as it comes."""
        self.target, self.size = target, size
        self.pieces = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = self._listener.getsockname()
        self.url = "http://%s:%d" % self.address
        test.addCleanup(self._close)
        threading.Thread(target=self._accept, daemon=True).start()

    def _close(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes up who waits in accept
        finally:
            self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            broker = socket.create_connection(self.target)
        except OSError:
            client.close()  # the broker is away
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ways = [threading.Thread(target=way, args=(client, broker), daemon=True) for way in (self._ask, self._answer)]
        for way in ways:
            way.start()
        for way in ways:
            way.join()
        client.close()
        broker.close()

    def _ask(self, client, broker):
        pass_on(client, broker, broker.sendall)

    def _answer(self, client, broker):
        pass_on(broker, client, lambda data: self._send(client, data))

    def _send(self, client, data):
        at = 0
        while at < len(data):
            size = self.size or len(data)
            client.sendall(data[at:at + size])
            self.pieces += 1
            at += size
            if self.size:
                time.sleep(PAUSE)
