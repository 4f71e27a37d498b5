"""Tells the broker what is in the outbox, in order, for as long as it takes."""

import sys
import threading
import time
import urllib.parse
import urllib.request

SHORTEST_WAIT = 0.2  # seconds before the next try after a failure; doubled until
LONGEST_WAIT = 5.0
TOKEN_LIFETIME = 300


class Publisher(threading.Thread):
    def __init__(self, store, signer, broker):
        super().__init__(daemon=True)
        self._store = store
        self._signer = signer
        self._broker = broker

    def run(self):
        wait = SHORTEST_WAIT
        while True:
            identity, *message = self._store.oldest_message()
            try:
                self._publish(*message)
            except OSError as failure:  # no connection, no answer in time, or an answer that is not 2xx
                print(f"not published, next try in {wait:g} s: {failure}", file=sys.stderr, flush=True)
                time.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                self._store.remove_message(identity)
                wait = SHORTEST_WAIT

    def _publish(self, key, user, event_type, data):
        token = self._signer.make(TOKEN_LIFETIME, tidings={"publish": ["user:*"]})
        topic = urllib.parse.quote(f"user:{user}", safe=":")
        request = urllib.request.Request(
            f"{self._broker}/topics/{topic}?type={event_type}", data.encode(), method="POST",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key})
        with urllib.request.urlopen(request, timeout=15):
            pass
