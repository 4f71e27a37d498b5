"""A user's side of a mailbox: requests in short form, and tabs that follow a stream."""

import datetime
import json
import urllib.parse

RANK = {"unread": 0, "seen": 1, "read": 2, "archived": 3, "dismissed": 4}
STATES = ("unread", "seen", "read", "archived")
PRIORITIES = ("LOW", "NORMAL", "HIGH", "CRITICAL")
# What an action makes of an item.
AFTER = {"seen": "seen", "read": "read", "archive": "archived", "dismiss": "dismissed", "clear": "dismissed"}
JSON = {"Content-Type": "application/json"}


def parse_time(text):
    """Unix time of `2026-11-21T10:00:00.000Z`."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def encoded_user(user):
    """For a path: one piece of it, whatever the id holds."""
    return urllib.parse.quote(str(user), safe="")


class Mailbox:
    """One user's mailbox; `headers` say who asks."""

    def __init__(self, broker, user, headers=None):
        self.broker, self.user, self.headers = broker, user, headers or {}
        self.path = f"/users/{encoded_user(user)}/mailbox"

    def _good(self, answer, *statuses):
        if answer.status not in (statuses or (200,)):
            raise AssertionError(f"{self.path}: {answer!r}")
        return answer.json

    def send(self, **fields):
        """An item for this user alone, through the user's own path."""
        answer = self.broker.post(self.path, json.dumps(fields), {**JSON, **self.headers})
        return self._good(answer, 200, 201, 202)

    def ask(self, **query):
        """The raw answer of a list."""
        text = urllib.parse.urlencode(query, safe=",")
        return self.broker.get(f"{self.path}?{text}" if text else self.path, self.headers)

    def page(self, **query):
        return self._good(self.ask(**query))

    def items(self, **query):
        """All of them, page by page."""
        found, pages = [], self.pages(**query)
        for page in pages:
            found += page["items"]
        return found

    def pages(self, **query):
        while True:
            page = self.page(**query)
            yield page
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def ids(self, **query):
        return [x["id"] for x in self.items(**query)]

    def titles(self, **query):
        return [x["title"] for x in self.items(**query)]

    def counts(self):
        page = self.page(limit=0)
        if page["items"]:
            raise AssertionError(f"asked for none: {page}")
        return page["counts"]

    def attempt(self, action, body=None):
        """The raw answer of a change."""
        text = "" if body is None else body if isinstance(body, (str, bytes)) else json.dumps(body)
        return self.broker.post(f"{self.path}/{action}", text, {**(JSON if text else {}), **self.headers})

    def change(self, action, body=None):
        return self._good(self.attempt(action, body))

    def stream(self, query="", headers=None, **options):
        target = f"/users/{encoded_user(self.user)}/stream{query}"
        return self.broker.stream(target, {**self.headers, **(headers or {})}, **options)


def counts_of(states):
    """The counts that a mailbox with items of these states must show."""
    states = list(states)
    made = {x: states.count(x) for x in STATES}
    return {**made, "total": len(states)}


class Tab:
    """What one open page knows: filled from a page, carried on by nothing but its stream.

    It believes the stream and checks it: an item twice, or a change that does not fit to what the tab
    was told before, raises AssertionError.
    """

    def __init__(self, mailbox, name=""):
        self.mailbox, self.name = mailbox, name
        self.position = None
        self.items = {}  # id -> [state, expires or None]
        self.unknown = {}  # id -> last state; changes of what this tab never had
        self.gaps = []
        self.stale = False
        self.stream = None
        self.resumes = 0

    # -- connection ------------------------------------------------------------------------------

    def open(self, timeout=10.0):
        """The first time: from now on, then the page."""
        self.stream = self.mailbox.stream(timeout=timeout)
        if self.stream.head.status != 200:
            raise AssertionError(f"answer {self.stream.head.status}")
        self.stream.ready(timeout)
        self.position = self.stream.last_event_id
        self.load()

    def load(self):
        self.items = {x["id"]: [x["state"], x.get("expires")] for x in self.mailbox.items(limit=200)}
        self.unknown.clear()
        self.stale = False

    def resume(self, timeout=10.0):
        self.close()
        self.resumes += 1
        self.stream = self.mailbox.stream(headers={"Last-Event-ID": self.position}, timeout=timeout)
        if self.stream.head.status != 200:
            raise AssertionError(f"answer {self.stream.head.status} ends an EventSource for good")

    def close(self):
        if self.stream:
            self.stream.close()

    # -- following -------------------------------------------------------------------------------

    def take(self, item):
        """One item of the stream. Returns the type and data of an event that is the app's."""
        if item.id:
            self.position = item.id
        if item.kind != "event":
            return None
        if item.type == "tidings.mailbox":
            self._change(json.loads(item.data))
        elif item.type == "tidings.gap":
            self.gaps.append(json.loads(item.data))
            self.stale = True
        elif not item.type.startswith("tidings."):
            return item.type, item.data, item.id
        return None

    def add(self, text, identity):
        """An item that the stream brought."""
        x = json.loads(text)
        if x["id"] != identity or "state" in x:
            raise AssertionError(f"{self.name}: {x} came under the id {identity}")
        if not self.stale and x["id"] in self.items:
            raise AssertionError(f"{self.name}: {x} came twice")
        self.items[x["id"]] = ["unread", x.get("expires")]
        return x

    def _change(self, change):
        for x in change["items"]:
            known = self.items.get(x["id"])
            if known is None:
                self.unknown[x["id"]] = change["state"]
                continue
            if not self.stale and known[0] != x["was"]:
                raise AssertionError(f"{self.name}: {x} was {known} here, by {change}")
            if RANK[change["state"]] <= RANK[x["was"]]:
                raise AssertionError(f"{self.name}: a state went back: {change}")
            if change["state"] == "dismissed":
                del self.items[x["id"]]
            else:
                known[0] = change["state"]

    def drop_expired(self, now):
        for identity in [i for i, (_, expires) in self.items.items() if expires and parse_time(expires) <= now]:
            del self.items[identity]

    def states(self):
        return {i: s for i, (s, _) in self.items.items()}
