"""POST /topics/{topic} and POST /events, as docs/http.md has it."""

import base64
import datetime
import json
import re

from support.case import BrokerTest, fault
from support.waiting import eventually
from support.wire import Closed

# So that every level can be asked for.
ANY_LEVEL = {"topics.level": "none"}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


class PublishToTopic(BrokerTest):
    def test_the_answer_has_id_topic_time_level_nodes_subscribers(self):
        stream = self.stream(f"/topics/{self.topic}")
        stream.ready()
        answer = self.post(f"/topics/{self.topic}", "hello")
        self.assertEqual(answer.header("content-type"), "application/json")
        result = answer.json
        self.assertEqual(set(result), {"id", "topic", "time", "level", "nodes", "subscribers"})
        self.assertEqual(result["topic"], self.topic)
        self.assertEqual(result["level"], "fsync")
        self.assertEqual(result["nodes"], 1)
        self.assertEqual(result["subscribers"], 1)
        self.assertRegex(result["time"], TIME)
        event = stream.event()
        self.assertEqual((event.data, event.type, event.id), ("hello", "message", result["id"]))

    def test_the_id_is_a_position_that_works_as_last_event_id(self):
        first = self.publish(self.topic, "1")["id"]
        self.publish(self.topic, "2")
        stream = self.stream(f"/topics/{self.topic}", {"Last-Event-ID": first})
        self.assertEqual(stream.event().data, "2")

    def test_type_names_the_event_and_the_query_wins_over_the_header(self):
        stream = self.stream(f"/topics/{self.topic}")
        stream.ready()
        self.publish(self.topic, "a", "?type=paid")
        self.publish(self.topic, "b", "", {"X-Event-Type": "sent"})
        self.publish(self.topic, "c", "?type=query", {"X-Event-Type": "header"})
        self.assertEqual([(x.type, x.data) for x in stream.events(3)],
                         [("paid", "a"), ("sent", "b"), ("query", "c")])

    def test_a_type_cannot_break_out_of_its_line_or_pose_as_the_broker(self):
        for bad in ("a%0Ab", "a%0Db", "a%00b", "tidings.gap", "tidings.ready"):
            with self.subTest(bad):
                answer = self.shared.post(f"/topics/{self.topic}?type={bad}", "x")
                self.assertEqual(answer.status, 400, answer)

    def test_an_id_of_the_publisher_is_stored_once(self):
        first = self.publish(self.topic, "x", "?id=a-1")
        again = self.publish(self.topic, "x", "?id=a-1", status=200)
        header = self.publish(self.topic, "x", "", {"X-Event-Id": "a-1"}, status=200)
        self.assertNotIn("duplicate", first)
        for repeat in (again, header):
            self.assertIs(repeat["duplicate"], True)
            self.assertEqual(repeat["id"], first["id"])
            self.assertEqual(repeat["time"], first["time"])
        self.assertEqual(self.data(f"/topics/{self.topic}"), ["x"])
        # For the same topic: another topic may have an event of that id.
        other = self.publish(self.topic + ":other", "x", "?id=a-1")
        self.assertNotEqual(other["id"], first["id"])

    def test_an_idempotency_key_is_answered_with_the_first_result(self):
        key = {"Idempotency-Key": self.topic}
        first = self.publish(self.topic, "x", "", key)
        again = self.publish(self.topic, "x", "", key, status=200)
        self.assertIs(again["duplicate"], True)
        self.assertEqual(again["id"], first["id"])
        conflict = self.shared.post(f"/topics/{self.topic}", "y", key)
        self.assert_problem(conflict, 409, "idempotency_conflict")
        self.assertEqual(self.data(f"/topics/{self.topic}"), ["x"])

    def test_text_json_and_binary_reach_the_reader_as_they_were(self):
        stream = self.stream(f"/topics/{self.topic}")
        stream.ready()
        text = "ä €  𝄞\ttab"
        lines = "one\n\ntwo\n"
        compact = '{"b": 1,  "a":[1.0,2e3]}'
        self.publish(self.topic, text.encode())
        self.publish(self.topic, lines)
        self.publish(self.topic, compact, "", {"Content-Type": "application/json"})
        self.publish(self.topic, compact, "", {"Content-Type": "application/vnd.x+json; charset=utf-8"})
        self.publish(self.topic, "", "?type=empty")
        self.publish(self.topic, b"\x00\xff\x01", "?encoding=base64")
        got = stream.events(6)
        self.assertEqual([x.data for x in got], [text, lines, compact, compact, "", "AP8B"])
        page = self.page(f"/topics/{self.topic}")["events"]
        self.assertEqual([x["data"] for x in page],
                         [text, lines, json.loads(compact), json.loads(compact), "", "AP8B"])
        self.assertEqual([x.get("encoding") for x in page], [None] * 5 + ["base64"])
        self.assertEqual(base64.b64decode(page[5]["data"]), b"\x00\xff\x01")

    @fault("H12", "C14")
    def test_every_line_break_starts_a_data_line(self):
        stream = self.stream(f"/topics/{self.topic}")
        stream.ready()
        self.publish(self.topic, b"a\nb\rc\r\nd")
        self.publish(self.topic, b"x\n\nid: forged\nevent: forged\n\n")
        self.assertEqual(stream.event().data, "a\nb\nc\nd")
        forged = stream.event()
        self.assertEqual(forged.data, "x\n\nid: forged\nevent: forged\n\n")
        self.assertEqual(forged.type, "message")
        # A page has the bytes themselves.
        self.assertEqual(self.data(f"/topics/{self.topic}")[0], "a\nb\rc\r\nd")

    @fault("C14")
    def test_binary_without_its_encoding_is_refused(self):
        for body in (b"\xff", b"a\x00b", b"\xed\xa0\x80", b"\xc0\xaf"):
            with self.subTest(body):
                self.assert_problem(self.shared.post(f"/topics/{self.topic}", body), 400, "invalid_text")

    def test_json_that_is_none_is_refused(self):
        for body in (b"{", b"", b"{} x", b"[1,]", b"nul"):
            with self.subTest(body):
                answer = self.shared.post(f"/topics/{self.topic}", body, {"Content-Type": "application/json"})
                self.assert_problem(answer, 400, "invalid_json")

    def test_topics_are_decoded_once_and_may_hold_separators(self):
        for path, name in [("a:b/c.d-e_f", "a:b/c.d-e_f"), ("p%3Aq%2Fr", "p:q/r"), ("t%2541", "t%41"),
                           ("%C3%A4pfel", "äpfel"), ("a%20b", "a b"), ("a+b", "a+b")]:
            with self.subTest(path):
                self.assertEqual(self.publish(path)["topic"], name)
                self.assertEqual(self.page(f"/topics/{path}")["events"][-1]["topic"], name)

    def test_bad_topics_are_refused(self):
        for path in ("a*", "**", "a,b", "a%0Ab", "a%00b", "a%E2%80%A8b", "%20a", "a%3Fb", "a%23b", "%FF", "a%2",
                     "a/../b", "a/%2e%2e/b", "x" * 257):
            with self.subTest(path):
                answer = self.shared.post(f"/topics/{path}", "x")
                self.assertEqual(answer.status, 400, answer)
                self.assertIn(answer.json["code"], ("invalid_topic", "invalid_request"), answer)
        self.assertEqual(self.publish("x" * 256)["topic"], "x" * 256)

    def test_bad_parameters_are_refused(self):
        for query in ("ttl=abc", "ttl=5", "ttl=-1s", "ack=bogus", "encoding=gzip"):
            with self.subTest(query):
                answer = self.shared.post(f"/topics/{self.topic}?{query}", "x")
                self.assert_problem(answer, 400, "invalid_parameter")
        self.assertEqual(self.page(f"/topics/{self.topic}")["events"], [])

    def test_too_large_is_413(self):
        self.publish(self.topic, "x" * (256 * 1024))
        for size in (256 * 1024 + 1, 1024 * 1024, 5 * 1024 * 1024):
            with self.subTest(size):
                with self.shared.connect() as link:
                    # Only the head: a limit that waits for the body is none.
                    link.send_request("POST", f"/topics/{self.topic}", {"Content-Length": str(size)})
                    if size <= 1024 * 1024:
                        link.send(b"x" * size)
                    self.assert_problem(link.read_response(), 413, "payload_too_large")

    def test_ttl_ends_an_event(self):
        kept = self.publish(self.topic, "kept", "?ttl=1h")
        gone = self.publish(self.topic, "gone", "?ttl=1s")
        header = self.publish(self.topic, "gone, too", "", {"X-Event-TTL": "1s"})
        self.publish(self.topic, "for ever", "?ttl=0")
        events = self.page(f"/topics/{self.topic}")["events"]
        self.assertEqual([x["data"] for x in events][0], "kept")
        expires = datetime.datetime.fromisoformat(events[0]["expires"].replace("Z", "+00:00"))
        time = datetime.datetime.fromisoformat(kept["time"].replace("Z", "+00:00"))
        self.assertEqual(expires - time, datetime.timedelta(hours=1))
        self.assertIsNone(events[-1].get("expires"))
        eventually(lambda: self.data(f"/topics/{self.topic}") == ["kept", "for ever"], 10)
        # Whoever was away is told, on a stream and on a page.
        gap = self.page(f"/topics/{self.topic}?since={kept['id']}")["gap"]
        self.assertEqual(gap["reason"], "expired", gap)
        self.assertEqual((gap["from"], gap["to"]), (kept["id"], header["id"]), gone)
        stream = self.stream(f"/topics/{self.topic}", {"Last-Event-ID": kept["id"]})
        self.assertIs(stream.ready()["recovered"], False)
        self.assertEqual(stream.control("tidings.gap"), gap)
        self.assertEqual(stream.event().data, "for ever")


class PublishLevels(BrokerTest):
    config = """
[topics]
level = "none"

[[topic]]
pattern = "safe:**"
level = "fsync"

[[topic]]
pattern = "quick:**"
level = "written"

[[topic]]
pattern = "typing:**"
ephemeral = true
"""

    def test_each_level_is_answered_with_what_was_reached(self):
        for level in ("written", "fsync"):
            result = self.publish(self.topic, level, f"?ack={level}")
            self.assertEqual(result["level"], level)
            self.assertTrue(result["id"])
        result = self.publish(self.topic, "header", "", {"X-Ack": "written"})
        self.assertEqual(result["level"], "written")
        result = self.publish(self.topic, "none", "?ack=none", status=202)
        self.assertEqual((result["level"], result["id"]), ("none", None))
        eventually(lambda: self.data(f"/topics/{self.topic}") == ["written", "fsync", "header", "none"])

    def test_the_level_of_the_topic_is_the_default_and_the_least(self):
        self.assertEqual(self.publish("safe:a")["level"], "fsync")
        self.assertEqual(self.publish("quick:a")["level"], "written")
        self.assertEqual(self.publish("quick:a", query="?ack=fsync")["level"], "fsync")
        self.assertEqual(self.publish("other:a", status=202)["level"], "none")
        for query in ("?ack=none", "?ack=written"):
            answer = self.shared.post(f"/topics/safe:a{query}", "x")
            self.assertEqual((answer.status // 100, answer.json["code"]), (4, "level_too_low"), answer)

    def test_an_event_of_several_topics_has_the_highest_of_their_levels(self):
        result = self.post_events({"topics": ["other:b", "safe:b", "quick:b"], "data": "x"}).json
        self.assertEqual(result["level"], "fsync")

    def test_an_ephemeral_topic_delivers_and_keeps_nothing(self):
        stream = self.stream("/events?topics=typing:*")
        stream.ready()
        result = self.publish("typing:anna", "…", status=202)
        self.assertEqual((result["id"], result["level"], result["subscribers"]), (None, "none", 1))
        before = stream.last_event_id
        event = stream.event()
        self.assertEqual(event.data, "…")
        self.assertEqual(event.id, before)
        self.assertEqual(self.page("/topics/typing:anna")["events"], [])


class PublishEvents(BrokerTest):
    def test_one_object_with_every_field(self):
        a, b = self.topic + ":a", self.topic + ":b"
        stream = self.stream(f"/events?topics={self.topic}:*&envelope=true")
        stream.ready()
        value = {"topic": a, "topics": [a, b], "type": "paid", "data": {"total": 12}, "id": "a-1", "ttl": "1h",
                 "ack": "fsync", "key": self.topic}
        result = self.post_events(value).json
        self.assertEqual((result["topic"], result["level"]), (a, "fsync"))
        event = stream.event()
        envelope = json.loads(event.data)
        self.assertEqual(event.type, "paid")
        self.assertEqual((envelope["topic"], envelope["topics"], envelope["type"], envelope["data"]),
                         (a, [a, b], "paid", {"total": 12}))
        self.assertEqual((envelope["id"], envelope["time"]), (result["id"], result["time"]))
        self.assertIs(self.post_events(value, status=200).json["duplicate"], True)
        self.assertTrue(stream.silent(0.3), "delivered once to a stream that asked for both topics")
        for topic in (a, b):
            kept = self.page(f"/topics/{topic}")["events"]
            self.assertEqual([(x["id"], x["event_id"]) for x in kept], [(result["id"], "a-1")])

    def test_a_string_is_text_and_everything_else_compact_json(self):
        stream = self.stream(f"/topics/{self.topic}")
        stream.ready()
        values = ["text\nof two lines", {"b": [1, 2.5], "a": None}, [1, "x"], 7, True, None, ""]
        for value in values:
            self.post_events({"topic": self.topic, "data": value})
        got = [x.data for x in stream.events(len(values))]
        self.assertEqual(got[0], values[0])
        self.assertEqual(got[-1], "")
        self.assertEqual([json.loads(x) for x in got[1:-1]], values[1:-1])
        self.assertNotIn(" ", "".join(got[1:-1]))
        self.assertEqual(self.data(f"/topics/{self.topic}"), values)

    def test_what_is_wrong_with_an_envelope_is_said(self):
        for value, code in [
            ({"data": 1}, "invalid_topic"),
            ({"topic": "a*"}, "invalid_topic"),
            ({"topic": 1}, "invalid_event"),
            ({"topics": [f"t{i}" for i in range(17)]}, "invalid_topic"),
            ({"topic": "a", "type": "x\ny"}, "invalid_event"),
            ({"topic": "a", "ttl": 5}, "invalid_event"),
            ({"topic": "a", "unknown": 5}, "invalid_event"),
            ("{", "invalid_json"),
            ("", "invalid_json"),
            ('{"topic":"a","topic":"b"}', "invalid_json"),
            ("[" * 40 + "]" * 40, "invalid_json"),
            ("7", "invalid_json"),
        ]:
            with self.subTest(value=value):
                body = value if isinstance(value, str) else json.dumps(value)
                answer = self.shared.post("/events", body, {"Content-Type": "application/json"})
                self.assertEqual(answer.status, 400, answer)
                self.assertIn(answer.json["code"], (code, "invalid_parameter"), answer)

    def test_what_is_meant_as_a_parameter_and_is_none_is_refused(self):
        event = json.dumps({"topic": self.topic})
        for path, body, media_type in [
            ("/events?ack=fsync", event, "application/json"),
            ("/events?ttl=1h", f"[{event}]", "application/json"),
            ("/events?topic=a", event + "\n", "application/x-ndjson"),
            ("/users/anna/mailbox?ttl=1h", '{"title":"x"}', "application/json"),
        ]:
            with self.subTest(path):
                answer = self.shared.post(path, body, {"Content-Type": media_type})
                self.assert_problem(answer, 400, "invalid_parameter")
        self.assertEqual(self.page(f"/topics/{self.topic}")["events"], [])
        self.assertEqual(self.shared.post("/events?_=1", event, {"Content-Type": "application/json"}).status, 201)

    def test_an_unknown_media_type_is_415(self):
        for media_type in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
            answer = self.shared.post("/events", "{}", {"Content-Type": media_type})
            self.assert_problem(answer, 415, "unsupported_media_type")

    def test_an_array_is_stored_as_a_whole_and_in_order(self):
        stream = self.stream(f"/topics/{self.topic}")
        stream.ready()
        answer = self.post_events([{"topic": self.topic, "data": str(i)} for i in range(100)]).json
        self.assertEqual(answer["level"], "fsync")
        self.assertEqual(len(answer["results"]), 100)
        self.assertEqual([x.data for x in stream.events(100)], [str(i) for i in range(100)])
        self.assertEqual([x["id"] for x in answer["results"]],
                         [x["id"] for x in self.page(f"/topics/{self.topic}")["events"]])

    def test_an_array_with_a_bad_item_stores_nothing_and_names_each(self):
        items = [{"topic": self.topic, "data": i} for i in range(10)]
        items[3] = {"topic": "a*", "data": 3}
        items[7] = {"topic": self.topic, "data": 7, "ttl": "soon"}
        answer = self.shared.post("/events", json.dumps(items), {"Content-Type": "application/json"})
        problem = self.assert_problem(answer, 400, "invalid_topic")
        self.assertEqual([(x["index"]) for x in problem["errors"]], [3, 7])
        self.assertEqual(problem["errors"][0]["code"], "invalid_topic")
        self.assertTrue(all(x["detail"] for x in problem["errors"]))
        self.assertEqual(self.page(f"/topics/{self.topic}")["events"], [])
        many = self.shared.post("/events", json.dumps([{"topic": "*"}] * 300), {"Content-Type": "application/json"})
        self.assertEqual(len(many.json["errors"]), 100)

    def test_an_array_with_a_conflicting_key_stores_nothing(self):
        self.publish(self.topic, "x", "", {"Idempotency-Key": self.topic})
        answer = self.shared.post("/events", json.dumps([
            {"topic": self.topic, "data": "a"}, {"topic": self.topic, "data": "b", "key": self.topic}]),
            {"Content-Type": "application/json"})
        problem = self.assert_problem(answer, 409, "idempotency_conflict")
        self.assertEqual(problem["errors"][0]["index"], 1)
        self.assertEqual(self.data(f"/topics/{self.topic}"), ["x"])

    def test_a_repeated_array_is_answered_with_its_first_results(self):
        items = [{"topic": self.topic, "data": i, "key": f"{self.topic}-{i}"} for i in range(5)]
        first = self.post_events(items).json
        answer = self.shared.post("/events", json.dumps(items), {"Content-Type": "application/json"})
        self.assertEqual(answer.status // 100, 2, answer)
        self.assertEqual([x["id"] for x in answer.json["results"]], [x["id"] for x in first["results"]])
        self.assertTrue(all(x["duplicate"] for x in answer.json["results"]))
        self.assertEqual(self.data(f"/topics/{self.topic}"), list(range(5)))

    def test_an_array_over_the_limits_is_refused(self):
        answer = self.shared.post("/events", json.dumps([{"topic": "a"}] * 4097), {"Content-Type": "application/json"})
        self.assertIn(answer.status, (400, 413), answer)
        answer = self.shared.post("/events", "[]", {"Content-Type": "application/json"})
        self.assertIn(answer.status, (201, 400), answer)

    def test_ndjson_has_a_result_per_line_and_goes_on_after_a_bad_one(self):
        lines = [json.dumps({"topic": self.topic, "data": i}) for i in range(8)]
        lines[2] = "{broken"
        lines[5] = json.dumps({"topic": "a*"})
        lines.insert(4, "")  # a blank line gets no result
        answer = self.post_events("\n".join(lines), "application/x-ndjson", status=200)
        self.assertEqual(answer.header("content-type"), "application/x-ndjson")
        results = answer.lines
        self.assertEqual(len(results), 8, results)
        bad = [x for x in results if "code" in x]
        self.assertEqual([x["code"] for x in bad], ["invalid_json", "invalid_topic"])
        self.assertEqual([x["status"] for x in bad], [400, 400])
        self.assertIs(results[2], bad[0])
        self.assertIs(results[5], bad[1])
        for result in results:
            if "code" not in result:
                self.assertLessEqual({"id", "topic", "time", "level"}, set(result))
        self.assertEqual(self.data(f"/topics/{self.topic}"), [0, 1, 3, 4, 6, 7])

    def test_ndjson_is_answered_as_it_arrives(self):
        stream = self.stream(f"/topics/{self.topic}")
        stream.ready()
        with self.shared.connect() as link:
            link.send_request("POST", "/events", {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"})
            link.send_chunk(json.dumps({"topic": self.topic, "data": "first"}) + "\n")
            self.assertEqual(stream.event().data, "first")
            head = link.read_head()
            self.assertEqual(head.status, 200)
            body = link.body(head)
            first = body.piece()
            self.assertEqual(json.loads(first)["topic"], self.topic)
            # A line in two pieces, and a last line without its end.
            link.send_chunk('{"topic":"%s","da' % self.topic)
            link.send_chunk('ta":"second"}\n{"topic":"%s","data":"third"}' % self.topic)
            self.assertEqual(stream.event().data, "second")
            link.send_chunk("")
            self.assertEqual(stream.event().data, "third")
            rest = b"".join(iter(body.piece, None))
            self.assertEqual(len(rest.splitlines()), 2)
            # The connection is good for another request.
            self.assertEqual(link.request("GET", "/healthz").status, 200)

    def test_ndjson_of_nothing_but_refused_lines_is_answered(self):
        count = 30000  # more than one piece of what is read, and than one group of lines, holds
        results = self.post_events("x\n" * count, "application/x-ndjson", status=200).lines
        self.assertEqual(len(results), count)
        self.assertEqual({x["code"] for x in results}, {"invalid_json"})

    def test_ndjson_that_stays_away_ends_without_a_second_answer(self):
        broker = self.broker(options={"limits.body-timeout": "1s"})
        with broker.connect() as link:
            link.send_request("POST", "/events", {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"})
            link.send_chunk(json.dumps({"topic": self.topic, "data": "first"}) + "\n")
            body = link.body(link.read_head())
            self.assertIn("level", json.loads(body.piece()))
            with self.assertRaises(Closed):  # and no other header in what would be the next piece
                body.piece(10)

    def test_ndjson_of_many_lines_keeps_its_order(self):
        count = 20000
        body = "\n".join(json.dumps({"topic": self.topic, "data": i}) for i in range(count))
        results = self.post_events(body, "application/x-ndjson", status=200).lines
        self.assertEqual(len(results), count)
        self.assertFalse([x for x in results if "code" in x])
        stored = self.shared.log_events(f"/topics/{self.topic}")
        self.assertEqual([x["data"] for x in stored], list(range(count)))
        self.assertEqual([x["id"] for x in stored], [x["id"] for x in results])
        self.note(f"{count} lines, each answered and in order")


class CloudEvents(BrokerTest):
    def event(self, number, **fields):
        return {"specversion": "1.0", "id": str(number), "source": f"/{self.topic}", "type": "com.example.paid",
                "datacontenttype": "application/json", "data": {"n": number}, **fields}

    def test_structured_mode(self):
        stream = self.stream(f"/topics/{self.topic}")
        stream.ready()
        event = self.event(1)
        first = self.post_events(event, "application/cloudevents+json", query=f"?topic={self.topic}").json
        self.assertEqual(first["topic"], self.topic)
        got = stream.event()
        self.assertEqual((got.type, json.loads(got.data)), ("com.example.paid", event))
        again = self.post_events(event, "application/cloudevents+json", status=200, query=f"?topic={self.topic}").json
        self.assertEqual((again["id"], again["duplicate"]), (first["id"], True))

    def test_the_topic_is_the_query_then_the_extension_then_the_type(self):
        send = lambda event, query="": self.post_events(event, "application/cloudevents+json", query=query).json["topic"]
        self.assertEqual(send(self.event(1)), "com.example.paid")
        self.assertEqual(send(self.event(2, topic="ext")), "ext")
        self.assertEqual(send(self.event(3, topic="ext"), "?topics=q1,q2"), "q1")

    def test_batch_mode_is_atomic(self):
        events = [self.event(i, topic=self.topic) for i in range(5)]
        answer = self.post_events(events, "application/cloudevents-batch+json").json
        self.assertEqual(len(answer["results"]), 5)
        self.assertEqual([x["data"]["n"] for x in self.data(f"/topics/{self.topic}")], list(range(5)))
        broken = [self.event(i, topic=self.topic) for i in range(5, 8)]
        del broken[1]["source"]
        refused = self.shared.post("/events", json.dumps(broken), {"Content-Type": "application/cloudevents-batch+json"})
        self.assertEqual(refused.status, 400, refused)
        self.assertEqual(refused.json["errors"][0]["index"], 1)
        self.assertEqual(len(self.data(f"/topics/{self.topic}")), 5)

    def test_binary_mode(self):
        stream = self.stream(f"/topics/{self.topic}")
        stream.ready()
        headers = {"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "7",
                   "ce-source": f"/{self.topic}", "ce-type": "paid", "ce-topic": self.topic, "ce-subject": "caf%C3%A9"}
        self.post("/events", '{"n":7}', headers)
        got = stream.event()
        event = json.loads(got.data)
        self.assertEqual(got.type, "paid")
        self.assertEqual((event["specversion"], event["id"], event["source"], event["type"], event["data"]),
                         ("1.0", "7", f"/{self.topic}", "paid", {"n": 7}))
        self.assertEqual(event["subject"], "café")
        self.assertEqual(event["datacontenttype"], "application/json")

    def test_what_lacks_a_required_attribute_is_refused(self):
        for name in ("specversion", "id", "source", "type"):
            event = self.event(1, topic=self.topic)
            del event[name]
            answer = self.shared.post("/events", json.dumps(event), {"Content-Type": "application/cloudevents+json"})
            with self.subTest(name):
                self.assertEqual(answer.status, 400, answer)
