"""What a node cannot have any more is told on its streams, as by those that once had it."""

from support.waiting import eventually
from test_cluster import ClusterTest


class Gaps(ClusterTest):
    def told(self, node, position):
        """What who comes back to this node is told: on a stream, and the same on a page."""
        stream = self.stream_of(node, headers={"Last-Event-ID": position})
        recovered, gap = stream.ready()["recovered"], self.page_of(node, position).get("gap")
        if recovered is not True:
            self.assertEqual(stream.control("tidings.gap"), gap, node.name)
        return recovered, gap and gap["reason"], stream.event().data

    def page_of(self, node, since):
        return node.page(f"/topics/{self.topic}?since={since}")

    def away(self, nodes, change):
        """A node is away while something happens; where who had seen the first event stands."""
        a, b, c = nodes
        self.publish(a, "first")
        nodes.wait_equal()
        position = self.read(self.stream_of(c, "?since=earliest"), 1)[0].id
        c.stop()
        change(a)
        nodes.start(c)
        nodes.check_equal()
        return position

    def test_events_that_were_evicted_meanwhile(self):
        nodes = self.cluster(config='[[topic]]\npattern = "*"\nkeep = 5\n')
        position = self.away(nodes, lambda a: [self.publish(a, str(i)) for i in range(20)])
        for node in nodes:
            self.assertEqual(self.told(node, position), (False, "evicted", "15"), node.name)

    def test_events_that_expired_meanwhile(self):
        nodes = self.cluster(options={"storage.compaction-interval": "1s"})

        def change(a):
            self.publish(a, "short", query="?ttl=1s")
            self.publish(a, "long")
            eventually(lambda: self.data(a) == ["first", "long"])

        position = self.away(nodes, change)
        for node in nodes:
            self.assertEqual(self.told(node, position), (False, "expired", "long"), node.name)

    def test_events_that_are_forgotten_meanwhile(self):
        nodes = self.cluster(options={"storage.compaction-interval": "1s", "storage.gap-memory": "1s"})

        def change(a):
            for i in range(50):
                self.publish(a, str(i), query="?ttl=1s")
            self.publish(a, "long")
            for node in nodes.running():
                eventually(lambda: self.records(node) == 2, 30, lambda: f"{node.name} has {self.records(node)} records")
                eventually(lambda: self.page_of(node, "earliest").get("gap") is None)

        position = self.away(nodes, change)
        for node in nodes:
            self.assertEqual((node.name, *self.told(node, position)), (node.name, False, "expired", "long"))

    def records(self, node):
        """What the store holds of the topic, expired or not."""
        return node.page(f"/topics?prefix={self.topic}")["topics"][0]["events"]

    def test_a_stream_that_is_open_is_told_too(self):
        nodes = self.cluster()
        a, b, c = nodes
        self.publish(a, "first")
        nodes.wait_equal()
        stream = self.stream_of(c, "?since=earliest")
        position = self.read(stream, 1)[0].id
        c.pause()
        self.publish(a, "short", query="?ttl=1s")
        eventually(lambda: self.data(a) == ["first"])
        c.go_on()
        nodes.wait_linked()
        self.publish(a, "long")
        gap = stream.control("tidings.gap")
        self.assertEqual((gap["reason"], gap["topics"]), ("expired", [self.topic]))
        self.assertEqual(self.read(stream, 1, position)[0].data, "long")

    def test_nothing_is_told_of_what_is_there(self):
        nodes = self.cluster()
        position = self.away(nodes, lambda a: self.publish(a, "second"))
        for node in nodes:
            self.assertEqual(self.told(node, position), (True, None, "second"), node.name)
