"""Load in rounds, each with a ledger outside of the broker, judged when the round is over."""

import os
import threading

from checker import Ledger, judge, read_ledgers

from . import settings
from .broker import temporary_folder
from .traffic import Counter, Subscriber, Writer, number_of
from .waiting import eventually


class Storm:
    """Writers that publish until they are told to stop. The log is read on from round to round; at the end `check_all` reads it once
    more from the beginning."""

    def __init__(self, test, broker, levels=Writer.LEVELS, publishers=8):
        self.test, self.broker, self.levels, self.publishers = test, broker, levels, publishers
        self.folder = temporary_folder("tidings-ledger-")
        self.numbers = Counter()
        self.log = []  # (id, number) of all rounds
        self.ids = {}  # every id that was ever acknowledged or read -> number
        self.cursor = "earliest"
        self.round = 0
        self.acknowledged = self.unknown = self.refused = 0

    def begin(self):
        self.round += 1
        self.ledger = Ledger(os.path.join(self.folder, f"round-{self.round}"))
        self.stopping = threading.Event()
        self.writers = [Writer(i, self.broker.address, self.numbers, settings.randomness(f"{self.test.id()}/{self.round}/{i}"),
                               self.stopping, self.ledger, self.levels) for i in range(self.publishers)]
        self.test.addCleanup(self.stopping.set)
        for writer in self.writers:
            writer.start()
        return self

    def count(self):
        return sum(len(x.acknowledged) for x in self.writers)

    def answers(self):
        """Of this round: number -> (begin of the request, its answer, level)."""
        return {number: x for writer in self.writers for number, x in list(writer.answers.items())}

    def wait(self, least, timeout=60):
        """Until so many events of this round are acknowledged: the load must really have been there."""
        eventually(lambda: self.count() >= least or any(x.failure for x in self.writers), timeout, f"{least} acknowledged")

    def stop(self):
        self.stopping.set()
        for writer in self.writers:
            writer.join(30)
            self.test.assertFalse(writer.is_alive(), f"{writer.name} hangs")
            self.test.assertIsNone(writer.failure)
        self.acknowledged += self.count()
        self.unknown += sum(x.unknown for x in self.writers)
        self.refused += sum(x.refused for x in self.writers)

    def judge(self, survives=("written", "fsync"), gone=()):
        """After the round: what the log holds of it against its ledger. `gone`: events that may be missing."""
        part = self.broker.log_events(since=self.cursor)
        if part:
            self.cursor = part[-1]["id"]
        rows = [(x["id"], number_of(str(x["data"]))) for x in part]
        for x, (identity, number) in zip(part, rows):
            self.ledger.write("stored", event=number, id=identity, topics=x["topics"])
        self.ledger.write("read")
        self.ledger.close()
        found = judge(read_ledgers([self.ledger.path]), survives, gone)
        for identity, number in rows + [(i, n) for x in self.writers for n, i in x.acknowledged.items()]:
            if self.ids.setdefault(identity, number) != number:
                found.reused.append((identity, self.ids[identity], number))
        self.log += rows
        os.remove(self.ledger.path)
        return found

    def check_all(self):
        """What was there at the end of each round is there now, in the same order."""
        self.test.assertEqual([(x["id"], number_of(str(x["data"]))) for x in self.broker.log_events()], self.log)


def start_watcher(test, address, name, patterns, target="/events", **options):
    """A stream that is cut off again and again; stopped at the test's end."""
    watcher = Subscriber(name, address, target, patterns, settings.randomness(f"{test.id()}/{name}"), **options)
    watcher.start()
    test.addCleanup(watcher.stopping.set)
    return watcher
