"""Publishers that do not give up and subscribers that are cut off: what the broker is judged under."""

import itertools
import json
import threading
import time
import urllib.parse

from .wire import Closed, Connection, Cut, Stream

FAULTS = (OSError, Closed, ValueError)  # OSError: also TimeoutError
RANK = {"none": 0, "written": 1, "fsync": 2, "quorum": 3}


class Stopwatch:
    """Ends loops whose progress stopped, so that a hang is a failure that says where."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.touch()

    def touch(self):
        self._last = time.monotonic()

    def expired(self):
        return time.monotonic() - self._last > self.seconds


class Item:
    """One event that has to be stored once: its number is its data, its key makes repeats harmless."""

    def __init__(self, number, topics, filler=""):
        self.number = number
        self.topics = topics
        self.data = f"{number}\n{filler}" if filler else str(number)

    def envelope(self, scope, level=None):
        value = {"topics": self.topics, "data": self.data, "key": f"{scope}-{self.number}"}
        if level:
            value["ack"] = level
        return value


def encoded(name):
    """For a request's path or query."""
    return urllib.parse.quote(name, safe=":/*.,")


def number_of(data):
    return int(data.split("\n", 1)[0])


class Publisher(threading.Thread):
    """Publishes jobs in order over one keep-alive connection, each again until it is acknowledged.

    A job is a list of items and the form they are sent in: `topic`, `object`, `array` or `ndjson`.
    """

    def __init__(self, address, jobs, scope, pause=None, patience=60.0, ledger=None):
        super().__init__(daemon=True)
        self.write = ledger.write if ledger else lambda *_, **__: None
        self.address, self.jobs, self.scope = address, jobs, scope
        self.acknowledged = {}  # number -> id
        self.repeats = 0
        self.failure = None
        self.pause = pause or (lambda: None)
        self._watch = Stopwatch(patience)
        self._link = None

    def run(self):
        try:
            for form, items in self.jobs:
                self.pause()
                for item in items:
                    self.write("sent", event=item.number, publisher=self.name, topics=item.topics)
                while not self._attempt(form, items):
                    self.repeats += 1
                    if self._watch.expired():
                        raise AssertionError(f"publisher {self.scope}: no progress at {items[0].number}")
                self._watch.touch()
        except BaseException as failure:
            self.failure = failure
        finally:
            if self._link:
                self._link.close()

    def _attempt(self, form, items):
        try:
            if self._link is None:
                self._link = Connection(self.address, timeout=15)
            answer = self._send(form, items)
            results = self._results(form, answer)
        except FAULTS:
            # Unknown whether it was stored: the key makes it safe to ask again.
            if self._link:
                self._link.close()
            self._link = None
            time.sleep(0.01)
            return False
        if results is None:
            if answer.status not in (429, 503, 504, 507):
                raise AssertionError(f"refused: {answer!r}")
            if answer.header("connection") == "close":
                self._link.close()
                self._link = None
            time.sleep(0.01)
            return False
        if len(results) != len(items):
            raise AssertionError(f"{len(items)} sent, {len(results)} results: {answer!r}")
        for item, result in zip(items, results):
            if "code" in result:
                if result["status"] not in (429, 503, 504, 507):
                    raise AssertionError(f"refused: {result}")
                return False
        for item, result in zip(items, results):
            self.acknowledged[item.number] = result["id"]
            self.write("acknowledged", event=item.number, publisher=self.name, id=result["id"], level=result["level"], topics=item.topics)
        return True

    def _send(self, form, items):
        if form == "topic":
            item, = items
            return self._link.request("POST", f"/topics/{encoded(item.topics[0])}",
                                      {"Idempotency-Key": f"{self.scope}-{item.number}"}, item.data)
        envelopes = [x.envelope(self.scope) for x in items]
        if form == "object":
            body, media_type = json.dumps(envelopes[0]), "application/json"
        elif form == "array":
            body, media_type = json.dumps(envelopes), "application/json"
        else:
            body, media_type = "\n".join(map(json.dumps, envelopes)) + "\n", "application/x-ndjson"
        return self._link.request("POST", "/events", {"Content-Type": media_type}, body)

    @staticmethod
    def _results(form, answer):
        if answer.status // 100 != 2:
            return None
        if form == "ndjson":
            return answer.lines
        return answer.json["results"] if form == "array" else [answer.json]


class Writer(threading.Thread):
    """Publishes as fast as it is answered and never repeats: what is not answered is unknown."""

    LEVELS = ("written", "written", "fsync", "none")

    def __init__(self, index, address, numbers, random, stopping, ledger=None, levels=LEVELS, headers=None, pause=0):
        super().__init__(daemon=True, name=f"w{index}")
        self.pause = pause  # seconds after each answer, at most
        self.write = ledger.write if ledger else lambda *_, **__: None
        self.levels, self.headers = levels, headers
        self.index, self.address, self.numbers, self.random, self.stopping = index, address, numbers, random, stopping
        self.acknowledged = {}  # number -> id: promised to outlive the process
        self.answers = {}  # number -> (begin of the request, its answer, level), of those
        self.admitted = 0  # level none: promised nothing
        self.unknown = 0
        self.refused = 0
        self.failure = None
        self.slowest = 0.0  # seconds until an answer

    def run(self):
        link = None
        try:
            while not self.stopping.is_set():
                number = next(self.numbers)
                level = self.random.choice(self.levels)
                topic = f"{self.name}/{level}"
                self.write("sent", event=number, publisher=self.name, topics=[topic])
                begin = time.monotonic()
                try:
                    if link is None:
                        link = Connection(self.address, timeout=10)
                    answer = link.request("POST", f"/topics/{topic}?ack={level}", self.headers, f"{number}\n{'z' * 100}")
                except FAULTS:
                    self.unknown += 1
                    self.write("unknown", event=number, publisher=self.name)
                    if link:
                        link.close()
                    link = None
                    # The broker is down; wait for the next cycle's order to go on rather than spin.
                    self.stopping.wait(0.005)
                    continue
                if answer.status == 201:
                    result = answer.json
                    if RANK[result["level"]] < max(RANK[level], RANK["written"]) or (result["level"] == "quorum") > (result["nodes"] > 1):
                        raise AssertionError(f"asked for {level}: {result}")
                    self.acknowledged[number] = result["id"]
                    self.answers[number] = begin, time.monotonic(), result["level"]
                    self.write("acknowledged", event=number, publisher=self.name, id=result["id"], level=result["level"], topics=[topic])
                elif answer.status == 202:
                    self.admitted += 1
                elif answer.status in (429, 503, 507):
                    self.refused += 1
                    self.write("refused", event=number, publisher=self.name)
                elif answer.status == 504:
                    self.unknown += 1
                    self.write("unknown", event=number, publisher=self.name)
                else:
                    raise AssertionError(f"{answer!r}")
                if answer.header("connection") == "close":
                    link.close()
                    link = None
                self.slowest = max(self.slowest, time.monotonic() - begin)
                if self.pause or answer.status == 503:
                    self.stopping.wait(self.random.uniform(0, self.pause or 0.01))
        except BaseException as failure:
            self.failure = failure
        finally:
            if link:
                link.close()


class Counter:
    def __init__(self):
        self._lock, self._value = threading.Lock(), 0

    def __next__(self):
        with self._lock:
            self._value += 1
            return self._value


class Subscriber(threading.Thread):
    """A client that is cut off again and again and comes back with nothing but the last id."""

    def __init__(self, name, address, target, patterns, random, by_header=True, cut_bytes=(100, 20000), start="now",
                 ledger=None):
        super().__init__(daemon=True, name=name)
        self.write = ledger.write if ledger else lambda *_, **__: None
        self.address, self.target, self.patterns = address, target, patterns
        self.random = random
        self.by_header = by_header
        self.cut_bytes = cut_bytes
        self.start_at = start
        self.received = []  # (number, id)
        self.connections = 0
        self.cuts = 0
        self.gaps = []
        self.failure = None
        self.position = None
        self.placed = threading.Event()  # has an id to come back with
        self.stopping = threading.Event()
        self.last_number = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self._session()
        except BaseException as failure:
            self.failure = failure

    def _open(self):
        headers, query = {}, {}
        if self.position is None:
            query["since"] = self.start_at
        elif self.by_header:
            headers["Last-Event-ID"] = self.position
        else:
            query["last_event_id"] = self.position
        target = self.target
        for key, value in query.items():
            target += f"{'&' if '?' in target else '?'}{key}={value}"
        return Stream(self.address, target, headers, timeout=10)

    def _session(self):
        try:
            stream = self._open()
        except FAULTS:
            time.sleep(0.01)
            return
        self.connections += 1
        try:
            if stream.head.status != 200:
                raise AssertionError(f"answer {stream.head.status} ends an EventSource for good")
            begins = "earliest" if self.start_at == "earliest" else None
            self.write("opened", stream=self.name, topics=self.patterns, cursor=self.position or begins)
            # Without an id there is nothing to be exact about: not cut before there is one.
            while self.position is None:
                self._take(stream.item())
            stream.cut_after(self.random.randint(*self.cut_bytes))
            while not self.stopping.is_set():
                try:
                    item = stream.item(1.0)
                except TimeoutError:
                    continue
                self._take(item)
        except Cut:
            self.cuts += 1
        except FAULTS:
            pass
        finally:
            if self.random.random() < 0.5:
                stream.reset()
            else:
                stream.close()

    def _take(self, item):
        if item.kind == "event":
            if item.type == "tidings.gap":
                self.gaps.append(item.data)
                self.write("gap", stream=self.name, reason=json.loads(item.data)["reason"])
            elif not item.type.startswith("tidings."):
                self._deliver(item)
        self._take_position(item.id)

    def _deliver(self, item):
        self.last_number = number_of(item.data)
        self.received.append((self.last_number, item.id))
        self.write("delivered", stream=self.name, event=self.last_number, id=item.id)

    def _take_position(self, identity):
        if identity and identity != self.position:
            self.position = identity
            if not self.received or self.received[-1][1] != self.position:
                self.write("moved", stream=self.name, id=self.position)
        if self.position:
            self.placed.set()


class Poller(threading.Thread):
    """The same promise for a client that asks for pages: each `next` is the only thing it keeps."""

    def __init__(self, name, address, target, patterns, random):
        super().__init__(daemon=True, name=name)
        self.address, self.target, self.patterns, self.random = address, target, patterns, random
        self.received, self.gaps = [], []
        self.connections = self.cuts = 0
        self.failure = None
        self.position = None
        self.placed = threading.Event()
        self.stopping = threading.Event()
        self.last_number = None

    def run(self):
        try:
            while not self.stopping.is_set():
                limit = self.random.randint(1, 1000)
                since = self.position or "earliest"
                target = f"{self.target}{'&' if '?' in self.target else '?'}limit={limit}&wait=1s&since={since}"
                try:
                    with Connection(self.address, timeout=10) as link:
                        self.connections += 1
                        answer = link.request("GET", target, {"Accept": "application/json"})
                        if answer.status != 200:
                            if answer.status != 503:
                                raise AssertionError(f"{answer!r}")
                            time.sleep(0.01)
                            continue
                        page = answer.json
                except FAULTS:
                    time.sleep(0.01)
                    continue
                if page["gap"]:
                    self.gaps.append(page["gap"])
                for event in page["events"]:
                    self.last_number = number_of(str(event["data"]))
                    self.received.append((self.last_number, event["id"]))
                self.position = page["next"]
                self.placed.set()
        except BaseException as failure:
            self.failure = failure


def split_into_jobs(items, random):
    """Deals items into requests of every form. An item of several topics cannot go to one topic's path."""
    jobs, rest = [], list(items)
    while rest:
        form = random.choices(("topic", "object", "array", "ndjson"), (4, 2, 2, 1))[0]
        if form == "topic" and len(rest[0].topics) > 1:
            form = "object"
        count = {"topic": 1, "object": 1, "array": random.randint(1, 10), "ndjson": random.randint(1, 30)}[form]
        jobs.append((form, rest[:count]))
        rest = rest[count:]
    return jobs


def deal(items, hands):
    """Like cards: item i goes to hand i modulo `hands`."""
    return [list(itertools.islice(items, i, None, hands)) for i in range(hands)]
