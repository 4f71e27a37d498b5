"""Judges a whole history, read from ledgers, by the promises that a broker of one log makes."""

import collections

from .patterns import wants

KINDS = ("lost", "doubled", "reordered", "phantom", "silent_gap", "reused")
SURVIVING = ("written", "fsync", "quorum")


class Judgement:
    """`lost`: acknowledged or seen, and neither stored nor, by a stream that was read to its end, delivered.
    `doubled`: stored twice, or delivered again on one connection or at or below the id it came back with.
    `reordered`: against the log, or stored against the order in which its publisher was answered.
    `phantom`: delivered or stored, and nobody sent it or it was refused.
    `silent_gap`: a stream passed over it and no gap was told in that place.
    `reused`: an id that stands for two events.
    """

    def __init__(self):
        for kind in KINDS:
            setattr(self, kind, [])
        self.counts = collections.Counter()

    @property
    def good(self):
        return not any(getattr(self, x) for x in KINDS)

    def __str__(self):
        seen = ", ".join(f"{self.counts[x]} {x}" for x in ("sent", "acknowledged", "stored", "delivered", "opened", "gap"))
        found = ", ".join(f"{len(getattr(self, x))} {x}" for x in KINDS)
        examples = "".join(f"\n  {x}: {getattr(self, x)[:5]}" for x in KINDS if getattr(self, x))
        return f"{seen}: {found}{examples}"


class _Log:
    """The order of what was stored: as read from the log or, without that, as one publisher was answered."""

    def __init__(self, stored, acknowledged):
        if stored is not None:
            rows = stored
        else:
            rows = acknowledged if len({x["publisher"] for x in acknowledged}) <= 1 else []
        self.events, self.topics, self.place, self.place_of_id = [], [], {}, {}
        self.again = []
        for x in rows:
            if x["event"] in self.place:
                self.again.append(x["event"])
                continue
            self.place[x["event"]] = self.place_of_id[x["id"]] = len(self.events)
            self.events.append(x["event"])
            self.topics.append(x.get("topics"))


class _Stream:
    """One client over all its connections: the place up to which it has seen the log."""

    def __init__(self, name, log, judgement):
        self.name, self.log, self.found = name, log, judgement
        self.reached = {}  # id -> place, from its own deliveries and moves
        self.had = set()  # events delivered in their place
        self.at = None  # first place not seen yet; None: not known where it began
        self.patterns = []
        self.gap = False
        self.connection = set()
        self.holes = {}  # wanted and passed over on this connection, in order

    def opened(self, line):
        self.settle()
        self.patterns = line.get("topics") or []
        self.connection = set()
        cursor = line.get("cursor")
        if cursor == "earliest":
            self.at = 0
        elif cursor in self.log.place_of_id:
            self.at = self.log.place_of_id[cursor] + 1
        else:
            self.at = self.reached.get(cursor)

    def moved(self, line):
        place = self.log.place_of_id.get(line["id"])
        if place is not None:
            self.pass_over(place + 1)
        if self.at is not None:
            self.reached[line["id"]] = self.at

    def told(self, _):
        self.gap = True

    def delivered(self, line):
        event = line["event"]
        if event in self.connection:
            self.found.doubled.append((self.name, event))
            return
        self.connection.add(event)
        place = self.log.place.get(event)
        if place is None:
            return  # the judge says what it is
        if self.at is not None and place < self.at:
            if event in self.had:
                self.found.doubled.append((self.name, event))
            else:
                self.holes.pop(event, None)  # late, not missing
                self.found.reordered.append((self.name, event))
            return
        self.pass_over(place)
        self.at = place + 1
        self.had.add(event)
        self.reached[line["id"]] = self.at

    def pass_over(self, place):
        """Everything before `place` is behind the stream from now on."""
        if self.at is None:
            self.at = place
        elif not self.gap:
            self.holes.update((self.log.events[x], None) for x in range(self.at, place) if self.wanted(x))
        self.at = max(self.at, place)
        self.gap = False

    def wanted(self, place):
        topics = self.log.topics[place]
        return topics is None or wants(self.patterns, topics)

    def settle(self):
        """A connection is over: what was passed over did not come."""
        self.found.silent_gap += [(self.name, x) for x in self.holes]
        self.holes = {}
        self.gap = False

    def finished(self, _):
        if self.at is not None and not self.gap:
            rest = range(self.at, len(self.log.events))
            self.found.lost += [(self.name, self.log.events[x]) for x in rest if self.wanted(x)]


def judge(lines, survives=SURVIVING, gone=()):
    """`survives`: levels that outlive what happened in this history. `gone`: events that may be missing because they
    expired or were evicted."""
    found = Judgement()
    by_kind = collections.defaultdict(list)
    streams = collections.defaultdict(list)
    for line in lines:
        found.counts[line["what"]] += 1
        if "stream" in line:
            streams[line["stream"]].append(line)
        else:
            by_kind[line["what"]].append(line)
    sent = {x["event"] for x in by_kind["sent"]}
    acknowledged, stored = by_kind["acknowledged"], by_kind["stored"]
    was_read = bool(stored or by_kind["read"])  # an empty log is one, too
    log = _Log(stored if was_read else None, acknowledged)
    gone = set(gone)

    found.doubled += [("log", x) for x in log.again] if was_read else []
    found.phantom += [("log", x["event"]) for x in stored if x["event"] not in sent]
    _check_ids(found, stored + acknowledged + [x for lines in streams.values() for x in lines if x["what"] == "delivered"])
    if was_read:
        promised = [x["event"] for x in acknowledged if x["level"] in survives and not x.get("ephemeral")]
        found.lost += [("log", x) for x in promised if x not in log.place and x not in gone]
        _check_publishers(found, acknowledged, log)

    refused = {x["event"] for x in by_kind["refused"]}
    refused -= {x["event"] for x in by_kind["unknown"] + acknowledged}
    found.phantom += [("log", x["event"]) for x in stored if x["event"] in refused]

    for name, history in streams.items():
        stream = _Stream(name, log, found)
        for line in history:
            if line["what"] == "gap":
                stream.told(line)
                continue
            if line["what"] == "delivered":
                if line["event"] not in sent:
                    found.phantom.append((name, line["event"]))
                elif was_read and line["event"] not in log.place and line["event"] not in gone and not line.get("ephemeral"):
                    found.lost.append((name, line["event"]))  # it was seen, and it has un-happened
            getattr(stream, line["what"])(line)
        stream.settle()
    return found


def _check_ids(found, lines):
    owners = collections.defaultdict(set)
    for x in lines:
        if x["id"] is not None:
            owners[x["id"]].add(x["event"])
    found.reused += [(i, sorted(map(str, events))[:3]) for i, events in owners.items() if len(events) > 1]


def _check_publishers(found, acknowledged, log):
    """Who waits for each answer before the next request must find its events in that order."""
    last = {}
    for x in acknowledged:
        place = log.place.get(x["event"])
        if place is None or x.get("repeat"):
            continue
        if place < last.get(x["publisher"], -1):
            found.reordered.append(("log", x["event"]))
        last[x["publisher"]] = max(place, last.get(x["publisher"], -1))
