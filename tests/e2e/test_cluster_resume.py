"""Many streams that move between the nodes of a cluster while nodes are killed: each gets everything, once, and each node's events in order."""

import threading
import time

from checker import check_history
from support import settings
from support.case import OwnBrokerTest, fault
from support.cluster import Cluster
from support.crowd import Crowd, Member
from support.position import is_behind, place_of
from support.traffic import Item, Publisher, split_into_jobs
from support.waiting import eventually

TOPICS = 10


class Traveller(Member):
    """`received`: numbers."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.later = 0.0  # when it may connect again
        self.last = None

    def deliver(self, item):
        self.received.append(int(item.data))
        if len(self.received) % 16 == 0:
            if self.last and is_behind(self.last, item.id):
                raise AssertionError(f"stream {self.index}: the id went back from {self.last} to {item.id}")
            self.last = item.id


class Travellers(Crowd):
    kind = Traveller

    def __init__(self, test, nodes):
        super().__init__(test, None)
        self.nodes, self.random = nodes, test.random
        self.moves = 0

    def address_for(self, _member):
        return self.random.choice(self.nodes).address

    def _end(self, member):
        super()._end(member)
        member.later = time.monotonic() + self.random.uniform(0, 0.2)

    def move(self, count):
        """Some leave; all that have left come back after a moment, to any node."""
        for member in self.random.sample(self.members, count):
            if member.open and member.position:
                self._end(member)
                self.moves += 1
        now = time.monotonic()
        for member in self.members:
            if not member.open and member.later <= now:
                member.begin(self.address_for(member))
                self.selector.register(member.socket, 2, member)  # until it can be written


class ClusterResume(OwnBrokerTest):
    @fault("N21")
    def test_streams_move_while_nodes_are_killed(self):
        # The long form takes minutes: TIDINGS_LONG=1 tests/e2e/run.py --only test_cluster_resume
        count, total = settings.pick((60, 3000), (60, 3000), (300, 100_000))
        cluster = Cluster(self).start()
        crowd = Travellers(self, cluster.nodes)
        wanted = []
        for i in range(count):
            # Some want everything, the others a tenth to a third.
            topics = list(range(TOPICS)) if i % 20 == 0 else sorted(self.random.sample(range(TOPICS), self.random.randint(1, 3)))
            wanted.append(set(topics))
            crowd.add(1, f"/events?since=earliest&topics={','.join(f'*/{x}' for x in topics)}")
        publishers = []
        for i, node in enumerate(cluster):
            items = [Item(n, [f"{node.name}/{n % TOPICS}"]) for n in range(i, total, 3)]
            pause = None if count > 100 else (lambda: time.sleep(0.005))
            publishers.append(Publisher(node.address, split_into_jobs(items, self.random), f"p{i}", pause))
        done, kills, failures = threading.Event(), [], []
        killer = threading.Thread(target=self.keep_killing, args=(cluster, done, kills, failures), daemon=True)
        self.addCleanup(killer.join, 30)
        self.addCleanup(done.set)
        for x in [*publishers, killer]:
            x.start()
        working = lambda: any(x.is_alive() for x in publishers)
        while working():
            crowd.move(self.random.randint(0, max(count // 20, 1)))
            crowd.turn(0.02)
        done.set()
        killer.join(60)
        self.assertEqual((failures, [x.failure for x in publishers]), ([], [None] * 3))
        self.assertGreaterEqual(len(kills), 2, "nobody was killed")
        cluster.wait_linked()
        records = cluster.check_equal(60)
        for publisher in publishers:
            self.assertEqual(len({place_of(x)[0] for x in publisher.acknowledged.values()}), 1)
        orders = {x: [int(data) for _, data in rows] for x, rows in records.items()}
        self.assertEqual(sorted(n for x in orders.values() for n in x), list(range(total)), "each event is stored once")
        expected = [sum(n % TOPICS in x for n in range(total)) for x in wanted]

        def all_there():
            crowd.move(0)
            return all(len(x.received) >= n for x, n in zip(crowd.members, expected))

        deadline = time.monotonic() + 60
        while not all_there() and time.monotonic() < deadline:
            crowd.turn(0.1)
        checked = 0
        for member, topics in zip(crowd.members, wanted):
            self.assertEqual([x for x in member.control if x[0] == "tidings.gap"], [])
            for order in orders.values():
                own = set(order)
                verdict = check_history([n for n in order if n % TOPICS in topics], [n for n in member.received if n in own])
                self.assertTrue(verdict.good, f"stream {member.index}: {verdict}")
                checked += verdict.checked
        self.assertEqual(checked, sum(expected))
        self.note(f"{count} streams, {crowd.moves} moves, {len(kills)} kills of 3 nodes, {total} events: {checked} deliveries, "
                  f"0 lost, 0 doubled, 0 out of their node's order")

    def keep_killing(self, cluster, done, kills, failures):
        """One at a time, so that a majority is there."""
        try:
            while not done.wait(self.random.uniform(0.1, 1.0)):
                node = self.random.choice(cluster.nodes)
                node.kill()
                kills.append(node.name)
                done.wait(self.random.uniform(0, 0.5))
                node.start()
                eventually(lambda: len(node.linked()) == 2, 20, f"{node.name} is linked")
        except BaseException as failure:
            failures.append(failure)
