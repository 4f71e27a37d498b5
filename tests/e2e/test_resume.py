"""Exact resume: every subscriber gets every matching event once, in the order of the log, whatever is cut."""

import collections
import time

from checker import check_history, wants
from support import settings
from support.case import OwnBrokerTest, fault
from support.traffic import Item, Poller, Publisher, Subscriber, deal, encoded, number_of, split_into_jobs
from support.waiting import eventually

EVENTS = 20000
SUBSCRIBERS = 50
PUBLISHERS = 4
KILLS = 2

TOPICS = ([f"order:{i}" for i in range(6)] + ["order:1:paid", "order:2:paid"] + ["iot/a", "iot/b/c", "iot/b/d.e", "iot/x/y/z"]
          + ["news", "news.sport", "chat.1", "chat.2", "user:7", "user:8", "log/err", "äöü"])
# Nobody publishes to these before the first kill: they are born while subscribers are away.
BORN_LATE = {"order:5", "iot/x/y/z", "chat.2", "user:8"}
SETS = [
    ["order:*"], ["iot/**"], ["*:*:paid"], ["chat.*", "user:*"], ["order:*:paid"], ["iot/*/c", "news"], ["**"], [],
    ["order:*", "order:1", "order:5"], ["news.*", "log/*", "äöü"],
]


class ExactResume(OwnBrokerTest):
    def make_items(self, count):
        items = []
        for number in range(count):
            known = TOPICS if number > count // 3 else [x for x in TOPICS if x not in BORN_LATE]
            several = self.random.random() < 0.1
            topics = self.random.sample(known, self.random.randint(2, 4)) if several else [self.random.choice(known)]
            items.append(Item(number, topics, "y" * self.random.choice((0, 0, 10, 200))))
        return items

    def make_subscribers(self, address):
        subscribers = []
        for i in range(SUBSCRIBERS):
            random = settings.randomness(f"{self.id()}/{i}")
            if i < len(SETS):
                patterns = SETS[i]
            elif i < len(SETS) + len(TOPICS):
                patterns = [TOPICS[i - len(SETS)]]
            else:
                patterns = random.sample(TOPICS, random.randint(1, 5))
            if len(patterns) == 1 and "*" not in patterns[0] and i % 2:
                target = f"/topics/{encoded(patterns[0])}"
            else:
                target = "/events" + (f"?topics={encoded(','.join(patterns))}" if patterns else "")
            subscribers.append(Subscriber(f"subscriber {i}", address, target, patterns, random, by_header=i % 4 != 3))
        for i, patterns in enumerate((["order:*"], [])):
            random = settings.randomness(f"{self.id()}/poll{i}")
            target = "/events" + (f"?topics={encoded(','.join(patterns))}" if patterns else "")
            subscribers.append(Poller(f"poller {i}", address, target, patterns, random))
        return subscribers

    @fault("S19")
    def test_every_subscriber_gets_every_match_once_in_log_order(self):
        count = settings.pick(EVENTS, 3000)
        broker = self.broker()
        items = self.make_items(count)
        subscribers = self.make_subscribers(broker.address)
        for subscriber in subscribers:
            subscriber.start()
            self.addCleanup(subscriber.stopping.set)
        for subscriber in subscribers:
            self.assertTrue(subscriber.placed.wait(20), f"{subscriber.name} got no id: {subscriber.failure}")

        publishers = [Publisher(broker.address, split_into_jobs(hand, self.random), "resume")
                      for hand in deal(items, PUBLISHERS)]
        start = time.monotonic()
        for publisher in publishers:
            publisher.start()
        done = lambda: sum(len(x.acknowledged) for x in publishers)

        def advanced(target):
            for worker in publishers + subscribers:
                if worker.failure:
                    raise AssertionError(f"{worker.name}: {worker.failure!r}") from worker.failure
            return done() >= target

        kills = []
        for kill in range(KILLS):
            eventually(lambda: advanced(count * (kill + 1) // (KILLS + 1)), 300, "progress of the publishers")
            broker.kill()
            kills.append(done())
            broker.start()
        eventually(lambda: advanced(count), 300, "progress of the publishers")
        for publisher in publishers:
            publisher.join()
        took = time.monotonic() - start

        # One last event per topic: whoever has it has passed everything before it.
        last = [Item(count + i, [topic]) for i, topic in enumerate(TOPICS)]
        closing = Publisher(broker.address, [("object", [x]) for x in last], "resume")
        closing.run()
        self.assertIsNone(closing.failure)

        log = [(number_of(str(x["data"])), x["topics"], x["id"]) for x in broker.log_events()]
        order = [number for number, _, _ in log]
        self.assertEqual(sorted(order), list(range(count + len(last))), "each event is stored once")
        ids = {number: identity for number, _, identity in log}
        for publisher in publishers + [closing]:
            for number, identity in publisher.acknowledged.items():
                self.assertEqual(identity, ids[number], f"event {number}: acknowledged under another id")
        by_number = {x.number: x.topics for x in items + last}
        for number, topics, _ in log:
            self.assertEqual(topics, by_number[number])

        checked = reconnects = polls = cuts = 0
        expected_of = {}
        for subscriber in subscribers:
            expected = [n for n, topics, _ in log if wants(subscriber.patterns, topics)]
            expected_of[subscriber] = expected
            try:
                eventually(lambda: subscriber.last_number == expected[-1] or subscriber.failure, 60, subscriber.name)
            except AssertionError:
                pass  # the verdict says what is missing
        for subscriber in subscribers:
            subscriber.stopping.set()
        bad = []
        for subscriber in subscribers:
            subscriber.join(10)
            if subscriber.failure:
                bad.append(f"{subscriber.name}: {subscriber.failure!r}")
            verdict = check_history(expected_of[subscriber], [n for n, _ in subscriber.received])
            if not verdict.good or subscriber.gaps:
                bad.append(f"{subscriber.name} {subscriber.patterns}: {verdict}; gaps {subscriber.gaps[:2]}")
            strange = [(n, i) for n, i in subscriber.received if ids.get(n) != i]
            if strange:
                bad.append(f"{subscriber.name}: ids that differ from the log's: {strange[:3]} ({len(strange)})")
            checked += verdict.checked
            if isinstance(subscriber, Poller):
                polls += subscriber.connections
            else:
                reconnects += subscriber.connections - 1
            cuts += subscriber.cuts
        self.note(f"{count} events by {PUBLISHERS} publishers in {took:.1f} s, {sum(x.repeats for x in publishers)} requests "
                  f"repeated; kill -9 after {kills} acknowledged")
        self.note(f"{len(subscribers)} subscribers, {reconnects} reconnects ({cuts} cut at a random byte), {polls} pages, {checked} deliveries "
                  f"checked against the log: {len(bad)} subscribers with something lost, doubled, out of order or never stored")
        self.assertEqual(bad, [])
        self.assertGreater(cuts, 2 * SUBSCRIBERS, "too few cuts to mean anything")
        self.assertGreater(collections.Counter(len(x.received) > 0 for x in subscribers)[True], SUBSCRIBERS - 1)

    @fault("C7")
    def test_reconnects_at_any_instant_of_a_storm(self):
        """The seam between replay and live: clients that come back at once, all the time."""
        connections = 0
        for round_ in self.rounds(2, 1):
            connections += self.storm_with_reconnects(f"{round_}", settings.pick(6000, 1000))
        self.assertGreaterEqual(connections, 100 * self.tried, "too few reconnects to mean anything")

    def storm_with_reconnects(self, round_, count):
        """Returns how often somebody came back."""
        broker = self.broker(options={"topics.level": "written"})
        subscribers = []
        for i in range(8):
            random = settings.randomness(f"{self.id()}/{round_}/{i}")
            subscribers.append(Subscriber(f"hasty {i}", broker.address, "/topics/t", ["t"], random, cut_bytes=(150, 1500)))
        for subscriber in subscribers:
            subscriber.start()
            self.addCleanup(subscriber.stopping.set)
        for subscriber in subscribers:
            self.assertTrue(subscriber.placed.wait(20))
        publishers = [Publisher(broker.address, [("topic", [x]) for x in hand], "storm")
                      for hand in deal([Item(n, ["t"]) for n in range(count)], 4)]
        for publisher in publishers:
            publisher.start()
        for publisher in publishers:
            publisher.join()
            self.assertIsNone(publisher.failure)
        order = [number_of(str(x["data"])) for x in broker.log_events()]
        bad, checked = [], 0
        for subscriber in subscribers:
            eventually(lambda: subscriber.last_number == order[-1] or subscriber.failure, 60, subscriber.name)
            subscriber.stopping.set()
            subscriber.join(10)
            verdict = check_history(order, [n for n, _ in subscriber.received])
            checked += verdict.checked
            if not verdict.good or subscriber.gaps or subscriber.failure:
                bad.append(f"{subscriber.name}: {verdict} {subscriber.gaps[:2]} {subscriber.failure!r}")
        connections = sum(x.connections for x in subscribers)
        self.note(f"{count} events, {connections} connections of 8 clients, {checked} deliveries checked")
        self.assertEqual(bad, [])
        broker.dispose()
        return connections - len(subscribers)
