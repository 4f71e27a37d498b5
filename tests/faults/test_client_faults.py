"""Clients that are slow, gone, hostile or of another mind about what a stream means."""

import base64
import json
import os
import re
import selectors
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

from support import settings
from support.case import BrokerTest, OwnBrokerTest, fault
from support.page import PageServer
from support.position import components, cursor_of
from support.relay import Relay
from support.sse import Parser
from support.texts import TEXTS, shown
from support.waiting import eventually
from support.webdriver import Browser
from support.wire import Connection

JSON = {"Content-Type": "application/json"}


class Slow(OwnBrokerTest):
    @fault("C1")
    def test_c1_readers_of_a_byte_per_second(self):
        count, events = settings.pick(1000, 200), settings.pick(3000, 500)
        broker = self.broker(options={"topics.level": "written", "stream.recent-bytes": "4MiB", "limits.write-timeout": "30s"})
        quick = broker.stream("/topics/t")
        quick.ready()
        body = lambda n: f"{n}\n{time.monotonic()}\n" + "x" * 2000

        def load(first, number):
            delays = []
            for n in range(first, first + number):
                self.assertEqual(broker.post("/topics/t", body(n)).status, 201)
                delays.append(time.monotonic() - float(quick.event(10).data.split("\n")[1]))
            return sorted(delays)[int(number * 0.99)]

        before = load(0, 300)
        start, selector = self.resources(broker), selectors.DefaultSelector()
        self.addCleanup(selector.close)
        links = []
        for i in range(count):
            link = Connection(broker.address, receive_buffer=4096, source=f"127.0.1.{i % 250 + 1}")
            self.addCleanup(link.close)
            link.send(b"GET /topics/t HTTP/1.0\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
            selector.register(link.socket, selectors.EVENT_READ)
            links.append(link)
        eventually(lambda: broker.get("/stats").json["connected_clients"] == count + 1, 30)
        base, stop = broker.memory(), threading.Event()

        def sip():
            while not stop.wait(1):
                for key, _ in selector.select(0):
                    try:
                        key.fileobj.recv(1)
                    except OSError:
                        pass

        sipper = threading.Thread(target=sip, daemon=True)
        sipper.start()
        self.addCleanup(stop.set)
        during = load(300, events)
        grown = broker.memory() - base
        # More was published for each than all buffers on its way take, so each has really been waited for.
        eventually(lambda: self.blocked(broker) >= count * 9 // 10, 30, lambda: f"blocked: {self.blocked(broker)} of {count}")
        blocked = self.blocked(broker)
        stop.set()
        sipper.join()
        self.assertLess(grown, settings.memory(count * (256 << 10) + (24 << 20)))
        self.assertLess(during, max(0.25, before * 10))
        for link in links:
            link.close()
        quick.close()
        self.back_to(broker, (start[0] - 1, start[1]))
        self.note(f"{count} readers of a byte per second, {blocked} blocked, {events * 2 // 1000} MB published for "
                  f"each: memory {grown / count / 1024:+.0f} KiB per reader, "
                  f"p99 of the others {before * 1000:.1f} ms before, {during * 1000:.1f} ms during")

    @staticmethod
    def blocked(broker):
        found, after = 0, ""
        while True:
            page = broker.get(f"/connections?limit=1000{after}").json
            found += sum(x["state"] == "blocked" for x in page["connections"])
            if not page["more"]:
                return found
            after = f"&after={page['connections'][-1]['id']}"

    @fault("C3")
    @unittest.skipUnless(os.geteuid() == 0, "a network of its own needs root")
    def test_c3_clients_that_vanish_are_forgotten(self):
        """In a network namespace whose link goes down: no FIN, no RST, no answer any more."""
        name, inner = f"tidings{os.getpid() % 10000}", f"tdg{os.getpid() % 10000}"
        subnet = f"10.213.{os.getpid() % 250}"
        run = lambda text: subprocess.run(text.split(), check=True, capture_output=True)
        run(f"ip netns add {name}")
        self.addCleanup(subprocess.run, ["ip", "netns", "del", name], capture_output=True)
        run(f"ip link add {inner}a type veth peer name {inner}b netns {name}")
        self.addCleanup(subprocess.run, ["ip", "link", "del", f"{inner}a"], capture_output=True)
        run(f"ip addr add {subnet}.1/24 dev {inner}a")
        run(f"ip link set {inner}a up")
        run(f"ip -n {name} addr add {subnet}.2/24 dev {inner}b")
        run(f"ip -n {name} link set {inner}b up")
        broker = self.broker(options={"server.allow-open": "true", "limits.write-timeout": "3s", "limits.idle-timeout": "3s", "limits.header-timeout": "3s",
                                      "limits.body-timeout": "3s", "topics.level": "written"}, start=False)
        command = broker.command
        broker.command = lambda: [x.replace("127.0.0.1:", "0.0.0.0:") for x in command()]
        broker.start()
        count = 30
        # Not `ip netns exec`: its copy of all mounts would hold the disks of other tests.
        client = subprocess.Popen(["nsenter", f"--net=/run/netns/{name}", sys.executable, "-c", f"""
import socket, sys
def link(text):
    x = socket.create_connection(("{subnet}.1", {broker.port}))
    x.send(text)
    return x
kept = [link(b"GET /topics/t?heartbeat=1s HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n") for _ in range({count})]
kept += [link(b"") for _ in range(5)] + [link(b"POST /topics/t HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 9\\r\\n\\r\\nabc") for _ in range(5)]
print("there", flush=True)
sys.stdin.read()
"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        self.addCleanup(client.stdin.close)
        self.addCleanup(client.stdout.close)
        start = broker.descriptors()
        self.assertEqual(client.stdout.readline(), b"there\n")
        eventually(lambda: broker.get("/stats").json["connected_clients"] == count, 10)
        held = broker.descriptors()
        run(f"ip link set {inner}a down")
        begin = time.monotonic()
        eventually(lambda: broker.get("/stats").json["connected_clients"] == 0, 20, "the vanished streams are forgotten")
        eventually(lambda: broker.descriptors() <= held - count - 10, 20, "their sockets too")
        took = time.monotonic() - begin
        # Two heartbeats of a second and three seconds without progress; as long again for a busy machine. TCP alone
        # takes minutes.
        self.assertLess(took, settings.seconds(10))
        self.note(f"{count} streams and 10 half requests vanished without a word: forgotten after {took:.1f} s "
                  "(heartbeat 1 s, write-timeout 3 s)")


class Cursors(BrokerTest):
    options = {"topics.level": "written"}

    def hostile_ids(self, good, count):
        """Of ids that are none of ours: malformed, of another kind, cut, lengthened, changed at random, and ahead of
        the log."""
        kind, text = good.split(".", 1)
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        encode = lambda data: "c1." + base64.urlsafe_b64encode(data).rstrip(b"=").decode()
        (node, (incarnation, sequence)), = components(good).items()
        hostile = ["x", "c1.", "c1", "c1.!", ".", "-1", "0", "1", "99999999999999999999", "c2." + text, kind + "." + text + text, good + "=", good + " x",
                   good[:-1], good.upper(), "c1." + "A" * 500, "c1." + "_" * 5000, "a" * 15000, "c1." + ".".join("1" * 3000), "é", "\x7f", "a\tb",
                   encode(raw[:-1]), encode(raw + b"\0"), encode(b"\xff" * len(raw)), encode(b"\x80" * 300), encode(bytes(len(raw))),
                   encode(raw[:-1] + bytes([raw[-1] ^ 0x40])), encode(raw[:1] + b"\0" * 8 + raw[9:]), "'; drop table events; --",
                   "../../etc/passwd",
                   "\0", good + "\0", "\0" + good, good + "\r\n", good + "\nid: 1", "\r",
                   cursor_of({node: (incarnation, sequence + 10 ** 9)}),
                   cursor_of({node: (incarnation + 10 ** 9, sequence)}),
                   cursor_of({node: (incarnation, 2 ** 64 - 1)}), cursor_of({"00" * 8: (incarnation, sequence)}),
                   cursor_of({f"{i:016x}": (i + 1, i + 1) for i in range(100)})]
        random = self.random
        flip = lambda x: x ^ (random.randrange(256) if random.random() < 0.2 else 0)
        hostile += [encode(bytes(map(flip, raw))) for _ in range(count)]
        return hostile + [encode(random.randbytes(random.randrange(64))) for _ in range(count)]

    def ways(self, value):
        """As a parameter, and as a header if it can be one."""
        yield f"/topics/c6?last_event_id={urllib.parse.quote(value, safe='')}", {}
        if not re.search("[\r\n]", value):
            yield "/topics/c6", {"Last-Event-ID": value.encode("utf-8").decode("latin-1")}

    def open_with(self, value):
        """Whether any of these is taken for a place in the log. What is not, is told or refused."""
        known = False
        for target, fields in self.ways(value):
            with self.shared.stream(target, fields, timeout=20) as stream:
                self.assertIn(stream.head.status, (200, 400, 414, 431))
                if stream.head.status != 200:
                    continue
                if stream.ready(20)["recovered"]:
                    known = True
                else:
                    reason = stream.control("tidings.gap", 20)["reason"]
                    self.assertIn(reason, ("unknown_cursor", "lost", "expired", "evicted"))
        return known

    def work(self, value, times=5):
        """Seconds of the processor that the broker takes to be asked so often. Others on the machine do not add to
        it."""
        begin = self.shared.processor_seconds()
        for _ in range(times):
            self.open_with(value)
        return self.shared.processor_seconds() - begin

    @fault("C6")
    def test_c6_hostile_last_event_ids(self):
        stored = settings.pick(100000, 30000)
        body = b"".join(b'{"topic":"c6","data":"%d"}\n' % i for i in range(stored))
        answer = self.shared.post("/events", body, {"Content-Type": "application/x-ndjson"}, timeout=120)
        self.assertEqual(sum("id" in x for x in answer.lines), stored)
        good = self.publish("c6", "last")["id"]
        self.assertTrue(self.open_with(good))
        usual, most = sorted(self.work(good) for _ in range(5))[2], 0.0
        hostile = self.hostile_ids(good, settings.pick(60, 15))
        ahead = hostile.index(cursor_of({k: (a, b + 10 ** 9) for k, (a, b) in components(good).items()}))
        for index, value in enumerate(hostile):
            with self.attempt(repr(value[:50])):
                known = self.open_with(value)
                if index in range(ahead, ahead + 3):
                    self.assertFalse(known, "not reached by the log: what comes until then would be missing")
                if known:
                    continue  # it happens to be a place in the log, and what comes after it is read
                # Fifteen ticks of the clock by which work is counted, for ten requests. A look at each event would be more
                # than 300,000 of them; and what was done besides, such as a compaction, is not there the next time.
                bound = 5 * usual + 0.15
                took = self.work(value)
                for _ in range(3):
                    if took > bound:
                        took = min(took, self.work(value))
                self.assertLessEqual(took, bound, "the work is not bounded")
                most = max(most, took)
        with self.shared.connect() as link:
            try:
                link.send(b"GET /topics/c6 HTTP/1.1\r\nHost: x\r\nLast-Event-ID: " + b"a" * 1000000 + b"\r\n\r\n")
            except OSError:
                pass
            try:
                self.assertEqual(link.read_response().status, 431)
            except ConnectionError:
                pass
        with self.shared.connect() as link:
            link.send(b"GET /topics/c6 HTTP/1.1\r\nHost: x\r\nLast-Event-ID: a\0b\r\n\r\n")
            self.assertEqual(link.read_response().status, 400)
        self.note(f"{len(hostile)} ids that are not ours, in header and query, over {stored} events: a gap or 400, "
                  f"{most * 1000:.0f} ms of the processor "
                  f"for ten requests at most, {usual * 1000:.0f} ms for those of a good id")

    @fault("C10")
    def test_c10_more_topics_than_a_stream_may_ask_for(self):
        for count, status in ((100, 200), (101, 400), (1000, 400)):
            with self.attempt(f"{count} topics"):
                names = ",".join(f"t{i}" for i in range(count))
                with self.shared.stream(f"/events?topics={names}") as stream:
                    self.assertEqual(stream.head.status, status)
                with self.shared.stream("/events?" + "&".join(f"topic=t{i}" for i in range(count))) as stream:
                    self.assertIn(stream.head.status, (status,) if count < 1000 else (400, 414, 431))
        # 10,000 do not fit into a request's head.
        with self.attempt("10,000 topics"), self.shared.connect() as link:
            try:
                link.send(b"GET /events?topics=" + b",".join(b"t%d" % i for i in range(10000)) + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            except OSError:
                pass
            self.assertIn(link.read_response().status, (414, 431))


class Meaning(OwnBrokerTest):
    """The same bytes mean the same to everybody."""

    def publish_all(self, broker, topic):
        for text in TEXTS:
            answer = broker.post(f"/topics/{topic}?type=paid", text.encode())
            self.assertEqual(answer.status, 201, (text, answer))

    @fault("C11")
    def test_c11_a_stream_means_the_same_in_pieces_of_any_size(self):
        broker = self.broker(options={"topics.level": "written"})
        self.publish_all(broker, "t")
        broker.post("/topics/t", "end")
        with broker.connect() as link:
            link.send(b"GET /topics/t?since=earliest HTTP/1.0\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
            link.read_head()
            while not link._buffer.endswith(b"data: end\n\n"):
                link._more(time.monotonic() + 10)
            raw = bytes(link._buffer)
        raw.decode("utf-8")  # or it raises
        self.assertNotIn(b"\r", raw)
        self.assertFalse(raw.startswith(b"\xef\xbb\xbf"))
        whole = Parser().feed(raw)
        self.assertEqual([x.data for x in whole if x.type == "paid"], [shown(x) for x in TEXTS])
        ids = [x.id for x in whole if x.kind == "event" and not x.type.startswith("tidings.")]
        self.assertEqual(len(set(ids)), len(TEXTS) + 1)
        for size in (1, 2, 3, 7, 64):
            with self.attempt(f"pieces of {size}"):
                parser, items = Parser(), []
                for at in range(0, len(raw), size):
                    items += parser.feed(raw[at:at + size])
                self.assertEqual(items, whole)
        # Cut anywhere, a client has whole events or nothing of them.
        for at in range(0, len(raw), settings.pick(1, 17)):
            parser = Parser()
            got = [x for x in parser.feed(raw[:at]) if x.kind == "event"]
            self.assertEqual(got, [x for x in whole if x.kind == "event"][:len(got)])
        self.note(f"{len(raw)} bytes of stream in pieces of 1, 2, 3, 7 and 64 bytes and cut at every place: the same {len(TEXTS) + 1} events")

    @fault("C11")
    def test_c11_a_browser_gets_the_same_through_a_network_of_small_pieces(self):
        pages, browser = PageServer(), Browser()
        self.addCleanup(pages.close)
        self.addCleanup(browser.close)
        broker = self.broker(options={"topics.level": "written", "server.cors-origins": pages.origin})
        # Each size has a topic of its own; the longest texts would only take longer.
        texts, passed = [x for x in TEXTS if len(x) < 100], 0
        for size in (1, 2, 3):
            with self.attempt(f"pieces of {size}"):
                relay = Relay(self, broker.address, size)
                browser.open(f"{pages.origin}/page?url={relay.url}/topics/c11-{size}")
                eventually(lambda: self.seen(browser, "tidings.ready"), 30, "the stream is open")
                sent = [broker.post(f"/topics/c11-{size}?type=paid", x.encode()).json["id"] for x in texts]
                eventually(lambda: len(self.seen(browser, "paid")) >= len(texts), 60, "the browser has all")
                wanted = [["paid", shown(x), identity] for x, identity in zip(texts, sent)]
                self.assertEqual(self.seen(browser, "paid"), wanted)
                self.assertEqual(len(self.seen(browser, "tidings.ready")), 1, "over one connection")
                self.assertGreater(relay.pieces, 20 * len(texts))
                passed += relay.pieces
        self.note(f"{len(texts)} awkward texts in {passed} pieces of 1, 2 and 3 bytes to Chromium {browser.version}: "
                  f"the same events")

    @staticmethod
    def seen(browser, *types):
        return [[x["type"], x["data"], x["id"]] for x in browser.run("return window.seen") if x["type"] in types]

    @fault("C12", "C14")
    def test_c12_c14_browser_and_reference_parser_agree_on_every_text(self):
        pages, browser = PageServer(), Browser()
        self.addCleanup(pages.close)
        self.addCleanup(browser.close)
        broker = self.broker(options={"topics.level": "written", "server.cors-origins": pages.origin})
        browser.open(f"{pages.origin}/page?url={broker.url}/topics/t")
        eventually(lambda: broker.get("/stats").json["connected_clients"] == 1, 20)
        stream = broker.stream("/topics/t")
        stream.ready()
        self.publish_all(broker, "t")
        broker.post("/topics/t", "end")
        ours = [[x.type, x.data, x.id] for x in stream.events(len(TEXTS) + 1)]
        seen = lambda: [[x["type"], x["data"], x["id"]] for x in browser.run("return window.seen") if not x["type"].startswith("tidings.")]
        eventually(lambda: len(seen()) >= len(ours), 20, "the browser has all")
        self.assertEqual(seen(), ours)
        self.assertEqual([x[1] for x in ours[:-1]], [shown(x) for x in TEXTS])
        # Bytes matter: as JSON or base64 they come exactly, and what is no text is refused.
        for text in TEXTS:
            with self.attempt(repr(text[:20])):
                self.assertEqual(broker.post("/topics/j", json.dumps(text), JSON).status, 201)
                self.assertEqual(broker.post("/topics/b?encoding=base64", text.encode("utf-8")).status, 201)
        self.assertEqual([x["data"] for x in broker.log_events("/topics/j")], TEXTS)
        self.assertEqual([base64.b64decode(x["data"]).decode() for x in broker.log_events("/topics/b")], TEXTS)
        for data in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"a\x00b", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xfe\xff\x00a"):
            with self.attempt(repr(data)):
                self.assert_problem(broker.post("/topics/t", data), 400, "invalid_text")
        self.note(f"{len(TEXTS)} awkward texts: Chromium {browser.version} and the reference parser agree; exact as JSON and base64; what is no UTF-8 is refused")
