"""Power cuts: what a level promised is on the disk, and nothing that was not promised makes the store refuse to start.

The disk is ext4 in a file; the ledgers are on another one. At a random time the broker is stopped (SIGSTOP), then the file
system is shut down without writing its journal, then the broker is killed.
"""

import os
import signal
import time
import unittest

from support.case import OwnBrokerTest, fault
from support.disk import PowerDisk
from support.storm import Storm, start_watcher
from support.traffic import number_of
from support.waiting import eventually


@unittest.skipUnless(os.geteuid() == 0, "mounting a disk needs root")
class PowerCut(OwnBrokerTest):
    options = {"storage.write-buffer-bytes": "8MiB", "topics.level": "none"}

    def cut(self, disk, broker):
        self.stand_still(broker)
        disk.cut()
        broker.kill()
        disk.power_up()

    def stand_still(self, broker):
        """Each thread: a sync must not be under way."""
        broker.signal(signal.SIGSTOP)

        def stopped():
            for task in os.listdir(f"/proc/{broker.pid}/task"):
                with open(f"/proc/{broker.pid}/task/{task}/stat") as file:
                    if file.read().rsplit(")", 1)[1].split()[0] != "T":
                        return False
            return True

        eventually(stopped, 20, "all threads stand still")

    def restart(self, broker):
        begin = time.monotonic()
        broker.start()
        return time.monotonic() - begin

    @fault("S2")
    def test_s2_a_power_cut_loses_nothing_synced(self):
        disk = PowerDisk(self)
        broker = self.broker(options=self.options, data_dir=disk.folder())
        storm = Storm(self, broker, levels=("fsync", "fsync", "written", "none"))
        watcher = start_watcher(self, broker.address, "watcher", ["*/fsync"], "/events?topics=*/fsync", start="earliest",
                                cut_bytes=(20000, 2000000))
        times = []
        for _ in self.rounds(30, 3):
            storm.begin()
            storm.wait(self.random.randint(20, 600))
            self.cut(disk, broker)
            storm.stop()
            times.append(self.restart(broker))
            found = storm.judge(survives=("fsync",))
            self.assertTrue(found.good, found)
        storm.check_all()
        # What a stream showed at the level fsync has not un-happened.
        numbers = {n for _, n in storm.log}
        order = [n for _, n in storm.log]
        last = broker.post("/topics/end/fsync?ack=fsync", "0").json["id"]
        eventually(lambda: watcher.failure or watcher.position == last, 30, "the watcher is there")
        self.assertIsNone(watcher.failure)
        self.assertEqual([n for n, _ in watcher.received if n and n not in numbers], [])
        seen = [n for n, _ in watcher.received if n]
        shown = set(seen)
        self.assertEqual(seen, [n for n in order if n in shown])
        self.note(f"{storm.acknowledged} acknowledged over {self.tried} power cuts, 0 lost of those at fsync, 0 ids used twice; "
                  f"a stream saw {len(seen)} events, all still there; ready after {max(times):.2f} s at most")

    @fault("S3")
    def test_s3_without_sync_the_same_cut_does_lose(self):
        """The negative control: a cut that loses nothing would prove nothing."""
        disk = PowerDisk(self)
        broker = self.broker(options=self.options, data_dir=disk.folder())
        storm = Storm(self, broker, levels=("written",))
        lost = []
        for _ in self.rounds(10, 2):
            storm.begin()
            storm.wait(self.random.randint(100, 600))
            self.cut(disk, broker)
            storm.stop()
            self.restart(broker)
            found = storm.judge()
            self.assertTrue(found.lost, "nothing was lost: the cut is none")
            self.assertEqual((found.doubled, found.reordered, found.phantom, found.reused), ([], [], [], []), found)
            lost.append(len(found.lost))
        storm.check_all()
        self.note(f"{sum(lost)} of {storm.acknowledged} acknowledged at written lost over {self.tried} cuts, some in each; no id used again")

    @fault("S4")
    def test_s4_the_disk_of_any_moment_opens(self):
        """Copies of the disk while the broker works on it: each is a power cut of its own."""
        disk = PowerDisk(self, 192)
        # Small, so that files are written, renamed and removed all the time.
        broker = self.broker(options={**self.options, "storage.write-buffer-bytes": "1MiB"}, data_dir=disk.folder())
        storm = Storm(self, broker, levels=("fsync", "fsync", "written")).begin()
        copies, load = [], 0
        for _ in self.rounds(60, 3):
            load += self.random.randint(100, 1000)
            storm.wait(load)
            self.stand_still(broker)
            synced = {number for number, (_, _, level) in storm.answers().items() if level == "fsync"}
            copies.append((disk.copy(self), synced))
            broker.signal(signal.SIGCONT)
            load = storm.count()
        storm.wait(load + 100)
        storm.stop()
        found = storm.judge()
        self.assertTrue(found.good, found)
        more = []
        for copy, synced in copies:
            other = self.broker(options=broker.options, data_dir=copy.folder())
            rows = [(x["id"], number_of(str(x["data"]))) for x in other.log_events()]
            # What the broker went on to say of its log is what the copy has of it, without a hole.
            self.assertEqual(rows, storm.log[:len(rows)])
            self.assertEqual(sorted(synced - {number for _, number in rows})[:5], [])
            more.append(len(rows) - len(synced))
            self.assertEqual(other.post("/topics/end/fsync?ack=fsync", "0").status, 201)
            self.assertEqual(other.stop(), 0)
            copy.unmount()
        self.assertLess(len(copies[0][1]), len(storm.log), "all was there before the first copy")
        self.note(f"{len(copies)} copies of the disk under load, {load} events acknowledged: each opens with all "
                  "that was synced, "
                  f"{max(more)} more at most, a prefix of the log")

    @fault("S17")
    def test_s17_a_disk_that_fails_under_load(self):
        """Nobody stands still: whatever is under way meets EIO, and so does everything after it."""
        disk = PowerDisk(self)
        broker = self.broker(options=self.options, data_dir=disk.folder())
        storm = Storm(self, broker, levels=("fsync", "fsync", "written", "none"))
        took, doubtful = [], 0
        for _ in self.rounds(20, 3):
            storm.begin()
            storm.wait(self.random.randint(20, 600))
            before = time.monotonic()
            disk.cut()
            after = time.monotonic()
            self.assertEqual(broker.wait_exit(30), 3, broker.log_tail())
            took.append(time.monotonic() - after)
            storm.stop()
            answers = storm.answers()
            self.assertEqual([number for number, (begin, _, _) in answers.items() if begin > after], [], "acknowledged without a disk")
            # A sync under way at that moment may return success: the kernel's lie, not the broker's.
            lied = {number for number, (_, end, _) in answers.items() if end >= before}
            doubtful += len(lied)
            disk.power_up()
            self.restart(broker)
            found = storm.judge(survives=("fsync",), gone=lied)
            self.assertTrue(found.good, found)
        storm.check_all()
        self.assertEqual(broker.post("/topics/end/fsync?ack=fsync", "0").status, 201)
        self.note(f"{self.tried} times the disk failed under load: exit status 3 after {max(took):.2f} s at most, nothing acknowledged after it, "
                  f"{storm.acknowledged} acknowledged before, 0 lost of those at fsync ({doubtful} under way at that moment)")
