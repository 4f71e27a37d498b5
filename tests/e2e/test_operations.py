"""The routes for operators."""

import re

from support import settings
from support.case import BrokerTest, OwnBrokerTest, fault
from support.waiting import eventually
from support.wire import Closed


class Routes(BrokerTest):
    def test_health_and_readiness(self):
        self.assertEqual(self.shared.get("/healthz").json, {"status": "ok"})
        self.assertEqual(self.shared.get("/readyz").json, {"status": "ready"})

    def test_stats(self):
        before = self.shared.get("/stats").json
        self.assertLessEqual({"version", "uptime_seconds", "connected_clients", "active_topics", "dropped_messages", "published",
                              "delivered"}, set(before))
        stream = self.stream(f"/events?topics={self.topic},{self.topic}/*")
        stream.ready()
        self.publish(self.topic, "x")
        self.publish(self.topic + "-nobody", "x")
        stream.event()
        eventually(lambda: self.shared.get("/stats").json["delivered"] == before["delivered"] + 1)
        after = self.shared.get("/stats").json
        self.assertEqual(after["connected_clients"], before["connected_clients"] + 1)
        self.assertEqual(after["active_topics"], before["active_topics"] + 2)
        self.assertEqual(after["published"], before["published"] + 2)
        stream.close()
        eventually(lambda: self.shared.get("/stats").json["connected_clients"] == before["connected_clients"])
        eventually(lambda: self.shared.get("/stats").json["active_topics"] == before["active_topics"])

    def test_metrics_are_prometheus_text(self):
        self.publish(self.topic, "x")
        answer = self.shared.get("/metrics")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.header("content-type").startswith("text/plain"), answer.headers)
        names = set()
        for line in answer.text.splitlines():
            if line and not line.startswith("#"):
                match = re.fullmatch(r'([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="[^"\n]*",?)*\})? [-+\d.eEinfNa]+', line)
                self.assertTrue(match, line)
                names.add(match[1])
        self.assertTrue(names and all(x.startswith("tidings_") for x in names if not x.startswith(("process_", "exposer_"))), names)
        self.note(f"{len(names)} metrics")

    def test_connections_are_listed_and_closed_by_id(self):
        stream = self.stream(f"/events?topics={self.topic},{self.topic}/*")
        connection = stream.ready()["connection"]
        result = self.publish(self.topic, "hello")
        stream.event()

        def find():
            listed = self.shared.get("/connections").json["connections"]
            return next((x for x in listed if x["id"] == connection), None)

        eventually(lambda: find() and find()["events"] >= 1)
        entry = find()
        self.assertLessEqual({"id", "address", "topics", "since", "state", "position", "events", "bytes", "dropped"}, set(entry))
        self.assertEqual(set(entry["topics"]), {self.topic, self.topic + "/*"})
        self.assertEqual(entry["position"], result["id"])
        self.assertEqual(entry["address"].rsplit(":", 1)[0], "127.0.0.1")
        self.assertGreater(entry["bytes"], 50)
        answer = self.shared.request("DELETE", f"/connections/{connection}")
        self.assertEqual(answer.status, 204, answer)
        self.assertEqual(stream.control("tidings.closing")["reason"], "closed")
        with self.assertRaises(Closed) as end:
            stream.item()
        self.assertTrue(end.exception.clean)
        eventually(lambda: find() is None)
        self.assert_problem(self.shared.request("DELETE", f"/connections/{connection}"), 404, "not_found")
        for bad in ("x", "00", "zzzzzzzzzzzzzzzz"):
            self.assertEqual(self.shared.request("DELETE", f"/connections/{bad}").status, 404)

    def test_connections_come_in_pages(self):
        streams = [self.stream(f"/topics/{self.topic}") for _ in range(7)]
        own = {x.ready()["connection"] for x in streams}
        seen, after = [], ""
        while True:
            page = self.shared.get(f"/connections?limit=3{after}").json
            self.assertLessEqual(len(page["connections"]), 3)
            seen += [x["id"] for x in page["connections"]]
            if not page["more"]:
                break
            after = f"&after={seen[-1]}"
        self.assertEqual(len(seen), len(set(seen)))
        self.assertLessEqual(own, set(seen))

    def test_topics_are_listed_with_counts_and_sizes(self):
        for name, count in (("a", 3), ("b", 1), ("c", 5)):
            for i in range(count):
                last = self.publish(f"{self.topic}/{name}", "x" * 100)
        listed = self.shared.get(f"/topics?prefix={self.topic}/").json
        self.assertEqual([(x["topic"], x["events"]) for x in listed["topics"]],
                         [(f"{self.topic}/{n}", c) for n, c in (("a", 3), ("b", 1), ("c", 5))])
        self.assertIsNone(listed["next"])
        for entry in listed["topics"]:
            self.assertGreaterEqual(entry["bytes"], 100 * entry["events"])
        self.assertIn(listed["topics"][2]["last"], (last["id"], last["time"]))
        first = self.shared.get(f"/topics?prefix={self.topic}/&limit=2").json
        self.assertEqual(len(first["topics"]), 2)
        second = self.shared.get(f"/topics?prefix={self.topic}/&limit=2&after={first['next']}").json
        self.assertEqual([x["topic"] for x in second["topics"]], [f"{self.topic}/c"])


class Ageing(OwnBrokerTest):
    def test_a_stream_of_its_greatest_age_is_ended_and_comes_back(self):
        broker = self.broker(options={"stream.max-age": "2s"})
        stream = broker.stream("/topics/t")
        stream.ready()
        broker.post("/topics/t", "1")
        self.assertEqual(stream.event().data, "1")
        self.assertEqual(stream.control("tidings.closing", 15)["reason"], "max_age")
        with self.assertRaises(Closed) as end:
            stream.item()
        self.assertTrue(end.exception.clean)
        broker.post("/topics/t", "2")
        again = broker.stream("/topics/t", {"Last-Event-ID": stream.last_event_id})
        self.assertEqual(again.event().data, "2")

    @fault("R11")
    def test_connect_and_disconnect_leaves_nothing_behind(self):
        broker = self.broker()
        for _ in range(50):
            with broker.stream("/topics/t") as stream:
                stream.ready()
        eventually(lambda: broker.get("/stats").json["connected_clients"] == 0)
        descriptors, threads, memory = broker.descriptors(), broker.threads(), broker.memory()
        for i in range(1000):
            with broker.stream(f"/topics/churn{i}") as stream:
                if i % 3:
                    stream.ready()
                if i % 2:
                    stream.reset()
        eventually(lambda: broker.get("/stats").json["connected_clients"] == 0)
        eventually(lambda: broker.descriptors() <= descriptors + 2, what="descriptors are given back")
        self.assertLessEqual(broker.threads(), threads)
        grown = broker.memory() - memory
        self.note(f"1000 streams opened and closed: memory {grown / 1024:+.0f} KiB, descriptors {broker.descriptors() - descriptors:+d}")
        self.assertLess(grown, settings.memory(12 << 20))

    def test_topics_used_once_do_not_stay_in_memory(self):
        broker = self.broker(options={"topics.level": "written", "topics.active-max": "1000"})
        def fill(start, count):
            for at in range(start, start + count, 1000):
                body = "\n".join(f'{{"topic":"once/{at + i}","data":"x"}}' for i in range(1000))
                answer = broker.post("/events", body, {"Content-Type": "application/x-ndjson"}, timeout=60)
                self.assertEqual(answer.status, 200)
                self.assertNotIn('"code"', answer.text)
        fill(0, 10000)
        base = broker.memory()
        fill(10000, 40000)
        grown = broker.memory() - base
        self.note(f"40000 more topics used once: memory {grown / 1024:+.0f} KiB")
        self.assertLess(grown, 40000 * 1024)
