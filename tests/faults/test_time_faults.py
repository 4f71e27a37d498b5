"""Clocks that are wrong (libfaketime): the wall clock jumps, the steady clock goes on."""

import json
import time

from support import settings
from support.case import OwnBrokerTest, fault
from support.tokens import bearer, claims, make_key, token
from support.clock import Clock, on_disk
from support.mailbox import Mailbox
from support.traffic import number_of
from support.waiting import eventually

JSON = {"Content-Type": "application/json"}
HOUR = 3600
YEAR = 365 * 24 * HOUR


class WrongClock(OwnBrokerTest):
    OPTIONS = {"topics.level": "written", "storage.compaction-interval": "1s", "storage.gap-memory": "1s", "storage.write-buffer-bytes": "1MiB"}

    def setUp(self):
        super().setUp()
        if settings.sanitizer:
            self.skipTest("libfaketime is called before a sanitizer is ready, and both wait for each other")

    def start(self, offset=0, **options):
        self.clock = Clock()
        self.clock.set(offset)
        broker = self.broker(options={**self.OPTIONS, **options}, env=self.clock.env)
        self.clock.wait(broker)
        return broker

    def jump(self, broker, offset):
        self.clock.set(offset)
        self.clock.wait(broker)

    def fill(self, broker, numbers, ttl, topic="t", filler="x" * 200):
        body = json.dumps([{"topic": topic, "data": f"{x}\n{filler}", "ttl": ttl} for x in numbers])
        answer = broker.post("/events", body, JSON)
        self.assertEqual(answer.status, 201, answer)
        return [x["id"] for x in answer.json["results"]]

    def kept(self, broker, topic="t"):
        return [number_of(x["data"]) for x in broker.log_events(f"/topics/{topic}")]

    def doom(self, broker):
        """Events that have really expired. Returns what their data holds."""
        mark = self.random.randbytes(16).hex()
        self.fill(broker, range(100), "1s", topic="short", filler=mark)
        eventually(lambda: self.kept(broker, "short") == [], 10)
        return mark

    def compact(self, broker, mark):
        """Returns when compactions have run: what has really expired is not on the disk any more. A start moves the log's entries to
        table files, where compactions find them."""
        broker.stop()
        broker.start()
        eventually(lambda: not on_disk(broker, mark), 30, "compactions run and remove")

    @fault("T1")
    def test_t1_two_hours_ahead_and_back_deletes_nothing_unexpired(self):
        broker = self.start(**{"storage.idempotency-window": "1h"})
        self.fill(broker, range(100), "1h")
        mailbox = Mailbox(broker, "u")
        item = mailbox.send(title="an hour", ttl="1h")["id"]
        repeat = lambda: broker.post("/topics/keys?ttl=1h", "x", {"Idempotency-Key": "k"})
        first = repeat()
        self.assertEqual(first.status, 201)
        mark = self.doom(broker)
        self.assertTrue(on_disk(broker, mark))
        self.jump(broker, 2 * HOUR)
        hidden = self.kept(broker), mailbox.ids()
        self.compact(broker, mark)
        self.jump(broker, 0)
        for again in range(2):
            self.assertEqual(self.kept(broker), list(range(100)))
            self.assertEqual(mailbox.ids(), [item])
            answer = repeat()
            self.assertEqual((answer.status, answer.json["id"]), (200, first.json["id"]))
            self.assertTrue(answer.json["duplicate"])
            if not again:
                broker.stop()
                broker.start()
        self.assertEqual(hidden, ([], []), "by that clock they have expired")
        self.note("2 h ahead, compactions and restarts, and back: 100 of 100 events of 1 h still there, the item of "
                  "a mailbox and a key as well; "
                  "hidden meanwhile")

    @fault("T2")
    def test_t2_ten_years_ahead_deletes_nothing_and_service_goes_on(self):
        broker = self.start()
        self.fill(broker, range(100), "7d")
        mark = self.doom(broker)
        stream = broker.stream("/topics/live")
        stream.ready()
        self.jump(broker, 10 * YEAR)
        self.assertEqual(broker.post("/topics/live", "later").status, 201)
        self.assertEqual(stream.event().data, "later")
        self.compact(broker, mark)
        self.assertEqual(broker.post("/topics/live", "later still").status, 201)
        self.jump(broker, 0)
        self.assertEqual(self.kept(broker), list(range(100)))
        self.note("10 years ahead: publishing and streams went on; back again 100 of 100 events are there")

    @fault("T3")
    def test_t3_an_hour_back_keeps_order_ids_and_what_has_expired(self):
        broker = self.start()
        ids = self.fill(broker, range(20), "0")
        self.fill(broker, range(100, 120), "2s", topic="short")
        eventually(lambda: self.kept(broker, "short") == [], 10)
        stream = broker.stream("/topics/t?heartbeat=1s")
        stream.ready()
        # By less than the tolerance, what was hidden stays so; by more, the clock had been wrong before.
        self.jump(broker, -120)
        self.assertEqual(self.kept(broker, "short"), [])
        self.jump(broker, -HOUR)
        begin = time.monotonic()
        stream.item(3)
        self.assertLess(time.monotonic() - begin, 2.5, "heartbeats are not of the wall clock")
        ids += self.fill(broker, range(20, 40), "0")
        self.assertEqual([number_of(x.data) for x in stream.events(20)], list(range(20, 40)))
        broker.stop()
        broker.start()
        ids += self.fill(broker, range(40, 60), "0")
        self.assertEqual(len(set(ids)), 60)
        events = broker.log_events("/topics/t")
        self.assertEqual([x["id"] for x in events], ids)
        times = [x["time"] for x in events]
        self.assertEqual(times, sorted(times), "times never go back")
        with broker.stream("/topics/t", {"Last-Event-ID": ids[9]}) as again:
            self.assertEqual([number_of(x.data) for x in again.events(50)], list(range(10, 60)))
        self.note("1 h back, with restarts: 60 ids in order, none twice, times do not go back, a stream resumes over it")

    @fault("T5")
    def test_t5_a_token_that_has_ended_does_not_come_back_with_the_clock(self):
        self.clock = Clock()
        key = make_key("HS256", "k")
        table = f'[[auth.key]]\nid = "k"\nalgorithm = "HS256"\nsecret = {json.dumps(key.secret.decode())}\n'
        broker = self.broker(options={**self.OPTIONS, "auth.leeway": "0s"}, config=table, env=self.clock.env)
        now = int(self.clock.now())
        brief = bearer(token(key, claims("ada", iat=now - 1, exp=now + 3, subscribe=["t"])))
        stream = broker.stream("/topics/t", brief)
        stream.ready()
        self.assertEqual(stream.control("tidings.closing", 20)["reason"], "token_expired")
        self.assertEqual(broker.get("/topics/t", brief).status, 401)
        # A clock that is set right by a little, as NTP does, lets nobody in again.
        for back in (-10, -60, -240):
            self.jump(broker, back)
            self.assertEqual(broker.get("/topics/t", brief).status, 401, f"{back} s")
        self.note("a token that had ended was refused with the clock 10 s, 1 min and 4 min back")

    @fault("T4")
    def test_t4_any_year_at_the_start(self):
        now = time.time()
        for year, when in ((1971, 365 * 24 * HOUR), (2001, 978307200), (2039, 2177452800)):
            with self.attempt(str(year)):
                broker = self.start(int(when - now))
                ids = self.fill(broker, range(20), "0")
                broker.stop()
                broker.start()
                ids += self.fill(broker, range(20, 40), "0")
                self.jump(broker, 0)
                broker.stop()
                broker.start()
                ids += self.fill(broker, range(40, 60), "0")
                self.assertEqual([x["id"] for x in broker.log_events("/topics/t")], ids)
                self.assertEqual(len(set(ids)), 60)
                with broker.stream("/topics/t", {"Last-Event-ID": ids[9]}) as again:
                    self.assertEqual([number_of(x.data) for x in again.events(50)], list(range(10, 60)))
                broker.dispose()
        self.note("started in 1971, 2001 and 2039: takes events, and all are there and resumable when the clock is right again")
