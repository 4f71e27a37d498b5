"""Users and mailboxes, as docs/http.md has it. The broker is open here: who may do what is tested elsewhere."""

import json
import random
import re
import subprocess
import threading
import time

from support.case import BrokerTest, OwnBrokerTest
from support.mailbox import JSON, PRIORITIES, STATES, Mailbox, Tab, counts_of, parse_time
from support.waiting import eventually
from support.wire import Closed

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
DAY = 86400


class MailboxTest(BrokerTest):
    options = {"topics.level": "written"}

    def user(self, name=""):
        """A mailbox of this test's own."""
        return Mailbox(self.shared, f"{self.topic}-{name}" if name else self.topic)

    def alone(self):
        """A broker for this test only: what is sent to everyone would reach the users of the other tests."""
        self.shared = self.broker(options=self.options)

    def send(self, users, status=201, broker=None, **fields):
        """An item by way of /events."""
        users = [x.user if isinstance(x, Mailbox) else x for x in users] if isinstance(users, list) else users
        answer = (broker or self.shared).post("/events", json.dumps({"users": users, **fields}), JSON)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def tab(self, box):
        """An open stream and what it was told before the first event."""
        stream = box.stream()
        self.addCleanup(stream.close)
        self.assertEqual(stream.head.status, 200)
        stream.ready()
        return stream

    def refused(self, answer, code, status=400):
        return self.assert_problem(answer, status, code)


class Send(MailboxTest):
    def test_to_one_by_events_and_by_the_users_own_path(self):
        box = self.user()
        stream = self.tab(box)
        first = self.send(box.user, type="build", title="Build done", message="All green", priority="HIGH", data={"build": 12})
        second = box.send(title="Welcome")
        self.assertLessEqual({"id", "topic", "time", "level", "nodes", "subscribers"}, set(first))
        self.assertEqual((first["topic"], first["subscribers"]), (f"user:{box.user}", 1))
        page = box.page()
        self.assertEqual(set(page), {"items", "counts", "next"})
        newest, oldest = page["items"]
        expires = oldest.pop("expires")
        self.assertRegex(expires, TIME)
        self.assertAlmostEqual(parse_time(expires) - parse_time(first["time"]), 30 * DAY, delta=1)
        self.assertEqual(oldest, {"id": first["id"], "type": "build", "title": "Build done", "message": "All green", "priority": "HIGH",
                                  "created": first["time"], "data": {"build": 12}, "state": "unread"})
        self.assertEqual((newest["id"], newest["title"], newest["message"], newest["priority"], newest["state"], newest["data"]),
                         (second["id"], "Welcome", "", "NORMAL", "unread", None))
        self.assertEqual((page["counts"], page["next"]), (counts_of(["unread"] * 2), None))
        # The stream has what the list has, without the state, under its type.
        build, welcome = stream.events(2)
        self.assertEqual((build.type, build.id), ("build", first["id"]))
        self.assertEqual(json.loads(build.data), {k: v for k, v in oldest.items() if k != "state"} | {"expires": expires})
        self.assertEqual((welcome.type, welcome.id), ("message", second["id"]))

    def test_to_several_is_one_event_in_the_log(self):
        boxes = [self.user(str(i)) for i in range(16)]
        before = self.shared.get("/stats").json
        answer = self.send(boxes, title="all of you", data="x" * 1000)
        after = self.shared.get("/stats").json
        self.assertEqual(after["published"], before["published"] + 1)
        self.assertEqual(after["last_position"], before["last_position"] + 1)
        self.assertEqual({x.ids()[0] for x in boxes}, {answer["id"]})
        self.assertEqual({len(x.ids()) for x in boxes}, {1})
        # One record: the next event stands right behind it, and a stream of all these topics gets it once.
        events = [x for x in self.shared.log_events("/events?topics=" + ",".join(f"user:{x.user}" for x in boxes))]
        self.assertEqual([x["id"] for x in events], [answer["id"]])
        self.assertEqual(set(events[0]["topics"]), {f"user:{x.user}" for x in boxes})
        # Each has a state of their own.
        boxes[3].change("read")
        boxes[4].change("clear")
        self.assertEqual([x.counts()["unread"] for x in boxes[2:6]], [1, 0, 0, 1])
        self.assertEqual([x.counts()["total"] for x in boxes[2:6]], [1, 1, 0, 1])

    def test_integers_are_taken_for_their_digits(self):
        number = self.random.randrange(10 ** 8, 10 ** 9)
        box = Mailbox(self.shared, number)
        self.send(number, title="a")
        self.send(str(number), title="b")
        answer = self.send([number, str(number)], title="c")
        self.assertEqual(answer["topic"], f"user:{number}")
        self.assertEqual(box.titles(), ["c", "b", "a"])
        for bad in (1.5, -0.5, True, {"id": 1}, [[1]], [True], [None], [1.5]):
            with self.subTest(bad):
                answer = self.shared.post("/events", json.dumps({"users": bad, "title": "x"}), JSON)
                self.refused(answer, "invalid_event")

    def test_to_everyone_also_to_those_who_appear_later(self):
        self.alone()
        box, other = self.user("known"), self.user("other")
        stream = self.tab(box)
        mine = box.send(title="mine")
        answer = self.send("*", title=self.topic, priority="HIGH", type="notice", ttl="1h", data=[1])
        self.assertEqual(answer["topic"], "everyone")
        self.assertEqual([x.id for x in stream.events(2)], [mine["id"], answer["id"]])
        late = self.user("late")
        for who in (box, other, late):
            item = next(x for x in who.items() if x["id"] == answer["id"])
            self.assertEqual((item["title"], item["priority"], item["type"], item["data"], item["state"]),
                             (self.topic, "HIGH", "notice", [1], "unread"))
        # What one does with it is not what the others did.
        box.change("dismiss", {"ids": [answer["id"]]})
        other.change("read", {"ids": [answer["id"]]})
        self.assertNotIn(answer["id"], box.ids())
        self.assertIn(answer["id"], [x["id"] for x in other.items(state="read")])
        self.assertIn(answer["id"], [x["id"] for x in late.items(state="unread")])
        self.assertIn(answer["id"], self.user("even later").ids())
        # By the path of nobody else, and with somebody named beside it, it is one item still.
        both = self.send(["*", box.user], title="both", ttl="1h")
        self.assertEqual(box.ids().count(both["id"]), 1)
        self.assertIn(both["id"], late.ids())

    def test_an_item_to_everyone_is_gone_for_latecomers_too_when_it_expires(self):
        self.alone()
        answer = self.send("*", title="short", ttl="1s")
        self.assertIn(answer["id"], self.user("in time").ids())
        eventually(lambda: time.time() > parse_time(answer["time"]) + 1.05)
        self.assertNotIn(answer["id"], self.user("in time").ids())
        self.assertNotIn(answer["id"], self.user("late").ids())

    def test_to_a_user_who_has_never_been_seen_it_waits(self):
        for name in ("fresh", "ä ö/ü", "a:b.c/d", "x" * 70, "$dollar", "%25", "Ω", "'quoted'", "user:user"):
            with self.subTest(name):
                box = self.user(name)
                answer = box.send(title=name)
                self.assertEqual(answer["topic"], f"user:{box.user}")
                self.assertEqual(answer["subscribers"], 0)
                self.assertEqual(box.titles(), [name])
                stream = box.stream("?since=earliest")
                self.addCleanup(stream.close)
                self.assertEqual(json.loads(stream.event().data)["title"], name)
        longest = Mailbox(self.shared, ("y" * 128))
        longest.send(title="fits", ttl="1h")
        self.assertEqual(longest.titles(), ["fits"])

    def test_bad_users_are_refused(self):
        before = self.shared.get("/stats").json["published"]
        for bad in ("", "a*", "a?b", "a#b", "a,b", "z" * 129, "a\nb", "a\0b", "a ", "me", [], [""], ["a", "b*"],
                    [f"u{i}" for i in range(17)]):
            with self.subTest(str(bad)[:30]):
                answer = self.shared.post("/events", json.dumps({"users": bad, "title": "x"}), JSON)
                self.assertEqual(answer.status, 400, answer)
                self.assertIn(answer.json["code"], ("invalid_event", "invalid_parameter", "invalid_topic"), answer)
        for bad in ("a%2A", "%2A%2A", "a%2C", "%00", "a%0A", "z" * 129, "%ff", "%zz"):
            with self.subTest(bad[:30]):
                for answer in (self.shared.post(f"/users/{bad}/mailbox", '{"title":"x"}', JSON), self.shared.get(f"/users/{bad}/mailbox"),
                               self.shared.get(f"/users/{bad}/stream"), self.shared.post(f"/users/{bad}/mailbox/read")):
                    self.assertEqual(answer.status, 400, answer)
                    self.assertIn(answer.json["code"], ("invalid_parameter", "invalid_request"), answer)
        self.assertEqual(self.shared.get("/stats").json["published"], before)

    def test_title_message_and_priority(self):
        box = self.user()
        box.send(title="t" * 1024, message="m" * 16384, priority="low")
        box.send(title="ü" * 512, message="one\ntwo\r\n\tthree €", priority="Critical")
        for name in PRIORITIES:
            for form in (name, name.lower(), name.capitalize()):
                box.send(title=form, priority=form)
        box.send()
        items = box.items(order="oldest")
        self.assertEqual([x["priority"] for x in items], ["LOW", "CRITICAL"] + [x for x in PRIORITIES for _ in range(3)] + ["NORMAL"])
        self.assertEqual((items[0]["title"], items[0]["message"]), ("t" * 1024, "m" * 16384))
        self.assertEqual((items[1]["title"], items[1]["message"]), ("ü" * 512, "one\ntwo\r\n\tthree €"))
        self.assertEqual(items[-1]["title"], "")
        count = len(items)
        for fields in ({"title": "t" * 1025}, {"title": "ü" * 513}, {"title": "a\nb"}, {"title": "a\rb"}, {"title": "a\0b"}, {"title": 1},
                       {"title": ["x"]}, {"message": "m" * 16385}, {"message": "a\0b"}, {"message": {}}, {"priority": "URGENT"},
                       {"priority": ""}, {"priority": 3}, {"priority": "HIGH "}, {"titel": "x"}, {"type": "tidings.mailbox"},
                       {"type": "tidings.x"}, {"type": "a\nb"}):
            with self.subTest(str(fields)[:40]):
                answer = self.shared.post(box.path, json.dumps(fields), JSON)
                self.refused(answer, "invalid_event")
                answer = self.shared.post("/events", json.dumps({"users": box.user, **fields}), JSON)
                self.refused(answer, "invalid_event")
        for fields in ({"ttl": "soon"}, {"ttl": "-1s"}, {"ack": "maybe"}):
            with self.subTest(str(fields)):
                self.refused(self.shared.post(box.path, json.dumps(fields), JSON), "invalid_parameter")
        for bad in ("", "{", "[]", '"x"', '{"title":"a","title":"b"}'):
            with self.subTest(bad):
                answer = self.shared.post(box.path, bad, JSON)
                self.assertEqual(answer.status, 400, answer)
                self.assertIn(answer.json["code"], ("invalid_json", "invalid_event"))
        self.assertEqual(len(box.items()), count)

    def test_title_message_and_priority_need_users(self):
        for field in ({"title": "x"}, {"message": "x"}, {"priority": "HIGH"}):
            for place in ({"topic": self.topic}, {"topics": [self.topic]}, {"topic": f"user:{self.topic}"}, {"topic": "everyone"}):
                with self.subTest(f"{field} {place}"):
                    self.refused(self.shared.post("/events", json.dumps({**place, **field, "data": 1}), JSON), "invalid_event")
        self.assertEqual(self.shared.page(f"/topics/{self.topic}")["events"], [])

    def test_an_item_may_have_topics_too(self):
        box = self.user()
        answer = self.send([box], topic=self.topic, title="both", data={"a": 1}, type="note")
        self.assertEqual(box.ids(), [answer["id"]])
        event, = self.page(f"/topics/{self.topic}")["events"]
        self.assertEqual((event["id"], event["type"], event["data"]), (answer["id"], "note", {"a": 1}))
        self.assertEqual(set(event["topics"]), {self.topic, f"user:{box.user}"})

    def test_binary_data_and_text(self):
        box = self.user()
        stream = self.tab(box)
        box.send(title="binary", data="AAE=", encoding="base64")
        box.send(title="text", data="one\ntwo")
        box.send(title="null", data=None)
        items = box.items(order="oldest")
        self.assertEqual([(x["data"], x.get("encoding")) for x in items], [("AAE=", "base64"), ("one\ntwo", None), (None, None)])
        for item, event in zip(items, stream.events(3)):
            self.assertEqual(json.loads(event.data), {k: v for k, v in item.items() if k != "state"})
        self.refused(self.shared.post(box.path, '{"title":"x","data":"A","encoding":"base64"}', JSON), "invalid_event")
        self.refused(self.shared.post(box.path, json.dumps({"data": "y" * (256 * 1024 + 1)}), JSON), "payload_too_large", 413)

    def test_every_level(self):
        broker = self.broker(options={"topics.level": "none"})
        box = Mailbox(broker, "ann")
        for level, status in (("none", 202), ("written", 201), ("fsync", 201)):
            answer = broker.post(box.path, json.dumps({"title": level, "ack": level}), JSON)
            self.assertEqual((answer.status, answer.json["level"]), (status, level))
            self.assertEqual(answer.json["id"] is None, level == "none")
        eventually(lambda: box.titles(order="oldest") == ["none", "written", "fsync"])
        strict = self.broker()
        self.assert_problem(strict.post(box.path, '{"title":"x","ack":"written"}', JSON), 400, "level_too_low")

    def test_batches_and_lines(self):
        box = self.user()
        array = [{"users": [box.user], "title": f"a{i}"} for i in range(3)] + [{"topic": self.topic, "data": "no item"}]
        answer = self.post_events(array)
        self.assertEqual(len(answer.json["results"]), 4)
        self.assertEqual(box.titles(order="oldest"), ["a0", "a1", "a2"])
        # One bad one: none is stored.
        bad = self.shared.post("/events", json.dumps([{"users": [box.user], "title": "b"}, {"topic": self.topic, "title": "x"}]), JSON)
        problem = self.refused(bad, "invalid_event")
        self.assertEqual([(x["index"], x["code"]) for x in problem["errors"]], [(1, "invalid_event")])
        lines = "\n".join(json.dumps(x) for x in ({"users": box.user, "title": "l0"}, {"users": [], "title": "no"}, {"users": box.user, "title": "l1"}))
        answer = self.shared.post("/events", lines, {"Content-Type": "application/x-ndjson"})
        self.assertEqual([x.get("code") for x in answer.lines], [None, "invalid_event", None])
        self.assertEqual(box.titles(order="oldest"), ["a0", "a1", "a2", "l0", "l1"])

    def test_repeats_are_recognised(self):
        box = self.user()
        first = box.send(title="once", key=f"{self.topic}-k")
        again = box.send(title="once", key=f"{self.topic}-k")
        self.assertEqual((again["id"], again["duplicate"]), (first["id"], True))
        conflict = self.shared.post(box.path, json.dumps({"title": "other", "key": f"{self.topic}-k"}), JSON)
        self.refused(conflict, "idempotency_conflict", 409)
        header = {**JSON, "Idempotency-Key": f"{self.topic}-h"}
        one = self.shared.post(box.path, '{"title":"twice"}', header)
        two = self.shared.post(box.path, '{"title":"twice"}', header)
        self.assertEqual((one.status, two.status, two.json["id"]), (201, 200, one.json["id"]))
        own = box.send(title="own", id=f"{self.topic}-i")
        self.assertEqual(box.send(title="own", id=f"{self.topic}-i")["id"], own["id"])
        self.assertEqual(box.titles(order="oldest"), ["once", "twice", "own"])
        # What was dismissed does not come back with a repeat.
        box.change("dismiss", {"ids": [first["id"]]})
        self.assertIs(box.send(title="once", key=f"{self.topic}-k")["duplicate"], True)
        self.assertEqual(box.titles(order="oldest"), ["twice", "own"])

    def test_methods_and_media_types(self):
        box = self.user()
        for method, path, allow in (("PUT", box.path, "GET, POST"), ("DELETE", box.path, "GET, POST"), ("GET", box.path + "/read", "POST"),
                                    ("DELETE", box.path + "/clear", "POST"), ("POST", f"/users/{box.user}/stream", "GET")):
            with self.subTest(f"{method} {path}"):
                answer = self.shared.request(method, path, body="" if method != "GET" else None)
                self.refused(answer, "method_not_allowed", 405)
                for word in allow.split(", "):
                    self.assertIn(word, answer.header("allow"))
        for path in (f"/users/{box.user}", "/users", "/users/", f"/users/{box.user}/", box.path + "/delete", box.path + "/unread",
                     box.path + "/read/x", f"/users/{box.user}/mailboxes", box.path + "/", box.path + "/READ"):
            with self.subTest(path):
                for method in ("GET", "POST"):
                    self.refused(self.shared.request(method, path, body="" if method == "POST" else None), "not_found", 404)

    def test_topics_of_the_broker_are_its_own(self):
        box = self.user()
        box.send(title="x")
        everything = self.stream("/events")
        wild = self.stream(f"/events?topics=$mailbox/*,*/{box.user},**")
        for stream in (everything, wild):
            stream.ready()
        for topic in ("$mailbox/" + box.user, "$x", "$"):
            self.refused(self.shared.post(f"/topics/{topic}", "x"), "invalid_topic")
            self.refused(self.shared.post("/events", json.dumps({"topic": topic, "data": 1}), JSON), "invalid_topic")
            self.refused(self.shared.post("/events", json.dumps({"users": [box.user], "topics": [topic]}), JSON), "invalid_topic")
        self.assertEqual(len(box.change("read")["changed"]), 1)
        self.publish(self.topic + ":end", "end")
        for stream in (everything, wild):
            while (event := stream.event(control=True)).data != "end":
                self.assertNotEqual(event.type, "tidings.mailbox")
        types = {x["type"] for x in self.shared.log_events()}
        self.assertNotIn("tidings.mailbox", types)


class List(MailboxTest):
    def fill(self, box, count=12):
        """Items of all states and types, and the ids by their number."""
        ids = [box.send(title=str(i), type=("build", "chat", "mail")[i % 3], priority=PRIORITIES[i % 4])["id"] for i in range(count)]
        box.change("seen", {"ids": [ids[i] for i in range(count) if i % 4 == 1]})
        box.change("read", {"ids": [ids[i] for i in range(count) if i % 4 == 2]})
        box.change("archive", {"ids": [ids[i] for i in range(count) if i % 4 == 3]})
        return ids

    def test_state_type_and_both(self):
        box = self.user()
        self.fill(box)
        number = lambda **query: sorted(int(x) for x in box.titles(**query))
        everything = range(12)
        for i, state in enumerate(STATES):
            self.assertEqual(number(state=state), [x for x in everything if x % 4 == i])
            self.assertEqual({x["state"] for x in box.items(state=state)}, {state})
        self.assertEqual(number(state="unread,read"), [x for x in everything if x % 2 == 0])
        self.assertEqual(number(state="read,unread,read"), [x for x in everything if x % 2 == 0])
        self.assertEqual(number(state=",".join(STATES)), list(everything))
        self.assertEqual(number(type="chat"), [1, 4, 7, 10])
        self.assertEqual(number(type="chat", state="unread"), [4])
        self.assertEqual(number(type="none such"), [])
        # The counts are those of the whole mailbox, whatever was filtered.
        for query in ({}, {"state": "read"}, {"type": "none such"}, {"limit": 0}, {"limit": 1, "order": "urgent"}):
            self.assertEqual(box.page(**query)["counts"], {"unread": 3, "seen": 3, "read": 3, "archived": 3, "total": 12})

    def test_an_item_without_a_type_is_found_under_its_event_name(self):
        box = self.user()
        box.send(title="bare")
        box.send(title="typed", type="note")
        self.assertEqual([x["type"] for x in box.items(order="oldest")], ["message", "note"])
        self.assertEqual(box.titles(type="note"), ["typed"])
        self.assertEqual(box.titles(type="message"), ["bare"])
        self.assertEqual(len(box.change("read", {"type": "message"})["changed"]), 1)

    def test_order(self):
        box = self.user()
        ids = self.fill(box)
        self.assertEqual(box.ids(), ids[::-1])
        self.assertEqual(box.ids(order="newest"), ids[::-1])
        self.assertEqual(box.ids(order="oldest"), ids)
        urgent = box.page(order="urgent")
        self.assertEqual([int(x["title"]) for x in urgent["items"]], [3, 7, 11, 2, 6, 10, 1, 5, 9, 0, 4, 8])
        self.assertIsNone(urgent["next"])
        first = box.page(order="urgent", limit=5)
        self.assertEqual([int(x["title"]) for x in first["items"]], [3, 7, 11, 2, 6])
        self.assertIsNone(first["next"])
        self.assertEqual([int(x) for x in box.titles(order="urgent", state="unread,seen")], [1, 5, 9, 0, 4, 8])

    def test_pages_cover_everything_once(self):
        self.alone()
        box = self.user()
        results = self.post_events([{"users": "*" if i % 10 == 5 else [box.user], "title": f"{self.topic} {i}", "ttl": "1h", "type": "ab"[i % 2]}
                                    for i in range(73)]).json["results"]
        ids = [x["id"] for x in results]
        mine = set(ids)
        for order, expected in (("oldest", ids), ("newest", ids[::-1])):
            for limit in (1, 7, 72, 73, 74, 200):
                with self.subTest(f"{order} {limit}"):
                    pages = list(box.pages(order=order, limit=limit))
                    got = [x["id"] for p in pages for x in p["items"] if x["id"] in mine]
                    self.assertEqual(got, expected)
                    self.assertTrue(all(len(p["items"]) == limit for p in pages[:-1]))
        self.assertEqual([x for x in box.ids(type="a", limit=5) if x in mine], ids[::-1][::2])
        self.assertEqual(len(box.page()["items"]), 50)
        self.assertIsNotNone(box.page()["next"])
        # What comes and what changes between two pages neither doubles nor hides what was there.
        got, cursor = [], None
        for round_ in range(100):
            page = box.page(limit=10, **({"cursor": cursor} if cursor else {}))
            got += [x["id"] for x in page["items"] if x["id"] in mine]
            cursor = page["next"]
            if cursor is None:
                break
            box.send(title="meanwhile")
            box.change("read", {"ids": [page["items"][0]["id"]]})
        self.assertEqual(got, ids[::-1])
        # A cursor of an item that is gone goes on where it stood.
        page = box.page(limit=10, order="oldest")
        box.change("dismiss", {"ids": [page["items"][-1]["id"]]})
        after = box.page(limit=10, order="oldest", cursor=page["next"])
        whole = box.ids(order="oldest")
        at = whole.index(page["items"][-2]["id"])
        self.assertEqual([x["id"] for x in after["items"]], whole[at + 1:at + 11])

    def test_limits(self):
        box = self.user()
        for i in range(3):
            box.send(title=str(i))
        none = box.page(limit=0)
        self.assertEqual((none["items"], none["counts"]["total"]), ([], 3))
        self.assertEqual(len(box.page(limit=200)["items"]), 3)

    def test_bad_values_are_refused(self):
        box = self.user()
        other = box.send(title="x")["id"]
        for query in ("state=dismissed", "state=unknown", "state=", "state=unread,", "state=UNREAD", "state=unread&state=read",
                      "order=oldest&order=newest", "order=up", "order=", "limit=201", "limit=-1", "limit=x", "limit=1.5", "limit=",
                      "limit=99999999999999999999", "cursor=x", "cursor=c1.", "cursor=earliest", "cursor=c1.!!!!", "cursor=" + "c" * 5000,
                      f"cursor={other}&order=urgent", "since=earliest", "page=2", "topics=a", "type=a&type=b", "envelope=true", "wait=1s"):
            with self.subTest(query[:50]):
                self.refused(self.shared.get(f"{box.path}?{query}"), "invalid_parameter")
        for action in ("read", "clear"):
            self.refused(self.shared.post(f"{box.path}/{action}?ids={other}", ""), "invalid_parameter")
        self.assertEqual(box.counts(), counts_of(["unread"]))
        # Parameters that scripts add against caches are nobody's business.
        self.assertEqual(self.shared.get(f"{box.path}?_=17").status, 200)

    def test_the_list_is_not_for_caches(self):
        answer = self.user().ask()
        self.assertEqual(answer.header("content-type"), "application/json")
        self.assertRegex(answer.header("cache-control") or "", "no-(store|cache)")

    def test_head(self):
        box = self.user()
        box.send(title="x")
        answer = self.shared.request("HEAD", box.path)
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_me_is_the_caller(self):
        box = self.user()
        me = Mailbox(self.shared, "me", {"X-User-Id": box.user})
        answer = me.send(title="to myself")
        self.assertEqual(answer["topic"], f"user:{box.user}")
        self.assertEqual(me.titles(), ["to myself"])
        self.assertEqual(self.shared.get(f"/users/me/mailbox?user={box.user}").json["items"][0]["id"], answer["id"])
        stream = me.stream()
        self.addCleanup(stream.close)
        stream.ready()
        self.assertEqual(me.change("read")["changed"], [answer["id"]])
        self.assertEqual(json.loads(stream.event(control=True).data)["state"], "read")
        self.assertEqual(box.counts(), counts_of(["read"]))
        for target, method in (("/users/me/mailbox", "GET"), ("/users/me/stream", "GET"), ("/users/me/mailbox/read", "POST"),
                               ("/users/me/mailbox", "POST")):
            with self.subTest(f"{method} {target}"):
                answer = self.shared.request(method, target, JSON, "{}" if method == "POST" else None)
                self.refused(answer, "unauthorized", 401)


class Change(MailboxTest):
    ACTIONS = (("seen", "seen"), ("read", "read"), ("archive", "archived"))

    def test_by_ids(self):
        for action, state in self.ACTIONS + (("dismiss", None), ("clear", None)):
            with self.subTest(action):
                box = self.user(action)
                ids = [box.send(title=str(i))["id"] for i in range(4)]
                answer = box.change(action, {"ids": [ids[2], ids[0]]})
                self.assertEqual(set(answer), {"changed", "counts"})
                self.assertEqual(set(answer["changed"]), {ids[0], ids[2]})
                left = {x["id"]: x["state"] for x in box.items()}
                expected = {ids[0]: state, ids[1]: "unread", ids[2]: state, ids[3]: "unread"}
                self.assertEqual(left, {k: v for k, v in expected.items() if v})
                self.assertEqual(answer["counts"], counts_of(left.values()))
                self.assertEqual(box.counts(), answer["counts"])
                # A repeat changes nothing and says so, also if an id is named twice.
                again = box.change(action, {"ids": [ids[2], ids[0], ids[2]]})
                self.assertEqual(again, {"changed": [], "counts": answer["counts"]})
                twice = box.change(action, {"ids": [ids[1], ids[1]]})
                self.assertEqual(twice["changed"], [ids[1]])
                self.assertEqual(box.change(action, {"ids": []})["changed"], [])

    def test_by_filter(self):
        for action, state in self.ACTIONS + (("dismiss", None), ("clear", None)):
            with self.subTest(action):
                box = self.user(action)
                ids = [box.send(title=str(i), type="ab"[i % 2])["id"] for i in range(6)]
                box.change("seen", {"ids": ids[:2]})
                answer = box.change(action, {"state": ["unread"], "type": "a"})
                self.assertEqual(set(answer["changed"]), {ids[2], ids[4]})
                answer = box.change(action, {"type": "b"})
                self.assertEqual(set(answer["changed"]), {ids[3], ids[5]} | ({ids[1]} if action != "seen" else set()))
                answer = box.change(action, {"state": ["seen", "unread"]})
                self.assertEqual(set(answer["changed"]), {ids[0]} if action != "seen" else set())
                self.assertEqual(box.change(action, {"state": ["seen", "unread"]})["changed"], [])
                self.assertEqual({x["state"] for x in box.items()}, {state} if state else set())
                self.assertEqual(box.change(action, {"type": "none such"})["changed"], [])

    def test_without_a_body(self):
        for action, state in self.ACTIONS + (("clear", None),):
            with self.subTest(action):
                box = self.user(action)
                ids = [box.send(title=str(i))["id"] for i in range(3)]
                answer = box.change(action)
                self.assertEqual(set(answer["changed"]) & set(ids), set(ids))
                self.assertEqual({x["state"] for x in box.items()}, {state} if state else set())
                self.assertEqual(box.change(action)["changed"], [])
        box = self.user("dismiss")
        box.send(title="stays")
        for nothing in ("", " \r\n", "{}", '{"ids":null}'):
            with self.subTest(nothing):
                self.refused(box.attempt("dismiss", nothing), "invalid_parameter")
        self.assertEqual(box.titles(), ["stays"])

    def test_a_field_that_is_null_is_not_everything(self):
        """A program whose list of ids is missing must not clear the mailbox."""
        box = self.user()
        box.send(title="stays")
        answer = box.attempt("clear", '{"ids":null}')
        self.assertEqual((answer.status, box.titles()), (400, ["stays"]), "a null list of ids cleared everything")

    def test_a_state_never_goes_back(self):
        box = self.user()
        identity = box.send(title="x")["id"]
        reached = "unread"
        for action in ("seen", "read", "seen", "archive", "read", "seen"):
            answer = box.change(action, {"ids": [identity]})
            after = {"seen": "seen", "read": "read", "archive": "archived"}[action]
            rises = STATES.index(after) > STATES.index(reached)
            self.assertEqual(answer["changed"], [identity] if rises else [])
            reached = after if rises else reached
            self.assertEqual(box.page()["items"][0]["state"], reached)
        box.change("dismiss", {"ids": [identity]})
        for action in ("seen", "read", "archive", "dismiss"):
            self.assertEqual(box.change(action, {"ids": [identity]}), {"changed": [], "counts": counts_of([])})

    def test_foreign_ids_are_neither_touched_nor_confirmed(self):
        box, other = self.user("a"), self.user("b")
        mine, foreign = box.send(title="mine")["id"], other.send(title="foreign")["id"]
        plain = self.publish(f"user:{box.user}", "no item")["id"]
        elsewhere = self.publish(self.topic, "no item")["id"]
        nothing = [foreign, plain, elsewhere, "", "x", "c1.", "c1.AAAA", mine + "x", mine[:-1], mine.lower() + "_", "9" * 300, "\u0000", "c1.!"]
        for action in ("seen", "read", "archive", "dismiss", "clear"):
            with self.subTest(action):
                answer = box.change(action, {"ids": nothing})
                self.assertEqual(answer["changed"], [])
                self.assertEqual(answer["counts"]["total"], 1)
        self.assertEqual([x["state"] for x in box.items()], ["unread"])
        self.assertEqual([x["state"] for x in other.items()], ["unread"])
        answer = box.change("read", {"ids": nothing + [mine] + nothing})
        self.assertEqual(answer["changed"], [mine])
        self.assertEqual(other.counts(), counts_of(["unread"]))
        # An item of both: only one's own side of it.
        both = self.send([box, other], title="both")["id"]
        self.assertEqual(box.change("dismiss", {"ids": [both, foreign]})["changed"], [both])
        self.assertEqual(set(other.ids()), {both, foreign})

    def test_bad_bodies_are_refused(self):
        box = self.user()
        mine = box.send(title="x")["id"]
        for body, code in (("{", "invalid_json"), ("x", "invalid_json"), ("{}{}", "invalid_json"), ('{"ids":["a"],"ids":["b"]}', "invalid_json"),
                           ('{"ids":7}', "invalid_parameter"), ('{"ids":{}}', "invalid_parameter"), ('{"ids":[null]}', "invalid_parameter"),
                           ('{"ids":[["a"]]}', "invalid_parameter"), ('{"ids":[true]}', "invalid_parameter"),
                           ('{"id":["a"]}', "invalid_parameter"), ('{"state":["dismissed"]}', "invalid_parameter"),
                           ('{"state":["new"]}', "invalid_parameter"), ('{"state":[1]}', "invalid_parameter"),
                           ('{"state":{}}', "invalid_parameter"), ('{"type":5}', "invalid_parameter"), ('{"type":["a"]}', "invalid_parameter"),
                           ('{"ids":["a"],"type":"b"}', "invalid_parameter"), ('{"ids":["a"],"state":["read"]}', "invalid_parameter"),
                           ('{"state":"unread","order":"newest"}', "invalid_parameter")):
            for action in ("read", "dismiss", "clear"):
                with self.subTest(f"{action} {body}"):
                    self.refused(box.attempt(action, body), code)
        for body in ('[]', '"c1"', "[{}]", "7", "null"):
            with self.subTest(body):
                answer = box.attempt("clear", body)
                self.assertEqual(answer.status, 400, answer)
                self.assertIn(answer.json["code"], ("invalid_json", "invalid_parameter", "invalid_event"))
        self.assertEqual(box.ids(), [mine])
        self.assertEqual(box.counts(), counts_of(["unread"]))

    def test_many_at_once(self):
        box = self.user()
        self.post_events([{"users": [box.user], "title": str(i)} for i in range(2500)])
        stream = self.tab(box)
        self.assertEqual(box.counts(), counts_of(["unread"] * 2500))
        answer = box.change("read")
        self.assertEqual((len(set(answer["changed"])), answer["counts"]), (2500, counts_of(["read"] * 2500)))
        seen = set()
        while len(seen) < 2500:
            change = json.loads(stream.event(control=True).data)
            self.assertEqual((change["state"], {x["was"] for x in change["items"]}), ("read", {"unread"}))
            fresh = {x["id"] for x in change["items"]}
            self.assertFalse(seen & fresh)
            seen |= fresh
        self.assertEqual(seen, set(answer["changed"]))
        answer = box.change("clear")
        self.assertEqual((len(answer["changed"]), answer["counts"]["total"]), (2500, 0))
        self.assertEqual(box.items(), [])

    def test_changes_of_one_user_at_the_same_time_count_once(self):
        box = self.user()
        ids = [box.send(title=str(i))["id"] for i in range(40)]
        answers, lock = [], threading.Lock()

        def work(seed):
            order = list(ids)
            random.Random(seed).shuffle(order)
            for at in range(0, 40, 4):
                got = box.change("read" if seed % 2 else "seen", {"ids": order[at:at + 4]})
                with lock:
                    answers.append((seed % 2, got["changed"]))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for kind in (0, 1):
            changed = [x for k, c in answers if k == kind for x in c]
            self.assertEqual(len(changed), len(set(changed)), "a change was confirmed twice")
        self.assertEqual(sorted(x for k, c in answers if k == 1 for x in c), sorted(ids))
        self.assertEqual(box.counts(), counts_of(["read"] * 40))


class Expiry(MailboxTest):
    def test_what_expired_is_hidden_at_once(self):
        box = self.user()
        stays = box.send(title="stays")["id"]
        answer = box.send(title="short", ttl="1s")
        short, end = answer["id"], parse_time(answer["time"]) + 1
        self.assertEqual(box.ids(), [short, stays])
        item = box.page()["items"][0]
        self.assertAlmostEqual(parse_time(item["expires"]), end, delta=0.002)
        box.change("seen", {"ids": [short]})
        self.assertEqual(box.counts(), counts_of(["unread", "seen"]))
        eventually(lambda: time.time() > end + 0.02)
        # No clean-up has run: the store is cleaned far more rarely.
        self.assertEqual(box.ids(), [stays])
        self.assertEqual(box.counts(), counts_of(["unread"]))
        self.assertEqual(box.page(order="urgent", type="message")["counts"], counts_of(["unread"]))
        for action in ("read", "dismiss"):
            self.assertEqual(box.change(action, {"ids": [short]})["changed"], [])
        self.assertEqual(box.change("read")["changed"], [stays])
        stream = box.stream("?since=earliest")
        self.addCleanup(stream.close)
        self.assertEqual(stream.event().id, stays)
        self.assertEqual(box.page(cursor=short)["items"][0]["id"], stays)

    def test_a_default_a_bound_and_for_ever(self):
        box = self.user()
        box.send(title="for ever", ttl="0")
        box.send(title="an hour", ttl="1h")
        hour, ever = box.items()
        self.assertNotIn("expires", ever)
        self.assertAlmostEqual(parse_time(hour["expires"]) - parse_time(hour["created"]), 3600, delta=0.01)

    def test_an_expired_item_is_a_gap_for_who_comes_back(self):
        box = self.user()
        first = box.send(title="first")["id"]
        answer = box.send(title="short", ttl="1s")
        last = box.send(title="last")["id"]
        eventually(lambda: time.time() > parse_time(answer["time"]) + 1.02)
        stream = box.stream(headers={"Last-Event-ID": first})
        self.addCleanup(stream.close)
        self.assertIs(stream.ready()["recovered"], False)
        event = stream.event(control=True)
        self.assertEqual((event.type, json.loads(event.data)["reason"]), ("tidings.gap", "expired"))
        self.assertEqual(stream.event().id, last)


class Streams(MailboxTest):
    def test_a_change_reaches_both_tabs(self):
        box, other = self.user("a"), self.user("b")
        tabs = [self.tab(box) for _ in range(2)]
        stranger = self.tab(other)
        ids = [box.send(title=str(i))["id"] for i in range(3)]
        box.change("seen", {"ids": ids[:1]})
        answer = box.change("read")
        box.change("read")  # nothing, so no event
        box.change("dismiss", {"ids": ids[1:2]})
        for stream in tabs:
            self.assertEqual([x.id for x in stream.events(3)], ids)
            changes = [stream.event(control=True) for _ in range(3)]
            self.assertEqual({x.type for x in changes}, {"tidings.mailbox"})
            data = [json.loads(x.data) for x in changes]
            for x in data:
                self.assertEqual(set(x), {"state", "at", "items"})
                self.assertRegex(x["at"], TIME)
            self.assertEqual((data[0]["state"], data[0]["items"]), ("seen", [{"id": ids[0], "was": "unread"}]))
            self.assertEqual(data[1]["state"], "read")
            self.assertEqual({x["id"]: x["was"] for x in data[1]["items"]}, {ids[0]: "seen", ids[1]: "unread", ids[2]: "unread"})
            self.assertEqual(set(answer["changed"]), set(ids))
            self.assertEqual((data[2]["state"], data[2]["items"]), ("dismissed", [{"id": ids[1], "was": "read"}]))
            self.assertTrue(stream.silent(0.2))
        self.assertEqual({x.id for x in changes} & set(ids), set())
        self.assertTrue(stranger.silent(0.2))

    def test_what_a_stream_carries(self):
        self.alone()
        box, other = self.user("a"), self.user("b")
        stream = box.stream()
        self.addCleanup(stream.close)
        ready = stream.ready()
        self.assertEqual(set(ready["topics"]), {f"user:{box.user}", "everyone", f"$mailbox/{box.user}"})
        plain = self.publish(f"user:{box.user}", '{"a": 1}', "?type=hint", {"Content-Type": "application/json"})
        other.send(title="not mine")
        self.publish(f"user:{other.user}", "not mine")
        self.publish(self.topic, "not mine")
        call = self.publish("everyone", "plain call", "?type=call")
        item = self.send("*", title="call", ttl="1h")
        events = stream.events(3)
        self.assertEqual([(x.type, x.id) for x in events], [("hint", plain["id"]), ("call", call["id"]), ("message", item["id"])])
        # What is no item is as it was published, and in no mailbox.
        self.assertEqual([x.data for x in events[:2]], ['{"a": 1}', "plain call"])
        self.assertEqual(json.loads(events[2].data)["title"], "call")
        self.assertEqual([x for x in box.ids() if x in (plain["id"], call["id"])], [])
        self.assertTrue(stream.silent(0.2))

    def test_parameters(self):
        box = self.user()
        ids = [box.send(title=str(i))["id"] for i in range(4)]
        for query, expected in (("since=earliest", ids), (f"since={ids[1]}", ids[2:]), (f"last_event_id={ids[2]}", ids[3:]), ("since=10m", ids)):
            with self.subTest(query):
                stream = box.stream(f"?{query}")
                self.addCleanup(stream.close)
                self.assertEqual([x.id for x in stream.events(len(expected))], expected)
        for query in ("topics=a", f"topic=user:{box.user}", "since=never", "heartbeat=1ms", "state=unread", "limit=5", "envelope=maybe"):
            with self.subTest(query):
                with self.shared.stream(f"/users/{box.user}/stream?{query}") as stream:
                    self.assertEqual(stream.head.status, 400, stream.head.headers)

    def test_envelopes_and_lines(self):
        box = self.user()
        stream = box.stream("?envelope=true")
        self.addCleanup(stream.close)
        stream.ready()
        link = self.shared.connect()
        self.addCleanup(link.close)
        link.send_request("GET", f"/users/{box.user}/stream", {"Accept": "application/x-ndjson"})
        head = link.read_head()
        self.assertEqual((head.status, head.header("content-type")), (200, "application/x-ndjson"))
        body, text = link.body(head), b""

        def line():
            nonlocal text
            while b"\n" not in text:
                text += body.piece(5)
            first, _, text = text.partition(b"\n")
            return json.loads(first)

        self.assertEqual(line()["event"], "tidings.ready")
        answer = self.send([box], type="build", title="Done", message="a\nb", priority="HIGH", data={"n": 1}, id=f"{self.topic}-1")
        box.change("read")
        event, change = stream.event(), stream.event(control=True)
        self.assertEqual((event.type, event.id, change.type), ("build", answer["id"], "tidings.mailbox"))
        for envelope in (json.loads(event.data), line()):
            self.assertLessEqual({"id", "topic", "topics", "type", "time", "data"}, set(envelope))
            self.assertEqual((envelope["id"], envelope["topic"], envelope["type"], envelope["data"], envelope["event_id"]),
                             (answer["id"], f"user:{box.user}", "build", {"n": 1}, f"{self.topic}-1"))
            self.assertEqual((envelope["title"], envelope["message"], envelope["priority"]), ("Done", "a\nb", "HIGH"))
        for envelope in (json.loads(change.data), line()):
            self.assertEqual((envelope["type"], envelope["data"]["state"]), ("tidings.mailbox", "read"))
            self.assertEqual(envelope["data"]["items"], [{"id": answer["id"], "was": "unread"}])
        # A page of the same.
        page = self.shared.page(f"/users/{box.user}/stream")
        self.assertEqual([x["type"] for x in page["events"]], ["build", "tidings.mailbox"])

    def test_an_ordinary_topic_is_as_it_was(self):
        stream = self.stream(f"/topics/{self.topic}")
        stream.ready()
        for body, headers in (("text", None), ('{"title": "x",  "message": "y"}', {"Content-Type": "application/json"}), ("", None)):
            self.publish(self.topic, body, "?type=note", headers)
            event = stream.event()
            self.assertEqual((event.type, event.data), ("note", body))
        self.post_events({"topic": self.topic, "data": {"title": "x", "priority": "HIGH"}})
        self.assertEqual(stream.event().data, '{"title":"x","priority":"HIGH"}')
        envelope = self.page(f"/topics/{self.topic}")["events"][0]
        self.assertEqual(set(envelope), {"id", "topic", "topics", "type", "time", "expires", "data"})

    def test_an_item_on_the_stream_of_its_topic_is_the_same_item(self):
        box = self.user()
        plain = self.stream(f"/topics/user:{box.user}")
        own = self.tab(box)
        plain.ready()
        box.send(title="x", data=[1, 2])
        self.assertEqual(plain.event().data, own.event().data)

    def test_dismissed_items_are_not_replayed(self):
        self.alone()
        box = self.user()
        start = self.tab(box).last_event_id
        ids = [box.send(title=str(i))["id"] for i in range(6)]
        shared = self.send("*", title="shared", ttl="1h")["id"]
        box.change("dismiss", {"ids": [ids[0], ids[3], shared]})
        box.change("read", {"ids": [ids[1]]})
        for query, headers in (("?since=earliest", {}), ("", {"Last-Event-ID": start}), (f"?since={ids[0]}", {}), ("?since=10m", {})):
            with self.subTest(query or "header"):
                stream = box.stream(query, headers)
                self.addCleanup(stream.close)
                mine = set(ids) | {shared}
                got, changes = [], 0
                # As if it had not been asked for: that is no gap.
                self.assertIs(stream.ready()["recovered"], True)
                while changes < 2:
                    event = stream.event(control=True)
                    self.assertIn(event.type, ("message", "tidings.mailbox"), event)
                    changes += event.type == "tidings.mailbox"
                    if event.id in mine:
                        got.append(event.id)
                self.assertEqual(got, [ids[1], ids[2], ids[4], ids[5]])
                self.assertTrue(stream.silent(0.1))

    def test_dismissed_items_are_not_in_a_page_of_the_stream(self):
        box = self.user()
        ids = [box.send(title=str(i))["id"] for i in range(4)]
        box.change("dismiss", {"ids": ids[1:3]})
        for query in ("", "?reverse=true", f"?since={ids[0]}", "?wait=1s"):
            with self.subTest(query):
                got = [x["id"] for x in self.shared.page(f"/users/{box.user}/stream{query}")["events"]]
                self.assertEqual([x for x in got if x in ids[1:3]], [])
                self.assertIn(ids[3], got)

    def test_dismissed_items_stay_away_from_a_replay_that_is_longer_than_a_piece(self):
        box = self.user()
        start = self.tab(box).last_event_id
        filler = "x" * 8000
        ids = [box.send(title=str(i), message=filler)["id"] for i in range(60)]
        gone = self.random.sample(ids, 30)
        box.change("dismiss", {"ids": gone})
        stream = box.stream(headers={"Last-Event-ID": start})
        self.addCleanup(stream.close)
        left = [x for x in ids if x not in gone]
        got = []
        while (event := stream.event(control=True)).type != "tidings.mailbox":
            got.append(event.id)
        # Without the control event tidings.ready.
        self.assertEqual([x for x in got if x in set(ids)], left)


class Together(MailboxTest):
    def test_tabs_agree_with_the_list_after_all_worked_at_once(self):
        """Three send, three change by ids and filters, two tabs follow and one comes and goes; no order is given."""
        box = self.user()
        tabs = [Tab(box, f"tab {i}") for i in range(3)]
        for tab in tabs:
            tab.open()
            self.addCleanup(tab.close)
        sent, failures, confirmed, lock = [], [], [], threading.Lock()
        over = threading.Event()

        def guarded(work):
            def run(*arguments):
                try:
                    work(*arguments)
                except BaseException as failure:
                    failures.append(failure)
            return run

        @guarded
        def sending(number):
            for i in range(60):
                identity = box.send(title=f"{number} {i}", type="ab"[i % 2], message="m" * (i % 7) * 500)["id"]
                with lock:
                    sent.append(identity)

        @guarded
        def changing(number):
            chance = random.Random(number)
            while not over.is_set():
                with lock:
                    ids = chance.sample(sent, min(len(sent), 5))
                action = chance.choice(("seen", "read", "archive", "dismiss"))
                body = {"ids": ids} if chance.random() < 0.7 else {"state": [chance.choice(STATES)], "type": chance.choice("ab")}
                answer = box.change(action, body)
                with lock:
                    confirmed.extend((x, action) for x in answer["changed"])

        def take(tab):
            event = tab.take(tab.stream.item())
            if event and event[0] != "end":
                tab.add(event[1], event[2])
            return event and event[1]

        def follow(tab, coming_and_going):
            @guarded
            def run():
                taken = 0
                while take(tab) != "end":
                    taken += 1
                    if coming_and_going and taken % 40 == 39:
                        tab.resume()
            return run

        threads = [threading.Thread(target=sending, args=(i,)) for i in range(3)]
        changers = [threading.Thread(target=changing, args=(i,)) for i in range(3)]
        followers = [threading.Thread(target=follow(tab, tab is tabs[2])) for tab in tabs]
        for thread in threads + changers + followers:
            thread.start()
        for thread in threads:
            thread.join()
        over.set()
        for thread in changers:
            thread.join()
        self.publish(f"user:{box.user}", "end", "?type=end")
        for thread in followers:
            thread.join(30)
        self.assertEqual(failures, [])
        self.assertEqual(len(confirmed), len(set(confirmed)), "the same rise was confirmed twice")
        items = {x["id"]: x["state"] for x in box.items(limit=200)}
        self.assertEqual(box.counts(), counts_of(items.values()))
        for tab in tabs:
            self.assertEqual(tab.states(), items, tab.name)
            self.assertEqual(tab.gaps, [])
        gone = {x for x, action in confirmed if action == "dismiss"}
        self.assertEqual(set(items), set(sent) - gone)
        self.note(f"{len(sent)} items, {len(confirmed)} rises of a state by 3 clients at once, {tabs[2].resumes} resumes of one tab: all agree")


class Badge(MailboxTest):
    """`A badge is the size of a set`: ids of unread items go in, ids that a change names go out."""

    def follow(self, badge, stream, until):
        while True:
            event = stream.event(control=True)
            if event.type == "tidings.mailbox":
                badge -= {x["id"] for x in json.loads(event.data)["items"]}
            elif event.type == "end":
                self.assertEqual(event.data, until)
                return badge
            elif not event.type.startswith("tidings."):
                badge.add(json.loads(event.data)["id"])

    def unread(self, box):
        return {x["id"] for x in box.page(state="unread")["items"]}

    def end(self, box, word):
        self.publish(f"user:{box.user}", word, "?type=end")
        return word

    def test_from_the_page_and_then_the_stream_since_the_newest_item(self):
        box = self.user()
        ids = [box.send(title=str(i))["id"] for i in range(4)]
        box.change("read", {"ids": ids[1:3]})
        page = box.page()
        stream = box.stream(f"?since={page['items'][0]['id']}")
        self.addCleanup(stream.close)
        box.send(title="new")
        badge = self.follow({x["id"] for x in page["items"] if x["state"] == "unread"}, stream, self.end(box, "1"))
        self.assertEqual(badge, self.unread(box))
        self.assertEqual(len(badge), box.counts()["unread"])

    def test_from_the_stream_and_then_the_page(self):
        box = self.user()
        for i in range(4):
            box.send(title=str(i))
        stream = self.tab(box)
        badge = self.unread(box)
        new = [box.send(title="new")["id"] for _ in range(3)]
        box.change("read", {"ids": new[:1]})
        box.change("dismiss", {"ids": new[1:2]})
        box.change("clear", {"state": ["read"]})
        self.assertEqual(self.follow(badge, stream, self.end(box, "1")), self.unread(box))
        self.assertEqual(box.counts(), counts_of(["unread"] * 5))

    def test_over_an_absence_in_which_items_came_and_were_dismissed(self):
        box = self.user()
        box.send(title="old")
        stream = self.tab(box)
        badge = self.follow(self.unread(box), stream, self.end(box, "1"))
        self.assertEqual(len(badge), 1)
        position = stream.last_event_id
        stream.close()
        new = [box.send(title=str(i))["id"] for i in range(4)]
        box.change("read", {"ids": new[:2]})
        box.change("dismiss", {"ids": [new[0], new[3]]})
        again = box.stream(headers={"Last-Event-ID": position})
        self.addCleanup(again.close)
        badge = self.follow(badge, again, self.end(box, "2"))
        self.assertEqual(badge, self.unread(box))


class Restart(OwnBrokerTest):
    """What was answered outlives the process."""

    def boxes(self, broker):
        return Mailbox(broker, "ann"), Mailbox(broker, "bob")

    def fill(self, broker):
        ann, bob = self.boxes(broker)
        own = [ann.send(title=str(i), priority=PRIORITIES[i % 4], type="t")["id"] for i in range(6)]
        shared = [json.loads(broker.post("/events", json.dumps({"users": "*", "title": f"s{i}"}), JSON).body)["id"] for i in range(3)]
        broker.post("/events", json.dumps({"users": ["ann", "bob"], "title": "both"}), JSON)
        ann.change("seen", {"ids": own[:1]})
        ann.change("read", {"ids": own[1:2]})
        ann.change("archive", {"ids": own[2:3]})
        ann.change("dismiss", {"ids": [own[3], shared[0]]})
        bob.change("read", {"ids": [shared[0]]})
        bob.change("dismiss", {"ids": [shared[1]]})
        return own, shared

    def picture(self, broker):
        return [[(x.items(order=o), x.counts()) for o in ("newest", "oldest", "urgent")] for x in self.boxes(broker) + (Mailbox(broker, "new"),)]

    def test_all_is_there_after_kill_9_and_after_a_stop(self):
        broker = self.broker()
        self.fill(broker)
        before = self.picture(broker)
        self.assertEqual(before[0][0][1], {"unread": 5, "seen": 1, "read": 1, "archived": 1, "total": 8})
        for end in (broker.kill, broker.stop, broker.kill):
            end()
            broker.start()
            self.assertEqual(self.picture(broker), before)
        # And what is done then comes on top of it.
        ann, bob = self.boxes(broker)
        self.assertEqual(len(ann.change("read")["changed"]), 6)
        broker.kill()
        broker.start()
        self.assertEqual(ann.counts(), {"unread": 0, "seen": 0, "read": 7, "archived": 1, "total": 8})
        self.assertEqual(bob.counts(), {"unread": 2, "seen": 0, "read": 1, "archived": 0, "total": 3})

    def test_dismissed_never_comes_back(self):
        broker = self.broker()
        ann, _ = self.boxes(broker)
        with ann.stream() as stream:
            stream.ready()
            old = stream.last_event_id
        own, shared = self.fill(broker)
        gone = {own[3], shared[0]}
        for round_ in range(3):
            self.assertFalse(gone & set(ann.ids()))
            for query, headers in (("?since=earliest", {}), ("", {"Last-Event-ID": old}), (f"?since={own[2]}", {})):
                word = f"{round_} {query} {sorted(headers)}"
                with self.subTest(word), ann.stream(query, headers) as stream:
                    self.assertIs(stream.ready()["recovered"], True)
                    broker.post("/topics/user:ann?type=end", word)
                    while (event := stream.event(control=True)).data != word:
                        self.assertNotIn(event.id, gone)
                        self.assertNotEqual(event.type, "tidings.gap")
            for action in ("read", "dismiss"):
                self.assertEqual(ann.change(action, {"ids": sorted(gone)})["changed"], [])
            broker.kill()
            broker.start()

    def test_a_stream_goes_on_across_a_restart(self):
        broker = self.broker()
        ann, bob = self.boxes(broker)
        tabs = [Tab(ann, f"tab {i}") for i in range(2)]
        for tab in tabs:
            tab.open()
            self.addCleanup(tab.close)
        ids = [ann.send(title=str(i))["id"] for i in range(4)]
        ann.change("seen", {"ids": ids[:1]})

        def catch_up(tab, word):
            broker.post("/topics/user:ann?type=end", word)
            while True:
                event = tab.take(tab.stream.item())
                if event and event[0] == "end":
                    if event[1] == word:
                        return
                elif event:
                    tab.add(event[1], event[2])

        for tab in tabs:
            catch_up(tab, tab.name)
        for round_, end in enumerate((broker.kill, broker.stop)):
            tabs[1].close()  # was away before already
            new = ann.send(title=f"before {round_}")["id"]
            ann.change("read", {"ids": [new, ids[round_]]})
            gone = ann.send(title="gone")["id"]
            ann.change("dismiss", {"ids": [gone]})
            end()
            broker.start()
            ann.send(title=f"after {round_}")
            ann.change("archive", {"ids": [ids[round_]]})
            bob.send(title="not ann's")
            for tab in tabs:
                tab.resume()
                catch_up(tab, f"{tab.name} {round_}")
                self.assertEqual(tab.gaps, [])
                self.assertEqual(tab.states(), {x["id"]: x["state"] for x in ann.items()})

    def test_a_stop_after_changes_ends(self):
        broker = self.broker(options={"server.drain-timeout": "2s"})
        ann, _ = self.boxes(broker)
        ann.send(title="x")
        ann.change("read")
        try:
            self.assertEqual(broker.stop(8), 0)
        except subprocess.TimeoutExpired:
            self.fail("SIGTERM after a change in a mailbox: the process does not end")

    def test_a_broker_that_stops_says_so_to_a_users_stream(self):
        broker = self.broker()
        ann, _ = self.boxes(broker)
        stream = ann.stream()
        self.addCleanup(stream.close)
        stream.ready()
        broker.signal(15)
        self.assertEqual(stream.control("tidings.closing")["reason"], "shutdown")
        with self.assertRaises(Closed) as end:
            while True:
                stream.item()
        self.assertTrue(end.exception.clean)
        self.assertEqual(broker.wait_exit(15), 0)


class Settings(OwnBrokerTest):
    def test_more_mailboxes_than_may_be_in_memory(self):
        broker = self.broker(options={"topics.level": "written", "mailbox.active-max": "3", "mailbox.idle-timeout": "1s"})
        boxes = [Mailbox(broker, f"u{i}") for i in range(60)]
        for at in range(0, 60, 15):
            broker.post("/events", json.dumps({"users": [x.user for x in boxes[at:at + 15]], "title": "x"}), JSON)
        failures = []

        def work(part):
            try:
                for _ in range(3):
                    for box in part:
                        box.change("seen")
                    for box in part:
                        box.change("read")
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(boxes[i::6] + boxes[:2],)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual({tuple(x.counts().items()) for x in boxes}, {tuple(counts_of(["read"]).items())})
        begin = time.monotonic()
        eventually(lambda: time.monotonic() - begin > 2.5)  # all of them are idle by now
        self.assertEqual(len(boxes[0].change("archive")["changed"]), 1)

    def test_what_was_read_leaves_after_a_while(self):
        broker = self.broker(options={"topics.level": "written", "mailbox.keep-read": "1s"})
        box = Mailbox(broker, "ann")
        names = ("unread", "seen", "read", "archive")
        ids = {x: box.send(title=x)["id"] for x in names}
        everyones = broker.post("/events", '{"users":"*","title":"shared"}', JSON).json["id"]
        for name in names[1:]:
            box.change(name, {"ids": [ids[name]]})
        box.change("read", {"ids": [everyones]})
        self.assertEqual(len(box.items()), 5)
        eventually(lambda: len(box.items()) != 5, 5)
        # What was archived was put there to stay.
        eventually(lambda: box.titles(order="oldest") == ["unread", "seen", "archive"], 5, "what was read is gone")
        self.assertEqual(box.counts(), counts_of(["unread", "seen", "archived"]))
        self.assertEqual(Mailbox(broker, "bob").titles(), ["shared"])
        self.assertEqual(set(box.change("dismiss", {"ids": list(ids.values()) + [everyones]})["changed"]),
                         {ids[x] for x in ("unread", "seen", "archive")})
        broker.kill()
        broker.start()
        self.assertEqual(box.titles(), [])

    def test_changes_that_are_not_told_any_more_are_a_gap(self):
        broker = self.broker(options={"topics.level": "written", "mailbox.changes-ttl": "1s"})
        box = Mailbox(broker, "ann")
        first = box.send(title="a")["id"]
        changed = time.time()
        box.change("read")
        box.send(title="b")
        eventually(lambda: time.time() > changed + 1.3)
        with box.stream(headers={"Last-Event-ID": first}) as stream:
            self.assertIs(stream.ready()["recovered"], False)
            self.assertEqual(stream.event(control=True).type, "tidings.gap")
            self.assertEqual(json.loads(stream.event().data)["title"], "b")
        # The state itself stays.
        self.assertEqual([x["state"] for x in box.items(order="oldest")], ["read", "unread"])

    def test_the_mailbox_section(self):
        broker = self.broker(options={"topics.level": "written", "mailbox.ttl": "1h", "mailbox.items-max": "5", "mailbox.page-items": "3"})
        box = Mailbox(broker, "ann")
        ids = [box.send(title=str(i))["id"] for i in range(9)]
        items = box.items(limit=3)
        # What is too much leaves: the oldest.
        self.assertEqual([x["id"] for x in items], ids[:3:-1])
        self.assertEqual(box.counts()["total"], 5)
        self.assertAlmostEqual(parse_time(items[0]["expires"]) - parse_time(items[0]["created"]), 3600, delta=0.01)
        self.assertEqual(len(box.page()["items"]), 3)
        self.assert_problem(box.ask(limit=4), 400, "invalid_parameter")
        # Others lose nothing by it.
        other = Mailbox(broker, "bob")
        first = broker.post("/events", json.dumps({"users": ["ann", "bob"], "title": "both"}), JSON).json["id"]
        for i in range(6):
            box.send(title=f"more {i}")
        self.assertNotIn(first, box.ids())
        self.assertEqual(other.ids(), [first])
        broker.kill()
        broker.start()
        self.assertEqual((box.counts()["total"], other.ids()), (5, [first]))

    def test_rules_of_topics_hold_for_items(self):
        broker = self.broker(config='[[topic]]\npattern = "user:slow"\nrate-per-second = 1\n\n[[topic]]\npattern = "user:brief"\nttl = "30s"\nttl-max = "1m"\n'
                                    '\n[[topic]]\npattern = "user:gone"\nephemeral = true\n', options={"topics.level": "written"})
        slow = Mailbox(broker, "slow")
        answers = [broker.post(slow.path, '{"title":"x"}', JSON) for _ in range(5)]
        self.assertIn(429, [x.status for x in answers])
        self.assertEqual(slow.counts()["total"], [x.status for x in answers].count(201))
        brief = Mailbox(broker, "brief")
        item = (brief.send(title="x", ttl="1d"), brief.items()[0])[1]
        self.assertAlmostEqual(parse_time(item["expires"]) - parse_time(item["created"]), 60, delta=0.01)
        # An item is always stored.
        gone = Mailbox(broker, "gone")
        self.assertIsNotNone(gone.send(title="x")["id"])
        self.assertEqual(gone.titles(), ["x"])
