"""What operators are shown of a cluster: all of it, whichever node they ask, and who did not answer."""

import threading
import time

from support.cluster import Cluster
from support.waiting import eventually
from support.wire import Closed
from test_cluster import ClassOwner, ClusterTest
from test_identity import API_KEYS, api_key_table

PATIENT = {"cluster.view-timeout": "10s"}  # a machine with much else to do is no fault of the broker
ALL_OK = {"a": "ok", "b": "ok", "c": "ok"}


class ViewTest(ClusterTest):
    def open(self, node, query="", topic=None, headers=None):
        """A stream and the id that it was told."""
        stream = self.stream_of(node, query, headers, topic)
        return stream, stream.ready()["connection"]

    def listed(self, node, query=""):
        """All pages of the streams of this test's topic; each has to be whole."""
        rows, after = [], ""
        while True:
            page = node.page(f"/connections?topic={self.topic}{query}{after}")
            self.assertEqual(set(page["members"].values()), {"ok"}, page["members"])
            rows += page["connections"]
            if not page["more"]:
                return rows
            after = f"&after={rows[-1]['id']}"

    def subscribers(self, node, query=""):
        page = node.page(f"/connections?topic={self.topic}&limit=0{query}")
        self.assertEqual(page["connections"], [])
        return page["total"]


class Together(ViewTest):
    """Three nodes that are all there."""

    @classmethod
    def setUpClass(cls):
        owner = ClassOwner(cls)
        cls.all = Cluster(owner, options=PATIENT).start()
        cls.a, cls.b, cls.c = cls.all

    def test_connections_of_all_nodes_are_listed_on_each(self):
        opened = {}
        for node in self.all:
            for _ in range(2):
                stream, name = self.open(node)
                opened[name] = (node, stream)
        self.assertEqual(len(opened), 6)
        for asked in self.all:
            rows = self.listed(asked)
            self.assertEqual([x["id"] for x in rows], sorted(opened))
            for row in rows:
                node, stream = opened[row["id"]]
                self.assertEqual(row["member"], node.name)
                self.assertTrue(row["id"].startswith(node.name + "."), row)
                self.assertEqual(row["address"], "%s:%d" % stream.socket.getsockname())
                self.assertEqual((row["topics"], row["state"]), ([self.topic], "live"))
                alone = node.page(f"/connections?topic={self.topic}&scope=node")
                self.assertIn(row["id"], [x["id"] for x in alone["connections"]])

    def test_positions_are_those_of_the_node_that_has_the_stream(self):
        stream, name = self.open(self.b)
        self.publish(self.a)
        at = stream.event().id
        for node in self.all:
            eventually(lambda: [x["position"] for x in self.listed(node)] == [at], 5)

    def test_one_node_alone(self):
        names = [self.open(x)[1] for x in self.all]
        for node, name in zip(self.all, names):
            page = node.page(f"/connections?topic={self.topic}&scope=node")
            self.assertEqual([x["id"] for x in page["connections"]], [name])
            self.assertEqual((page["total"], page["members"]), (1, {node.name: "ok"}))
            stats = node.page("/stats?scope=node")
            self.assertEqual(stats["members"], {node.name: "ok"})
            self.assertEqual(list(stats["parts"]), [node.name])
        for bad in ("", "all", "a"):
            for path in ("/connections", "/stats"):
                self.assert_problem(self.a.get(f"{path}?scope={bad}"), 400, "invalid_parameter")

    def test_subscribers_are_counted_over_the_cluster(self):
        """Also those that asked with a pattern, and of a user: what the answer to a publish says of one node only."""
        user, everything = f"{self.topic}-u", f"{self.topic}/**"
        self.topic += "/news"
        self.open(self.a)
        self.open(self.b)
        self.open(self.b, topic=everything.replace("**", "*"))
        self.open(self.c, topic=f"{self.topic}2")
        self.open(self.c, topic=everything, headers={"X-User-Id": user})
        for node in self.all:
            self.assertEqual(self.subscribers(node), 4)
            self.assertEqual([self.subscribers(x, "&scope=node") for x in self.all], [1, 2, 1])
            self.assertEqual(sum(self.publish(x)["subscribers"] for x in self.all), 4)
            self.assertEqual(self.subscribers(node, f"&of={user}"), 1)
            self.assertEqual([x["member"] for x in self.listed(node, f"&of={user}")], ["c"])
            self.assertEqual(node.page(f"/connections?of={user}-nobody&limit=0")["total"], 0)
        for bad in ("*", "a,b", "a%00"):
            self.assertEqual(self.a.get(f"/connections?topic={bad}").status, 400)

    def test_numbers_are_added_up(self):
        for node in self.all:
            stats = node.page("/stats")
            self.assertEqual(stats["members"], ALL_OK)
            self.assertEqual(set(stats["parts"]), set(ALL_OK))
        eventually(lambda: not any(self.a.page("/stats")[x] for x in ("connected_clients", "active_topics")), 5, "streams of other tests are gone")
        before = self.a.page("/stats")
        streams = [self.open(x)[0] for x in (self.a, self.b, self.b)]
        for node, count in ((self.a, 1), (self.b, 2), (self.c, 4)):
            for _ in range(count):
                self.publish(node)
        for stream in streams:
            self.read(stream, 7)
        more = {"connected_clients": {"a": 1, "b": 2, "c": 0}, "published": {"a": 1, "b": 2, "c": 4}, "delivered": {"a": 7, "b": 14, "c": 0},
                "active_topics": {"a": 1, "b": 1, "c": 0}}
        for node in self.all:
            for name, parts in more.items():
                eventually(lambda: node.page("/stats")[name] == before[name] + sum(parts.values()), 5, f"{name} on {node.name}")
                stats = node.page("/stats")
                self.assertEqual({x: stats["parts"][x][name] - before["parts"][x][name] for x in parts}, parts, name)
                self.assertEqual(stats[name], sum(x[name] for x in stats["parts"].values()))
            # What is of one node alone is not added up.
            stats = node.page("/stats")
            for name in ("free_bytes", "version"):
                self.assertIn(stats[name], {x[name] for x in stats["parts"].values()})
            self.assertEqual(stats["last_position"], stats["parts"][node.name]["last_position"])

    def test_a_connection_is_closed_from_any_node(self):
        for asked in self.all:
            for node in self.all:
                stream, name = self.open(node)
                other, _ = self.open(node)
                self.assertEqual(asked.request("DELETE", f"/connections/{name}").status, 204)
                self.assertEqual(stream.control("tidings.closing")["reason"], "closed")
                with self.assertRaises(Closed) as end:
                    stream.item()
                self.assertTrue(end.exception.clean)
                eventually(lambda: name not in [x["id"] for x in self.listed(asked)], 5)
                self.assert_problem(asked.request("DELETE", f"/connections/{name}"), 404, "not_found")
                self.publish(node, "x")
                self.assertEqual(other.event().data, "x")
                other.close()

    def test_ids_that_name_nothing(self):
        _, name = self.open(self.b)
        number = name.split(".")[1]
        for bad in ("x", "b", "b.", f".{number}", f"d.{number}", "b.zzzzzzzzzzzzzzzz", "b.00000009ffffffff", "c.0000000100ffffff"):
            self.assert_problem(self.a.request("DELETE", f"/connections/{bad}"), 404, "not_found")
        self.assert_problem(self.a.get("/connections?after=b"), 400, "invalid_parameter")
        # A mere number speaks of the node that is asked.
        self.assertEqual([x["id"] for x in self.listed(self.a)], [name])
        self.assertEqual(self.b.request("DELETE", f"/connections/{number}").status, 204)
        self.assertEqual(self.listed(self.a), [])

    def test_pages_over_all_nodes_are_whole_while_streams_come_and_go(self):
        staying = sorted(self.open(self.random.choice(self.all.nodes))[1] for _ in range(30))
        over = threading.Event()
        moved = [0]

        def come_and_go(node):
            while not over.is_set():
                with node.stream(f"/topics/{self.topic}") as stream:
                    stream.ready()
                    moved[0] += 1

        threads = [threading.Thread(target=come_and_go, args=(x,)) for x in self.all]
        for thread in threads:
            thread.start()
        try:
            walks = 0
            while walks < 20 or moved[0] < 100:
                limit = self.random.randint(1, 12)
                names = [x["id"] for x in self.listed(self.random.choice(self.all.nodes), f"&limit={limit}")]
                self.assertEqual(len(names), len(set(names)), "none is listed twice")
                self.assertEqual(names, sorted(names))
                self.assertLessEqual(set(staying), set(names), "all that stay are listed")
                walks += 1
        finally:
            over.set()
            for thread in threads:
                thread.join()
        eventually(lambda: [x["id"] for x in self.listed(self.a)] == staying, 5)
        # And each page from another node.
        names, after = [], ""
        while True:
            page = self.random.choice(self.all.nodes).page(f"/connections?topic={self.topic}&limit=4{after}")
            self.assertEqual((page["total"], page["members"]), (30, ALL_OK))
            names += [x["id"] for x in page["connections"]]
            if not page["more"]:
                break
            after = f"&after={names[-1]}"
        self.assertEqual(names, staying)
        self.note(f"{walks} walks over 30 streams on 3 nodes while {moved[0]} others came and went: none missed, none twice")

    def test_a_stream_of_very_many_topics_does_not_break_the_answer(self):
        many = ",".join(f"{self.topic}/{i:0>200}" for i in range(40))
        stream = self.b.stream(f"/events?topics={self.topic},{many}")
        self.addCleanup(stream.close)
        self.assertEqual(len(stream.ready()["topics"]), 41)
        row, = self.listed(self.a)
        self.assertEqual(len(row["topics"]), 41)
        self.assertNotIn("truncated", row)


class Absence(ViewTest):
    """Nodes that do not answer."""

    def timed(self, node, target, method="GET"):
        start = time.monotonic()
        answer = node.request(method, target, timeout=10)
        return answer, time.monotonic() - start

    def test_a_node_that_stands_still_is_named_in_time(self):
        a, b, c = nodes = self.cluster(options={"cluster.view-timeout": "500ms"})
        names = {x.name: self.open(x)[1] for x in nodes}
        published = a.page("/stats")["published"]
        b.pause()
        # So many questions and no more are put to it; who comes then hears at once.
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.timed(c, "/stats"))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({x.status for x, _ in answers}, {200})
        words = [x.json["members"]["b"] for x, _ in answers]
        self.assertLessEqual(set(words), {"timeout", "overloaded", "unreachable"})
        self.assertIn("overloaded", words)
        answer, took = self.timed(c, "/stats")
        self.assertIn(answer.json["members"]["b"], ("timeout", "unreachable"))
        self.assertLess(took, 0.45)
        for target in (f"/connections?topic={self.topic}", "/stats"):
            answer, took = self.timed(a, target)
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(answer.json["members"], {"a": "ok", "b": "timeout", "c": "ok"})
            self.assertGreater(took, 0.45)
            self.assertLess(took, 2)
        self.assertEqual(set(answer.json["parts"]), {"a", "c"})
        self.assertEqual((answer.json["connected_clients"], answer.json["published"]), (2, published))
        page = a.page(f"/connections?topic={self.topic}")
        self.assertEqual(([x["id"] for x in page["connections"]], page["total"], page["more"]), ([names["a"], names["c"]], 2, False))
        # What of this node alone is asked does not wait.
        answer, took = self.timed(a, "/stats?scope=node")
        self.assertLess(took, 0.45)
        answer, took = self.timed(a, f"/connections/{names['b']}", "DELETE")
        self.assert_problem(answer, 503, "member_unreachable")
        self.assertTrue(answer.header("Retry-After"))
        self.assertLess(took, 2)
        # When the link is given up, nobody waits for it any more.
        eventually(lambda: a.page("/stats")["members"]["b"] == "unreachable", 15)
        b.go_on()
        nodes.wait_linked()
        for node in nodes:
            eventually(lambda: node.page("/stats")["members"] == ALL_OK, 10)
            self.assertLessEqual({names["a"], names["c"]}, {x["id"] for x in self.listed(node)})

    def test_a_node_that_is_gone_is_named(self):
        a, b, c = nodes = self.cluster(options=PATIENT)
        names = {x.name: self.open(x)[1] for x in nodes}
        c.kill()
        for node in (a, b):
            eventually(lambda: node.page("/stats")["members"] == {"a": "ok", "b": "ok", "c": "unreachable"}, 5)
            page, took = self.timed(node, f"/connections?topic={self.topic}")
            self.assertEqual(([x["id"] for x in page.json["connections"]], page.json["total"]), ([names["a"], names["b"]], 2))
            self.assertEqual(page.json["members"], {"a": "ok", "b": "ok", "c": "unreachable"})
            self.assertLess(took, 0.5)
            stats = node.page("/stats")
            self.assertEqual(stats["connected_clients"], 2)
            self.assert_problem(node.request("DELETE", f"/connections/{names['c']}"), 503, "member_unreachable")
            # A list goes on over the place of the one that is away.
            first = node.page(f"/connections?topic={self.topic}&limit=1")
            rest = node.page(f"/connections?topic={self.topic}&limit=1&after={first['connections'][0]['id']}")
            self.assertEqual((first["more"], [x["id"] for x in rest["connections"]], rest["more"]), (True, [names["b"]], False))
        c.start()
        nodes.wait_linked()
        for node in nodes:
            self.assertEqual(node.page("/stats")["members"], ALL_OK)
            self.assertEqual([x["id"] for x in self.listed(node)], [names["a"], names["b"]])

    def test_a_node_without_others_answers_for_itself(self):
        a, b, c = nodes = self.cluster(start=False, options={"cluster.join-timeout": "200ms"})
        a.start()
        answer, took = self.timed(a, "/stats")
        self.assertEqual(answer.json["members"], {"a": "ok", "b": "unreachable", "c": "unreachable"})
        self.assertEqual(set(answer.json["parts"]), {"a"})
        self.assertLess(took, 0.5)


class Rights(ViewTest):
    def test_views_are_for_administrators(self):
        config = api_key_table("shop", API_KEYS["shop"], publish=["**"], subscribe=["**"]) + api_key_table("ops", API_KEYS["ops"], admin=True)
        a, b, c = self.cluster(config=config, options=PATIENT)
        ops, shop = ({"X-API-Key": API_KEYS[x]} for x in ("ops", "shop"))
        _, name = self.open(b, headers=shop)
        targets = [(method, path + query) for query in ("", "?scope=node", "?scope=cluster")
                   for method, path in (("GET", "/stats"), ("GET", "/connections"), ("DELETE", f"/connections/{name}"))]
        for method, target in targets:
            self.assert_problem(a.request(method, target), 401, "unauthorized")
            self.assert_problem(a.request(method, target, shop), 403, "forbidden")
        for node in (a, b, c):
            self.assertEqual(node.request("GET", "/stats", ops).json["connected_clients"], 1)
            self.assertEqual([x["id"] for x in node.request("GET", "/connections", ops).json["connections"]], [name])
        self.assertEqual(a.request("DELETE", f"/connections/{name}", ops).status, 204)


class Alone(ViewTest):
    def test_a_node_that_is_alone_answers_as_ever(self):
        broker = self.broker()
        stream = broker.stream(f"/topics/{self.topic}")
        self.addCleanup(stream.close)
        name = stream.ready()["connection"]
        self.assertRegex(name, "^[0-9a-f]{16}$")
        for query in ("", "?scope=node", "?scope=cluster"):
            page = broker.page(f"/connections{query}")
            self.assertEqual(set(page), {"connections", "more", "total"})
            row, = page["connections"]
            self.assertEqual(set(row), {"id", "address", "topics", "since", "state", "position", "events", "bytes", "dropped"})
            self.assertEqual((row["id"], page["more"], page["total"]), (name, False, 1))
            stats = broker.page(f"/stats{query}")
            self.assertFalse({"members", "parts"} & set(stats))
            self.assertEqual(stats["connected_clients"], 1)
        self.assert_problem(broker.request("DELETE", f"/connections/a.{name}"), 404, "not_found")
        self.assert_problem(broker.get(f"/connections?after=a.{name}"), 400, "invalid_parameter")
        self.assertEqual(broker.page(f"/connections?topic={self.topic}&limit=0"), {"connections": [], "more": True, "total": 1})
        self.assertEqual(broker.page(f"/connections?topic={self.topic}2&limit=0"), {"connections": [], "more": False, "total": 0})
        for bad in ("limit=1001", "limit=-1", "limit=x", "colour=red", "topic=a&topic=b", "topic=a*b", "after="):
            self.assertEqual(broker.get(f"/connections?{bad}").status, 400, bad)
        self.assertEqual(broker.get("/stats?limit=1").status, 400)
        self.assertEqual(broker.request("DELETE", f"/connections/{name}").status, 204)
        self.assertEqual(stream.control("tidings.closing")["reason"], "closed")
