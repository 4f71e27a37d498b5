"""Several nodes as one cluster, from outside: what is accepted by one is everywhere, and any of them carries on for any other."""

import json
import os
import re
import shutil
import signal
import threading
import time

from support.broker import run_tidings
from support.case import OwnBrokerTest, fault
from support.cluster import Authority, Cluster
from support.cluster_storm import ClusterStorm
from support.mailbox import Mailbox, Tab
from support.position import is_behind, place_of
from support.tokens import make_key
from support.waiting import eventually
from support.wire import Closed
from test_identity import API_KEYS, api_key_table, bearer, claims, key_table, token

JSON = {"Content-Type": "application/json"}


class ClassOwner:
    """Lets a cluster belong to all tests of a class."""

    def __init__(self, of):
        self.addCleanup = of.addClassCleanup
        self.brokers = []

    def add_broker(self, made):
        self.brokers.append(made)
        self.addCleanup(made.dispose)


class ClusterTest(OwnBrokerTest):
    def cluster(self, *arguments, start=True, **keywords):
        made = Cluster(self, *arguments, **keywords)
        return made.start() if start else made

    def publish(self, node, body="x", topic=None, status=201, query="", headers=None):
        answer = node.post(f"/topics/{topic or self.topic}{query}", body, headers)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def stream_of(self, node, query="", headers=None, topic=None):
        made = node.stream(f"/topics/{topic or self.topic}{query}", headers)
        self.addCleanup(made.close)
        self.assertEqual(made.head.status, 200)
        return made

    def read(self, stream, count, after=None):
        """So many events; ids never go back, not even behind that of the stream before."""
        events = []
        for _ in range(count):
            events.append(stream.event())
            self.assertFalse(after and is_behind(after, events[-1].id), (after, events[-1]))
            after = events[-1].id
        return events

    def data(self, node, topic=None):
        return [x["data"] for x in node.page(f"/topics/{topic or self.topic}")["events"]]

    def wait_data(self, node, wanted, topic=None):
        eventually(lambda: sorted(self.data(node, topic)) == sorted(wanted), 10, lambda: f"{node.name}: {self.data(node, topic)}")

    def assert_orders(self, nodes, data):
        """Of data that begin with the name of their node and end with a number: each node's in order."""
        for node in nodes:
            own = [x for x in data if x.startswith(node.name)]
            self.assertEqual(own, [f"{node.name}{i}" for i in range(len(own))])


class Together(ClusterTest):
    """Three nodes that are all there."""

    @classmethod
    def setUpClass(cls):
        owner = ClassOwner(cls)
        cls.all = Cluster(owner).start()
        cls.a, cls.b, cls.c = cls.all

    def logs(self):
        return "\n".join(f"--- log of {x.name}\n{x.log_tail()}" for x in self.all)

    def test_what_one_node_accepts_streams_on_all(self):
        streams = [self.stream_of(x) for x in self.all]
        for stream in streams:
            stream.ready()
        answers = []

        def publish(node):
            with node.connect() as link:
                for i in range(30):
                    answers.append(link.request("POST", f"/topics/{self.topic}", body=f"{node.name}{i}"))

        threads = [threading.Thread(target=publish, args=(x,)) for x in self.all]
        for thread in threads:
            thread.start()
        received = [self.read(x, 90) for x in streams]
        for thread in threads:
            thread.join()
        for answer in answers:
            self.assertEqual((answer.status, answer.json["level"]), (201, "quorum"), answer)
            self.assertIn(answer.json["nodes"], (2, 3))
        self.assertEqual(len({x.json["id"] for x in answers}), 90)
        for events in received:
            self.assertEqual(len({x.data for x in events}), 90)
            self.assertEqual(len({x.id for x in events}), 90)
            self.assert_orders(self.all, [x.data for x in events])
        # An event has the same id wherever one asks, and stands in it whose it is.
        self.all.wait_equal()
        pages = [{x["data"]: x["id"] for x in node.page(f"/topics/{self.topic}")["events"]} for node in self.all]
        self.assertEqual(pages[0], {x.json["id"] and y: x.json["id"] for x in answers for y in pages[0] if pages[0][y] == x.json["id"]})
        self.assertEqual(pages[1:], [pages[0]] * 2)
        self.assertEqual(len({place_of(x)[0] for x in pages[0].values()}), 3)
        # And is a place to read on from, on the node that it was read on.
        for node in self.all:
            listed = [x["id"] for x in node.page(f"/topics/{self.topic}")["events"]]
            rest = [x["id"] for x in node.page(f"/topics/{self.topic}?since={listed[40]}")["events"]]
            self.assertEqual(rest, listed[41:])

    def test_histories_are_the_same_on_all(self):
        for i in range(8):
            for node in self.all:
                self.publish(node, f"{node.name}{i}")
        batch = json.dumps([{"topic": self.topic, "data": f"a{i}"} for i in range(8, 12)])
        self.assertEqual(self.a.post("/events", batch, JSON).json["level"], "quorum")
        lines = "".join(json.dumps({"topic": self.topic, "data": f"b{i}"}) + "\n" for i in range(8, 12))
        self.assertEqual({x["level"] for x in self.b.post("/events", lines, {"Content-Type": "application/x-ndjson"}).lines}, {"quorum"})
        self.all.check_equal()
        for node in self.all:
            page = node.page(f"/topics/{self.topic}?limit=100")
            data = [x["data"] for x in page["events"]]
            self.assertEqual(len(data), 32)
            self.assert_orders(self.all, data)
            backwards = [x["data"] for x in node.page(f"/topics/{self.topic}?limit=100&reverse=true")["events"]]
            self.assertEqual(backwards, data[::-1])
            # Page by page, each from another node.
            pages, cursor, turn = [], "earliest", list(self.all)
            while True:
                part = turn[len(pages) % 3].page(f"/topics/{self.topic}?limit=5&since={cursor}")
                pages += [x["data"] for x in part["events"]]
                cursor = part["next"]
                turn.append(turn.pop(0))
                if not part["more"] and not part["events"]:
                    break
            self.assertEqual(sorted(pages), sorted(data))
            self.assert_orders(self.all, pages)
            listed = node.get(f"/topics?prefix={self.topic}").json["topics"]
            self.assertEqual([(x["topic"], x["events"]) for x in listed], [(self.topic, 32)])

    def test_a_stream_goes_on_at_another_node(self):
        for i in range(10):
            for node in self.all:
                self.publish(node, f"{node.name}{i}")
        self.all.wait_equal()
        for part in (1, 7, 29):
            first = self.stream_of(self.a, "?since=earliest")
            events = self.read(first, part)
            had, position = [x.data for x in events], events[-1].id
            for other in (self.b, self.c):
                second = self.stream_of(other, headers={"Last-Event-ID": position})
                self.assertTrue(second.ready()["recovered"])
                rest = [x.data for x in self.read(second, 30 - part, position)]
                self.assertEqual(len(set(had + rest)), 30)
                self.assert_orders(self.all, had + rest)
                self.assertTrue(second.silent(0.1))

    def test_a_stream_that_moves_while_events_come(self):
        total, position, seen = 300, None, []
        moved = 0

        def publish(node):
            with node.connect() as link:
                for i in range(total // 3):
                    link.request("POST", f"/topics/{self.topic}", body=f"{node.name}{i}")

        threads = [threading.Thread(target=publish, args=(x,)) for x in self.all]
        for thread in threads:
            thread.start()
        while len(seen) < total:
            node = self.random.choice(self.all.nodes)
            stream = self.stream_of(node, *([] if position else ["?since=earliest"]), headers={"Last-Event-ID": position} if position else None)
            if position:
                self.assertTrue(stream.ready()["recovered"])
            count = min(self.random.randint(1, 40), total - len(seen))
            events = self.read(stream, count, position)
            seen += [x.data for x in events]
            position = events[-1].id
            stream.close()
            moved += 1
        for thread in threads:
            thread.join()
        self.assertEqual(len(set(seen)), total)
        self.assert_orders(self.all, seen)
        self.note(f"{total} events over {moved} connections to 3 nodes: 0 lost, 0 doubled, each node's in order")

    def test_a_key_is_known_on_all(self):
        first = self.publish(self.a, "x", headers={"Idempotency-Key": f"{self.topic}-k"})
        own = self.publish(self.b, "y", query=f"?id={self.topic}-1")
        self.all.wait_equal()
        for node in self.all:
            again = node.post(f"/topics/{self.topic}", "x", {"Idempotency-Key": f"{self.topic}-k"})
            self.assertEqual((again.status, again.json["id"], again.json.get("duplicate")), (200, first["id"], True), again)
            self.assertEqual(again.json["level"], "quorum")
            again = node.post(f"/topics/{self.topic}?id={self.topic}-1", "y")
            self.assertEqual((again.status, again.json["id"]), (200, own["id"]))
            self.assert_problem(node.post(f"/topics/{self.topic}", "z", {"Idempotency-Key": f"{self.topic}-k"}), 409, "idempotency_conflict")
        self.assertEqual(sorted(self.data(self.c)), ["x", "y"])

    def test_a_mailbox_is_one_on_all(self):
        boxes = a, b, c = [Mailbox(x, self.topic) for x in self.all]
        tabs = [Tab(x, x.broker.name) for x in boxes]
        for tab in tabs:
            tab.open()
            self.addCleanup(tab.close)
        sent = a.send(title="hello")
        wait = lambda what: eventually(what, 10)
        wait(lambda: b.ids() == [sent["id"]])
        wait(lambda: c.ids() == [sent["id"]])
        self.assertEqual(c.change("read")["changed"], [sent["id"]])
        for box in boxes:
            wait(lambda: box.items()[0]["state"] == "read")
            self.assertEqual(box.counts(), {"unread": 0, "seen": 0, "read": 1, "archived": 0, "total": 1})
        second = b.send(title="again")
        everyone = json.dumps({"users": "*", "title": "all"})
        third = self.c.post("/events", everyone, JSON)
        self.assertEqual(third.status, 201, third)
        for box in boxes:
            wait(lambda: len(box.ids()) == 3)
        self.assertEqual(c.change("dismiss", {"ids": [sent["id"]]})["changed"], [sent["id"]])
        for box in boxes:
            wait(lambda: set(box.ids()) == {second["id"], third.json["id"]})
        self.assertEqual(a.change("dismiss", {"ids": [sent["id"]]})["changed"], [])
        self.assertEqual(b.change("clear")["counts"]["total"], 0)
        for box, tab in zip(boxes, tabs):
            wait(lambda: box.counts()["total"] == 0)
            self.follow(tab, lambda: {sent["id"], second["id"], third.json["id"]} <= seen and not tab.items, seen := set())
            self.assertEqual(tab.gaps, [])

    def follow(self, tab, done, seen):
        """A tab on one node is told of what was done on the others."""
        while not done():
            event = tab.take(tab.stream.item(10))
            if event:
                seen.add(tab.add(event[1], event[2] if event[2].startswith("e1.") else json.loads(event[1])["id"])["id"])

    def test_what_lives_shortly_expires_on_all(self):
        long = self.publish(self.b, "long")
        self.publish(self.a, "short", query="?ttl=1s")
        for node in self.all:
            self.wait_data(node, ["long", "short"])
        self.assertEqual(len({x["expires"] for node in self.all for x in node.page(f"/topics/{self.topic}")["events"]}), 2)
        for node in self.all:
            self.wait_data(node, ["long"])
            events = node.page(f"/topics/{self.topic}")["events"]
            self.assertEqual([x["id"] for x in events], [long["id"]])
            self.assertEqual(self.stream_of(node, "?since=earliest").event().data, "long")

    def test_every_node_says_who_is_there(self):
        for node in self.all:
            self.assertEqual(node.get("/readyz").json, {"status": "ready"})
            eventually(lambda: all(x["self"] or x["linked"] for x in node.view()["members"]), 5)
            view = node.view()
            self.assertEqual([(x["name"], x["self"]) for x in view["members"]], [(x.name, x is node) for x in self.all])
            self.assertEqual((view["joined"], view["quorum"], view["majority"], view["alarms"]), (True, True, 2, []))


class Absence(ClusterTest):
    """Nodes that were away."""

    def test_a_node_catches_up_after_a_restart(self):
        a, b, c = nodes = self.cluster()
        self.publish(a, "a0")
        stream = self.stream_of(c, "?since=earliest")
        position = self.read(stream, 1)[0].id
        for _ in range(2):
            c.kill()
            before = len(self.data(a))
            for i in range(before // 2 + 1, before // 2 + 20):
                self.publish(a, f"a{i}")
            c.start()
            nodes.check_equal()
        again = self.stream_of(c, headers={"Last-Event-ID": position})
        rest = [x.data for x in self.read(again, len(self.data(a)) - 1, position)]
        self.assertEqual(rest, self.data(a)[1:])

    @fault("N12")
    def test_a_node_without_its_disk_gets_everything_back(self):
        a, b, c = nodes = self.cluster()
        for i in range(20):
            for node in nodes:
                self.publish(node, f"{node.name}{i}")
        Mailbox(c, "u").send(title="kept")
        old = c.head()
        c.kill()
        shutil.rmtree(c.data_dir)
        c.start()
        nodes.wait_linked()
        records = nodes.check_equal()
        self.assertEqual(sum(map(len, records.values())), 61)
        self.assertLessEqual(set(old), set(records))
        self.assertEqual(Mailbox(c, "u").titles(), ["kept"])
        answer = self.publish(c, "c20")
        self.assertNotIn(place_of(answer["id"])[0], old, "a node without its disk is a new one")
        self.wait_data(a, [f"{x.name}{i}" for x in nodes for i in range(20)] + ["c20"])
        # And who had followed the old one is carried on by the new one.
        eventually(lambda: nodes["b"].head() == c.head(), 10)

    def test_a_cursor_that_is_ahead_of_the_node(self):
        a, b, c = nodes = self.cluster(options={"topics.level": "fsync"})
        self.publish(a, "a0")
        nodes.wait_equal()
        c.kill()
        for i in range(1, 20):
            self.publish(a, f"a{i}")
        stream = self.stream_of(a, "?since=earliest")
        position = self.read(stream, 20)[-1].id
        for node in (a, b):
            node.pause()
        c.start()
        self.assertEqual(self.data(c), ["a0"])
        ahead = self.stream_of(c, headers={"Last-Event-ID": position})
        self.assertTrue(ahead.ready()["recovered"])
        self.publish(c, "c0", query="?ack=fsync")
        self.assertEqual(self.read(ahead, 1, position)[0].data, "c0")
        for node in (a, b):
            node.go_on()
        nodes.wait_linked()
        self.publish(a, "a20")
        self.assertEqual(self.read(ahead, 1)[0].data, "a20")
        self.assertTrue(ahead.silent(0.2))
        nodes.check_equal()
        fresh = self.stream_of(b, headers={"Last-Event-ID": position})
        self.assertEqual({x.data for x in self.read(fresh, 2)}, {"c0", "a20"})

    def test_a_cursor_that_is_ahead_of_a_node_that_has_nothing(self):
        a, b, c = nodes = self.cluster(start=False, options={"topics.level": "fsync"})
        nodes.start(a, b)
        for i in range(5):
            self.publish(a, f"a{i}")
        stream = self.stream_of(a, "?since=earliest")
        position = self.read(stream, 5)[-1].id
        for node in (a, b):
            node.pause()
        c.start()
        self.assertEqual(self.data(c), [])
        ahead = self.stream_of(c, headers={"Last-Event-ID": position})
        self.assertTrue(ahead.ready()["recovered"])
        for node in (a, b):
            node.go_on()
        nodes.wait_linked()
        self.publish(b, "b0")
        self.assertEqual(self.read(ahead, 1, position)[0].data, "b0")
        self.assertTrue(ahead.silent(0.2))
        nodes.check_equal()

    def test_a_dismissal_reaches_who_was_away(self):
        a, b, c = nodes = self.cluster()
        kept, gone = [Mailbox(a, "u").send(title=x)["id"] for x in ("kept", "gone")]
        eventually(lambda: len(Mailbox(b, "u").ids()) == 2)
        a.kill()
        self.assertEqual(Mailbox(b, "u").change("dismiss", {"ids": [gone]})["changed"], [gone])
        self.assertEqual(Mailbox(b, "u").change("read", {"ids": [kept]})["changed"], [kept])
        eventually(lambda: Mailbox(c, "u").ids() == [kept])
        a.start()
        nodes.check_equal()
        for node in nodes:
            self.assertEqual([(x["id"], x["state"]) for x in Mailbox(node, "u").items()], [(kept, "read")], node.name)

    def test_without_a_majority(self):
        a, b, c = nodes = self.cluster(start=False, options={"topics.level": "fsync", "cluster.join-timeout": "200ms"})
        a.start()
        refused = a.post(f"/topics/{self.topic}?ack=quorum", "x")
        self.assert_problem(refused, 503, "quorum_unavailable")
        self.assertGreaterEqual(int(refused.header("Retry-After")), 1)
        self.assertEqual(self.data(a), [])
        answer = self.publish(a, "y")
        self.assertEqual((answer["level"], answer["nodes"]), ("fsync", 1))
        stream = self.stream_of(a, "?since=earliest")
        self.assertEqual(stream.event().data, "y")
        nodes.start(b)
        eventually(lambda: self.data(b) == ["y"])
        answer = self.publish(a, "z", query="?ack=quorum")
        self.assertEqual((answer["level"], answer["nodes"]), ("quorum", 2))
        b.kill()
        eventually(lambda: a.post(f"/topics/{self.topic}?ack=quorum", "lost").status == 503)
        nodes.start()
        nodes.check_equal()
        self.assertEqual(self.data(c)[:2], ["y", "z"])

    def test_the_level_quorum_is_the_default(self):
        a, b, c = self.cluster(start=False, options={"cluster.join-timeout": "200ms"})
        a.start()
        self.assert_problem(a.post("/topics/t", "x"), 503, "quorum_unavailable")
        self.assert_problem(a.post("/users/u/mailbox", '{"title":"x"}', JSON), 503, "quorum_unavailable")
        self.assertEqual(self.publish(a, query="?ack=fsync")["level"], "fsync")
        a.kill()
        a.options["topics.level"] = "quorum"
        a.start()
        self.assert_problem(a.post("/topics/t?ack=fsync", "x"), 400, "level_too_low")

    def test_a_majority_that_stands_still(self):
        """It is linked and does not answer: nobody can say."""
        a, b, c = nodes = self.cluster(options={"cluster.quorum-timeout": "500ms"})
        b.pause()
        c.pause()
        answer = a.post(f"/topics/{self.topic}", "x", {"Idempotency-Key": "k"})
        self.assert_problem(answer, 504, "indeterminate")
        b.go_on()
        c.go_on()
        nodes.wait_linked()
        again = eventually(lambda: (x := a.post(f"/topics/{self.topic}", "x", {"Idempotency-Key": "k"})).status // 100 == 2 and x)
        self.assertEqual((again.json["level"], again.json["duplicate"]), ("quorum", True))
        nodes.check_equal()
        self.assertEqual(self.data(c), ["x"])

    def test_it_is_not_ready_before_it_has_joined(self):
        a, b, c = nodes = self.cluster(start=False, options={"cluster.join-timeout": "60s"})
        a.start(wait=False)
        eventually(lambda: a.running and "cluster port open" in a.log())
        answer = eventually(lambda: self.answer_of(a, "/readyz"))
        self.assertEqual((answer.status, answer.json["reason"]), (503, "joining"))
        refused = a.post("/topics/t", "x")
        self.assert_problem(refused, 503, "starting")
        self.assertTrue(refused.header("Retry-After"))
        self.assertEqual(a.get("/healthz").status, 200)
        self.assertEqual(a.page("/topics/t")["events"], [])
        nodes.start(b, c)
        a.wait_ready()
        self.assertEqual(self.publish(a)["level"], "quorum")

    def answer_of(self, node, target):
        try:
            return node.get(target)
        except (OSError, Closed):
            return None

    def test_a_stop_under_load_loses_nothing(self):
        nodes = self.cluster(options={"topics.level": "none"})
        storm = ClusterStorm(self, nodes, levels=("quorum", "fsync", "written"), wanderers=2).begin()
        for node in list(nodes):
            storm.wait(30, *nodes)
            self.assertEqual(node.stop(), 0)
            self.assertNotIn("did not end", node.log_since_start())
            nodes.start(node)
        storm.wait(30, *nodes)
        storm.stop()
        found = storm.close()
        self.note(f"each of 3 nodes stopped under load: {storm.acknowledged} acknowledged, {storm.unknown} unknown; {found}")

    def test_who_ends_a_stop_says_so(self):
        a, b, c = self.cluster()
        c.stop()
        eventually(lambda: a.linked() == {"b"})
        self.assertIn("link lost member=c reason=shutting_down by-peer=true", a.log())


class Strangers(ClusterTest):
    """Nodes that do not belong together."""

    def refuses(self, nodes, rogue, theirs, ours):
        """The rogue stands there as it would, and finds out why it is alone; so do the others."""
        rogue.start()
        eventually(lambda: theirs in rogue.log(), 10, lambda: rogue.log_tail())
        eventually(lambda: any(ours in x.log() for x in nodes), 10, lambda: nodes[0].log_tail())
        self.assertEqual(rogue.linked(), set())
        self.assertTrue(all(rogue.name not in x.linked() for x in nodes))
        self.assert_problem(rogue.post("/topics/t", "x"), 503, "quorum_unavailable")
        self.assertEqual(self.publish(nodes[0], "here")["level"], "quorum")

    def pair(self, **keywords):
        made = Cluster(self, **keywords)
        made.start(made["a"], made["b"])
        return made, [made["a"], made["b"]]

    def test_the_wrong_secret(self):
        made, pair = self.pair()
        self.refuses(pair, made.make("c", options={"cluster.secret": "another secret that is long enough, too"}), "bad_proof", "bad_proof")

    def test_another_cluster(self):
        made, pair = self.pair()
        self.refuses(pair, made.make("c", options={"cluster.name": "other"}), "wrong_cluster", "wrong_cluster")

    def test_somebody_who_is_no_member(self):
        made, pair = self.pair()
        members = made.members.replace("c=", "d=")
        rogue = made.make("c", options={"cluster.node": "d", "cluster.members": members})
        rogue.name = "d"
        self.refuses(pair, rogue, "not_a_member", "not_a_member")

    @fault("S15")
    def test_a_member_that_is_there_twice(self):
        made = self.cluster()
        a, b, c = made
        twin = made.make("c", options={"cluster.listen": "127.0.0.1:0"})
        twin.start(wait=False)
        eventually(lambda: "two nodes claim to be the same member" in a.log() + b.log(), 10, a.log_tail)
        self.publish(a, "x")
        self.assertEqual(a.linked(), {"b", "c"})
        made.check_equal()

    def test_a_reload_reaches_what_other_nodes_have_accepted(self):
        bound = '[[topic]]\npattern = "bounded"\nkeep = {}\n'
        a, b, c = self.cluster(config=bound.format(100))
        self.publish(a, "0", "bounded")
        b.write_config(bound.format(3))
        b.signal(signal.SIGHUP)
        eventually(lambda: re.search(r"^tidings_reloads_total 1$", b.get("/metrics").text, re.M), 10, "the new file is in force")
        for i in range(1, 8):
            self.publish(a, str(i), "bounded")
        kept = lambda x: [y["data"] for y in x.page("/topics/bounded")["events"]]
        eventually(lambda: kept(b) == ["5", "6", "7"], 10, lambda: kept(b))
        eventually(lambda: len(kept(c)) == 8, 10, lambda: kept(c))

    def test_links_over_tls(self):
        nodes = self.cluster(tls=True)
        for node in nodes:
            self.publish(node, node.name)
        nodes.check_equal()

    def test_certificates_of_others(self):
        made, pair = self.pair(tls=True)
        self.refuses(pair, made.make("c", options=Authority().options("c")), "tls_failed", "tls_failed")

    def test_a_certificate_for_another_name(self):
        made, pair = self.pair(tls=True)
        self.refuses(pair, made.make("c", options=made.authority.options("d")), "wrong_certificate", "wrong_certificate")

    def test_plain_text_at_a_tls_port(self):
        made, pair = self.pair(tls=True)
        plain = {"cluster.certificate": "", "cluster.key": "", "cluster.authority": ""}
        self.refuses(pair, made.make("c", options=plain), "no link member=", "turned away")

    def test_plain_text_stays_on_this_machine(self):
        folder = self.broker(start=False).folder
        done = run_tidings("serve", "--listen", "127.0.0.1:0", "--data-dir", os.path.join(folder, "data"), "--set", "cluster.node=a",
                           "--set", "cluster.members=a=10.0.0.1:7070,b=10.0.0.2:7070", "--set", "cluster.listen=0.0.0.0:0",
                           "--set", f"cluster.secret={'x' * 32}")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("nodes that talk over a network need TLS", done.stdout + done.stderr)


class Revocation(ClusterTest):
    def test_what_is_revoked_on_one_node_is_refused_on_all(self):
        key, folder = make_key("EdDSA", "k"), self.broker(start=False).folder
        nodes = a, b, c = self.cluster(config=key_table("k", key, folder)
                                       + api_key_table("app", API_KEYS["ops"], publish=["**"], subscribe=["**"], admin=True))
        ops = {"X-API-Key": API_KEYS["ops"]}
        now = int(time.time())
        alice = bearer(token(key, claims("alice", jti="a1", iat=now - 60, exp=now + 3600, subscribe=["t"])))
        streams = [x.stream("/topics/t", alice) for x in nodes]
        for stream in streams:
            self.addCleanup(stream.close)
            stream.ready()
        c.kill()
        self.assertEqual(a.post("/revocations", '{"user":"alice"}', {**JSON, **ops}).status, 201)
        for stream in streams[:2]:
            self.assertEqual(stream.control("tidings.closing", 10)["reason"], "revoked")
        c.start()
        status = lambda node: node.get("/topics/t", {**alice, "Accept": "application/json"}).status
        for node in nodes:
            eventually(lambda: status(node) == 401, 10, node.name)
            self.assertEqual([x["user"] for x in node.get("/revocations", ops).json["revocations"]], ["alice"])
