"""Nodes of a cluster that are split, paused, killed, cut off from power, and strangers at the port where they talk to each other."""

import collections
import itertools
import json
import os
import resource
import shutil
import signal
import socket
import struct
import threading
import time
import unittest

from support import runner, settings
from support.case import OwnBrokerTest, fault, long_only
from support.clock import Clock, on_disk
from support.cluster import Cluster
from support.cluster_storm import ClusterStorm
from support.disk import PowerDisk
from support.links import Relay
from support.mailbox import Mailbox, Tab
from support.position import place_of
from support.relay import pass_on
from support.waiting import eventually

LEVELS = ("quorum", "quorum", "fsync")
CONVERGED = 10  # seconds after healing, and what the backlog takes
needs_root = unittest.skipUnless(os.geteuid() == 0, "networks and disks of its own need root")


class ClusterFault(OwnBrokerTest):
    def cluster(self, start=True, **keywords):
        options = {"topics.level": "fsync", **keywords.pop("options", {})}
        made = Cluster(self, options=options, **keywords)
        return made.start() if start else made

    def accepts(self, node, level, status=201):
        answer = node.post(f"/topics/probe/{level}?ack={level}", "0", timeout=10)
        return answer.status == status

    def resources(self, nodes):
        return [(x.descriptors_but_store(), x.threads()) for x in nodes]

    def check_resources(self, nodes, before):
        """No more than at the start, but for connections that come and go."""
        for node, (descriptors, threads) in zip(nodes, before):
            eventually(lambda: node.descriptors_but_store() <= descriptors + 6, 20,
                       lambda: f"{node.name}: {descriptors} descriptors, now {node.descriptors_but_store()}")
            self.assertLessEqual(node.threads(), threads + 2)

    def heal(self, cluster):
        """Returns how long it took until all were linked and had the same."""
        begin = time.monotonic()
        if cluster.network:
            cluster.network.heal()
        cluster.wait_linked(CONVERGED)
        return time.monotonic() - begin


@needs_root
class Splits(ClusterFault):
    @fault("N1", "N8", "N21")
    def test_n1_a_majority_and_a_minority(self):
        cluster = self.cluster(network=True)
        before = self.resources(cluster)
        storm = ClusterStorm(self, cluster, LEVELS, wanderers=settings.pick(30, 4), pause=0.02)
        found, healed = [], []
        for _ in self.rounds(6, 1):
            alone = self.random.choice(cluster.nodes)
            rest = [x for x in cluster if x is not alone]
            storm.begin()
            storm.wait(20, *cluster)
            begin = time.monotonic()
            cluster.network.split([alone.name], [x.name for x in rest])
            # Nothing is refused or reset, packets just go nowhere.
            eventually(lambda: not alone.linked() and all(alone.name not in x.linked() for x in rest), 8, "both sides have noticed")
            found.append(time.monotonic() - begin)
            self.assertIn("reason=silent", alone.log_since_start())
            self.assert_problem(alone.post("/topics/probe/quorum?ack=quorum", "0"), 503, "quorum_unavailable")
            self.assertTrue(self.accepts(alone, "fsync"))
            self.assertTrue(all(self.accepts(x, "quorum") for x in rest))
            storm.wait(20, *cluster)
            self.assertEqual(alone.get("/readyz").status, 200)
            end = time.monotonic() + self.random.uniform(0, settings.pick(30, 0.5))
            while time.monotonic() < end:
                storm.wait(1, *cluster)
            healed.append(self.heal(cluster))
            storm.stop()
            cluster.wait_equal(CONVERGED)
        judged = self.judge(storm)
        self.assertLess(max(found), 6.5)
        self.check_resources(cluster, before)
        self.note(f"{self.tried} splits noticed after {max(found):.1f} s at most, linked again after {max(healed):.1f} s: {judged}")

    def judge(self, storm):
        """The probes are of nobody."""
        return storm.close(but=("probe/",))

    @fault("N2")
    @long_only
    def test_n2_one_direction_only(self):
        cluster = self.cluster(network=True)
        a, b, c = cluster
        storm = ClusterStorm(self, cluster, LEVELS, pause=0.02).begin()
        storm.wait(20, *cluster)
        begin = time.monotonic()
        cluster.network.drop("a", "b")
        eventually(lambda: "b" not in a.linked() and "a" not in b.linked(), 12, "dead in both directions")
        took = time.monotonic() - begin
        storm.wait(20, *cluster)  # by way of c
        self.assertEqual((a.linked(), b.linked()), ({"c"}, {"c"}))
        healed = self.heal(cluster)
        storm.stop()
        judged = self.judge(storm)
        self.assertLess(took, 7)
        self.note(f"one direction cut: given up by both after {took:.1f} s, linked again after {healed:.1f} s: {judged}")

    @fault("N3")
    @long_only
    def test_n3_two_that_see_only_the_third(self):
        cluster = self.cluster(network=True)
        a, b, c = cluster
        storm = ClusterStorm(self, cluster, LEVELS, wanderers=2, pause=0.02).begin()
        cluster.network.cut("a", "b")
        eventually(lambda: "b" not in a.linked() and "a" not in b.linked(), 8, "cut")
        delays = []
        for i in range(10):
            answer = a.post("/topics/probe/a?ack=fsync", f"{i}")
            begin = time.monotonic()
            eventually(lambda: len(b.page("/topics/probe/a")["events"]) == i + 1, 10, "b has it from c")
            delays.append(time.monotonic() - begin)
            self.assertEqual(answer.status, 201)
        storm.wait(20, *cluster)
        self.heal(cluster)
        storm.stop()
        self.note(f"records take the way through the third node: {max(delays) * 1000:.0f} ms at most; {self.judge(storm)}")

    @fault("N22")
    def test_n22_members_change_in_a_split(self):
        cluster = self.cluster(network=True)
        a, b, c = cluster
        members = {x.name: '{"name":"%s","address":"%s:%d"}' % (x.name, *cluster.addresses[x.name]) for x in cluster}
        accepted = []

        def publish(node, level):
            answer = node.post(f"/topics/probe/n22?ack={level}", f"{node.name}{len(accepted)}", timeout=10)
            self.assertEqual(answer.status, 201, answer)
            accepted.append(f"{node.name}{len(accepted)}")

        for node in cluster:
            publish(node, "quorum")
        cluster.network.split(["c"], ["a", "b"])
        eventually(lambda: not c.linked() and a.linked() == {"b"}, 8, "both sides have noticed")
        for node in cluster:
            self.assert_problem(node.request("DELETE", "/cluster/members/c"), 409, "members_missing")
            self.assert_problem(node.post("/cluster/members", '{"name":"d","address":"10.0.0.4:7400"}'), 409, "members_missing")
            self.assertEqual(node.view()["members_version"], 0)
            publish(node, "fsync")
        done = a.request("DELETE", "/cluster/members/c?force=true")
        self.assertEqual((done.status, done.json["version"]), (200, 1), done)
        eventually(lambda: b.view()["members_version"] == 1)
        publish(b, "quorum")  # two of two
        self.assert_problem(c.post("/topics/probe/n22?ack=quorum", "0"), 503, "quorum_unavailable")
        publish(c, "fsync")
        cluster.network.heal()
        eventually(lambda: any("not_a_member" in x.get("trouble", "") for x in c.view()["members"]), 20, "c is turned away")
        # It comes back with its disk, and with what it took alone.
        self.assertEqual(b.post("/cluster/members", members["c"], {"Content-Type": "application/json"}).status, 200)
        cluster.wait_linked()
        cluster.wait_equal(CONVERGED)
        for node in cluster:
            eventually(lambda: node.view()["members_version"] == 2, 10, node.name)
            self.assertEqual(sorted(x["data"] for x in node.log_events("/topics/probe/n22")), sorted(accepted), node.name)
        cluster.check_equal()
        self.tried = self.held = 1
        self.note(f"refused on both sides; by force the majority went on alone, and {len(accepted)} events of both sides are on all nodes after the return")

    @fault("N4")
    @long_only
    def test_n4_links_that_come_and_go(self):
        cluster = self.cluster(network=True)
        before = self.resources(cluster)
        storm = ClusterStorm(self, cluster, LEVELS, wanderers=2, pause=0.02).begin()
        storm.wait(20, *cluster)
        end, changes, worst = time.monotonic() + settings.pick(120, 5, 600), 0, 0.0
        pairs = list(itertools.combinations("abc", 2))
        while time.monotonic() < end:
            order = self.random.sample(pairs, 3)
            for pair in order:
                cluster.network.cut(*pair)
                changes += self.linger(settings.pick(3, 1))
            for pair in self.random.sample(pairs, 3):
                cluster.network.mend(*pair)
                changes += self.linger(settings.pick(3, 1))
            runner.going_on()
        worst = self.heal(cluster)
        storm.wait(20, *cluster)
        storm.stop()
        judged = self.judge(storm)
        self.check_resources(cluster, before)
        self.note(f"{changes} cuts and repairs of links, linked {worst:.1f} s after the last: {judged}")

    def linger(self, most):
        """The pause is the point."""
        threading.Event().wait(self.random.uniform(0, most))
        return 1

    @fault("N20")
    @long_only
    def test_n20_dismissed_on_one_side(self):
        cluster = self.cluster(network=True, options={"topics.level": "fsync"})
        a, b, c = cluster
        ids = [Mailbox(a, "u").send(title=str(i))["id"] for i in range(3)]
        eventually(lambda: len(Mailbox(c, "u").ids()) == 3)
        cluster.network.split("ab", "c")
        eventually(lambda: not c.linked(), 8)
        self.assertEqual(Mailbox(a, "u").change("dismiss", {"ids": ids[:1]})["changed"], ids[:1])
        tab = Tab(Mailbox(c, "u"))
        tab.open()
        self.addCleanup(tab.close)
        self.assertEqual(set(tab.states()), set(ids), "the other side cannot know yet")
        self.assertEqual(Mailbox(c, "u").change("read", {"ids": ids[:2]})["changed"], ids[:2])
        new = Mailbox(c, "u").send(title="new")["id"]
        self.heal(cluster)
        cluster.check_equal(CONVERGED)
        want = {ids[1]: "read", ids[2]: "unread", new: "unread"}
        for node in cluster:
            self.assertEqual({x["id"]: x["state"] for x in Mailbox(node, "u").items()}, want, node.name)
        self.assertNotIn(ids[0], Mailbox(c, "u").ids())
        for node in cluster:
            node.kill()
            cluster.start(node)
            self.assertEqual({x["id"]: x["state"] for x in Mailbox(node, "u").items()}, want, node.name)
        self.note("dismissed on one side, read on the other: gone everywhere, also after restarts")

    def repeat(self, node, key, data):
        answer = node.post("/topics/t?ack=fsync", data, {"Idempotency-Key": key})
        return answer.status, answer.json.get("id"), answer.json.get("duplicate", False)

    @fault("N19")
    def test_n19_one_key_on_both_sides(self):
        """As docs/cluster.md says: stored twice. But each node goes on with the answer that it gave."""
        cluster = self.cluster(network=True)
        a, b, c = cluster
        status, old, _ = self.repeat(a, "old", "old")
        self.assertEqual(status, 201)
        cluster.wait_equal()
        cluster.network.split("ab", "c")
        eventually(lambda: not c.linked() and "c" not in a.linked() | b.linked(), 12, "both sides have noticed")
        for node in cluster:
            self.assertEqual(self.repeat(node, "old", "old"), (200, old, True), f"{node.name}: known before the split")
        answers = {node.name: self.repeat(node, "k", "x") for node in (a, c)}
        self.assertEqual([status for status, _, _ in answers.values()], [201, 201])
        one, two = [identity for _, identity, _ in answers.values()]
        self.assertNotEqual(one, two)
        eventually(lambda: b.head() == a.head(), 10, "b has what a took")
        given = {a: one, b: one, c: two}
        self.heal(cluster)
        for again in range(2):
            cluster.check_equal(CONVERGED)
            for node in cluster:
                self.assertEqual(self.repeat(node, "old", "old"), (200, old, True), node.name)
                self.assertEqual(self.repeat(node, "k", "x"), (200, given[node], True), node.name)
                other = node.post("/topics/t?ack=fsync", "y", {"Idempotency-Key": "k"})
                self.assert_problem(other, 409, "idempotency_conflict")
                with node.stream("/topics/t?since=earliest") as stream:
                    self.assertEqual(sorted(x.data for x in stream.events(3)), ["old", "x", "x"])
                    self.assertTrue(stream.silent(0.1))
                self.assertEqual({x["id"] for x in node.log_events("/topics/t")}, {old, one, two}, node.name)
            if not again:
                for node in cluster:
                    node.kill()
                    cluster.start(node)
        self.note("one key on both sides of a split: two events on all nodes, each node repeats its own answer, "
                  "also after a kill; "
                  "a key from before the split is known on both sides")

    @fault("N11")
    def test_n11_a_node_dies_with_what_only_it_has(self):
        cluster = self.cluster(network=True)
        wanted, away = [], settings.pick(10, 1)
        for round_ in self.rounds(6, 1):
            alone, *rest = self.random.sample(cluster.nodes, 3)

            def publish(node, level, count):
                for i in range(count):
                    data = f"{round_} {node.name} {level} {len(wanted)}"
                    answer = node.post(f"/topics/t?ack={level}", data, timeout=10)
                    self.assertEqual((answer.status, answer.json["level"]), (201, level), answer)
                    wanted.append(data)

            for node in cluster:
                publish(node, "quorum", 3)
            safe = list(wanted)
            # From here on what it says goes nowhere, whether somebody has noticed or not.
            cluster.network.split([alone.name], [x.name for x in rest])
            publish(alone, "fsync", 10)
            lonely = set(wanted) - set(safe)
            alone.kill()
            down = time.monotonic()
            eventually(lambda: all(alone.name not in x.linked() for x in rest), 12, "the others have noticed")
            while time.monotonic() - down < away:
                for node in rest:
                    publish(node, "quorum", 1)
                self.linger(0.2)
            here = {x: {y["data"] for y in x.log_events("/topics/t")} for x in rest}
            for node, data in here.items():
                self.assertEqual(sorted(set(safe) - data), [], f"{node.name} lacks some of quorum")
                self.assertEqual(sorted(lonely & data)[:5], [], "it was not cut off")
            cluster.network.heal()
            cluster.start(alone)
            cluster.check_equal(CONVERGED)
            for node in cluster:
                self.assertEqual(sorted(x["data"] for x in node.log_events("/topics/t")), sorted(wanted), node.name)
        self.note(f"{self.tried} nodes cut off and killed with 10 events that nobody else had, back after {away} s "
                  "or more: "
                  f"all {len(wanted)} are on all nodes, those at quorum all the time")

    @fault("N18")
    def test_n18_strict_topics_in_a_split(self):
        """Who cannot reach the member that takes a topic's publishes refuses them, on either side."""
        cluster = self.cluster(network=True, config='[[topic]]\npattern = "strict:*"\norder = "strict"\n')
        names = {place_of(x.post("/topics/probe/mine?ack=fsync", "0").json["id"])[0]: x for x in cluster}
        topics = [f"strict:{i}" for i in range(12)]
        accepted = {x: [] for x in topics}
        statuses = collections.Counter()

        def publish(node, topic, reachable=cluster.nodes):
            data = f"{node.name}{sum(statuses.values())}"
            answer = node.post(f"/topics/{topic}?ack=fsync", data, timeout=10)
            if owners.get(topic, node) in reachable:
                self.assertEqual(answer.status, 201, f"{node.name} {topic}: {answer!r}")
                accepted[topic].append(data)
            else:
                self.assert_problem(answer, 503, "owner_unreachable")
            statuses[answer.status] += 1
            return answer

        owners = {}
        owners = {x: names[place_of(publish(cluster["a"], x).json["id"])[0]] for x in topics}
        self.assertGreater(len(set(owners.values())), 1, "one member owns all")
        for alone in self.random.sample(cluster.nodes, settings.pick(3, 1)):
            rest = [x for x in cluster if x is not alone]
            cluster.network.split([alone.name], [x.name for x in rest])
            eventually(lambda: not alone.linked() and all(alone.name not in x.linked() for x in rest), 12,
                       "both sides have noticed")
            for side in ([alone], rest):
                for node in side:
                    for topic in topics:
                        publish(node, topic, side)
                    self.assertEqual(node.post("/topics/available?ack=fsync", "0").status, 201)
            self.heal(cluster)
        for node in cluster:
            for topic in topics:
                publish(node, topic)
        cluster.check_equal(CONVERGED)
        for node, topic in itertools.product(cluster, topics):
            events = node.log_events(f"/topics/{topic}")
            self.assertEqual([x["data"] for x in events], accepted[topic], f"{topic} on {node.name}")
            self.assertEqual({names[place_of(x["id"])[0]] for x in events}, {owners[topic]})
        self.note(f"{settings.pick(3, 1)} of 3 nodes split off in turn: {statuses[201]} publishes to strict topics "
                  f"taken, {statuses[503]} refused where the owner was out of "
                  "reach; one order on all nodes, that of the answers")


class Processes(ClusterFault):
    @fault("N13")
    def test_n13_two_of_three_killed_and_back_in_every_order(self):
        cluster = self.cluster(options={"topics.level": "none", "cluster.join-timeout": "300ms"})
        storm = ClusterStorm(self, cluster, ("quorum", "fsync", "written"), wanderers=1, pause=0.01)
        orders = list(itertools.permutations("abc"))
        itself = lambda node: [x for x in node.view()["members"] if x["self"]]
        incarnation = lambda node: eventually(lambda: itself(node))[0]["incarnation"]
        incarnations = {x: incarnation(x) for x in cluster}
        for turn in self.rounds(12, 3):
            first, second, third = [cluster[x] for x in orders[turn % 6 if not settings.quick else self.random.randrange(6)]]
            storm.begin()
            storm.wait(20, *cluster)
            first.kill()
            second.kill()
            self.refuses(third)
            storm.stop()
            for node in self.random.sample([first, second], 2):
                node.start()
            cluster.wait_linked()
            cluster.wait_equal(CONVERGED)
            for node in cluster:
                mine = incarnation(node)
                if node is third:
                    self.assertEqual(mine, incarnations[node], "it has not been restarted")
                else:
                    self.assertGreater(mine, incarnations[node])
                incarnations[node] = mine
        self.note(f"{self.tried} times 2 of 3 killed: {storm.close(but=('probe/',))}")

    def refuses(self, node):
        """The last one takes what it can promise, and no more."""
        eventually(lambda: node.post("/topics/probe/quorum?ack=quorum", "0").status == 503, 10, "refused without a majority")
        answer = node.post("/topics/probe/fsync?ack=fsync", "0")
        self.assertEqual((answer.status, answer.json["level"], answer.json["nodes"]), (201, "fsync", 1))

    @fault("N14")
    def test_n14_a_rolling_restart_under_load(self):
        cluster = self.cluster(options={"topics.level": "none"})
        before = self.resources(cluster)
        storm = ClusterStorm(self, cluster, LEVELS, wanderers=3, pause=0.01).begin()
        slowest = 0.0
        for _ in self.rounds(20, 1):
            for node in list(cluster):
                storm.wait(20, *cluster)
                begin = time.monotonic()
                self.assertEqual(node.stop(), 0)
                slowest = max(slowest, time.monotonic() - begin)
                storm.wait(20, *[x for x in cluster if x is not node])
                cluster.start(node)
        storm.wait(20, *cluster)
        storm.stop()
        judged = storm.close()
        self.assertEqual([x.gaps for x in storm.wanderers], [[]] * 3)
        self.check_resources(cluster, before)
        self.note(f"{self.tried} rounds of restarts, each ended within {slowest:.2f} s; {storm.refused} refused, {storm.unknown} unknown; {judged}")

    @fault("N15", "N16")
    def test_n15_a_member_stands_still_under_full_load(self):
        """Longer than its links are kept: what it still has to say when it goes on comes from the dead."""
        small = {"storage.write-buffer-bytes": "2MiB", "storage.cache-bytes": "2MiB", "stream.recent-bytes": "2MiB"}
        cluster = self.cluster(options=small)
        a, b, c = cluster
        stop, rates = threading.Event(), []
        self.addCleanup(stop.set)
        storm = ClusterStorm(self, cluster, LEVELS, publishers=1, pause=0.02).begin(c)  # some of c is under way when it stops
        storm.wait(10)
        counts, bytes_sent = {a: [], b: []}, [0]

        def load(node):
            """Large ones, so that a queue of them would show."""
            number = 0
            try:
                with node.connect() as link:
                    while not stop.is_set():
                        begin = time.monotonic()
                        answer = link.request("POST", f"/topics/probe/{node.name}?ack=quorum", body=f"{number}\n" + "x" * 20000)
                        if answer.status != 201:
                            raise AssertionError(f"{answer!r}")
                        counts[node].append((begin, time.monotonic() - begin))
                        bytes_sent[0] += 20000
                        number += 1
            except BaseException as failure:
                rates.append(failure)

        threads = [threading.Thread(target=load, args=(x,), daemon=True) for x in (a, b)]
        for thread in threads:
            thread.start()
        warm = settings.pick(400, 150)
        eventually(lambda: min(map(len, counts.values())) >= warm or rates, 60, "warm")
        base = [x.memory("RssAnon") for x in (a, b)]
        c.pause()
        paused, sent = time.monotonic(), bytes_sent[0]
        highest = list(base)
        end = paused + settings.pick(60, 7, 300)
        backlog = settings.pick(100, 24, 500) << 20
        while time.monotonic() < end or (bytes_sent[0] - sent < backlog and time.monotonic() < end + 60):
            highest = [max(x, node.memory("RssAnon")) for x, node in zip(highest, (a, b))]
            if rates:
                raise rates[0]
            stop.wait(0.1)
        self.assertGreaterEqual(bytes_sent[0] - sent, backlog, "too little was published to fill anything")
        self.assertTrue(all("link lost member=c reason=silent" in x.log_since_start() for x in (a, b)))
        resumed = time.monotonic()
        c.go_on()
        stop.set()
        for thread in threads:
            thread.join(20)
        cluster.wait_linked()
        cluster.wait_equal(300)
        caught_up = time.monotonic() - resumed
        storm.wait(5)
        storm.stop()
        if rates:
            raise rates[0]
        median = lambda xs: sorted(xs)[len(xs) // 2]
        before = median([d for x in counts.values() for t, d in x if t < paused])
        during = median([d for x in counts.values() for t, d in x if paused <= t < resumed])
        grown = max(h - b for h, b in zip(highest, base)) / 2**20
        judged = storm.close(but=("probe/",))
        self.assertLess(grown, 16)
        self.assertLess(during, before * 1.5 + 0.005)
        self.note(f"one of three stood still for {resumed - paused:.0f} s while {(bytes_sent[0] - sent) >> 20} MiB were published: others {grown:+.1f} MiB, "
                  f"median answer {before * 1000:.1f} ms before, {during * 1000:.1f} ms during; caught up after {caught_up:.1f} s; {judged}")

    def damage(self, node):
        """Of a node that does not run. Returns what was done to which of its files."""
        files = [x for x in sorted(os.listdir(node.data_dir)) if x.endswith((".sst", ".log"))]
        path = os.path.join(node.data_dir, self.random.choice(files))
        size, way = os.path.getsize(path), self.random.choice(("flipped", "flipped", "cut", "deleted"))
        if way == "deleted":
            os.remove(path)
        elif way == "cut":
            os.truncate(path, size // 2)
        elif size:
            with open(path, "r+b") as file:
                at = self.random.randrange(size)
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ 1 << self.random.randrange(8)]))
        return f"{os.path.splitext(path)[1]} {way}"

    def check_told(self, node, other):
        """What a damaged node tells is what others tell of it, or an error."""
        known = {x["id"]: x for x in other.log_events()}
        cursor, more = "earliest", True
        while more:
            answer = node.get(f"/events?since={cursor}&limit=200", {"Accept": "application/json"})
            if answer.status != 200:
                self.assert_problem(answer, 500, "storage_corrupt")
                return "told an error"
            for event in answer.json["events"]:
                like = known.get(event["id"], event)  # what is new may not be there yet
                self.assertEqual((event["data"], event["topics"]), (like["data"], like["topics"]), node.name)
            cursor, more = answer.json["next"], answer.json["more"]
        return "read well"

    @fault("N26", "S8")
    def test_n26_a_damaged_disk_in_a_cluster(self):
        cluster = self.cluster(options={"topics.level": "none", "storage.write-buffer-bytes": "1MiB"})
        storm = ClusterStorm(self, cluster, LEVELS, pause=0.01)
        outcomes = collections.Counter()
        # More than the newest entries, which each start reads: damage to the others shows when they are asked for.
        for node in cluster:
            events = [{"topic": f"fill/{i % 50}", "data": self.random.randbytes(300).hex(), "ack": "fsync"} for i in range(2000)]
            lines = "".join(json.dumps(x) + "\n" for x in events)
            answers = node.post("/events", lines, {"Content-Type": "application/x-ndjson"}, timeout=60).lines
            self.assertEqual({x.get("level") for x in answers}, {"fsync"})
        for _ in self.rounds(8, 2):
            victim, *rest = self.random.sample(cluster.nodes, 3)
            storm.begin()
            storm.wait(30, *cluster)
            storm.stop()
            # A start moves the log's entries to table files; a kill leaves something in the log.
            self.assertEqual(victim.stop(), 0)
            cluster.start(victim)
            storm.begin()
            storm.wait(10, *cluster)
            storm.stop()
            victim.kill()
            done = self.damage(victim)
            storm.begin(*rest)
            storm.wait(10, *rest)
            victim.start(wait=False)
            eventually(lambda: not victim.running or victim.is_ready(), 30, "started, or refused")
            if victim.running:
                eventually(lambda: not victim.running or len(victim.linked()) == 2, 20, "linked")
            if victim.running:
                outcome = self.check_told(victim, rest[0])
                victim.kill()
            else:
                self.assertGreater(victim.process.returncode, 0, victim.log_tail())
                outcome = "refused"
            outcomes[f"{done}: {outcome}"] += 1
            storm.wait(10, *rest)
            for node in rest:
                self.assertEqual(node.view()["alarms"], [], f"{node.name}: {done}")
            # As the operator is told: without its disk it is filled by the others.
            shutil.rmtree(victim.data_dir)
            cluster.start(victim)
            storm.stop()
            cluster.check_equal(CONVERGED)
        # At fsync the last ones before the kill were on the disk of the victim alone.
        judged = storm.close(survives=("quorum",), but=("fill/",))
        self.note(f"{self.tried} damaged files of one of three: {dict(outcomes)}; others unharmed, equal again "
                  f"after a wipe: {judged}")


class Frames(ClusterFault):
    """Members that dial each other through relays, which know where a frame ends."""

    MOODS = {"delay": 100, "cut": 5, "double": 15, "swap": 15}  # and to how many frames it has to happen

    def relayed(self):
        cluster = self.cluster(start=False)
        relays = {x.name: Relay(self, x.cluster_address, settings.randomness(f"{self.id()}/{x.name}")) for x in cluster}
        for node in cluster:
            node.options["cluster.members"] = ",".join("%s=%s:%d" % (x, *y.address) for x, y in relays.items())
            node.options["cluster.listen"] = "%s:%d" % node.cluster_address
        return cluster.start(), list(relays.values())

    def set(self, relays, mood):
        for relay in relays:
            relay.mood = mood

    @fault("N7", "N9", "N10")
    def test_n7_frames_late_cut_off_twice_and_in_another_order(self):
        cluster, relays = self.relayed()
        storm = ClusterStorm(self, cluster, LEVELS, wanderers=2, pause=0.01)
        done = lambda mood: sum(x.done[mood] for x in relays)
        slowest = {}
        for _ in self.rounds(6, 1):
            for mood, count in self.MOODS.items():
                before = done(mood)
                self.set(relays, mood)
                storm.begin()
                eventually(lambda: done(mood) >= before + count, 60,
                           lambda: f"{mood}: {done(mood) - before} of {count} frames")
                storm.wait(5, *cluster)
                storm.stop()
                if mood == "delay":
                    # Two ways of 10 ms each, at least: else the relays are not between them.
                    took = [self.quorum_seconds(x) for x in cluster]
                    self.assertGreater(min(took), 0.02)
                    slowest[mood] = max(took)
                self.set(relays, None)
                cluster.wait_linked(CONVERGED)
                cluster.check_equal(CONVERGED)
        self.assertIn("link lost", "".join(x.log_since_start() for x in cluster))
        judged = storm.close(but=("probe/",))
        self.note(f"frames {', '.join(f'{done(x)} {x}' for x in self.MOODS)}; quorum after "
                  f"{max(slowest.values()):.2f} s at most with delays of "
                  f"10 to 500 ms: {judged}")

    def quorum_seconds(self, node):
        begin = time.monotonic()
        self.assertTrue(self.accepts(node, "quorum"))
        return time.monotonic() - begin


class Clocks(ClusterFault):
    HOUR = 3600
    EACH = 10

    def setUp(self):
        super().setUp()
        if settings.sanitizer:
            self.skipTest("libfaketime is called before a sanitizer is ready, and both wait for each other")

    def publish(self, cluster, when):
        """From all nodes, for half an hour. Returns what."""
        for node in cluster:
            for i in range(self.EACH):
                answer = node.post("/topics/t?ttl=30m", f"{node.name} {when} {i}")
                self.assertEqual((answer.status, answer.json["level"]), (201, "quorum"), answer)
        return {f"{node.name} {when} {i}" for node in cluster for i in range(self.EACH)}

    def check_shown(self, node, wanted):
        """Each once, and those of each node in the order in which they were published."""
        data = [x["data"] for x in node.log_events("/topics/t")]
        self.assertEqual(sorted(data), sorted(wanted), node.name)
        self.check_orders(data)

    def check_orders(self, data):
        whens = ("before", "during", "after")
        for of in "abc":
            own = [(whens.index(when), int(i)) for name, when, i in map(str.split, data) if name == of]
            self.assertEqual(own, sorted(own), of)

    def set(self, clocks, hours):
        for node, clock in clocks.items():
            clock.set(hours.get(node.name, 0) * self.HOUR)
            clock.wait(node)

    @fault("N23")
    def test_n23_clocks_that_differ(self):
        """A node hides by its own clock, and agrees on everything else. What is hidden is there when clocks are right again."""
        cluster = self.cluster(start=False, options={"topics.level": "quorum", "storage.compaction-interval": "1s",
                                                     "storage.gap-memory": "1s", "storage.write-buffer-bytes": "1MiB"})
        clocks = {x: Clock() for x in cluster}
        for node, clock in clocks.items():
            node.env = clock.env
        cluster.start()
        a, b, c = cluster
        before = self.publish(cluster, "before")
        # Something that really expires: where it is gone, compactions have been at work.
        mark = self.random.randbytes(16).hex()
        for _ in range(50):
            self.assertEqual(a.post("/topics/short?ttl=1s", mark).status, 201)
        cluster.wait_equal()
        streams = [x.stream("/topics/t") for x in cluster]
        for stream in streams:
            self.addCleanup(stream.close)
            stream.ready()
        self.set(clocks, {"b": 1, "c": -1})
        during = self.publish(cluster, "during")
        # By b's clock only its own events have not expired.
        shown = {a: before | during, b: {x for x in during if x[0] == "b"}, c: before | during}
        for node, stream in zip(cluster, streams):
            data = [x.data for x in stream.events(len(shown[node] & during))]
            self.assertEqual(set(data), shown[node] & during, node.name)
            self.check_orders(data)
            stream.close()
        self.assertNotIn("link lost", "".join(x.log_since_start() for x in cluster))
        cluster.wait_equal()
        for node in (b, c):
            self.check_shown(node, shown[node])
            self.assertEqual(node.stop(), 0)
            cluster.start(node)
        for node in cluster:
            self.check_shown(node, shown[node])
        eventually(lambda: not on_disk(b, mark), 30, "compactions have run where the clock is ahead")
        self.set(clocks, {})
        after = self.publish(cluster, "after")
        cluster.check_equal(CONVERGED)
        for node in cluster:
            self.check_shown(node, before | during | after)
            self.assertEqual(node.stop(), 0)
            cluster.start(node)
        cluster.check_equal(CONVERGED)
        for node in cluster:
            self.check_shown(node, before | during | after)
        self.note(f"one clock an hour ahead, one an hour back, with restarts and compactions: "
                  f"{len(before | during | after)} events of 30 min, all on all "
                  "three nodes when the clocks are right again; meanwhile hidden only where they have expired")


class Recorder(threading.Thread):
    """Stands between two members and writes down what the one who dials says."""

    def __init__(self, test, to):
        super().__init__(daemon=True)
        self.to, self.said = to, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        test.addCleanup(self.listener.close)

    def run(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection(self.to)
            except OSError:
                if self.listener.fileno() < 0:
                    return
                continue  # who was dialled is not there
            said = bytearray()
            self.said.append(said)
            for x, y, note in ((near, far, said), (far, near, None)):
                threading.Thread(target=self.pump, args=(x, y, note), daemon=True).start()

    @staticmethod
    def pump(one, other, note):
        def send(data):
            if note is not None and len(note) < 1 << 16:
                note.extend(data)
            other.sendall(data)

        pass_on(one, other, send)


class Strangers(ClusterFault):
    def closed(self, links, begin, what):
        """All within three seconds, and a tick of the clock. Returns the slowest."""
        slowest = 0.0
        for link in links:
            link.settimeout(max(begin + 5 - time.monotonic(), 0.01))
            try:
                while link.recv(65536):
                    pass
            except TimeoutError:
                raise AssertionError(f"still open after 5 s: {what}") from None
            except OSError:
                pass
            slowest = max(slowest, time.monotonic() - begin)
            link.close()
        self.assertLess(slowest, 4.2, what)
        return slowest

    def garbage(self, cluster, replay=None):
        """What strangers say at once, and how long they are suffered."""
        noise = self.random.randbytes
        head = b"Td\x01"
        said = {"noise": noise(5000), "two gigabytes": head + b"\x01" + struct.pack(">I", 1 << 31) + noise(8),
                "a megabyte before the proof": head + b"\x01" + struct.pack(">I", 1 << 20) + noise(8), "a bad checksum": head + b"\x01" + struct.pack(">I", 20) + noise(28),
                "another version": b"Td\x07\x01" + struct.pack(">I", 0) + noise(8), "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "half a head": b"Td\x01\x01",
                "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise(500), "nothing": b""}
        if replay:
            said["a handshake again"] = replay
        begin, links = time.monotonic(), []
        for node, text in itertools.product(cluster, said.values()):
            link = socket.create_connection(node.cluster_address)
            self.addCleanup(link.close)
            try:
                link.sendall(text)
            except OSError:
                pass
            links.append(link)
        return len(said), self.closed(links, begin, f"one of {', '.join(said)}")

    def flood(self, cluster, count):
        """Connections without a word, while members go on. Returns bytes of memory for each."""
        victim = cluster.nodes[0]
        base, begin, links = victim.memory("RssAnon"), time.monotonic(), []
        for i in range(count):
            link = socket.socket()
            link.bind((f"127.0.1.{i % 250 + 1}", 0))
            try:
                link.connect(victim.cluster_address)
            except OSError:
                link.close()
                continue
            links.append(link)
        self.assertGreater(len(links), count * 0.9)
        self.assertTrue(self.accepts(victim, "quorum"))
        grown = max(victim.memory("RssAnon") - base, 0)
        self.closed(links, max(begin, time.monotonic() - 1), "one of many that say nothing")
        self.assertLess(grown, count * (64 << 10))
        return grown / count

    @fault("N17")
    def test_n17_strangers_at_the_cluster_port(self):
        count = settings.pick(5000, 1000)
        count = min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2)
        told = []
        for tls in (False, True):
            cluster = Cluster(self, tls=tls)
            # b is dialled through somebody who listens.
            recorder = Recorder(self, cluster.addresses["b"])
            recorder.start()
            by_way = cluster.members.replace("b=%s:%d" % cluster.addresses["b"], "b=%s:%d" % recorder.address)
            for node in cluster:
                node.options["cluster.members"] = by_way
                node.options["cluster.listen"] = "%s:%d" % node.cluster_address
            # b itself must not dial, lest it wins over those who dial it.
            cluster.start(cluster["b"])
            cluster.start()
            before = self.resources(cluster)
            replays = [bytes(x) for x in recorder.said if len(x) > 100]
            kinds, slowest = self.garbage(cluster, replays[0] if replays else None)
            self.assertTrue(replays or tls, "nobody dialled b, so there is nothing to say again")
            each = self.flood(cluster, count)
            for node in cluster:
                self.assertEqual(len(node.linked()), 2, "members are still linked")
                self.assertNotIn("link lost", node.log_since_start())
                self.assertTrue(self.accepts(node, "quorum"))
                lines = node.log_since_start().count("turned away")
                self.assertLess(lines, 30, "strangers fill the log")
            self.check_resources(cluster, before)
            cluster.check_equal()
            told.append(f"{'TLS' if tls else 'plain'}: {kinds} kinds of garbage closed after {slowest:.1f} s at most, {len(replays)} replays, "
                        f"{count} silent connections of {each / 1024:.1f} KiB")
            for node in cluster:
                node.kill()
        self.note("; ".join(told))


@needs_root
class Power(ClusterFault):
    def cut(self, cluster, disks):
        """All at once. They stand still before: a sync under way must not return success."""
        for node in cluster:
            node.signal(signal.SIGSTOP)
        for node in cluster:
            eventually(node._stands_still, 20)
        for node in cluster:
            disks[node.name].cut()
        for node in cluster:
            node.kill()
            disks[node.name].power_up()

    def powered(self):
        disks = {x: PowerDisk(self, 256) for x in "abc"}
        cluster = self.cluster(options={"topics.level": "none", "storage.write-buffer-bytes": "4MiB"}, data_dirs={x: disks[x].folder() for x in "abc"})
        return cluster, disks

    @fault("N25")
    def test_n25_all_lose_power_together(self):
        cluster, disks = self.powered()
        storm = ClusterStorm(self, cluster, ("quorum", "fsync", "written"))
        started = []
        for _ in self.rounds(10, 2):
            storm.begin()
            storm.wait(self.random.randint(20, 200))
            self.cut(cluster, disks)
            storm.stop()
            begin = time.monotonic()
            cluster.start()
            started.append(time.monotonic() - begin)
            cluster.wait_equal(CONVERGED)
        judged = storm.close(survives=("fsync", "quorum"))
        self.note(f"{self.tried} times power cut on three nodes at once, all linked again after {max(started):.1f} s at most: {judged}")
