"""kill -9 under load, again and again, with a ledger outside of the broker."""

import os
import threading
import time

from checker import check_ledger
from support import settings
from support.case import OwnBrokerTest, fault
from support.traffic import Counter, Subscriber, Writer, number_of
from support.waiting import eventually

PUBLISHERS = 8

CONFIG = """
[topics]
level = "none"
"""


class Crash(OwnBrokerTest):
    @fault("S1")
    def test_kill_9_loses_nothing_acknowledged_and_no_id_is_used_twice(self):
        broker = self.broker(config=CONFIG)
        numbers = Counter()
        watchers = [Subscriber(f"watcher {i}", broker.address, "/events", [], settings.randomness(f"{self.id()}/watch{i}"),
                               cut_bytes=(20000, 2000000), start="earliest") for i in range(2)]
        for watcher in watchers:
            watcher.start()
            self.addCleanup(watcher.stopping.set)
            self.assertTrue(watcher.placed.wait(10))
        acknowledged, restarts = {}, []
        totals = {"unknown": 0, "refused": 0, "admitted": 0}
        log, cursor = [], "earliest"
        for cycle in self.rounds(10, 3):
            stopping, of_cycle = threading.Event(), {}
            writers = [Writer(i, broker.address, numbers, settings.randomness(f"{self.id()}/{cycle}/{i}"), stopping)
                       for i in range(PUBLISHERS)]
            for writer in writers:
                writer.start()
            # In the middle of the work, not before it has begun.
            least = self.random.randint(20, 1500)
            eventually(lambda: sum(len(x.acknowledged) for x in writers) >= least or any(x.failure for x in writers), 60,
                       f"{least} acknowledged in cycle {cycle}")
            broker.kill()
            stopping.set()
            for writer in writers:
                writer.join(20)
                self.assertIsNone(writer.failure)
                self.assertFalse(set(writer.acknowledged) & set(acknowledged))
                of_cycle.update(writer.acknowledged)
                for name in totals:
                    totals[name] += getattr(writer, name)
            begin = time.monotonic()
            broker.start()
            restarts.append(time.monotonic() - begin)
            # What this cycle left, from where the last look ended.
            part = [(x["id"], number_of(str(x["data"]))) for x in broker.log_events(since=cursor)]
            log += part
            if part:
                cursor = part[-1][0]
            acknowledged.update(of_cycle)
            lost, reused, doubled = check_ledger(of_cycle, part)
            self.assertEqual((lost[:5], reused[:5], doubled[:5]), ([], [], []), f"after cycle {cycle}")
        # And all of it once more from the beginning.
        final = [(x["id"], number_of(str(x["data"]))) for x in broker.log_events()]
        self.assertEqual(final, log)
        lost, reused, doubled = check_ledger(acknowledged, final)
        self.assertEqual((lost, reused, doubled), ([], [], []))
        # What a stream showed must not have un-happened, and its ids are those of the log.
        stored = {number: identity for identity, number in final}
        for watcher in watchers:
            eventually(lambda: watcher.failure or (watcher.received and watcher.received[-1][0] == final[-1][1]), 30, watcher.name)
            watcher.stopping.set()
            watcher.join(10)
            self.assertIsNone(watcher.failure)
            self.assertEqual([x for x in watcher.received if stored.get(x[0]) != x[1]][:5], [])
            self.assertEqual([n for n, _ in watcher.received], [n for _, n in final])
            self.assertEqual(watcher.gaps, [])
        restarts.sort()
        self.note(f"{self.tried} cycles of kill -9 under {PUBLISHERS} publishers: {len(acknowledged)} acknowledged, 0 lost; "
                  f"{len(final)} stored, 0 ids reused, 0 stored twice; {totals['unknown']} unknown, {totals['admitted']} at level none")
        self.note(f"ready again after {restarts[len(restarts) // 2] * 1000:.0f} ms (median), {restarts[-1] * 1000:.0f} ms (worst)")
        self.note(f"2 streams saw {sum(len(x.received) for x in watchers)} events, every one of them still there")

    @fault("S5")
    def test_the_ledger_finds_a_log_without_its_tail(self):
        """The negative control: what the test above must see if acknowledged events do get lost."""
        broker = self.broker(config=CONFIG)
        acknowledged = {n: broker.post("/topics/t?ack=written", str(n)).json["id"] for n in range(100)}
        broker.kill()
        log = max((os.path.join(d, x) for d, _, f in os.walk(broker.data_dir) for x in f if x.endswith(".log")), key=os.path.getmtime)
        # Where the last record begins nobody can tell from one that was never written.
        os.truncate(log, os.path.getsize(log) - 1000)
        broker.start()
        lost, reused, doubled = check_ledger(acknowledged, [(x["id"], number_of(str(x["data"]))) for x in broker.log_events()])
        self.assertTrue(lost)
        self.assertEqual((reused, doubled), ([], []))
        acknowledged = {n: i for n, i in acknowledged.items() if n not in lost}
        # Not even then is an id used twice.
        acknowledged.update({n: broker.post("/topics/t?ack=written", str(n)).json["id"] for n in range(1000, 1020)})
        log = [(x["id"], number_of(str(x["data"]))) for x in broker.log_events()]
        self.assertEqual(check_ledger(acknowledged, log), ([], [], []))
        self.note(f"the end of the log cut off: the ledger finds {len(lost)} of 100 lost; no id used again")

    @fault("S13")
    def test_kill_9_while_starting(self):
        broker = self.broker(config=CONFIG)
        acknowledged = {}
        for number in range(200):
            acknowledged[number] = broker.post("/topics/t?ack=written", str(number)).json["id"]
        for _ in self.rounds(15, 4):
            broker.kill()
            broker.start(wait=False)
            deadline = time.monotonic() + self.random.random() * 0.2
            while time.monotonic() < deadline:
                pass  # the moment of the kill is what is drawn, not a wait for something
        broker.kill()
        broker.start()
        new = broker.post("/topics/t?ack=written", "1000").json["id"]
        acknowledged[1000] = new
        log = [(x["id"], number_of(str(x["data"]))) for x in broker.log_events()]
        self.assertEqual(check_ledger(acknowledged, log), ([], [], []))

    @fault("S19")
    def test_a_key_is_known_after_a_crash(self):
        broker = self.broker()
        first = broker.post("/topics/t", "x", {"Idempotency-Key": "k"}).json
        own = broker.post("/topics/t?id=e-1", "y").json
        broker.kill()
        broker.start()
        again = broker.post("/topics/t", "x", {"Idempotency-Key": "k"})
        self.assertEqual((again.status, again.json["id"], again.json["duplicate"]), (200, first["id"], True))
        again = broker.post("/topics/t?id=e-1", "y")
        self.assertEqual((again.status, again.json["id"]), (200, own["id"]))
        conflict = broker.post("/topics/t", "other", {"Idempotency-Key": "k"})
        self.assertEqual(conflict.status, 409)
        self.assertEqual(len(broker.page("/topics/t")["events"]), 2)
