"""What every route shares: connections, methods, limits, deadlines, CORS, and requests that are not right."""

import email.utils
import re
import time

from support.case import BrokerTest, OwnBrokerTest, fault
from support.waiting import eventually
from support.wire import Closed

PAGE = "https://app.example"


class Connections(BrokerTest):
    def test_a_refused_request_is_answered_before_its_body(self):
        for more in (b"", b"Expect: 100-continue\r\n"):
            with self.subTest(more), self.shared.connect() as link:
                link.send(b"POST /nowhere HTTP/1.1\r\nHost: x\r\n" + more + b"Content-Length: 1000000\r\n\r\n")
                self.assertEqual(link.read_head().status, 404)
        with self.subTest("in chunks"), self.shared.connect() as link:
            link.send_request("POST", "/nowhere", {"Transfer-Encoding": "chunked"})
            link.send_chunk("x" * 20_000)
            self.assertEqual(link.read_response().status, 404)
            self.assertTrue(link.at_end())
        with self.subTest("a short body"), self.shared.connect() as link:
            for _ in range(3):
                self.assertEqual(link.request("POST", "/nowhere", body="x" * 1000).status, 404)

    def test_a_client_of_http_1_0_is_not_told_to_continue(self):
        with self.shared.connect() as link:
            link.send(b"POST /topics/%s HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n" % self.topic.encode())
            link.send(b"hi")
            self.assertEqual(link.read_head().status, 201)

    def test_what_is_wrong_behind_a_streamed_answer_is_said(self):
        with self.shared.connect() as link:
            line = f'{{"topic":"{self.topic}"}}\n'
            self.assertEqual(link.request("POST", "/events", {"Content-Type": "application/x-ndjson"}, line).status, 200)
            link.send(b"GET /" + b"x" * 20_000)
            self.assertIn(link.read_response().status, (414, 431))

    def test_keep_alive_serves_many_requests(self):
        with self.shared.connect() as link:
            for i in range(50):
                answer = link.request("POST", f"/topics/{self.topic}", body=str(i))
                self.assertEqual(answer.status, 201)
                self.assertEqual(link.request("GET", "/healthz").status, 200)
        self.assertEqual(self.data(f"/topics/{self.topic}"), [str(i) for i in range(50)])

    def test_connection_close_is_honoured(self):
        with self.shared.connect() as link:
            answer = link.request("GET", "/healthz", {"Connection": "close"})
            self.assertEqual((answer.status, answer.header("connection")), (200, "close"))
            self.assertTrue(link.at_end())
        for more in (b"", b"Connection: keep-alive\r\n"):
            with self.subTest(more), self.shared.connect() as link:
                link.send(b"GET /healthz HTTP/1.0\r\n" + more + b"\r\n")
                answer = link.read_response()
                self.assertEqual((answer.status, answer.header("connection")), (200, "close"))
                self.assertTrue(link.at_end())

    def test_answers_and_streams_carry_the_date(self):
        for path, status in (("/healthz", 200), ("/nowhere", 404), (f"/topics/{self.topic}", 200)):
            with self.subTest(path), self.shared.connect() as link:
                link.send_request("GET", path)
                head = link.read_head()
                self.assertEqual(head.status, status)
                told = email.utils.parsedate_to_datetime(head.header("date"))
                self.assertLess(abs(told.timestamp() - time.time()), 60)

    @fault("H6")
    def test_pipelined_requests_are_answered_in_order(self):
        with self.shared.connect() as link:
            requests = b""
            for i in range(100):
                body = str(i).encode()
                requests += b"POST /topics/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
                    self.topic.encode(), len(body), body)
                requests += b"GET /nowhere/%d HTTP/1.1\r\nHost: x\r\n\r\n" % i
            link.send(requests)
            ids = []
            for i in range(100):
                answer = link.read_response()
                self.assertEqual(answer.status, 201, answer)
                ids.append(answer.json["id"])
                self.assertEqual(link.read_response().status, 404)
        events = self.page(f"/topics/{self.topic}")["events"]
        self.assertEqual([x["data"] for x in events], [str(i) for i in range(100)])
        self.assertEqual([x["id"] for x in events], ids)

    def test_a_body_in_chunks_is_one_body(self):
        with self.shared.connect() as link:
            link.send_request("POST", f"/topics/{self.topic}", {"Transfer-Encoding": "chunked"})
            for piece in ("one", " and ", "two", ""):
                link.send_chunk(piece)
            self.assertEqual(link.read_response().status, 201)
            self.assertEqual(link.request("GET", "/healthz").status, 200)
        self.assertEqual(self.data(f"/topics/{self.topic}"), ["one and two"])

    @fault("H9")
    def test_expect_100_continue(self):
        with self.shared.connect() as link:
            link.send_request("POST", f"/topics/{self.topic}", {"Expect": "100-continue", "Content-Length": "2"})
            self.assertEqual(link.read_head().status, 100)
            link.send(b"hi")
            self.assertEqual(link.read_response().status, 201)
        with self.shared.connect() as link:
            link.send_request("POST", f"/topics/{self.topic}", {"Expect": "100-continue", "Content-Length": "99999999"})
            self.assert_problem(link.read_response(), 413, "payload_too_large")

    def test_a_request_byte_by_byte(self):
        with self.shared.connect() as link:
            for byte in b"POST /topics/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi" % self.topic.encode():
                link.send(bytes([byte]))
            self.assertEqual(link.read_response().status, 201)


class Methods(BrokerTest):
    def test_an_unknown_path_is_404(self):
        for path in ("/nowhere", "/topic/x", "/Topics/x", "/events/x", "/healthz/x", "//topics/x"):
            with self.subTest(path):
                self.assert_problem(self.shared.get(path), 404, "not_found")

    def test_a_method_that_a_path_does_not_know_is_405_and_says_which_it_knows(self):
        for method, path, allowed in [("DELETE", "/events", {"GET", "POST"}), ("PUT", "/topics/x", {"GET", "POST"}),
                                      ("POST", "/healthz", {"GET"}), ("POST", "/stats", {"GET"}), ("PATCH", "/topics", {"GET"}),
                                      ("GET", "/connections/0000000100000001", {"DELETE"})]:
            with self.subTest(f"{method} {path}"):
                answer = self.shared.request(method, path)
                self.assert_problem(answer, 405, "method_not_allowed")
                self.assertLessEqual(allowed, set(re.split(r"\s*,\s*", answer.header("allow"))), answer)

    def test_head_is_get_without_its_body(self):
        for path in ("/healthz", "/stats", "/"):
            with self.shared.connect() as link:
                answer = link.request("HEAD", path)
                self.assertEqual(answer.status, 200, (path, answer))
                # The next answer must not begin with a body that should not be there.
                self.assertEqual(link.request("GET", "/healthz").json["status"], "ok")

    def test_head_of_a_stream_ends(self):
        with self.shared.connect() as link:
            answer = link.request("HEAD", f"/topics/{self.topic}", {"Accept": "text/event-stream"})
            self.assertIn(answer.status, (200, 405), answer)
            if answer.header("connection") != "close":
                self.assertEqual(link.request("GET", "/healthz").status, 200)

    def test_options_without_an_origin_names_the_methods(self):
        answer = self.shared.request("OPTIONS", "/events")
        self.assertIn(answer.status, (200, 204), answer)
        self.assertLessEqual({"GET", "POST"}, set(re.split(r"\s*,\s*", answer.header("allow"))), answer)

    @fault("H18")
    def test_trace_connect_and_unknown_methods_are_refused(self):
        for method in ("TRACE", "CONNECT", "FOO", "get"):
            with self.subTest(method):
                self.assertIn(self.shared.request(method, "/events").status, (400, 405, 501))

    def test_the_root_says_what_this_is(self):
        answer = self.shared.get("/")
        self.assertEqual(answer.status, 200)
        self.assertIn("tidings", answer.text.lower())
        self.assertIn("curl", self.shared.get("/", {"Accept": "text/plain"}).text + answer.text)


class Cors(BrokerTest):
    options = {"server.cors-origins": f"{PAGE},http://localhost:3000"}

    @fault("H15")
    def test_a_listed_origin_may_read_and_publish(self):
        for origin in (PAGE, "http://localhost:3000"):
            for target, headers in ((f"/topics/{self.topic}", {"Accept": "application/json"}), ("/stats", {}), ("/nowhere", {})):
                answer = self.shared.get(target, {"Origin": origin, **headers})
                self.assertEqual(answer.header("access-control-allow-origin"), origin, answer)
                self.assertIn("origin", (answer.header("vary") or "").lower())
            answer = self.shared.post(f"/topics/{self.topic}", "x", {"Origin": origin})
            self.assertEqual((answer.status, answer.header("access-control-allow-origin")), (201, origin))
            stream = self.stream(f"/topics/{self.topic}", {"Origin": origin})
            self.assertEqual(stream.head.header("access-control-allow-origin"), origin)

    @fault("H15")
    def test_a_preflight_is_answered_with_what_is_allowed(self):
        answer = self.shared.request("OPTIONS", f"/topics/{self.topic}", {
            "Origin": PAGE, "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type, idempotency-key, x-event-type, last-event-id"})
        self.assertIn(answer.status, (200, 204), answer)
        self.assertEqual(answer.header("access-control-allow-origin"), PAGE)
        self.assertIn("POST", answer.header("access-control-allow-methods"))
        allowed = answer.header("access-control-allow-headers").lower()
        for name in ("content-type", "idempotency-key", "x-event-type", "last-event-id"):
            self.assertTrue(name in allowed or allowed == "*", (name, allowed))

    @fault("H15")
    def test_no_other_origin_is_let_in(self):
        for origin in ("https://evil.example", "null", "https://app.example.evil.example", "https://sub.app.example", "http://app.example",
                       "https://app.example:444", "https://APP.example", PAGE + "/", "https://app.exampl"):
            with self.subTest(origin):
                for answer in (self.shared.get("/stats", {"Origin": origin}),
                               self.shared.request("OPTIONS", "/events", {"Origin": origin, "Access-Control-Request-Method": "POST"})):
                    self.assertIsNone(answer.header("access-control-allow-origin"), answer)
        self.assertIsNone(self.shared.get("/stats").header("access-control-allow-origin"))


class WrongRequests(BrokerTest):
    # What never becomes a request is closed without an answer when its time is over.
    options = {"limits.header-timeout": "1s", "limits.body-timeout": "1s"}

    def refuse(self, data, *statuses):
        """Answered with one of the statuses or not at all, and closed; the rest is never taken for a request."""
        with self.shared.connect() as link:
            try:
                link.send(data)
                answer = link.read_response(timeout=5)
            except (ConnectionError, Closed):
                return
            self.assertIn(answer.status, statuses or (400, 501), answer)
            self.assertTrue(link.at_end(), "left open after a request that nobody can be sure of")

    def test_framing_that_two_servers_could_read_differently(self):
        p = b"POST /topics/smuggled HTTP/1.1\r\nHost: x\r\n"
        g = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
        cases = [
            p + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            p + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            p + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            p + b"Content-Length: 3, 3\r\n\r\nabc",
            p + b"Content-Length: +3\r\n\r\nabc",
            p + b"Content-Length: 0x3\r\n\r\nabc",
            p + b"Content-Length: -3\r\n\r\nabc",
            p + b"Content-Length:\r\n\r\nabc",
            p + b"Content-Length: 99999999999999999999\r\n\r\nabc",
            p + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            p + b"Transfer-Encoding: identity\r\n\r\n",
            p + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            p + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            p + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            p + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
            p + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
            p + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
            p + b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
            p + b"Transfer-Encoding:\r\n\r\n",
            p + b"Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST /topics/smuggled HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            p + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
            p + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
            g + b"X-Folded: a\r\n b\r\n\r\n",
            g + b"Host: y\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: a@b\r\n\r\n",
            b"GET http://other/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /healthz#f HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n",
            g + b"Content-Length: 3\r\n\r\nabc",
            g + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            g + b"Bad Name: x\r\n\r\n",
            g + b"NoColon\r\n\r\n",
            g + b"Space : x\r\n\r\n",
            g + b"X: a\x00b\r\n\r\n",
            b"GET /healthz HTTP/1.1\nHost: x\n\n",
            b"GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n",
            b"GET /healthz http/1.1\r\nHost: x\r\n\r\n",
            b"GET /healthz\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 60,
            b"SSH-2.0-OpenSSH_9.2\r\n",
        ]
        for case in cases:
            with self.subTest(case[:120]):
                self.refuse(case, 400, 408, 501, 505)
        self.assertEqual(self.page("/topics/smuggled")["events"], [])
        self.assertEqual(self.shared.get("/healthz").status, 200)
        self.note(f"{len(cases)} requests that must not be guessed at: each refused and its connection closed")

    @fault("H7")
    def test_headers_over_the_limits_are_431(self):
        self.refuse(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431)
        self.refuse(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: a\r\n" % i for i in range(200)) + b"\r\n", 431)
        self.refuse(b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, 431)

    @fault("H19")
    def test_a_compressed_body_is_415(self):
        answer = self.shared.post(f"/topics/{self.topic}", b"\x1f\x8b", {"Content-Encoding": "gzip"})
        self.assert_problem(answer, 415, "unsupported_media_type")

    def test_trailers_are_not_headers(self):
        with self.shared.connect() as link:
            link.send_request("POST", f"/topics/{self.topic}", {"Transfer-Encoding": "chunked"})
            link.send(b"2\r\nhi\r\n0\r\nX-Event-Type: forged\r\n\r\n")
            answer = link.read_response()
            self.assertIn(answer.status, (201, 400))
        for event in self.page(f"/topics/{self.topic}")["events"]:
            self.assertEqual(event["type"], "message")


class Deadlines(OwnBrokerTest):
    @fault("H3", "H5")
    def test_who_does_not_go_on_is_closed(self):
        broker = self.broker(options={"limits.header-timeout": "500ms", "limits.body-timeout": "500ms", "limits.idle-timeout": "1s"})
        starts = {
            "silence": b"",
            "half a head": b"GET /healthz HTTP/1.1\r\nHost:",
            "half a body": b"POST /topics/t HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
            "half a chunk": b"POST /topics/t HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc",
            "idle after an answer": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        }
        for name, data in starts.items():
            with self.subTest(name), broker.connect() as link:
                begin = time.monotonic()
                link.send(data)
                if name == "idle after an answer":
                    self.assertEqual(link.read_response().status, 200)
                else:
                    try:
                        answer = link.read_response(timeout=5)
                        self.assertEqual(answer.status, 408, answer)
                    except Exception as failure:
                        self.assertIn(type(failure).__name__, ("Closed", "ConnectionResetError"))
                self.assertTrue(link.at_end(5))
                self.assertLess(time.monotonic() - begin, 5)
        # A stream sends nothing and stays.
        stream = broker.stream("/topics/t")
        stream.ready()
        eventually(lambda: broker.get("/stats").json["uptime_seconds"] >= 3, 10)
        broker.post("/topics/t", "still here")
        self.assertEqual(stream.event().data, "still here")

    @fault("H3")
    def test_the_beginning_of_a_request_behind_another_has_the_time_of_a_header(self):
        broker = self.broker(options={"limits.header-timeout": "500ms", "limits.idle-timeout": "5m"})
        with broker.connect() as link:
            link.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /he")
            self.assertEqual(link.read_response().status, 200)
            self.assertEqual(link.read_response(timeout=15).status, 408)
            self.assertTrue(link.at_end())

    @fault("H4")
    def test_a_body_that_drips_has_an_end(self):
        broker = self.broker(options={"limits.body-timeout": "2s", "limits.transfer-rate-min": "1KiB"})
        with broker.connect() as link:
            link.send_request("POST", "/topics/t", {"Content-Length": "1000"})
            sent = 0

            def refused():
                nonlocal sent
                link.send(b"x")
                sent += 1
                try:
                    return link.read_head(timeout=0.1).status
                except TimeoutError:
                    return None

            self.assertEqual(eventually(refused, 30, "every byte in time, and yet too slow"), 408)
            self.assertLess(sent, 300)
        # What comes fast enough has its time by its size.
        with broker.connect() as link:
            link.send_request("POST", "/topics/t", {"Content-Length": "200000"})
            for _ in range(20):
                link.send(b"x" * 10_000)
            self.assertEqual(link.read_response().status, 201)

    @fault("H4", "R1")
    def test_what_all_readers_leave_unread_is_bounded(self):
        broker = self.broker(options={"limits.transfer-bytes": "16MiB", "limits.event-bytes": "512KiB", "topics.level": "written"})
        for _ in range(20):
            self.assertEqual(broker.post("/topics/t", "x" * 400_000).status, 201)
        links = [broker.connect(receive_buffer=4096) for _ in range(6)]
        for link in links:
            self.addCleanup(link.close)
        held = lambda: int(re.search(r'tidings_transfer_bytes_held{of="answers"} (\d+)', broker.get("/metrics").text)[1])
        for link in links:
            before = held()
            link.send_request("GET", "/topics/t", {"Accept": "application/json"})
            eventually(lambda: held() > before or held() + 8_000_000 > 16 * 2**20, 10)
        self.assertLessEqual(held(), 16 * 2**20)
        self.assert_problem(broker.get("/topics/t", {"Accept": "application/json"}), 503, "overloaded")
        self.assertEqual(broker.post("/topics/u", "publishers go on" * 20_000).status, 201)
        answers = [link.read_response(timeout=30) for link in links]
        self.assertIn(503, [x.status for x in answers])
        whole = [x for x in answers if x.status == 200]
        self.assertTrue(whole and all(len(x.json["events"]) == 20 for x in whole))
        eventually(lambda: held() == 0, 10, "what is read is given back")
        self.assertEqual(broker.get("/topics/t", {"Accept": "application/json"}).status, 200)

    def test_an_upload_whose_answers_nobody_reads_is_closed(self):
        broker = self.broker(options={"limits.write-timeout": "1s"})
        with broker.connect(receive_buffer=4096, timeout=20) as link:
            link.send_request("POST", "/events", {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"})
            with self.assertRaises((BrokenPipeError, ConnectionResetError)):
                for _ in range(64):  # MiB; each line is refused with many more bytes
                    link.send_chunk("x\n" * 2**19)
        eventually(lambda: broker.get("/stats").json["connections"] <= 1, 10, "its connection is gone")

    def test_over_the_limit_of_connections_existing_ones_go_on(self):
        broker = self.broker(options={"limits.connections": "20"})
        stream = broker.stream("/topics/t")
        stream.ready()
        links = []
        try:
            for _ in range(40):
                try:
                    links.append(broker.connect(timeout=2))
                except OSError:
                    break
            with_room = links.pop(0)
            self.assertEqual(with_room.request("POST", "/topics/t", body="x").status, 201)
            self.assertEqual(stream.event().data, "x")
            with_room.close()
        finally:
            for link in links:
                link.close()
        eventually(broker.is_ready, 10, "new connections once there is room")
