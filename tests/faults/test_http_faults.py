"""Hostile HTTP: whatever is sent gets one answer per request or a close, and nothing is taken for a request that is none."""

import collections
import json
import pathlib
import re
import socket
import threading
import time
import urllib.parse
import zlib

from support import settings, tokens
from support.case import BrokerTest, OwnBrokerTest, fault
from support.proxy import Nginx
from support.waiting import eventually
from support.wire import Closed, Connection
from test_identity import api_key_table, key_table

JSON = {"Content-Type": "application/json"}
FRAMINGS = json.loads((pathlib.Path(__file__).parent / "http_framings.json").read_text())
LEFTOVER = b"POST /topics/leftover HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nleft"


def bytes_of(case):
    """`{x*3}` stands for xxx."""
    text = re.sub(r"\{([^{}]*?)\*(\d+)\}", lambda m: m[1] * int(m[2]), case["request"], flags=re.S)
    return text.encode("latin-1")


class Framing(OwnBrokerTest):
    """The table http_framings.json: 51 cases that a careful parser refuses, 26 that one of good reputation takes and that must be refused
    all the same, 5 that are legal, and more."""

    OPTIONS = {"limits.header-timeout": "2s", "limits.body-timeout": "1s", "topics.level": "written"}

    def answers(self, address, data):
        """The statuses of all answers until the connection is closed, or until the last one that it must be closed after."""
        statuses, closed = [], False
        with Connection(address, timeout=6) as link:
            try:
                link.send(data)
            except OSError:
                pass  # closed before it took everything; there may be an answer all the same
            try:
                while True:
                    answer = link.read_response(timeout=6)
                    statuses.append(answer.status)
                    if answer.status == 200 and answer.header("content-type") == "text/event-stream":
                        break
                    if len(statuses) > 3:
                        break
                    if answer.header("connection") == "close":
                        closed = link.at_end(5)
                        break
            except (Closed, ConnectionError):
                closed = True
            except TimeoutError:
                pass  # kept open
            except ValueError:
                statuses.append("no HTTP")
        return statuses, closed

    def table(self, only=None):
        return [x for x in FRAMINGS if only is None or x["group"] in only]

    @fault("H1")
    def test_h1_each_framing_is_answered_as_specified_and_nothing_behind_it_is_read(self):
        broker = self.broker(options=self.OPTIONS)
        self.assertEqual([sum(x["group"] == g for x in FRAMINGS) for g in ("parser", "rules", "legal")], [51, 26, 5])
        results = [None] * len(FRAMINGS)

        def one(index):
            legal = 201 in FRAMINGS[index]["answers"]
            follow = LEFTOVER.replace(b"Content-Length", b"Connection: close\r\nContent-Length") if legal else LEFTOVER
            results[index] = self.answers(broker.address, bytes_of(FRAMINGS[index]) + follow)

        # Some cases wait for a time-out.
        workers = [threading.Thread(target=lambda at=at: [one(i) for i in range(at, len(FRAMINGS), 8)]) for at in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        legal = 0
        for case, (statuses, closed) in zip(FRAMINGS, results):
            with self.attempt(case["name"]):
                self.assertTrue(closed, f"left open after {statuses}")
                self.assertIn(statuses[0], case["answers"], statuses)
                if statuses[0] == 201:
                    legal += 1
                    self.assertEqual(statuses, [201, 201], "the next request is one")
                else:
                    self.assertEqual(len(statuses), 1, f"something behind it was read: {statuses}")
        self.assertEqual(len(broker.page("/topics/leftover")["events"]), legal)
        for event in broker.page("/topics/case")["events"]:
            self.assertEqual((event["data"], event["type"]), ("abc", "message"))
        self.note(f"{len(FRAMINGS)} framings (82 and {len(FRAMINGS) - 82} more): {legal} legal ones taken, all others refused and closed, "
                  "0 bytes read behind them")

    @fault("H2")
    def test_h2_behind_nginx_no_framing_shifts_answers(self):
        broker = self.broker(options=self.OPTIONS)
        seen = lambda: broker.metric("tidings_requests_total")
        passed = collections.Counter()
        # Before nginx starts: it writes down a request some time after it has answered it.
        before, looks = seen(), 0
        opened = broker.metric("tidings_connections_total")
        looks += 1
        nginx = Nginx(self, broker)
        probes = 0
        for case in FRAMINGS:
            with self.attempt(case["name"]):
                statuses, _ = self.answers(nginx.address, bytes_of(case) + LEFTOVER.replace(b"Content-Length", b"Connection: close\r\nContent-Length"))
                passed["refused" if statuses[:1] != [201] and statuses[:1] != [200] else "taken"] += 1
                # Whoever comes next over the kept connections gets the answer to what was asked.
                with Connection(nginx.address) as link:
                    for _ in range(3):
                        probes += 1
                        answer = link.request("POST", f"/topics/probe-{probes}", body=str(probes))
                        self.assertEqual((answer.status, answer.json["topic"]), (201, f"probe-{probes}"), "an answer to another request")
        # As many requests as nginx sent; each look at the metrics is one, too.
        def balance():
            nonlocal looks
            looks += 1
            return seen() - before - looks, nginx.forwarded()

        eventually(lambda: (x := balance())[0] == x[1] >= probes, 20, lambda: f"as many requests seen as sent: {balance()}")
        # Each look is a connection of its own, and nginx opens one anew after each refusal.
        opened = broker.metric("tidings_connections_total") - opened - looks - 1
        self.assertLess(opened, nginx.forwarded() // 2, "nginx keeps no connections, so nothing could be shifted")
        self.note(f"{len(FRAMINGS)} framings through nginx ({passed['taken']} passed on, {passed['refused']} refused), {probes} probes over the same "
                  f"connections: 0 desyncs, {nginx.forwarded()} requests on both sides over {opened} connections")


class Slow(OwnBrokerTest):
    """Deadlines hold for thousands at once, and new clients are served meanwhile."""

    def many(self, broker, count, data):
        sockets = []
        for i in range(count):
            # Each address of the loopback network has ports of its own.
            link = Connection(broker.address, timeout=20, source=f"127.0.1.{i % 250 + 1}")
            self.addCleanup(link.close)
            link.send(data)
            sockets.append(link)
        return sockets

    def left_open(self, sockets):
        left = 0
        for link in sockets:
            link.socket.setblocking(False)
            try:
                while link.socket.recv(4096):
                    pass
            except BlockingIOError:
                left += 1
            except OSError:
                pass
        return left

    @fault("H3", "H5")
    def test_h3_h5_slow_heads_and_silent_connections_are_closed_in_time(self):
        count = settings.pick(4000, 600)
        broker = self.broker(options={"limits.header-timeout": "4s", "limits.idle-timeout": "2s", "topics.level": "written"})
        start, before = broker.descriptors(), self.resources(broker)
        silent = self.many(broker, count // 3, b"")
        idle = self.many(broker, count // 3, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        slow = self.many(broker, count // 3, b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        begin, worst, letters, over = time.monotonic(), 0.0, [0] * len(slow), threading.Event()

        def trickle():
            """To the very end: if a byte bought more time, these would never be closed."""
            while not over.wait(0.5):
                for index, link in enumerate(slow):
                    try:
                        link.send(b"a")
                        letters[index] += 1
                    except OSError:
                        pass  # closed already

        trickler = threading.Thread(target=trickle, daemon=True)
        trickler.start()
        self.addCleanup(trickler.join)
        self.addCleanup(over.set)
        eventually(lambda: broker.descriptors() >= start + len(slow), 5, "all are there")
        while broker.descriptors() > start + 5:
            asked = time.monotonic()
            self.assertEqual(broker.get("/healthz").status, 200)
            worst = max(worst, time.monotonic() - asked)
            # Four seconds, and two that a refused connection may stay for its answer to be read; the rest is for a
            # busy machine.
            self.assertLess(time.monotonic() - begin, 20, "left open")
        took = time.monotonic() - begin
        over.set()
        trickler.join()
        self.assertEqual([self.left_open(x) for x in (silent, idle, slow)], [0, 0, 0])
        self.assertGreater(min(letters), 2, "each of them said something more now and then")
        self.back_to(broker, before)
        self.note(f"{count} connections (silent, idle after an answer, a header byte now and then until the end) "
                  f"closed within {took:.1f} s; others answered within {worst * 1000:.0f} ms meanwhile")

    @fault("H4")
    def test_h4_slow_bodies_and_slow_readers_of_answers(self):
        broker = self.broker(options={"limits.body-timeout": "1s", "limits.write-timeout": "1s", "topics.level": "written"})
        for i in range(40):
            broker.post("/topics/t", "x" * 200000)
        start = broker.descriptors()
        stuck = self.many(broker, 50, b"POST /topics/t HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        readers = []
        for _ in range(50):
            link = Connection(broker.address, receive_buffer=4096)
            self.addCleanup(link.close)
            link.send(b"GET /topics/t?limit=40 HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n")
            readers.append(link)
        eventually(lambda: broker.descriptors() >= start + 90, 5, "all are there")
        begin = time.monotonic()
        eventually(lambda: broker.descriptors() <= start + 2, 20, "all closed")
        self.note(f"{len(stuck)} bodies that stop and {len(readers)} answers of 8 MB that nobody reads: closed within {time.monotonic() - begin:.1f} s")


class Floods(OwnBrokerTest):
    @fault("H6")
    def test_h6_ten_thousand_requests_in_one_piece(self):
        count = settings.pick(10000, 3000)
        broker = self.broker(options={"topics.level": "none"})
        before, base = self.resources(broker), broker.memory()
        broker.forget_peak()
        with broker.connect(timeout=60) as link:
            sender = threading.Thread(target=link.send, args=(b"".join(
                b"POST /topics/t?ack=none HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%d" % (len(str(i)), i) for i in range(count)),), daemon=True)
            sender.start()
            statuses = collections.Counter(link.read_response().status for _ in range(count))
            sender.join()
        grown = broker.memory("VmHWM") - base
        self.assertLessEqual(set(statuses), {202, 503}, statuses)
        self.assertGreater(statuses[202], 0)
        self.assertLess(grown, settings.memory(64 << 20))
        events = broker.log_events("/topics/t")
        self.assertEqual(len(events), statuses[202])
        self.assertEqual([int(x["data"]) for x in events], sorted(int(x["data"]) for x in events))
        self.back_to(broker, before)
        self.note(f"{count} pipelined requests: {dict(statuses)}, each answered in order, "
                  f"memory {grown / 2**20:+.1f} MiB at most")

    HEAD, CHUNKED = b"POST /topics/t HTTP/1.1\r\nHost: x\r\n", b"Transfer-Encoding: chunked\r\n\r\n"
    # What comes first, what comes again and again, the answers that may be, and after how many bytes an answer has
    # to come though nothing follows: the limit, and what is left of the last piece.
    ENDLESS = [
        ("a header line", HEAD + b"X: ", b"a" * 4096, (431,), 24 << 10),
        ("header fields", HEAD, b"X: a\r\n" * 600, (431,), 24 << 10),
        ("a URL", b"GET /", b"a" * 4096, (414, 431), 24 << 10),
        ("a declared body of 1 GB", HEAD + b"Content-Length: 1000000000\r\n\r\n", b"a" * 65536, (413,), 0),
        ("chunks", HEAD + CHUNKED, b"1000\r\n" + b"a" * 4096 + b"\r\n", (413,), 1100 << 10),
        ("chunks of one byte", HEAD + CHUNKED, b"1\r\na\r\n" * 4096, (413,), 8 << 20),
        ("a chunk extension", HEAD + CHUNKED + b"1;", b"a" * 4096, (400,), 24 << 10),
        ("a chunk size", HEAD + CHUNKED, b"0" * 4096, (400,), 24 << 10),
        ("a trailer", HEAD + CHUNKED + b"0\r\n", b"X: a\r\n" * 600, (400, 413, 431), 24 << 10),
        ("chunk extensions", HEAD + CHUNKED, b"1;" + b"x" * 4000 + b"\r\na\r\n", (400, 413), 8 << 20),
    ]

    def answer_after(self, broker, head, piece, enough):
        """Sends so much and no more, and returns the status. A broker that waits for more ends with 408."""
        with broker.connect(timeout=20) as link:
            data = head + piece * -(-enough // len(piece))
            sender = threading.Thread(target=self.send_all, args=(link, data), daemon=True)
            sender.start()
            status = link.read_response().status
            sender.join(20)
            return status

    @staticmethod
    def send_all(link, data):
        try:
            link.send(data)
        except OSError:
            pass  # closed before it took everything

    def sent_until_closed(self, broker, head, piece, most):
        """Whoever does not look at the answer and goes on: how many bytes go out before the connection is gone."""
        sent = 0
        with broker.connect(timeout=20) as link:
            try:
                link.send(head)
                while sent < most:
                    link.send(piece)
                    sent += len(piece)
            except OSError:
                pass
        return sent

    @fault("H7", "H8")
    def test_h7_h8_endless_heads_and_bodies_stop_at_the_limit(self):
        broker = self.broker(options={"topics.level": "written", "limits.body-bytes": "1MiB",
                                      "limits.header-timeout": "5s", "limits.body-timeout": "5s"})
        before, base = self.resources(broker), broker.memory()
        broker.forget_peak()
        worked, refused = broker.processor_seconds(), broker.metric("tidings_requests_refused_total")
        # 4 MiB are read and thrown away after a refusal; the rest lies in the buffers of both sockets.
        most, farthest = 64 << 20, 0
        for name, head, piece, answers, enough in self.ENDLESS:
            with self.attempt(name):
                self.assertIn(self.answer_after(broker, head, piece, enough), answers)
                piece *= -(-4096 // len(piece))
                sent = self.sent_until_closed(broker, head, piece, most)
                self.assertLess(sent, 24 << 20, "taken without end")
                farthest = max(farthest, sent)
        self.assertEqual(broker.metric("tidings_requests_refused_total") - refused, 2 * len(self.ENDLESS))
        worked = broker.processor_seconds() - worked
        grown = broker.memory("VmHWM") - base
        # Less than a second on an idle machine: hundreds of megabytes would take more.
        self.assertLess(worked, settings.seconds(10))
        self.assertLess(grown, settings.memory(32 << 20))
        self.assertEqual(broker.get("/healthz").status, 200)
        self.back_to(broker, before)
        self.note(f"{self.tried} endless requests refused at the limits, {farthest >> 20} MiB went out at most until the "
                  f"connection was gone, memory {grown / 2**20:+.1f} MiB at most, {worked:.2f} s of the processor")


class Requests(BrokerTest):
    """Requests that are well framed."""

    options = {"topics.level": "written", "server.cors-origins": "https://app.example", "limits.body-timeout": "2s", "limits.header-timeout": "2s"}

    @fault("H9")
    def test_h9_expectations(self):
        p = b"POST /topics/h9 HTTP/1.1\r\nHost: x\r\n"
        for name, data, wanted in [
            ("continue", p + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", [100]),
            ("continue with the body at once", p + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi", [100, 201]),
            ("too large", p + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", [413]),
            ("without a body", p + b"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", [201]),
            ("in HTTP/1.0", b"POST /topics/h9 HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi", [201]),
            ("chunked", p + b"Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n", [100]),
            ("on a path that is none", b"POST /none HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", [100, 404]),
        ]:
            with self.attempt(name), self.shared.connect(timeout=5) as link:
                link.send(data)
                first = link.read_head()
                self.assertIn(first.status, wanted)
                if first.status == 100 and not data.endswith(b"hi"):
                    link.send(b"2\r\nhi\r\n0\r\n\r\n" if b"chunked" in data else b"hi")
                if first.status == 100:
                    self.assertIn(link.read_response().status, (201, 404))
                if first.status == 413:
                    link.body(first).piece()
                    link.send(LEFTOVER)  # it is not read: the connection is over
                    self.assertEqual(self.shared.page("/topics/leftover")["events"], [])

    @fault("H11")
    def test_h11_json_that_is_none_is_refused(self):
        deep = lambda n: b'{"topic":"h11","data":' + b"[" * n + b"]" * n + b"}"
        bad = [b"", b"{", b"[", b"nul", b"tru", b"{]", b"[1,]", b'{"a":1,}', b"{'a':1}", b'{a:1}', b"[01]", b"[1.]", b"[.5]", b"[+1]", b"[1e]", b"[1e999]",
               b"[-1e999]", b"[NaN]", b"[Infinity]", b"[0x10]", b'["\\x41"]', b'["\\u12"]', b'["\n"]', b'["\t"]', b'["\x00"]', b'["\xff"]', b'["\xc0\xaf"]',
               b'["\xed\xa0\x80"]', b'["\\ud800"]', b'["\\udc00\\ud800"]', b'["\xf4\x90\x80\x80"]', b"[1] x", b"[1][2]", b"// c\n[1]", b"/* c */[1]",
               b'{"a":1,"a":2}', b'{"a":1 "b":2}', b"[1 2]", b'"open', b"\xef\xbb\xbf", deep(40)[22:-1], b"[" * 1000000, b'{"a":' * 100000]
        for value in bad:
            with self.attempt(f"data {value[:30]!r}"):
                answer = self.shared.post("/events", b'{"topic":"h11","data":' + value + b"}", JSON)
                self.assertEqual(answer.status, 400, answer)
                answer = self.shared.post("/topics/h11", value, JSON)
                self.assertIn(answer.status, (400, 413), answer)
        self.tried += 1
        self.assertEqual(self.shared.post("/events", b'{"topic":"h11","topic":"other","data":1}', JSON).status, 400)
        self.assertEqual(self.shared.post("/events", b'{"topic":"h11","data":1} x', JSON).status, 400)
        self.assertEqual(self.shared.post("/events", deep(20), JSON).status, 201)
        self.assertEqual(self.shared.post("/events", deep(33), JSON).status, 400)
        self.assertEqual(self.shared.post("/events", json.dumps({"topic": "h11", "data": "x" * 2000000}), JSON).status, 413)
        self.held += 1
        self.assertEqual(len(self.shared.page("/topics/h11")["events"]), 1)
        self.note(f"{len(bad)} values that are no JSON refused, alone and inside an event")

    LINES = ["\r", "\n", "\r\n", "\x85", "\u2028", "\u2029", "\x00", "\x0b", "\x0c", "\x1b", "\x7f"]

    @fault("H12")
    def test_h12_nobody_breaks_out_of_a_line(self):
        """One event in, one event out, with every line break in every field."""
        stream = self.stream("/topics/h12?envelope=false")
        stream.ready()
        published = 0
        forged = "id: 666{0}event: forged{0}retry: 1{0}{0}data: forged{0}{0}"
        for mark in self.LINES:
            text = f"a{mark}{forged.format(mark)}"
            for field in ("data", "type", "id", "key", "topic", "title", "users"):
                with self.attempt(f"{field} with {mark!r}"):
                    event = {"topic": "h12", "data": "x"}
                    if field in ("title", "users"):
                        event = {"users": ["7"], "title": "t", "topic": "h12"}
                    event[field] = [text] if field == "users" else text
                    answer = self.shared.post("/events", json.dumps(event), JSON)
                    if field != "data" or mark == "\0":
                        self.assertEqual(answer.status, 400, answer)
                        continue
                    self.assertEqual(answer.status, 201, answer)
                    published += 1
                    got = stream.event()
                    shown = text.replace("\r\n", "\n").replace("\r", "\n")
                    self.assertEqual((got.type, got.id, got.data), ("message", answer.json["id"], shown))
            for parameter in ("type", "id", "ttl", "ack"):
                with self.attempt(f"parameter {parameter} with {mark!r}"):
                    answer = self.shared.post(f"/topics/h12?{parameter}=a{urllib.parse.quote(mark + 'data: forged')}", "x")
                    self.assertEqual(answer.status, 400, answer)
            for header in self.HEADERS:
                with self.attempt(f"header {header} with {mark!r}"):
                    self.forge_header(header, mark)
        # What follows is the next event, so there is none between.
        last = self.publish("h12", "last")
        got = stream.event(control=True)
        self.assertEqual((got.id, got.data), (last["id"], "last"), "more events than were published")
        self.assertNotIn("\nevent: forged", stream.raw.decode("utf-8", "replace"))
        self.note(f"{self.tried} fields, parameters and headers with line breaks of {len(self.LINES)} kinds: "
                  f"{published} events, each exactly one, "
                  "none forged; all others refused")

    # Of a publish with a body, and of a CloudEvent, with what it needs beside them.
    HEADERS = ("X-Event-Type", "X-Event-Id", "X-Event-TTL", "X-Ack", "Idempotency-Key",
               "ce-id", "ce-source", "ce-type", "ce-subject", "ce-topic")

    def forge_header(self, header, mark):
        """A line break in the value of a header: the request is refused, or the break ends the header as it ends any,
        and the rest is a header of a name that nobody knows."""
        fields = {"Host": "x", "Content-Length": "1", "Content-Type": "text/plain"}
        if header.startswith("ce-"):
            fields |= {"ce-specversion": "1.0", "ce-id": f"with-{header}", "ce-source": "h12", "ce-type": "h12",
                       "ce-topic": "h12-headers"}
        fields[header] = f"a{mark}data: forged"
        target = "/events" if header.startswith("ce-") else "/topics/h12-headers"
        head = f"POST {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        with self.shared.connect(timeout=20) as link:
            link.send(head.encode() + b"\r\nx")
            answer = link.read_response()
        if mark == "\r\n" and answer.status in (201, 202):
            self.assertNotIn(header, ("X-Event-TTL", "X-Ack"), "there is no such time or level")
            return
        self.assertEqual(answer.status, 400, answer)

    @fault("H14")
    def test_h14_one_name_for_a_topic_however_it_is_written(self):
        for written, name in (("h14%2Fa", "h14/a"), ("h14/a", "h14/a"), ("h14%2fa", "h14/a"), ("%68%31%34/a", "h14/a"), ("h14%3Aa", "h14:a")):
            with self.attempt(written):
                self.assertEqual(self.shared.post(f"/topics/{written}", "x").json["topic"], name)
        self.assertEqual(len(self.shared.page("/topics/h14/a")["events"]), 4)
        for written in ("h14%252Fa", "H14/a", "h14/%C3%A4", "h14/a%CC%88"):
            with self.attempt(f"{written} is another"):
                answer = self.shared.post(f"/topics/{written}", "x")
                if answer.status == 201:
                    self.assertNotEqual(answer.json["topic"], "h14/a")
        self.assertEqual(len(self.shared.page("/topics/h14/a")["events"]), 4)
        for written in ("h14%00a", "%", "%2", "%zz", "%C0%AF", "%ED%A0%80", "%FF", "a%0Ab", "a%20%0D", "*", "a,b"):
            with self.attempt(f"{written} is none"):
                self.assertEqual(self.shared.post(f"/topics/{written}", "x").status, 400)
        # Dots are a part of a name here, never a way up.
        for written in ("../healthz", "..%2Fhealthz", "%2e%2e/healthz"):
            with self.attempt(f"{written} goes nowhere"):
                answer = self.shared.get(f"/topics/{written}", {"Accept": "application/json"})
                self.assertNotIn("status", answer.json if answer.status == 200 else {})

    @fault("H17")
    def test_h17_hosts(self):
        for head, status in [("GET / HTTP/1.1\r\nHost: a:b", 400), ("GET / HTTP/1.1\r\nHost: [::1", 400), ("GET / HTTP/1.1\r\nHost: [::1]:7300", 200),
                             ("GET / HTTP/1.1\r\nHost: a\r\nhost: a", 400), ("GET http://a/ HTTP/1.1\r\nHost: a", 200),
                             ("GET http://A/ HTTP/1.1\r\nHost: a", 200), ("GET http://a@b/ HTTP/1.1\r\nHost: b", 400),
                             ("GET ftp://a/ HTTP/1.1\r\nHost: a", 400), ("GET //evil/ HTTP/1.1\r\nHost: a", 404),
                             ("GET / HTTP/1.1\r\nHost: " + "a" * 300, 400), ("GET / HTTP/1.0", 200)]:
            with self.attempt(head[:60]), self.shared.connect() as link:
                link.send(head.encode() + b"\r\n\r\n")
                self.assertEqual(link.read_response().status, status)

    @fault("H18")
    def test_h18_methods(self):
        for method in ("TRACE", "CONNECT", "PUT", "PATCH", "PROPFIND", "FOO", "get", "PURGE", "M-SEARCH"):
            with self.attempt(method):
                self.assertIn(self.shared.request(method, "/events").status, (400, 405, 501))
        for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
            with self.attempt(name):
                self.assertEqual(self.shared.post("/topics/h18", "x", {name: "DELETE"}).status, 201)
                self.assertEqual(self.shared.get("/healthz", {name: "DELETE"}).status, 200)

    @fault("H19")
    def test_h19_compressed_bodies(self):

        bomb = zlib.compress(b"\0" * 10000000, 9, 31)
        for coding in ("gzip", "br", "deflate", "compress", "zstd", "gzip, identity", "x-gzip", "GZIP", "foo"):
            for body in (b"x", bomb):
                with self.attempt(f"{coding}, {len(body)} bytes"):
                    self.assertEqual(self.shared.post("/topics/h19", body, {"Content-Encoding": coding}).status, 415)
        self.assertEqual(self.shared.post("/topics/h19", "x", {"Content-Encoding": "identity"}).status, 201)
        self.assertEqual(len(self.shared.page("/topics/h19")["events"]), 1)
        answer = self.shared.get("/topics/h19", {"Accept": "application/json", "Accept-Encoding": "gzip, br"})
        self.assertIsNone(answer.header("content-encoding"))


class OtherProtocols(OwnBrokerTest):
    # The last two look like the beginning of a request until their time is over.
    AT_ONCE = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
               b"\x80\x2e\x01\x00\x02", b"\x00" * 100, b"*1\r\n$4\r\nPING\r\n", b"\x05\x01\x00"]
    LATER = [b"SSH-2.0-x\r\n", b"EHLO x\r\n"]

    @fault("H10")
    def test_h10_other_protocols_are_closed_and_the_log_stays_small(self):
        broker = self.broker(options={"limits.header-timeout": "2s", "log.level": "debug"})
        before, size = self.resources(broker), len(broker.log())
        refused = broker.metric("tidings_requests_refused_total")
        hellos = self.AT_ONCE * (200 // len(self.AT_ONCE)) + self.LATER
        for hello in hellos:
            with broker.connect(timeout=20) as link:
                link.send(hello)
                self.assertIn(link.read_response().status, (400, 408, 505), hello)
                self.assertTrue(link.at_end(20), hello)
        self.assertEqual(broker.metric("tidings_requests_refused_total") - refused, len(hellos), "each is counted")
        said = broker.log()[size:]
        # Who is refused is counted, and may be worth a line, but not one for each.
        self.assertLess(said.count("\n"), 20, said[:2000])
        self.back_to(broker, before)
        self.note(f"{len(hellos)} hellos of {len(self.AT_ONCE + self.LATER)} other protocols each refused and "
                  f"counted, {len(said)} bytes logged")


class Reflection(OwnBrokerTest):
    """What a caller names comes back in headers, in the log and in metrics, and must not become a line or a field there."""

    # Each is a topic, a type and a user that one may name.
    NAMES = ['h13"X-Evil: 1', "h13\\", "h13\\nX-Evil: 1", "h13 X-Evil: 1", 'h13" user="root" address="',
             "h13\u202eX-Evil: 1", "h13{}=%s", "h13'ä€𝄞"]
    BROKEN = ["h13\r\nX-Evil: 1", "h13\nX-Evil: 1", "h13\rX-Evil: 1", "h13\tX-Evil: 1", "h13\0X-Evil: 1",
              "h13\x1b[2KX-Evil: 1"]

    def name_everywhere(self, broker, name):
        """Sends the name in all places that may be reflected, and returns how many streams were opened with it."""
        path, opened = urllib.parse.quote(name, safe=""), 0
        field = {"X-User-Id": name.encode().decode("latin-1")} if not re.search("[\r\n\0]", name) else {}
        for target in (f"/topics/{path}", f"/none/{path}", f"/users/{path}/mailbox", f"/users/{path}/stream",
                       f"/events?topics={path}", f"/topics/t?type={path}", f"/connections/{path}",
                       f"/topics?after={path}", f"/events?{path}=1"):
            for method in ("GET", "POST", "DELETE", "OPTIONS"):
                with self.attempt(f"{method} {target}"), broker.connect() as link:
                    body = b"x" if method == "POST" else None
                    link.send_request(method, target, {"Origin": "https://app.example", **field}, body)
                    head = link.read_head()
                    self.assertIsNone(head.header("x-evil"))
                    self.assertLess(head.status, 500)
                    opened += (head.header("content-type") or "").startswith("text/event-stream")
        return opened

    def check(self, log_format, read):
        """`read`: a line of the log that tells of a stream, as (user, topics, types)."""
        broker = self.broker(options={"log.level": "trace", "log.format": log_format, "topics.level": "written",
                                      "server.cors-origins": "https://app.example"})
        opened = sum(self.name_everywhere(broker, name) for name in self.NAMES + self.BROKEN)
        self.assertGreater(opened, 3 * len(self.NAMES), "nothing would have been logged")
        lines = lambda: [x for x in broker.log().split("\n") if "stream opened" in x]
        eventually(lambda: len(lines()) >= opened, 10, "all that is logged")
        found = [read(x) for x in lines()]
        self.assertEqual(len(found), opened, "a line for each, and no more")
        for place, what in enumerate(("user", "topics", "types")):
            for name in self.NAMES:
                with self.attempt(f"{what} {name!r} in a log of {log_format}"):
                    self.assertIn(name, [x[place] for x in found], "not as it was named")
        for line in re.split("[\r\n]", broker.log()):
            self.assertFalse(line.lstrip().startswith("X-Evil"), line)
        self.assertFalse(set(broker.log()) & set("\r\0\x1b"), "control characters in the log")
        return broker, opened

    @staticmethod
    def fields(message):
        """Values are quoted as in JSON."""
        value = lambda key: re.search(rf' {key}=("(?:[^"\\]|\\.)*")', message)[1]
        return [json.loads(value(key)) for key in ("user", "topics", "types")]

    @fault("H13")
    def test_h13_nothing_breaks_out_of_a_line_of_the_log(self):
        def read(line):
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[0-9:.]+Z [a-z]+ +stream opened ")
            return self.fields(line)

        broker, opened = self.check("text", read)
        metrics = broker.get("/metrics").text
        self.assertNotIn("Evil", metrics)
        self.assertNotIn("h13", metrics, "a label that callers can multiply")
        for line in metrics.splitlines():
            self.assertRegex(line, r'^(#|[a-z_]+(\{([a-z]+="[^"\\]*",?)*\})? [0-9.e+-]+$)')
        self.note(f"{len(self.NAMES)} names with quotes, backslashes and marks, and {len(self.BROKEN)} with control "
                  f"characters, in every place of a request: {opened} streams logged in a line each, no header, field or label made of them")

    @fault("H13")
    def test_h13_nothing_breaks_out_of_a_line_of_a_log_in_json(self):
        _, opened = self.check("json", lambda line: self.fields(json.loads(line)["message"]))
        self.note(f"the same in JSON: {opened} lines, each valid")


class Limits(OwnBrokerTest):
    """A flood is refused for who makes it, by whatever a caller is told from another."""

    CONFIG = '[topics]\nlevel = "written"\n[limits]\npublishes-per-caller = 20\n'

    def flood(self, broker, target, headers, **options):
        """As fast as answers come: some are taken, and most refused with the time to wait."""
        statuses = collections.Counter()
        with broker.connect(**options) as link:
            for _ in range(200):
                answer = link.request("POST", target, headers, "x")
                statuses[answer.status] += 1
                if answer.status == 429:
                    self.assertRegex(answer.header("retry-after"), r"^[1-9]\d*$")
                    self.assertEqual(answer.json["code"], "rate_limited")
        self.assertEqual(set(statuses), {201, 429}, statuses)
        # 20 at once and 20 more each second: on a machine that takes four seconds for these it would be a hundred.
        self.assertGreater(statuses[429], 50, statuses)

    def calm(self, broker, headers, **options):
        for i in range(15):
            with broker.connect(**options) as link:
                self.assertEqual(link.request("POST", "/topics/b", headers, "x").status, 201)

    @fault("H20")
    def test_h20_one_flood_does_not_slow_the_others(self):
        broker = self.broker(config=self.CONFIG + '[[topic]]\npattern = "slow"\nrate-per-second = 5\n')
        self.flood(broker, "/topics/a", {"X-User-Id": "flood"})
        self.flood(broker, "/topics/slow", {"X-User-Id": "other"})
        self.calm(broker, {"X-User-Id": "calm"})
        # Whoever has no name is known by the address.
        self.flood(broker, "/topics/a", {}, source="127.0.1.7")
        self.calm(broker, {}, source="127.0.1.8")
        self.note("floods of a user, an address and to a topic refused with 429; other users and addresses not")

    @fault("H20")
    def test_h20_a_flood_under_a_token_or_a_key_is_that_callers_own(self):
        key = tokens.Key("HS256", secret=b"a secret of the tests, 32 bytes or more")
        broker = self.broker(config=self.CONFIG + key_table("tests", key, None)
                             + api_key_table("loud", "loud-0123456789abcdef0123456789abcdef", publish=["**"])
                             + api_key_table("quiet", "quiet-0123456789abcdef0123456789abcde", publish=["**"]))
        claims = lambda user: tokens.claims(user, tidings={"publish": ["**"]})
        signed = lambda user: {"Authorization": f"Bearer {tokens.token(key, claims(user))}"}
        self.flood(broker, "/topics/a", signed("flood"))
        self.flood(broker, "/topics/a", {"X-API-Key": "loud-0123456789abcdef0123456789abcdef"})
        # A new token makes no other caller.
        self.assertTrue(self.refused_of(broker, [signed("again") for _ in range(100)]))
        self.calm(broker, signed("calm"))
        self.calm(broker, {"X-API-Key": "quiet-0123456789abcdef0123456789abcde"})
        self.note("floods of a token's user, over many tokens, and of an API key refused with 429; others from the "
                  "same address not")

    def refused_of(self, broker, hands):
        """Whether one of these is refused for being too many."""
        with broker.connect() as link:
            return 429 in [link.request("POST", "/topics/a", headers, "x").status for headers in hands]
