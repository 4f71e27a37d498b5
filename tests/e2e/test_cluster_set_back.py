"""Members whose disk is another one than they had: set back, set forward again, salvaged, or with a log that is cut short."""

import os
import shutil

from support.position import cursor_of
from support.waiting import eventually
from test_cluster import ClusterTest

ALONE_SOON = {"cluster.join-timeout": "1s"}


class SetBack(ClusterTest):
    """What a member has forgotten is given back; what it went on without is published again by who has it."""

    def copy_of_disk(self, node):
        """Of a node that does not run."""
        folder = os.path.join(self.folder_for_copies, f"{node.name}{len(os.listdir(self.folder_for_copies))}")
        shutil.copytree(node.data_dir, folder)
        return folder

    def set_disk(self, node, folder):
        shutil.rmtree(node.data_dir)
        shutil.copytree(folder, node.data_dir)

    def setUp(self):
        super().setUp()
        self.nodes = self.cluster(options=ALONE_SOON)
        self.a, self.b, self.c = self.nodes
        self.folder_for_copies = self.a.data_dir + "-copies"
        os.mkdir(self.folder_for_copies)
        self.addCleanup(shutil.rmtree, self.folder_for_copies)

    def restart(self, node, change=None):
        node.stop()
        if change:
            change()
        self.nodes.start(node)

    def kinds(self, node):
        return {x["kind"] for x in node.view()["alarms"]}

    def settle(self, *data):
        """All nodes have the same records, and each shows this data, once."""
        self.nodes.wait_equal()
        for node in self.nodes:
            self.wait_data(node, data)
        records = [x.records() for x in self.nodes]
        self.assertEqual(records[1:], [records[0]] * 2)

    def test_what_only_another_member_has_is_published_again(self):
        self.publish(self.b, "of b")
        self.publish(self.a, "1")
        self.a.stop()
        old = self.copy_of_disk(self.a)
        self.nodes.start(self.a)
        self.c.stop()
        self.publish(self.a, "2")  # on a and b, which are a majority
        self.publish(self.a, "3")
        reader = self.stream_of(self.b, query="?since=earliest")
        self.assertEqual([x.data for x in self.read(reader, 4)], ["of b", "1", "2", "3"])
        self.b.stop()
        self.a.stop()
        self.set_disk(self.a, old)
        self.nodes.start(self.a, self.c)
        self.publish(self.a, "4")
        self.nodes.start(self.b)
        eventually(lambda: self.kinds(self.b) == {"late_tail"}, 20, "the alarm")
        self.settle("of b", "1", "2", "3", "4")
        self.publish(self.a, "5")
        self.publish(self.b, "6")
        self.settle("of b", "1", "2", "3", "4", "5", "6")
        for node in self.nodes:  # all of it is on their disks
            self.restart(node)
        self.settle("of b", "1", "2", "3", "4", "5", "6")
        page = self.b.page(f"/topics/{self.topic}")
        self.assertIsNone(page["gap"])

    def test_what_a_member_has_itself_is_published_again(self):
        self.publish(self.a, "1")
        self.a.stop()
        old = self.copy_of_disk(self.a)
        self.b.stop()
        self.c.stop()
        self.nodes.start(self.a)
        self.publish(self.a, "2", query="?ack=fsync")  # nobody else has it
        self.publish(self.a, "3", query="?ack=fsync", headers={"Idempotency-Key": "k"})
        self.a.stop()
        new = self.copy_of_disk(self.a)
        self.set_disk(self.a, old)
        self.nodes.start()
        self.publish(self.a, "4")
        self.restart(self.a, lambda: self.set_disk(self.a, new))
        self.settle("1", "2", "3", "4")
        again = self.publish(self.a, "3", status=200, headers={"Idempotency-Key": "k"})
        listed = {x["data"]: x["id"] for x in self.c.page(f"/topics/{self.topic}")["events"]}
        self.assertEqual(again["id"], listed["3"])
        eventually(lambda: "late_tail" in self.kinds(self.a), 10, "the alarm")
        self.publish(self.a, "5")
        self.restart(self.a)
        self.settle("1", "2", "3", "4", "5")

    def test_a_salvaged_member_goes_on(self):
        for i in range(5):
            self.publish(self.a, str(i))
        self.a.kill()
        # Its log is gone: what it had since the last start.
        for name in os.listdir(self.a.data_dir):
            if name.endswith(".log"):
                os.truncate(os.path.join(self.a.data_dir, name), 0)
        self.a.options["storage.recovery"] = "salvage"
        self.nodes.start(self.a)
        self.publish(self.a, "new")
        self.publish(self.c, "of c")
        self.nodes.wait_equal()
        for node in self.nodes:
            self.assertLessEqual({"0", "1", "2", "3", "4", "new", "of c"}, set(self.data(node)))


class Witness(ClusterTest):
    def test_a_log_that_is_cut_short_is_noticed_by_a_member_too(self):
        nodes = self.cluster()
        a = nodes["a"]
        for i in range(20):
            self.publish(a, str(i))
        seconds = lambda: a.page("/stats?scope=node")["uptime_seconds"]
        written = seconds()
        eventually(lambda: seconds() >= written + 3, 10)
        a.kill()
        for name in os.listdir(a.data_dir):
            if name.endswith(".log"):
                os.truncate(os.path.join(a.data_dir, name), 0)
        a.start(wait=False)
        self.assertGreater(a.wait_exit(20), 0, "without events that were acknowledged")
        self.assertIn("synced", a.log())


class Cursors(ClusterTest):
    def test_an_id_that_names_many_nodes_harms_nobody(self):
        nodes = self.cluster()
        a = nodes["a"]
        for node in nodes:
            self.publish(node, "x")
        nodes.wait_equal()
        known = next(iter(a.head()))
        for _ in range(4):  # more than there are readers
            hostile = cursor_of({known: (1, 1), **{f"{i:016x}": (1, 1) for i in range(1, 13)}})
            a.page(f"/topics/{self.topic}?since={hostile}")
            stream = self.stream_of(a, headers={"Last-Event-ID": hostile})
            stream.ready()
            stream.close()
        self.assertEqual(len(self.data(a)), 3)
