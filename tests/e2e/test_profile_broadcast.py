"""The profile `broadcast`: everything to everybody. Tests carry the number of the promise that they keep."""

import collections
import ctypes
import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

from support import settings
from support.mailbox import parse_time
from support.profile import ProfileTest
from support.waiting import eventually
from support.wire import Connection

PATH = "/api/sse/stream"


def drop_all_packets(link):
    """From now on the kernel throws away what comes for this socket before anything acknowledges it: to the other side it is as
    behind a firewall that drops packets."""
    class Instruction(ctypes.Structure):
        _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(Instruction))]

    give_none = (Instruction * 1)(Instruction(0x06, 0, 0, 0))  # return 0 bytes of the packet
    attach_filter = 26  # SO_ATTACH_FILTER
    link.socket.setsockopt(socket.SOL_SOCKET, attach_filter, bytes(Program(1, give_none)))


class Broadcast(ProfileTest):
    def listener(self, broker=None):
        stream = (broker or self.shared).stream(PATH)
        self.addCleanup(stream.close)
        self.assertEqual(stream.event(control=True).type, "connection_established")
        return stream

    def count(self, broker):
        return broker.get("/stats").json["connected_clients"]

    def test_S3_01_02_the_stream_begins_with_its_clients_id_for_every_origin(self):
        seen = set()
        for _ in range(2):
            with self.shared.connect() as link:
                link.send_request("GET", PATH, {"Origin": "https://anywhere.example"} if seen else {})
                head = link.read_head()
                self.assertEqual(head.status, 200)
                self.assertTrue(head.header("content-type").startswith("text/event-stream"))
                self.assertEqual(head.header("access-control-allow-origin"), "*")
                self.assertEqual(head.header("access-control-allow-headers"), "Cache-Control")
                self.assertEqual(head.header("cache-control"), "no-cache")
            event = self.stream(PATH).event(control=True)
            self.assertEqual(event.type, "connection_established")
            client = uuid.UUID(json.loads(event.data)["client_id"])
            self.assertEqual(client.version, 4)
            seen.add(client)
        self.assertEqual(len(seen), 2)

    def test_S3_01_pages_that_send_cache_control_may_do_so(self):
        asked = {"Origin": "https://anywhere.example", "Access-Control-Request-Method": "GET",
                 "Access-Control-Request-Headers": "cache-control"}
        answer = self.shared.request("OPTIONS", PATH, asked)
        self.assertEqual((answer.status, answer.header("access-control-allow-origin")), (204, "*"))
        self.assertIn("cache-control", answer.header("access-control-allow-headers").lower())
        self.assertIsNone(self.shared.request("OPTIONS", "/events", asked).header("access-control-allow-origin"))

    def test_S3_03_19_a_small_heartbeat_event_at_its_interval(self):
        broker = self.broker(config='[[profile]]\nkind = "broadcast"\nheartbeat-interval = "1s"\n')
        stream = self.listener(broker)
        begin, length = time.monotonic(), len(stream.raw)
        for beat in range(1, 4):
            self.assertEqual(stream.event(control=True).type, "heartbeat")
            self.assertAlmostEqual(time.monotonic() - begin, beat, delta=0.7)
        self.assertLess(len(stream.raw) - length, 3 * 100)

    def test_S3_03_every_five_seconds_unless_something_else_is_said(self):
        stream = self.listener()
        begin = time.monotonic()
        self.assertEqual(stream.event(control=True).type, "heartbeat")
        self.assertAlmostEqual(time.monotonic() - begin, 5, delta=1.5)

    def test_S3_04_05_06_any_event_reaches_everybody(self):
        streams = [self.listener() for _ in range(3)]
        self.post_events({"topic": "t", "type": "generic_event", "data": {"a": [1, 2]}})
        self.publish("t", "one\ntwo\r\nthree\rfour", "?type=another")
        for stream in streams:
            event = stream.event()
            self.assertEqual((event.type, json.loads(event.data)), ("generic_event", {"a": [1, 2]}))
            self.assertTrue(event.id)
            event = stream.event()
            self.assertEqual((event.type, event.data), ("another", "one\ntwo\nthree\nfour"))
            frame = f"id: {event.id}\nevent: another\ndata: one\ndata: two\ndata: three\ndata: four\n\n"
            self.assertTrue(bytes(stream.raw).decode().endswith(frame), stream.raw)

    def test_S3_07_08_18_connections_are_counted_listed_and_closed_one_by_one(self):
        broker = self.broker()
        self.assertEqual(self.count(broker), 0)
        begin = time.time()
        streams = {}
        for name in ("first", "second"):
            known = {x["id"] for x in self.connections(broker)}
            stream = self.listener(broker)
            (made,) = [x for x in self.connections(broker) if x["id"] not in known]
            streams[made["id"]] = stream
            self.assertEqual(made["address"], "%s:%d" % stream.socket.getsockname())
            self.assertEqual(made["topics"], ["**"])
            self.assertTrue(begin - 1 < parse_time(made["since"]) < time.time() + 1)
        self.assertEqual(self.count(broker), 2)
        (closed, first), (other, second) = streams.items()
        self.assertEqual(broker.request("DELETE", f"/connections/{closed}").status, 204)
        self.assertEqual(first.control("tidings.closing")["reason"], "closed")
        self.assertEqual([x["id"] for x in self.connections(broker)], [other])
        self.assert_problem(broker.request("DELETE", f"/connections/{closed}"), 404, "not_found")
        broker.post("/topics/t", "still")
        self.assertEqual(second.event().data, "still")
        second.close()
        eventually(lambda: self.count(broker) == 0)

    def test_S3_09_a_killed_client_is_removed(self):
        broker = self.broker()
        code = ("import socket, sys\n"
                "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
                f"s.sendall(b'GET {PATH} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')\n"
                "while s.recv(4096): pass\n")
        client = subprocess.Popen([sys.executable, "-c", code, str(broker.port)])
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        eventually(lambda: self.count(broker) == 1)
        sockets = broker.descriptors()
        client.send_signal(signal.SIGKILL)
        eventually(lambda: self.count(broker) == 0, 5, "within a heartbeat interval")
        eventually(lambda: broker.descriptors() < sockets, 5)

    def test_S3_10_a_client_that_never_reads_does_not_fill_the_memory(self):
        broker = self.broker(options={"topics.level": "written", "limits.write-timeout": "60s", "stream.recent-bytes": "1MiB",
                                      "storage.write-buffer-bytes": "1MiB", "storage.cache-bytes": "1MiB"})
        stuck = broker.stream(PATH, receive_buffer=4096)
        self.addCleanup(stuck.close)
        eventually(lambda: self.count(broker) == 1)
        self.flood(broker, lambda i: {"topic": "t"}, 2000)
        base = broker.memory()
        rounds = settings.pick(24, 4)  # not more: the store needs some memory for each file that it has written
        for _ in range(rounds):
            self.flood(broker, lambda i: {"topic": "t"}, 1000)  # 8 MB
        grown = broker.memory() - base
        self.note(f"{rounds * 8} MB published past a client that never reads: memory {grown / 1024:+.0f} KiB")
        self.assertEqual(self.count(broker), 1)
        self.assertLess(grown, 12 << 20)

    def test_S3_11_what_could_not_be_written_comes_after_the_reconnect(self):
        broker = self.broker()
        stream = self.listener(broker)
        broker.post("/topics/t", "0")
        self.assertEqual(stream.event().data, "0")
        stream.reset()
        for i in range(1, 20):
            broker.post("/topics/t", str(i))
        again = broker.stream(PATH, {"Last-Event-ID": stream.last_event_id})
        self.assertEqual(again.event(control=True).type, "connection_established")
        self.assertEqual([x.data for x in again.events(19)], [str(i) for i in range(1, 20)])

    def test_S3_12_a_half_open_connection_is_closed_after_a_time(self):
        broker = self.broker(options={"limits.write-timeout": "2s", "log.level": "debug"},
                             config='[[profile]]\nkind = "broadcast"\nheartbeat-interval = "1s"\n')
        healthy, cut = self.listener(broker), self.listener(broker)
        self.assertEqual(self.count(broker), 2)
        drop_all_packets(cut)
        begin = time.monotonic()
        eventually(lambda: self.count(broker) == 1, 20, "the connection whose packets are lost is closed")
        self.assertGreater(time.monotonic() - begin, 1)
        address = "%s:%d" % cut.socket.getsockname()
        line = next(x for x in broker.log().splitlines() if "stream ended" in x and address in x)
        self.assertIn("reason=connection_lost", line)
        broker.post("/topics/t?type=after", "x")
        while healthy.event().type != "after":  # heartbeats
            pass

    def test_S3_12_a_client_that_takes_nothing_is_closed_after_a_time(self):
        broker = self.broker(options={"topics.level": "written", "limits.write-timeout": "1s"})
        stuck = broker.stream(PATH, receive_buffer=4096)
        self.addCleanup(stuck.close)
        self.flood(broker, lambda i: {"topic": "t"}, 1000)
        eventually(lambda: self.count(broker) == 0, 20)

    def test_S3_13_many_come_and_go_while_many_publish(self):
        broker = self.broker(options={"topics.level": "written"})
        stable = [self.listener(broker) for _ in range(5)]
        publishers, each, stop = 10, settings.pick(100, 30), threading.Event()
        failures = []

        def guarded(work):
            try:
                work()
            except Exception as failure:
                failures.append(failure)

        def come_and_go(chance):
            while not stop.is_set():
                with broker.stream(PATH) as stream:
                    try:
                        stream.item(chance.random() * 0.1)
                    except TimeoutError:
                        pass
                    if chance.random() < 0.3:
                        stream.reset()

        def publish(number):
            with Connection(broker.address) as link:
                for i in range(each):
                    answer = link.request("POST", "/topics/t", body=f"{number}.{i}")
                    assert answer.status == 201, answer

        seed = self.random.random()
        visitors = [threading.Thread(target=guarded, args=(lambda c=random.Random(seed + i): come_and_go(c),)) for i in range(50)]
        writers = [threading.Thread(target=guarded, args=(lambda n=n: publish(n),)) for n in range(publishers)]
        for thread in visitors + writers:
            thread.start()
        for thread in writers:
            thread.join()
        stop.set()
        for thread in visitors:
            thread.join()
        self.assertEqual(failures, [])
        for stream in stable:
            got = collections.defaultdict(list)
            for event in stream.events(publishers * each, 60):
                number, i = event.data.split(".")
                got[number].append(int(i))
            self.assertEqual(dict(got), {str(n): list(range(each)) for n in range(publishers)})
        eventually(lambda: self.count(broker) == len(stable), 10, "the count is right again")

    def test_S3_15_errors_on_one_stream_are_its_own(self):
        broker = self.broker()
        good = self.listener(broker)
        for round in range(10):
            bad = self.listener(broker)
            if round % 2:
                bad.send(b"\0garbage\r\n" * 100)
            bad.reset()
            answer = broker.post("/topics/t", str(round))
            self.assertEqual((answer.status, good.event().data), (201, str(round)))
        eventually(lambda: self.count(broker) == 1)

    def test_S3_16_21_the_log_tells_of_each_connection(self):
        broker = self.broker(options={"log.level": "debug"})

        def lines(stream, what):
            address = "%s:%d" % stream
            return [x for x in broker.log().splitlines() if what in x and f"address={address}" in x]

        for leave, reason in (("close", "client_gone"), ("reset", "connection_lost"), (None, "closed")):
            with self.subTest(reason):
                stream = self.listener(broker)
                name = stream.socket.getsockname()
                self.assertEqual(len(lines(name, "stream opened")), 1)
                if leave:
                    getattr(stream, leave)()
                else:
                    (made,) = self.connections(broker)
                    broker.request("DELETE", f"/connections/{made['id']}")
                (line,) = eventually(lambda: lines(name, "stream ended"), 5)
                self.assertIn(f"reason={reason}", line)
                self.assertRegex(line, r"seconds=\d+ events=0 bytes=\d+ dropped=0")

    def test_S3_17_every_path_of_the_guide_is_there(self):
        guide = (settings.ROOT / "docs/profiles.md").read_text()
        self.assertIn(PATH, guide)
        paths = {x.split()[-1] for x in guide.split("`") if x.startswith(("/", "GET /", "POST /"))}
        self.assertGreater(len(paths), 8)
        for path in sorted(paths):
            with self.subTest(path):
                path = path.split("?")[0].replace("{event_type}", "X").replace("{id}", "1")
                # Nothing at a path would be 404.
                self.assert_problem(self.shared.request("DELETE", path), 405, "method_not_allowed")
