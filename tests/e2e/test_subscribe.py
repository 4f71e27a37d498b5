"""GET /events and GET /topics/{topic}: streams, pages and long polls, as docs/http.md has it."""

import datetime
import json
import shutil
import threading
import time

from checker import wants
from support.case import BrokerTest, OwnBrokerTest, fault
from support.waiting import eventually
from support.wire import Closed


class Stream(BrokerTest):
    options = {"topics.level": "written"}

    def test_the_first_bytes(self):
        stream = self.stream(f"/events?topics={self.topic}")
        head = stream.head
        self.assertEqual(head.header("content-type").split(";")[0], "text/event-stream")
        self.assertRegex(head.header("cache-control"), "no-(cache|store)")
        self.assertEqual(head.header("x-accel-buffering"), "no")
        ready = stream.ready()
        self.assertRegex(ready["connection"], r"^[0-9a-f]{16}$")
        self.assertEqual((ready["recovered"], ready["topics"]), (True, [self.topic]))
        text = stream.raw.decode()
        self.assertRegex(text, r"^retry: \d+\n\nid: c1\.[\w-]+\n\nevent: tidings\.ready\ndata: \{.*\}\n\n$")

    def test_retry_differs_from_stream_to_stream_within_its_bounds(self):
        values = set()
        for _ in range(12):
            item = self.stream(f"/topics/{self.topic}").item()
            self.assertEqual(item.kind, "retry")
            self.assertTrue(1000 <= item.data <= 5000, item)
            values.add(item.data)
        self.assertGreater(len(values), 6, values)

    def test_any_accept_that_allows_it_is_a_stream(self):
        for accept in (None, "*/*", "text/event-stream", "text/*", "text/html, */*;q=0.1"):
            headers = {} if accept is None else {"Accept": accept}
            with self.subTest(accept), self.shared.connect() as link:
                link.send_request("GET", f"/topics/{self.topic}", headers)
                head = link.read_head()
                self.assertEqual((head.status, head.header("content-type").split(";")[0]), (200, "text/event-stream"))
        with self.shared.connect() as link:
            link.send(b"GET /topics/%s HTTP/1.1\r\nHost: x\r\nAccept: image/png\r\nAccept: text/event-stream\r\n\r\n"
                      % self.topic.encode())
            self.assertEqual(link.read_head().status, 200)
        answer = self.shared.get(f"/topics/{self.topic}", {"Accept": "image/png"})
        self.assert_problem(answer, 406, "not_acceptable")

    def test_topics_and_patterns_in_every_form(self):
        p = self.topic
        names = [f"{p}-a", f"{p}-b", f"{p}/x", f"{p}/x/y", f"{p}:1", f"{p}:1:z", f"{p}.q", f"{p}-c"]
        queries = {
            f"topics={p}-a,{p}-b": [f"{p}-a", f"{p}-b"],
            f"topic={p}-a&topic={p}-b&topics={p}-c": [f"{p}-a", f"{p}-b", f"{p}-c"],
            f"topics={p}:*": [f"{p}:*"],
            f"topics={p}/**": [f"{p}/**"],
            f"topics={p}%2F*,{p}.q": [f"{p}/*", f"{p}.q"],
            f"topic={p}-a&topic={p}-a": [f"{p}-a"],
            "topics=**": ["**"],
            "": [],
        }
        streams = []
        for query, patterns in queries.items():
            stream = self.stream(f"/events?{query}")
            stream.ready()
            streams.append((stream, patterns, query))
        log = []
        for name in self.random.sample(names, len(names)) * 3:
            self.publish(name, name)
            log.append(name)
        for stream, patterns, query in streams:
            expected = [x for x in log if wants(patterns, [x])]
            self.assertEqual([x.data for x in stream.events(len(expected))], expected, query)
        self.note(f"{len(log)} events over {len(names)} topics on {len(streams)} subscriptions")

    def test_topic_path_may_be_a_name_with_separators(self):
        stream = self.stream(f"/topics/{self.topic}/a:b.c")
        self.assertEqual(stream.ready()["topics"], [f"{self.topic}/a:b.c"])
        self.publish(f"{self.topic}/a:b.c", "here")
        self.assertEqual(stream.event().data, "here")

    def test_bad_subscriptions_are_refused(self):
        for query in ("topics=a**", "topics=**/a", "topics=%00", "topic=a%0Ab", "topics=" + ",".join(f"t{i}" for i in range(101)),
                      "heartbeat=100ms", "heartbeat=1h", "heartbeat=x", "heartbeat_shape=smoke", "overflow=panic",
                      "envelope=maybe"):
            with self.subTest(query[:40]):
                answer = self.shared.get(f"/events?{query}", {"Accept": "text/event-stream"})
                self.assertEqual(answer.status, 400, answer)
                self.assertIn(answer.json["code"], ("invalid_topic", "invalid_parameter"), answer)

    def test_since(self):
        ids = [self.publish(self.topic, str(i))["id"] for i in range(5)]
        times = [x["time"] for x in self.page(f"/topics/{self.topic}")["events"]]
        for since, expected in [
            ("earliest", "01234"), (ids[2], "34"), ("10m", "01234"), (times[0], "01234"), ("2000-01-01T00:00:00Z", "01234"),
            ("2000-01-01T00%3A00%3A00%2B01%3A00", "01234"),
        ]:
            with self.subTest(since):
                stream = self.stream(f"/topics/{self.topic}?since={since}")
                self.assertEqual("".join(x.data for x in stream.events(len(expected))), expected)
        for since in ("now", None, "2999-01-01T00:00:00Z"):
            with self.subTest(since):
                stream = self.stream(f"/topics/{self.topic}" + (f"?since={since}" if since else ""))
                stream.ready()
                self.assertTrue(stream.silent(0.2))

    @fault("C9")
    def test_header_wins_over_last_event_id_wins_over_since(self):
        ids = [self.publish(self.topic, str(i))["id"] for i in range(4)]
        t = f"/topics/{self.topic}"
        stream = self.stream(f"{t}?since=earliest&last_event_id={ids[0]}", {"Last-Event-ID": ids[2]})
        self.assertEqual(stream.event().data, "3")
        stream = self.stream(f"{t}?since=earliest&last_event_id={ids[1]}")
        self.assertEqual(stream.event().data, "2")
        stream = self.stream(f"{t}?since={ids[0]}")
        self.assertEqual(stream.event().data, "1")

    def test_a_quiet_stream_can_resume_from_the_position_it_began_with(self):
        self.publish(self.topic, "before")
        stream = self.stream(f"/topics/{self.topic}")
        stream.ready()
        position = stream.last_event_id
        stream.close()
        self.publish(self.topic, "while away")
        stream = self.stream(f"/topics/{self.topic}", {"Last-Event-ID": position})
        self.assertIs(stream.ready()["recovered"], True)
        self.assertEqual(stream.event().data, "while away")

    def test_an_id_works_for_any_other_set_of_topics(self):
        a, b = self.topic + ":a", self.topic + ":b"
        for i in range(3):
            self.publish(a, f"a{i}")
            self.publish(b, f"b{i}")
        stream = self.stream(f"/topics/{a}?since=earliest")
        at = stream.events(2)[1]
        self.assertEqual(at.data, "a1")
        stream = self.stream(f"/events?topics={self.topic}:*", {"Last-Event-ID": at.id})
        self.assertEqual([x.data for x in stream.events(3)], ["b1", "a2", "b2"])

    def test_envelope(self):
        stream = self.stream(f"/topics/{self.topic}?envelope=true")
        stream.ready()
        result = self.publish(self.topic, "text", "?type=note")
        event = stream.event()
        self.assertEqual((event.type, event.id), ("note", result["id"]))
        envelope = json.loads(event.data)
        self.assertLessEqual({"id", "topic", "topics", "type", "time", "data"}, set(envelope))
        self.assertEqual((envelope["id"], envelope["topic"], envelope["topics"], envelope["type"], envelope["time"],
                          envelope["data"]), (result["id"], self.topic, [self.topic], "note", result["time"], "text"))

    def test_heartbeats_keep_the_interval_and_the_shape_that_was_asked_for(self):
        stream = self.stream(f"/topics/{self.topic}?heartbeat=1s")
        stream.ready()
        start = time.monotonic()
        shapes = []
        while len(shapes) < 3:
            item = stream.item(5)
            shapes.append(item.kind)
        took = time.monotonic() - start
        self.assertEqual(set(shapes), {"comment"})
        self.assertTrue(1.5 < took < 6, took)
        stream = self.stream(f"/topics/{self.topic}?heartbeat=1s&heartbeat_shape=event")
        stream.ready()
        beat = stream.event(5, control=True)
        self.assertEqual((beat.type, beat.data), ("heartbeat", "{}"))

    def test_a_heartbeat_moves_the_position_past_what_others_got(self):
        stream = self.stream(f"/topics/{self.topic}?heartbeat=1s")
        stream.ready()
        before = stream.last_event_id
        last = self.publish(self.topic + "-other", "x")["id"]
        eventually(lambda: stream.item(5) and stream.last_event_id == last, 10, "the position of the other event")
        self.assertNotEqual(before, last)

    def test_ndjson_stream(self):
        link = self.shared.connect()
        self.addCleanup(link.close)
        link.send_request("GET", f"/topics/{self.topic}?heartbeat=1s", {"Accept": "application/x-ndjson"})
        head = link.read_head()
        self.assertEqual((head.status, head.header("content-type")), (200, "application/x-ndjson"))
        body, text = link.body(head), b""

        def line():
            nonlocal text
            while b"\n" not in text:
                text += body.piece(5)
            first, _, text = text.partition(b"\n")
            return first

        ready = json.loads(line())
        self.assertEqual(ready["event"], "tidings.ready")
        self.assertEqual(ready["data"]["topics"], [self.topic])
        result = self.publish(self.topic, '{"a":\n1}', "?type=note", {"Content-Type": "application/json"})
        event = json.loads(line())
        self.assertEqual((event["id"], event["data"], event["type"], event["topic"]), (result["id"], {"a": 1}, "note", self.topic))
        self.assertEqual(line(), b"")

    def test_two_streams_and_a_page_agree_on_ids(self):
        streams = [self.stream(f"/topics/{self.topic}"), self.stream(f"/events?topics={self.topic},other")]
        for stream in streams:
            stream.ready()
        for i in range(20):
            self.publish(self.topic, str(i))
        ids = [[x.id for x in stream.events(20)] for stream in streams]
        self.assertEqual(ids[0], ids[1])
        self.assertEqual(ids[0], [x["id"] for x in self.page(f"/topics/{self.topic}")["events"]])
        self.assertEqual(len(set(ids[0])), 20)


class Pages(BrokerTest):
    options = {"topics.level": "written"}

    def fill(self, count=25):
        self.post_events([{"topic": self.topic, "data": i} for i in range(count)])
        return f"/topics/{self.topic}"

    def test_a_page_has_every_field(self):
        result = self.publish(self.topic, '{"total": 12}', "?type=paid&id=a-1&ttl=1h", {"Content-Type": "application/json"})
        page = self.page(f"/topics/{self.topic}")
        self.assertEqual(set(page), {"events", "next", "more", "gap"})
        self.assertEqual((page["more"], page["gap"]), (False, None))
        event, = page["events"]
        expires = event.pop("expires")
        self.assertRegex(expires, r"Z$")
        self.assertEqual(event, {"id": result["id"], "topic": self.topic, "topics": [self.topic], "type": "paid",
                                 "time": result["time"], "event_id": "a-1", "data": {"total": 12}})

    def test_pages_follow_each_other_without_a_hole(self):
        target = self.fill()
        seen, cursor, pages = [], "earliest", 0
        while True:
            page = self.page(f"{target}?limit=7&since={cursor}")
            seen += [x["data"] for x in page["events"]]
            cursor, pages = page["next"], pages + 1
            if not page["more"]:
                break
        self.assertEqual((seen, pages), (list(range(25)), 4))
        self.publish(self.topic, "more")
        self.assertEqual([x["data"] for x in self.page(f"{target}?since={cursor}")["events"]], ["more"])

    def test_a_cursor_works_as_last_event_id_and_the_other_way_round(self):
        target = self.fill()
        page = self.page(f"{target}?limit=10")
        stream = self.stream(target, {"Last-Event-ID": page["next"]})
        got = stream.events(5)
        self.assertEqual([x.data for x in got], [str(i) for i in range(10, 15)])
        self.assertEqual([x["data"] for x in self.page(f"{target}?since={got[-1].id}")["events"]], list(range(15, 25)))
        header = self.shared.page(target, {"Last-Event-ID": got[-1].id})
        self.assertEqual(header["events"][0]["data"], 15)

    def test_limit_until_and_reverse(self):
        target = self.fill(250)
        self.assertEqual(len(self.page(target)["events"]), 100)
        self.assertEqual(len(self.page(f"{target}?limit=1000")["events"]), 250)
        newest = self.page(f"{target}?reverse=true&limit=3")
        self.assertEqual([x["data"] for x in newest["events"]], [249, 248, 247])
        self.assertIs(newest["more"], True)
        middle = self.page(f"{target}?limit=1000")["events"][9]["id"]
        self.assertEqual([x["data"] for x in self.page(f"{target}?until={middle}")["events"]], list(range(10)))
        self.assertEqual(self.page(f"{target}?until=2000-01-01T00:00:00Z")["events"], [])
        for query in ("limit=0", "limit=1001", "limit=x", "reverse=7", "until=x", "wait=x"):
            with self.subTest(query):
                answer = self.shared.get(f"{target}?{query}", {"Accept": "application/json"})
                self.assert_problem(answer, 400, "invalid_parameter")

    def test_an_empty_topic_is_an_empty_page(self):
        page = self.page(f"/topics/{self.topic}")
        self.assertEqual((page["events"], page["more"], page["gap"]), ([], False, None))
        self.publish(self.topic, "first")
        self.assertEqual([x["data"] for x in self.page(f"/topics/{self.topic}?since={page['next']}")["events"]], ["first"])

    def test_a_page_over_several_topics_is_in_log_order(self):
        topics = [f"{self.topic}:{i}" for i in range(5)]
        order = [self.random.choice(topics) for _ in range(60)]
        self.post_events([{"topic": t, "data": i} for i, t in enumerate(order)])
        page = self.page(f"/events?topics={self.topic}:*")
        self.assertEqual([x["data"] for x in page["events"]], list(range(60)))
        page = self.page(f"/events?topics={topics[0]},{topics[3]}")
        self.assertEqual([x["data"] for x in page["events"]],
                         [i for i, t in enumerate(order) if t in (topics[0], topics[3])])

    def test_a_long_poll_is_answered_by_the_first_event(self):
        target = f"/topics/{self.topic}"
        cursor = self.page(target)["next"]
        answers = []
        poll = threading.Thread(target=lambda: answers.append((self.page(f"{target}?wait=20s&since={cursor}"), time.monotonic())))
        start = time.monotonic()
        poll.start()
        # Published again until the poll has it: it may not have begun to wait when the first one comes.
        eventually(lambda: self.publish(self.topic, "wake") and (poll.join(0.2) or not poll.is_alive()), 15)
        page, ended = answers[0]
        self.assertEqual(page["events"][0]["data"], "wake")
        self.assertLess(ended - start, 15)

    def test_a_long_poll_without_an_event_ends_empty(self):
        start = time.monotonic()
        page = self.page(f"/topics/{self.topic}?wait=1s")
        self.assertEqual(page["events"], [])
        self.assertTrue(0.9 < time.monotonic() - start < 5)
        self.assertTrue(page["next"])


class LongPoll(OwnBrokerTest):
    def poll(self, broker, target, headers=None):
        """Begins to wait; the answer comes into the list."""
        answers = []
        thread = threading.Thread(target=lambda: answers.append(broker.get(target, {"Accept": "application/json", **(headers or {})}, timeout=55)))
        thread.start()
        self.addCleanup(thread.join)
        return thread, answers

    def test_a_gap_is_told_at_once(self):
        broker = self.broker()
        page = broker.page("/topics/t?since=c1.garbage&wait=50s", timeout=20)
        self.assertEqual((page["gap"]["reason"], page["events"]), ("unknown_cursor", []))
        self.assertTrue(page["next"])

    def test_what_is_evicted_while_it_waits_is_told(self):
        broker = self.broker(config='[[topic]]\npattern = "t"\nkeep = 1\n')
        since = broker.post("/topics/t", "before").json["id"]
        waiting, answers = self.poll(broker, f"/topics/t?since={since}&wait=50s")
        batch = json.dumps([{"topic": "t", "data": "lost"}, {"topic": "t", "data": "kept"}])

        def answered():
            broker.post("/events", batch, {"Content-Type": "application/json"})
            waiting.join(0.2)
            return answers

        page = eventually(answered, 30)[0].json
        self.assertEqual([x["data"] for x in page["events"]], ["kept"])
        self.assertEqual(page["gap"]["reason"], "evicted")
        self.assertEqual(page["gap"]["from"], since)

    def test_a_stop_answers_it(self):
        broker = self.broker(options={"server.drain-timeout": "40s"})
        broker.post("/topics/t", "x")
        cursor = broker.page("/topics/t")["next"]
        waiting, answers = self.poll(broker, f"/topics/t?since={cursor}&wait=50s")
        eventually(lambda: broker.get("/stats").json["connections"] >= 2, 10)
        begin = time.monotonic()
        self.assertEqual(broker.stop(timeout=30), 0)
        waiting.join(10)
        self.assertEqual((answers[0].status, answers[0].json["events"]), (200, []))
        self.note(f"a poll of 50 s was answered, and the broker was gone {time.monotonic() - begin:.1f} s after SIGTERM")


class Gap(OwnBrokerTest):
    @fault("C5")
    def test_evicted_by_count_is_one_gap_with_its_range_then_what_is_kept(self):
        broker = self.broker(config='[[topic]]\npattern = "t"\nkeep = 10\n')
        first = broker.post("/topics/t", "0").json["id"]
        stream = broker.stream("/topics/t")
        stream.ready()
        stream.close()
        results = [broker.post("/topics/t", str(i)).json for i in range(1, 51)]
        for attempt in ("running", "restarted"):
            with self.subTest(attempt):
                stream = broker.stream("/topics/t", {"Last-Event-ID": first})
                self.assertIs(stream.ready()["recovered"], False)
                control = stream.event(control=True)
                gap = json.loads(control.data)
                self.assertEqual((control.type, gap["reason"], gap["topics"]), ("tidings.gap", "evicted", ["t"]))
                self.assertEqual((gap["from"], gap["to"]), (first, results[39]["id"]))
                got = [stream.event(control=True) for _ in range(10)]
                self.assertEqual([x.data for x in got], [str(i) for i in range(41, 51)])
                self.assertEqual(got[-1].id, results[-1]["id"])
                page = broker.page(f"/topics/t?since={first}")
                self.assertEqual(page["gap"], gap)
                self.assertEqual([x["data"] for x in page["events"]], [str(i) for i in range(41, 51)])
                stream.close()
            broker.stop()
            broker.start()
        self.note("50 published with retention 10: one gap of exactly 40, then the 10; again after a restart")

    def test_no_gap_where_nothing_is_missing(self):
        broker = self.broker(config='[[topic]]\npattern = "t"\nkeep = 10\n')
        ids = [broker.post("/topics/t", str(i)).json["id"] for i in range(50)]
        # The last evicted event is the one this client has.
        stream = broker.stream("/topics/t", {"Last-Event-ID": ids[39]})
        self.assertIs(stream.ready()["recovered"], True)
        self.assertEqual([stream.event(control=True).data for _ in range(10)], [str(i) for i in range(40, 50)])
        # One before it: a gap of one.
        stream = broker.stream("/topics/t", {"Last-Event-ID": ids[38]})
        gap = stream.control("tidings.gap")
        self.assertEqual((gap["from"], gap["to"]), (ids[38], ids[39]))
        # Whoever asked for other topics lost nothing.
        broker.post("/topics/u", "u")
        stream = broker.stream("/topics/u", {"Last-Event-ID": ids[0]})
        self.assertIs(stream.ready()["recovered"], True)
        self.assertEqual(stream.event(control=True).data, "u")

    @fault("C6")
    def test_an_id_that_is_not_ours_is_a_gap_and_never_an_error(self):
        broker = self.broker()
        other = self.broker()
        foreign = other.post("/topics/t", "x").json["id"]
        own = broker.post("/topics/t", "before").json["id"]
        cases = ["garbage", "c1.", "c1.AAAA", foreign, own[:-1], own + "A", own.upper(), "c1." + "A" * 400, "x" * 4000, "-1", "0",
                 "c9.AfQ", "%00", "ä"]
        for case in cases:
            with self.subTest(case[:40]):
                with broker.stream("/topics/t", {"Last-Event-ID": case.encode().decode("latin-1")}) as stream:
                    self.assertEqual(stream.head.status, 200)
                    self.assertIs(stream.ready()["recovered"], False)
                    control = stream.event(control=True)
                    gap = json.loads(control.data)
                    self.assertEqual((control.type, gap["reason"], gap["from"]), ("tidings.gap", "unknown_cursor", None), gap)
                    broker.post("/topics/t", "after")
                    self.assertEqual(stream.event().data, "after", "a stream that starts now")
        self.note(f"{len(cases)} ids that are not of this store: 200, a gap, and on")

    @fault("S14")
    def test_an_id_of_what_a_restored_store_has_lost_is_a_gap(self):
        broker = self.broker()
        kept = broker.post("/topics/t", "kept").json["id"]
        broker.stop()
        backup = broker.data_dir + "-backup"
        shutil.copytree(broker.data_dir, backup)
        broker.start()
        lost = [broker.post("/topics/t", "lost").json["id"] for _ in range(5)]
        broker.stop()
        broker.data_dir = backup
        broker.start()
        for last in (lost[0], lost[-1]):
            stream = broker.stream("/topics/t", {"Last-Event-ID": last})
            self.assertIs(stream.ready()["recovered"], False)
            self.assertIn(stream.control("tidings.gap")["reason"], ("lost", "unknown_cursor"))
            stream.close()
        new = broker.post("/topics/t", "new").json["id"]
        self.assertNotIn(new, lost)
        stream = broker.stream("/topics/t", {"Last-Event-ID": kept})
        self.assertEqual(stream.event().data, "new")

    @fault("C5")
    def test_expired_while_away(self):
        broker = self.broker()
        first = broker.post("/topics/t?ttl=1h", "first").json["id"]
        broker.post("/topics/t?ttl=1s", "short")
        gone = broker.post("/topics/t?ttl=1s", "short").json["id"]
        broker.post("/topics/t?ttl=1h", "long")
        eventually(lambda: len(broker.page("/topics/t")["events"]) == 2)
        stream = broker.stream("/topics/t", {"Last-Event-ID": first})
        gap = stream.control("tidings.gap")
        self.assertEqual((gap["reason"], gap["topics"], gap["from"], gap["to"]), ("expired", ["t"], first, gone))
        self.assertEqual(stream.event().data, "long")
        # From the beginning nothing was promised, so nothing is missing.
        stream = broker.stream("/topics/t?since=earliest")
        self.assertEqual([x.data for x in stream.events(2)], ["first", "long"])
