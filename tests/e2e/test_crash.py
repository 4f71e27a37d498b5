"""kill -9 under load, again and again, with a ledger outside of the broker."""

import os
import time

from checker import check_ledger
from support.case import OwnBrokerTest, fault
from support.position import components
from support.storm import Storm, start_watcher
from support.traffic import number_of
from support.waiting import eventually

CONFIG = """
[topics]
level = "none"
"""


class Crash(OwnBrokerTest):
    @fault("S1")
    def test_kill_9_loses_nothing_acknowledged_and_no_id_is_used_twice(self):
        broker = self.broker(config=CONFIG)
        storm = Storm(self, broker)
        watchers = [start_watcher(self, broker.address, f"watcher {i}", [], start="earliest", cut_bytes=(20000, 2000000))
                    for i in range(2)]
        for watcher in watchers:
            self.assertTrue(watcher.placed.wait(10))
        restarts = []
        for cycle in self.rounds(10, 3):
            storm.begin()
            # In the middle of the work, not before it has begun.
            storm.wait(self.random.randint(20, 1500))
            broker.kill()
            storm.stop()
            begin = time.monotonic()
            broker.start()
            restarts.append(time.monotonic() - begin)
            # Nothing acknowledged is lost, no id stands for two events, each publisher's are in the order of its answers.
            found = storm.judge()
            self.assertTrue(found.good, f"after cycle {cycle}: {found}")
        storm.check_all()
        # What a stream showed must not have un-happened, and its ids are those of the log.
        final = storm.log
        for watcher in watchers:
            eventually(lambda: watcher.failure or (watcher.received and watcher.received[-1][0] == final[-1][1]), 30, watcher.name)
            watcher.stopping.set()
            watcher.join(10)
            self.assertIsNone(watcher.failure)
            self.assertEqual([(i, n) for n, i in watcher.received], final)
            self.assertEqual(watcher.gaps, [])
        restarts.sort()
        self.note(f"{self.tried} cycles of kill -9 under {storm.publishers} publishers: {storm.acknowledged} "
                  "acknowledged, 0 lost, each publisher's in "
                  f"order; {len(final)} stored, 0 ids reused, 0 stored twice; {storm.unknown} unknown")
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
        """Each start that comes to its end leaves eight megabytes in the log, which the next one has to read."""
        broker = self.broker(config=CONFIG)
        log, early = [], 0
        incarnations = [self.load(broker, log)]
        broker.kill()
        begin = time.monotonic()
        broker.start()
        took = time.monotonic() - begin
        for _ in self.rounds(15, 3):
            incarnations.append(self.load(broker, log))
            for _ in range(3):
                broker.kill()
                broker.start(wait=False)
                deadline = time.monotonic() + self.random.uniform(0, took)
                while time.monotonic() < deadline:
                    pass  # the moment of the kill is what is drawn, not a wait for something
                early += not broker.is_ready()
            broker.kill()
            broker.start()
            stored = broker.log_events("/topics/t", limit=50)
            self.assertEqual([(x["id"], number_of(x["data"])) for x in stored], log)
        incarnations.append(self.load(broker, log))
        self.assertEqual(incarnations, sorted(set(incarnations)), "each start is a new incarnation")
        self.assertGreater(early, 0, "no kill came before the end of a start")
        self.note(f"{self.tried * 3} kills while starting, {early} before it was ready; {len(log)} events of 160 "
                  "KB, all there, "
                  f"{len(incarnations)} incarnations that grow")

    def load(self, broker, log):
        """Returns the incarnation that has taken it."""
        filler = "x" * 160_000
        for _ in range(50):
            answer = broker.post("/topics/t?ack=written", f"{len(log)}\n{filler}")
            self.assertEqual(answer.status, 201, answer)
            log.append((answer.json["id"], len(log)))
        (incarnation, _), = components(log[-1][0]).values()
        return incarnation

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
