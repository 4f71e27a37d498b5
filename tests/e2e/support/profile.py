"""What the tests of the profiles share."""

import json
import re
import uuid

from .case import BrokerTest
from .waiting import eventually

JSON = {"Content-Type": "application/json"}


def streams_opened(broker):
    """How many there have been: how many are open also falls, when one of another test ends."""
    text = broker.get("/metrics").text
    return int(float(re.search(r"^tidings_streams_total (\S+)$", text, re.M)[1]))


class ProfileTest(BrokerTest):
    def setUp(self):
        super().setUp()
        self.user = f"u{uuid.uuid4().hex[:10]}"

    def as_user(self, user=None):
        return {"X-User-Id": user or self.user}

    def open_stream(self, broker, target, user=None, **options):
        """A stream that the broker knows of."""
        before = streams_opened(broker)
        made = broker.stream(target, self.as_user(user), **options)
        self.addCleanup(made.close)
        self.assertEqual(made.head.status, 200, made.head.headers)
        eventually(lambda: streams_opened(broker) > before, 10, f"{target} is open")
        return made

    def notify(self, user=None, type="SystemNotification", broker=None, **fields):
        """An item, sent the native way; its id."""
        value = {"users": [user or self.user], "type": type, "title": "t", "message": "m", **fields}
        answer = (broker or self.shared).post("/events", json.dumps(value), JSON)
        self.assertEqual(answer.status, 201, answer)
        return answer.json["id"]

    def poll(self, user=None, broker=None):
        answer = (broker or self.shared).get("/notifications/poll", self.as_user(user))
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def connections(self, broker, **fields):
        """The streams that an operator sees, of those with these fields."""
        found = broker.get("/connections?limit=1000").json["connections"]
        return [x for x in found if all(x.get(k) == v for k, v in fields.items())]

    def flood(self, broker, events, count, size=8000, batch=20):
        """Publishes many copies of what `events(number)` gives, with that much padding."""
        padding = "x" * size
        for first in range(0, count, batch):
            body = [{**events(i), "data": f"{i}\n{padding}"} for i in range(first, min(first + batch, count))]
            answer = broker.post("/events", json.dumps(body), JSON)
            self.assertEqual(answer.status, 201, answer)
