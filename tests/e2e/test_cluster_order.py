"""Topics of a cluster with a rule of their own: one order on all nodes, and events that are not stored."""

import json
import threading

from support.case import fault
from support.position import place_of
from test_cluster import JSON, ClusterTest

RULES = """
[[topic]]
pattern = "strict:*"
order = "strict"

[[topic]]
pattern = "typing:*"
ephemeral = true
"""


class Rules(ClusterTest):
    def publish_from_all(self, nodes, topic, count):
        answers = []

        def publish(node):
            with node.connect() as link:
                for i in range(count):
                    answers.append(link.request("POST", f"/topics/{topic}", body=f"{node.name}{i}"))

        threads = [threading.Thread(target=publish, args=(x,)) for x in nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def node_id(self, node):
        return place_of(self.publish(node, "mine", "available")["id"])[0]

    def test_a_strict_topic_has_one_order_on_all_nodes(self):
        nodes = self.cluster(config=RULES)
        topic = "strict:orders"
        streams = [self.stream_of(x, topic=topic) for x in nodes]
        for stream in streams:
            stream.ready()
        answers = self.publish_from_all(nodes, topic, 20)
        for answer in answers:
            self.assertEqual((answer.status, answer.json["level"]), (201, "quorum"), answer)
        # One node has taken them all, whoever was asked.
        self.assertEqual(len({place_of(x.json["id"])[0] for x in answers}), 1)
        orders = [[x.data for x in self.read(stream, 60)] for stream in streams]
        self.assertEqual(orders[1:], [orders[0]] * 2)
        self.assert_orders(nodes, orders[0])

    def test_a_strict_topic_answers_like_any_other(self):
        nodes = self.cluster(config=RULES)
        topic = "strict:answers"
        first = [self.publish(x, "same", topic, headers={"Idempotency-Key": "k"}, status=200 if i else 201) for i, x in enumerate(nodes)]
        self.assertEqual(len({x["id"] for x in first}), 1)
        for node in nodes:
            self.assertEqual(node.post(f"/topics/{topic}", "other", {"Idempotency-Key": "k"}).json["code"], "idempotency_conflict")
        batch = json.dumps([{"topic": topic, "data": f"{i}"} for i in range(3)])
        for node in nodes:
            results = node.post("/events", batch, JSON).json["results"]
            places = [place_of(x["id"]) for x in results]
            self.assertEqual([p[1][1] for p in places], list(range(places[0][1][1], places[0][1][1] + 3)), places)

    @fault("N18")
    def test_a_strict_topic_waits_for_its_owner(self):
        nodes = self.cluster(config=RULES)
        topic = "strict:owned"
        nodes.wait_equal()
        owner_id = place_of(self.publish(nodes["a"], "x", topic)["id"])[0]
        owner = next(x for x in nodes if self.node_id(x) == owner_id)
        others = [x for x in nodes if x is not owner]
        owner.kill()
        nodes.wait_linked()
        answer = others[0].post(f"/topics/{topic}", "y")
        self.assertEqual((answer.status, answer.json["code"]), (503, "owner_unreachable"), answer)
        self.assertEqual(dict(answer.headers)["retry-after"], "2")
        self.publish(others[0], "z", "available")
        owner.start()
        nodes.wait_linked()
        self.publish(others[1], "back", topic)
        for node in nodes:
            self.wait_data(node, ["x", "back"], topic)

    def test_what_is_not_stored_reaches_streams_of_all_nodes(self):
        nodes = self.cluster(config=RULES)
        topic = "typing:room"
        streams = [self.stream_of(x, topic=topic) for x in nodes]
        for stream in streams:
            stream.ready()
        self.publish_from_all(nodes, topic, 5)
        for stream in streams:
            events = [stream.event() for _ in range(15)]
            self.assert_orders(nodes, sorted((x.data for x in events), key=lambda x: (x[0], int(x[1:]))))
        for node in nodes:
            self.assertEqual(self.data(node, topic), [])

    def test_what_is_not_stored_may_be_large(self):
        nodes = self.cluster(config=RULES)
        topic = "typing:room"
        streams = [self.stream_of(x, topic=topic) for x in nodes]
        for stream in streams:
            stream.ready()
        a, b, _ = nodes
        # Six bytes for each of its characters on the way to the others; and many topics for one event.
        large, small = "\x01" * 150_000, {"topics": [topic] + [f"typing:{i:0200}" for i in range(15)], "data": "x"}
        self.publish(a, large, topic, 202)
        for _ in range(4):
            self.assertEqual(a.post("/events", json.dumps([small] * 250), JSON).status, 202)
        for stream in streams:
            self.assertEqual([stream.event().data for _ in range(1001)], [large] + ["x"] * 1000)
        # What does not fit is for the node's own streams; the links stay.
        self.publish(a, "\x01" * 250_000, topic, 202)
        self.publish(a, "last", topic, 202)
        self.assertEqual(len(streams[0].event().data), 250_000)
        for stream in streams:
            self.assertEqual(stream.event().data, "last")
        self.assertIn("too large for the other members", a.log())
        self.assertNotIn("link lost", a.log() + b.log())
