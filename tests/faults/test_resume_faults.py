"""The process under pressure: too little memory, processor, descriptors; pauses, stops, and everybody coming back at once."""

import collections
import json
import os
import signal
import threading
import time
import unittest

from support import settings
from support.broker import temporary_folder
from support.case import OwnBrokerTest, fault
from support.cgroup import Group
from support.crowd import Crowd
from support.storm import Storm, start_watcher
from support.traffic import FAULTS, number_of
from support.waiting import eventually
from support.wire import Connection

JSON = {"Content-Type": "application/json"}
DRAIN_TIMEOUT = 10  # seconds


class Resources(OwnBrokerTest):
    def back_to(self, broker, start):
        """After healing: sockets and threads as at the start."""
        eventually(lambda: broker.get("/stats").json["connected_clients"] == 0, 30)
        eventually(lambda: broker.sockets() <= start[0] + 1, 10, "sockets as before")
        self.assertLessEqual(broker.threads(), start[1])

    @fault("R1")
    @unittest.skipUnless(os.geteuid() == 0, "bounding memory needs root")
    def test_r1_little_memory_and_many_slow_readers(self):
        count = settings.pick(5000, 500)
        group = Group(self, memory=256 << 20)
        broker = self.broker(options={"topics.level": "written", "storage.write-buffer-bytes": "8MiB", "storage.cache-bytes": "8MiB",
                                      "stream.recent-bytes": "4MiB", "limits.publish-bytes": "16MiB", "limits.write-timeout": "5s"},
                             prefix=group.prefix)
        start = broker.sockets(), broker.threads()
        crowd = Crowd(self, broker.address)
        crowd.add(count, "/topics/big")
        for member in crowd.members:
            member.begin(broker.address)
            member.socket.setblocking(True)
            member.request()  # and nobody ever reads
            member.open = False
            self.addCleanup(member.socket.close)
        eventually(lambda: broker.get("/stats").json["connected_clients"] == count, 30)
        statuses, acknowledged, lock = collections.Counter(), {}, threading.Lock()
        stop = threading.Event()

        def publish(index):
            number = index
            while not stop.is_set():
                try:
                    with broker.connect(timeout=20) as link:
                        while not stop.is_set():
                            answer = link.request("POST", "/topics/big", body=f"{number}\n" + "x" * 200000)
                            with lock:
                                statuses[answer.status] += 1
                                if answer.status == 201:
                                    acknowledged[number] = answer.json["id"]
                            number += 4
                except FAULTS:
                    statuses["cut"] += 1
                    stop.wait(0.05)
                    if not broker.running:
                        return

        threads = [threading.Thread(target=publish, args=(i,), daemon=True) for i in range(4)]
        for thread in threads:
            thread.start()
        enough = settings.pick(3000, 300)
        highest = 0

        def loaded():
            nonlocal highest
            try:
                highest = max(highest, broker.memory("RssAnon"))
            except (OSError, KeyError):
                return True  # it has just been killed
            return len(acknowledged) >= enough

        eventually(loaded, 120, "progress under load")
        stop.set()
        for thread in threads:
            thread.join(30)
        for member in crowd.members:
            member.socket.close()
        self.assertTrue(broker.running, "256 MiB were not enough for bounded readers")
        stored = {number_of(x["data"]): x["id"] for x in broker.log_events("/topics/big", limit=20)}
        self.assertEqual([x for x in acknowledged if stored.get(x) != acknowledged[x]], [])
        self.back_to(broker, start)
        with broker.stream("/topics/after") as stream:
            stream.ready()
            self.assertEqual(broker.post("/topics/after", "x").status, 201)
            self.assertEqual(stream.event().data, "x")
        self.note(f"256 MiB, {count} readers that never read, {len(acknowledged)} events of 200 KB: {dict(statuses)}, "
                  f"{highest / 2**20:.0f} MiB of its own at most, 0 lost")

    @fault("R3")
    def test_r3_no_more_descriptors(self):
        broker = self.broker(options={"topics.level": "written", "limits.header-timeout": "30s", "storage.write-buffer-bytes": "4MiB"},
                             prefix=["prlimit", "--nofile=256:256"])
        start = broker.sockets(), broker.threads()
        stream = broker.stream("/topics/t?heartbeat=1s")
        stream.ready()
        publisher = broker.connect()
        self.addCleanup(publisher.close)
        links = []
        for i in range(1000):
            try:
                links.append(Connection(broker.address, timeout=5, source=f"127.0.1.{i % 250 + 1}"))
            except OSError:
                break
        self.assertGreater(len(links), 256)
        for i in range(50):
            self.assertEqual(publisher.request("POST", "/topics/t", body=str(i)).status, 201)
            self.assertEqual(stream.event(5).data, str(i))
        most = broker.descriptors()
        self.assertLess(most, 250, "some are left for the store")
        # Enough for the store to need files: more than a write buffer.
        body = json.dumps([{"topic": "big", "data": "x" * 10000} for _ in range(90)])
        for _ in range(settings.pick(200, 40)):
            self.assertEqual(publisher.request("POST", "/events", JSON, body).status, 201)
        for link in links:
            link.close()
        eventually(broker.is_ready, 20, "accepts again")
        self.assertEqual(broker.get("/healthz").status, 200)
        stream.close()
        publisher.close()
        self.back_to(broker, start)
        broker.kill()
        broker.start()
        self.assertEqual(len(broker.page("/topics/t")["events"]), 50)
        self.note(f"256 descriptors, {len(links)} connections: {most} in use, the open stream and publisher went on, accepting resumed")

    @fault("R3")
    def test_r3_accept_fails(self):
        """Descriptors that the whole machine lacks, so that the broker's own count of them is of no use."""
        failures, pause = 36, 0.1
        # In each thread that accepts; not among the first calls, which are those of the start.
        inject = f"accept,accept4:error=EMFILE:when=30..{29 + failures}"
        calls = os.path.join(temporary_folder(), "calls")
        strace = ["strace", "-D", "-f", "-qq", "-o", calls, "-e", "trace=accept,accept4",
                  "-e", f"inject={inject}"]
        broker = self.broker(options={"topics.level": "written"}, prefix=strace, start=False)
        broker.start(timeout=60)
        stream = broker.stream("/topics/t?heartbeat=1s")
        stream.ready()
        publisher = broker.connect(timeout=30)
        self.addCleanup(publisher.close)

        def failed():
            with open(calls) as file:
                return file.read().count("(INJECTED)")

        self.assertEqual(failed(), 0)
        begin = time.monotonic()
        links = []

        def ask():
            """Taken by the system, whatever the broker does."""
            links.append(broker.connect(timeout=60))
            self.addCleanup(links[-1].close)
            links[-1].send_request("GET", "/healthz")
            self.assertLess(len(links), 1000, "nothing has failed")

        while not failed():
            ask()
        for _ in range(10):
            ask()
        for i in range(20):
            self.assertEqual(publisher.request("POST", "/topics/t", body=str(i)).status, 201)
            self.assertEqual(stream.event(20).data, str(i))
        self.assertEqual([x.read_response().status for x in links], [200] * len(links))
        took = time.monotonic() - begin
        # Each has cost a pause, not a turn of a loop, and not a line.
        self.assertIn(broker.log().count("accept failed"), range(1, 2 + int(took / 30)))
        self.assertGreater(took, failed() * pause * 0.8)
        self.assertGreaterEqual(failed(), 10)
        self.assertLessEqual(failed(), failures * broker.threads())
        self.assertEqual(broker.get("/healthz").status, 200)
        self.note(f"accept failed {failed()} times in {took:.1f} s: the open stream and publisher went on, "
                  f"{len(links)} connections that waited were answered")

    @fault("R5")
    def test_r5_pauses_lose_nothing(self):
        broker = self.broker(options={"topics.level": "none", "limits.publish-timeout": "2s"})
        storm = Storm(self, broker, levels=("written", "fsync"))
        watchers = [start_watcher(self, broker.address, f"watcher {i}", [], start="earliest", cut_bytes=(20000, 400000)) for i in range(4)]
        pauses = []
        for _ in self.rounds(15, 2):
            storm.begin()
            storm.wait(200)
            broker.signal(signal.SIGSTOP)
            pause = self.random.uniform(0.1, settings.pick(20, 3))
            begin = time.monotonic()
            while time.monotonic() - begin < pause:
                time.sleep(0.05)  # the pause is the point
            before = storm.count()
            broker.signal(signal.SIGCONT)
            pauses.append(pause)
            storm.wait(before + 200)
            storm.stop()
            found = storm.judge()
            self.assertTrue(found.good, found)
        storm.check_all()
        order = [n for _, n in storm.log]
        for watcher in watchers:
            eventually(lambda: watcher.failure or watcher.last_number == order[-1], 30, watcher.name)
            self.assertIsNone(watcher.failure)
            self.assertEqual([n for n, _ in watcher.received], order)
        self.note(f"{self.tried} pauses of {min(pauses):.1f} to {max(pauses):.1f} s: {storm.acknowledged} acknowledged, 0 lost, {len(watchers)} streams in order")

    @fault("R8")
    @unittest.skipUnless(os.geteuid() == 0, "bounding the processor needs root")
    def test_r8_a_fifth_of_a_core(self):
        group = Group(self, processor=0.2)
        broker = self.broker(options={"topics.level": "none"}, prefix=group.prefix)
        stream = broker.stream("/topics/quiet?heartbeat=1s")
        stream.ready()
        storm = Storm(self, broker, levels=("written",), publishers=16).begin()
        beats, begin, used = [], time.monotonic(), broker.processor_seconds()
        end = begin + settings.pick(30, 3)
        while time.monotonic() < end:
            stream.item(5)
            beats.append(time.monotonic())
        share = (broker.processor_seconds() - used) / (time.monotonic() - begin)
        self.assertLess(share, 0.25, "the processor is not scarce")
        storm.wait(100)
        storm.stop()
        found = storm.judge()
        self.assertTrue(found.good, found)
        longest = max(b - a for a, b in zip(beats, beats[1:]))
        self.assertLess(longest, 3)
        self.note(f"20 % of a core under 16 publishers: {storm.acknowledged} acknowledged, 0 lost, heartbeats every {longest:.2f} s at most")


class Storms(OwnBrokerTest):
    def publish(self, broker, numbers, topic="t"):
        numbers = list(numbers)
        for at in range(0, len(numbers), 100):
            body = json.dumps([{"topic": topic, "data": str(x)} for x in numbers[at:at + 100]])
            answer = broker.post("/events", body, JSON)
            self.assertEqual(answer.status, 201, answer)

    @fault("R6")
    def test_r6_a_stop_with_thousands_of_streams(self):
        count = settings.pick(10000, 1000)
        broker = self.broker(options={"topics.level": "written", "server.drain-timeout": f"{DRAIN_TIMEOUT}s"})
        crowd = Crowd(self, broker.address)
        crowd.add(count, "/topics/t")
        crowd.connect()
        crowd.until(crowd.placed, 60, "all connected")
        published, stop = [0], threading.Event()

        def publish():
            try:
                with broker.connect() as link:
                    while not stop.is_set():
                        if link.request("POST", "/topics/t", body=str(published[0])).status != 201:
                            return
                        published[0] += 1
                        stop.wait(0.02)
            except FAULTS:
                pass

        publisher = threading.Thread(target=publish, daemon=True)
        publisher.start()
        crowd.until(lambda: crowd.members[-1].received, 30, "events arrive")
        begin = time.monotonic()
        broker.signal(signal.SIGTERM)
        crowd.until(lambda: not any(x.open for x in crowd.members), 30, "all ended")
        self.assertEqual(broker.wait_exit(20), 0)
        took = time.monotonic() - begin
        # All take what they are sent: the drain may not last longer than for those who do not.
        self.assertLess(took, settings.seconds(DRAIN_TIMEOUT + 5))
        stop.set()
        publisher.join(20)
        self.assertEqual([x.index for x in crowd.members if not x.control or x.control[-1] != ("tidings.closing", '{"reason":"shutdown"}')], [])
        broker.start()
        stored = [x["data"] for x in broker.log_events("/topics/t")]
        self.assertGreaterEqual(len(stored), published[0])
        self.publish(broker, ["end"])
        begin = time.monotonic()
        crowd.connect()
        crowd.until(lambda: all(x.received and x.received[-1] == "end" for x in crowd.members), 60, "all caught up")
        self.assertEqual([x.index for x in crowd.members if x.received != stored + ["end"]], [])
        self.note(f"SIGTERM with {count} streams: exit 0 after {took:.2f} s, all told; all back with everything after "
                  f"{time.monotonic() - begin:.1f} s, 0 lost, 0 doubled")

    @fault("R10")
    def test_r10_everybody_comes_back_at_once(self):
        count, missed = settings.pick(10000, 1000), 50
        broker = self.broker(options={"topics.level": "written"})
        crowd = Crowd(self, broker.address)
        crowd.add(count, lambda i: ("/topics/t", "/events?topics=t,u", "/events?topics=**")[i % 3])
        crowd.connect()
        crowd.until(crowd.placed, 60, "all connected")
        crowd.drop()
        self.publish(broker, range(missed))
        answers, stop = [], threading.Event()

        def publish():
            number = missed
            with broker.connect() as link:
                while not stop.is_set():
                    begin = time.monotonic()
                    answers.append((link.request("POST", "/topics/t", body=str(number)).status, time.monotonic() - begin))
                    number += 1
                    stop.wait(0.05)

        publisher = threading.Thread(target=publish, daemon=True)
        base = broker.memory()
        begin = time.monotonic()
        crowd.connect()
        publisher.start()
        crowd.until(lambda: all(len(x.received) >= missed for x in crowd.members), 60, "all have what they missed")
        took = time.monotonic() - begin
        grown = broker.memory() - base
        stop.set()
        publisher.join(20)
        self.publish(broker, ["end"])
        crowd.until(lambda: all(x.received[-1] == "end" for x in crowd.members), 60, "all live")
        wanted = [str(x) for x in range(missed + len(answers))] + ["end"]
        self.assertEqual([x.index for x in crowd.members if x.received != wanted or x.status != 200], [])
        self.assertEqual({x for x, _ in answers}, {201})
        self.assertLess(took, 30)
        self.assertLess(grown, 512 << 20)
        self.note(f"{count} streams back at once, each {missed} events behind: all recovered in {took:.1f} s, {len(answers)} publishes meanwhile "
                  f"within {max(x for _, x in answers) * 1000:.0f} ms, memory {grown / 2**20:+.0f} MiB")

    @fault("R11")
    def test_r11_coming_and_going_leaves_nothing(self):
        broker = self.broker(options={"topics.level": "written"})
        crowd = Crowd(self, broker.address)
        crowd.add(200, lambda i: f"/topics/t{i}")

        def come_and_go():
            crowd.connect()
            crowd.until(lambda: all(x.control for x in crowd.members), 60, "all connected")
            crowd.drop()
            for member in crowd.members:
                member.control.clear()
            return len(crowd.members)

        def all_gone():
            eventually(lambda: broker.get("/stats").json["connected_clients"] == 0, 20)

        for _ in range(2):  # so that what is made at first use is in the base
            come_and_go()
        all_gone()
        start = broker.descriptors(), broker.threads(), broker.memory()
        begin = time.monotonic()
        total = sum(come_and_go() for _ in self.rounds(600, 4))
        took = time.monotonic() - begin
        all_gone()
        eventually(lambda: broker.descriptors() <= start[0] + 2, 10, "descriptors as before")
        self.assertLessEqual(broker.threads(), start[1])
        grown = broker.memory() - start[2]
        self.assertLess(grown, 16 << 20)
        self.note(f"{total} streams opened and dropped, {total / took:.0f}/s: descriptors and threads as before, memory {grown / 2**20:+.1f} MiB")
