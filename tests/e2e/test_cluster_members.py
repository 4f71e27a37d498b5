"""The list of members is changed while the cluster runs, and a node is brought to rest."""

import json
import threading

from support.broker import run_tidings
from support.case import OwnBrokerTest
from support.cluster import Cluster
from support.waiting import eventually
from support.wire import Closed

JSON = {"Content-Type": "application/json"}


class MembersTest(OwnBrokerTest):
    def cluster(self, count=3, spare=1, **keywords):
        """So many nodes that run, and some more that no list of theirs names."""
        nodes = Cluster(self, count + spare, **keywords)
        running = nodes.nodes[:count]
        for node in running:
            node.options["cluster.members"] = ",".join(nodes.members.split(",")[:count])
        for node in running:
            node.start(wait=False)
        for node in running:
            node.wait_ready()
        nodes.wait_linked()
        return nodes

    def member(self, nodes, name):
        return "%s=%s:%d" % (name, *nodes.addresses[name])

    def add(self, node, nodes, name, query=""):
        host, port = nodes.addresses[name]
        return node.post(f"/cluster/members{query}", json.dumps({"name": name, "address": f"{host}:{port}"}), JSON, timeout=60)

    def remove(self, node, name, query=""):
        return node.request("DELETE", f"/cluster/members/{name}{query}", timeout=60)

    def version(self, node):
        view = node.view()
        return view["members_version"], [x["name"] for x in view["members"]]

    def publish(self, node, body, level="quorum"):
        answer = node.post(f"/topics/{self.topic}?ack={level}", body)
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def data(self, node):
        return [x["data"] for x in node.log_events(f"/topics/{self.topic}")]


class Adding(MembersTest):
    def test_a_member_is_added_and_fills(self):
        nodes = self.cluster()
        a, b, c, d = nodes
        for i in range(20):
            self.publish(nodes.nodes[i % 3], str(i))
        done = run_tidings("cluster", "add", self.member(nodes, "d"), "--url", c.url)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("members (version 1)", done.stdout)
        for node in (a, b, c):
            eventually(lambda: self.version(node) == (1, ["a", "b", "c", "d"]), 20, node.name)
        # It counts at once: three of four are a majority.
        self.assertEqual(a.view()["majority"], 3)
        c.kill()
        eventually(lambda: not a.view()["quorum"])
        self.assert_problem(a.post("/topics/t", "x"), 503, "quorum_unavailable")
        nodes.start(d)
        eventually(lambda: self.version(d) == (1, ["a", "b", "c", "d"]))
        eventually(lambda: sorted(self.data(d)) == sorted(str(i) for i in range(20)))
        eventually(lambda: a.view()["quorum"])
        self.assertEqual(self.publish(a, "all")["nodes"], 3)
        # The list outlives its node's end, whatever the configuration says, and reaches who was away.
        a.stop()
        nodes.start(a, c)
        for node in nodes:
            self.assertEqual(self.version(node), (1, ["a", "b", "c", "d"]), node.name)
        self.assertIn("cluster.members is not what counts", a.log())
        nodes.check_equal()
        eventually(lambda: run_tidings("cluster", "status", "--url", d.url).returncode == 0)

    def test_not_while_a_member_is_away(self):
        nodes = self.cluster()
        a, b, c, d = nodes
        c.kill()
        eventually(lambda: a.linked() == {"b"})
        refused = self.add(a, nodes, "d")
        self.assert_problem(refused, 409, "members_missing")
        self.assertIn("member c is not linked", refused.json["detail"])
        self.assertEqual(self.version(a), (0, ["a", "b", "c"]))
        forced = self.add(a, nodes, "d", "?force=true")
        self.assertEqual(forced.status, 200, forced)
        self.assertEqual((forced.json["version"], forced.json["untold"]), (1, ["c"]))
        nodes.start(c, d)
        for node in nodes:
            eventually(lambda: self.version(node) == (1, ["a", "b", "c", "d"]), 20, node.name)

    def test_two_at_the_same_time(self):
        nodes = self.cluster(spare=2)
        asked = {"a": "d", "b": "e"}
        answers = {}

        def ask(at, name):
            answers[at] = self.add(nodes[at], nodes, name)

        threads = [threading.Thread(target=ask, args=x) for x in asked.items()]
        for x in threads:
            x.start()
        for x in threads:
            x.join()
        good = {asked[x] for x, answer in answers.items() if answer.status == 200}
        for answer in answers.values():
            if answer.status != 200:  # it came meanwhile, or behind the other, whose new member does not run
                self.assertIn((answer.status, answer.json["code"]), ((409, "change_under_way"), (409, "members_missing")))
        self.assertTrue(good)
        for node in nodes.running():
            eventually(lambda: set(self.version(node)[1]) == {"a", "b", "c"} | good, 20, node.name)
        self.assertEqual({self.version(x)[0] for x in nodes.running()}, {len(good)})

    def test_what_cannot_be(self):
        nodes = self.cluster(count=2)
        a = nodes["a"]
        self.assert_problem(self.add(a, nodes, "b"), 400, "invalid_parameter")
        self.assert_problem(a.post("/cluster/members", '{"name":"d"}', JSON), 400, "invalid_parameter")
        self.assert_problem(a.post("/cluster/members", "d", JSON), 400, "invalid_json")
        self.assert_problem(a.post("/cluster/members?force=perhaps", '{"name":"d","address":"h:1"}', JSON), 400, "invalid_parameter")
        self.assert_problem(self.remove(a, "x"), 404, "not_found")
        self.assert_problem(a.get("/cluster/members"), 405, "method_not_allowed")
        self.assertEqual(self.version(a), (0, ["a", "b"]))
        alone = self.broker()
        for method, target in (("POST", "/cluster/members"), ("DELETE", "/cluster/members/a"), ("POST", "/cluster/drain")):
            self.assert_problem(alone.request(method, target), 404, "not_found")
        self.assertEqual(run_tidings("cluster", "add", "d", "--url", a.url).returncode, 2)


class Removing(MembersTest):
    def test_nothing_of_a_removed_member_is_lost(self):
        nodes = self.cluster(spare=0)
        a, b, c = nodes
        accepted, refused = {x.name: [] for x in nodes}, []
        over = threading.Event()

        def publish(node):
            number = 0
            while not over.is_set():
                try:
                    answer = node.post(f"/topics/{self.topic}?ack=fsync", f"{node.name}{number}")
                except (OSError, Closed):
                    continue
                if answer.status == 201:
                    accepted[node.name].append(f"{node.name}{number}")
                elif node is c:
                    refused.append(answer.json["code"])
                number += 1

        threads = [threading.Thread(target=publish, args=(x,)) for x in nodes]
        stream = c.stream(f"/topics/{self.topic}")
        self.addCleanup(stream.close)
        for x in threads:
            x.start()
        try:
            eventually(lambda: all(len(x) > 50 for x in accepted.values()))
            done = self.remove(c, "c")  # the others make the change
            self.assertEqual(done.status, 200, done)
            self.assertEqual((done.json["version"], len(done.json["members"])), (1, 2))
            before = len(accepted["a"])
            eventually(lambda: len(accepted["a"]) > before + 20)
        finally:
            over.set()
            for x in threads:
                x.join()
        self.assertEqual(set(refused) - {"shutting_down"}, set())
        self.assertTrue(refused)
        self.assertEqual(stream.control("tidings.closing")["reason"], "shutdown")
        self.assertEqual((c.get("/readyz").status, c.get("/readyz").json["reason"]), (503, "draining"))
        c.stop()
        nodes.check_equal()
        for node in (a, b):
            self.assertEqual(self.version(node), (1, ["a", "b"]))
            stored = self.data(node)
            self.assertEqual(sorted(stored), sorted(accepted["a"] + accepted["b"] + accepted["c"]), node.name)
        self.assertEqual(self.publish(b, "two are all")["nodes"], 2)
        # It does not come back by accident.
        c.start(wait=False)
        self.assertEqual(c.wait_exit(), 1)
        self.assertIn("member c was removed from the cluster", c.log_tail())

    def test_a_dead_member_only_by_force(self):
        nodes = self.cluster(spare=0)
        a, b, c = nodes
        self.publish(a, "x")
        c.kill()
        eventually(lambda: a.linked() == {"b"} and b.linked() == {"a"})
        self.assert_problem(self.remove(b, "c"), 409, "members_missing")
        done = run_tidings("cluster", "remove", "c", "--force", "--url", b.url)
        self.assertEqual(done.returncode, 0, done)
        for node in (a, b):
            eventually(lambda: self.version(node) == (1, ["a", "b"]), 20, node.name)
        b.kill()
        eventually(lambda: a.view()["quorum"] is False)  # two of two
        nodes.start(b)
        self.publish(b, "y")
        # Who was removed while it was away is turned away.
        c.start(wait=False)
        c.wait_ready()
        eventually(lambda: any("not_a_member" in x.get("trouble", "") for x in c.view()["members"]), 20, "c hears why")
        self.assertEqual(self.version(c), (0, ["a", "b", "c"]))

    def test_a_removal_that_fails_lets_the_member_work_on(self):
        nodes = self.cluster(spare=0, options={"cluster.change-timeout": "1s", "topics.level": "fsync"})
        a, b, c = nodes
        b.pause()  # still linked for some seconds, and brings nothing
        try:
            self.publish(c, "b does not have it", "fsync")
            refused = self.remove(a, "c")
            self.assert_problem(refused, 409, "members_missing")
        finally:
            b.go_on()
        self.assertEqual(self.version(a), (0, ["a", "b", "c"]))
        eventually(c.is_ready)
        self.publish(c, "c works", "fsync")
        nodes.wait_linked()
        nodes.check_equal()

    def test_one_by_one_to_the_last_and_back(self):
        nodes = self.cluster(spare=0)
        a, b, c = nodes
        self.assertEqual(self.remove(a, "b").status, 200)
        self.assertEqual(self.remove(a, "c").status, 200)
        self.assertEqual(self.version(a), (2, ["a"]))
        self.assertEqual(self.publish(a, "alone")["nodes"], 1)
        self.assert_problem(self.remove(a, "a"), 400, "invalid_parameter")
        # Those that were removed and still run take work again when they are members again.
        self.assertFalse(b.is_ready())
        self.assertEqual(self.add(a, nodes, "b").status, 200)
        eventually(b.is_ready)
        eventually(lambda: self.version(b) == (3, ["a", "b"]))
        self.assertEqual(self.publish(b, "both")["nodes"], 2)
        c.stop()
        nodes.check_equal()


class Draining(MembersTest):
    def test_a_node_comes_to_rest_and_back(self):
        nodes = self.cluster(spare=0)
        a, b, c = nodes
        stream = b.stream(f"/topics/{self.topic}")
        self.addCleanup(stream.close)
        self.publish(b, "1", "fsync")
        last = stream.event()
        done = run_tidings("cluster", "drain", "--url", b.url)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("drained", done.stdout)
        self.assertEqual(stream.control("tidings.closing")["reason"], "shutdown")
        self.assertEqual((b.get("/readyz").status, b.get("/readyz").json["reason"]), (503, "draining"))
        self.assert_problem(b.post(f"/topics/{self.topic}", "x"), 503, "shutting_down")
        eventually(lambda: b.view()["draining"])
        self.assertIn("takes no new work", run_tidings("cluster", "status", "--url", b.url).stdout)
        # Its streams go on elsewhere, and it still counts for the majority.
        again = c.stream(f"/topics/{self.topic}", {"Last-Event-ID": last.id})
        self.addCleanup(again.close)
        a.kill()
        self.publish(c, "2")
        self.assertEqual(again.event().data, "2")
        self.assertEqual(run_tidings("cluster", "drain", "--undo", "--url", b.url).returncode, 0)
        self.assertTrue(b.is_ready())
        self.publish(b, "3")
        self.assertEqual(again.event().data, "3")

    def test_it_says_who_does_not_have_everything(self):
        nodes = self.cluster(spare=0, options={"cluster.change-timeout": "1s"})
        a, b, c = nodes
        c.kill()
        self.publish(a, "x", "fsync")
        done = run_tidings("cluster", "drain", "--url", a.url)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("these do not have all that it has: c", done.stdout)
