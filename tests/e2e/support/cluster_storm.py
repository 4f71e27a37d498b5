"""Load on all nodes of a cluster, with streams that move between them, and a ledger outside of it."""

import json
import os
import threading

from checker import Ledger, judge_origins, read_ledgers

from . import settings
from .broker import temporary_folder
from .position import is_behind, place_of
from .traffic import Counter, Subscriber, Writer, number_of
from .waiting import eventually


def origin_of(identity):
    return place_of(identity)[0]


class Wanderer(Subscriber):
    """A stream of everything that is cut off again and again, and each time comes back to any of the nodes."""

    def __init__(self, name, nodes, random, ledger=None, cut_bytes=(2000, 200000)):
        super().__init__(name, None, "/events?envelope=true&topics=*/*", ["*/*"], random, cut_bytes=cut_bytes, start="earliest", ledger=ledger)
        self.nodes = nodes
        self.numbers = set()

    def _open(self):
        self.address = self.random.choice(self.nodes).address
        return super()._open()

    def _deliver(self, item):
        event = json.loads(item.data)
        if not event["topic"].startswith("w-"):
            return
        self.last_number = number_of(str(event["data"]))
        self.numbers.add(self.last_number)
        self.received.append((self.last_number, item.id))
        self.write("delivered", stream=self.name, event=self.last_number, id=event["id"], cursor=item.id)

    def _take_position(self, identity):
        if self.position and identity and identity != self.position and is_behind(self.position, identity):
            raise AssertionError(f"{self.name}: the id went back from {self.position} to {identity}")
        super()._take_position(identity)


class ClusterStorm:
    """Writers on each node, which publish until they are told to stop. What is acknowledged may not be lost."""

    def __init__(self, test, cluster, levels=("quorum",), publishers=2, wanderers=0, pause=0):
        self.test, self.cluster, self.levels, self.publishers, self.pause = test, cluster, levels, publishers, pause
        self.ledger = Ledger(os.path.join(temporary_folder("tidings-ledger-"), "ledger"))
        self.numbers = Counter()
        self.round = 0
        self.acknowledged = self.unknown = self.refused = 0
        self.slowest = 0.0
        self.writers = []
        self.wanderers = [Wanderer(f"wanderer {i}", cluster.nodes, settings.randomness(f"{test.id()}/wanderer {i}"), self.ledger)
                          for i in range(wanderers)]
        for wanderer in self.wanderers:
            test.addCleanup(wanderer.stopping.set)
            wanderer.start()

    def begin(self, *nodes):
        """Publishes on these nodes, else on all."""
        self.round += 1
        self.stopping = threading.Event()
        self.test.addCleanup(self.stopping.set)
        self.writers = []
        for node in nodes or self.cluster.nodes:
            for i in range(self.publishers):
                random = settings.randomness(f"{self.test.id()}/{self.round}/{node.name}{i}")
                self.writers.append(Writer(f"-{node.name}{i}", node.address, self.numbers, random, self.stopping, self.ledger, self.levels,
                                           pause=self.pause))
        for writer in self.writers:
            writer.start()
        return self

    def count(self, *nodes):
        """Acknowledged in this round by these nodes, else by all."""
        names = [f"w-{x.name}" for x in nodes] or ["w-"]
        return sum(len(x.acknowledged) for x in self.writers if x.name.startswith(tuple(names)))

    def wait(self, more, *nodes, timeout=60):
        """Until so many more are acknowledged by each of these nodes, else by all together: the load must really be there."""
        before = {x: self.count(x) for x in nodes} or {None: self.count()}
        done = lambda: all((self.count(x) if x else self.count()) >= n + more for x, n in before.items())
        eventually(lambda: done() or any(x.failure for x in self.writers), timeout, f"{more} more acknowledged")

    def stop(self):
        self.stopping.set()
        for writer in self.writers:
            writer.join(30)
            self.test.assertFalse(writer.is_alive(), f"{writer.name} hangs")
            if writer.failure:
                raise writer.failure
        self.acknowledged += self.count()
        self.unknown += sum(x.unknown for x in self.writers)
        self.refused += sum(x.refused for x in self.writers)
        self.slowest = max([self.slowest, *(x.slowest for x in self.writers)])
        self.writers = []

    def close(self, survives=("written", "fsync", "quorum"), timeout=20, but=()):
        """After all rounds, and when everything runs again: all nodes have the same, the streams have seen all of it, and the
        ledger agrees. Topics that begin like one of `but` are somebody else's. Returns the judgement."""
        self.cluster.check_equal(timeout)
        stored = [x for x in self.cluster.nodes[0].log_events() if not (but and x["topic"].startswith(tuple(but)))]
        numbers = {number_of(str(x["data"])) for x in stored}
        for wanderer in self.wanderers:
            eventually(lambda: wanderer.failure or wanderer.numbers >= numbers, 30,
                       lambda: f"{wanderer.name} lacks {sorted(numbers - wanderer.numbers)[:5]}")
            wanderer.stopping.set()
            wanderer.join(20)
            if wanderer.failure:
                raise wanderer.failure
            self.test.assertEqual(wanderer.gaps, [])
            self.ledger.write("finished", stream=wanderer.name)
        for x in stored:
            self.ledger.write("stored", event=number_of(str(x["data"])), id=x["id"], topics=x["topics"])
        self.ledger.write("read")
        self.ledger.close()
        found = judge_origins(read_ledgers([self.ledger.path]), origin_of, survives=survives)
        if not found.good:
            raise AssertionError(str(found))
        return found
