"""The profile `notifications`: items of users, recovered when they come back. Tests carry the number of the promise that they keep."""

import hashlib
import json
import os
import shutil
import urllib.parse

from support import settings
from support.mailbox import parse_time
from support.profile import JSON, ProfileTest
from support.waiting import eventually
from support.wire import Closed

SIGN_IN = '[auth]\nproxies = ["127.0.0.1"]\nproxy-publish = ["user:ada"]\nproxy-subscribe = ["user:ada"]\n'


def value_of(event):
    return json.loads(event.data)


class Notifications(ProfileTest):
    def poll(self, user=None, broker=None):
        # Others of this class send to everyone.
        return [x for x in super().poll(user, broker) if x["event_type"] != "Global"]

    def send(self, status=201, headers=None, **fields):
        answer = self.shared.post("/notifications/send", json.dumps(fields), headers)
        self.assertEqual(answer.status, status, answer)
        return answer.json.get("id")

    def test_S1_01_02_09_a_notification_reaches_its_user_under_its_type(self):
        stream = self.stream("/sse/SystemNotification", self.as_user())
        self.assertTrue(stream.head.header("content-type").startswith("text/event-stream"))
        other = self.stream("/sse/SystemNotification", self.as_user("somebody-else"))
        self.notify(title="Hello", message="World")
        event = stream.event()
        self.assertEqual(event.type, "SystemNotification")
        value = value_of(event)
        self.assertEqual(value["payload"], {"title": "Hello", "message": "World"})
        self.assertEqual((value["event_type"], value["priority"], value["is_recovered"]), ("SystemNotification", "NORMAL", False))
        self.notify("somebody-else", title="theirs")
        self.assertEqual(value_of(other.event())["payload"]["title"], "theirs")

    def test_S1_01_any_type_is_a_last_segment(self):
        stream = self.stream("/sse/Task%20Completed", self.as_user())
        self.notify(type="SystemNotification")
        self.notify(type="Task Completed", title="done")
        event = stream.event()
        self.assertEqual((event.type, value_of(event)["payload"]["title"]), ("Task Completed", "done"))

    def test_S1_03_a_heartbeat_event_comes_on_an_idle_stream(self):
        broker = self.broker(config='[[profile]]\nkind = "notifications"\nheartbeat-interval = "1s"\n')
        stream = broker.stream("/sse/X", self.as_user())
        for _ in range(2):
            event = stream.event(control=True)
            self.assertEqual((event.type, value_of(event)), ("heartbeat", {"status": "heartbeat"}))

    def test_S1_04_05_06_poll_clear_and_dismiss(self):
        ids = [self.notify(title=str(i)) for i in range(3)]
        self.assertEqual([x["id"] for x in self.poll()], ids)
        self.assertTrue(all(x["is_recovered"] for x in self.poll()))
        foreign = self.notify("somebody-else-2")
        answer = self.shared.post("/notifications/dismiss", json.dumps({"ids": [ids[1], foreign]}), self.as_user())
        self.assertEqual((answer.status, answer.json), (200, {"status": "ok", "dismissed": [ids[1]]}))
        self.assertEqual([x["id"] for x in self.poll()], [ids[0], ids[2]])
        self.assertEqual(len(self.poll("somebody-else-2")), 1)
        answer = self.shared.post("/notifications/clear", "", self.as_user())
        self.assertEqual((answer.status, answer.json), (200, {"status": "ok"}))
        self.assertEqual(self.poll(), [])

    def test_S1_07_nobody_is_refused(self):
        for method, path in (("GET", "/sse/SystemNotification"), ("GET", "/notifications/poll"),
                             ("POST", "/notifications/clear"), ("POST", "/notifications/dismiss")):
            with self.subTest(path):
                self.assert_problem(self.shared.request(method, path, body="" if method == "POST" else None), 401, "unauthorized")

    def test_S1_08_the_fields_of_a_notification(self):
        stream = self.open_stream(self.shared, "/sse/SystemNotification")
        sent = self.send(target_userid=self.user, title="t", message="m")
        live, (stored,) = value_of(stream.event()), self.poll()
        for value, more in ((live, set()), (stored, {"target_userid"})):
            self.assertEqual(set(value), {"id", "event_type", "priority", "created_at", "expires_at", "payload", "is_recovered"} | more)
            self.assertEqual((value["id"], value["payload"]), (sent, {"title": "t", "message": "m"}))
            self.assertRegex(value["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(stored["target_userid"], self.user)

    def test_S1_09_a_target_may_be_an_integer_and_the_priority_is_NORMAL(self):
        number = int(self.user[1:], 16)
        mine = self.open_stream(self.shared, "/sse/SystemNotification", str(number))
        others = self.open_stream(self.shared, "/sse/SystemNotification", str(number + 1))
        self.send(title="a", message="b", target_userid=number)
        self.send(title="c", message="d", target_userid=str(number + 1))
        value = value_of(mine.event())
        self.assertEqual((value["payload"]["title"], value["priority"]), ("a", "NORMAL"))
        self.assertEqual(value_of(others.event())["payload"]["title"], "c")
        for bad in ("*", "", "a,b", 1.5, [1], {"id": 1}):
            with self.subTest(bad):
                self.send(status=400, title="t", target_userid=bad)
        self.send(status=400, target_userid=1, message="without a title")
        self.send(status=400, title="t", target_userid=1, other="field")

    def test_S1_10_a_global_notification_reaches_every_user(self):
        streams = [self.open_stream(self.shared, "/sse/Global", f"{self.user}-{i}") for i in range(3)]
        self.send(event_type="Global", title="all", message="of you", priority="HIGH")
        for stream in streams:
            value = value_of(stream.event())
            self.assertEqual((value["payload"], value["priority"]), ({"title": "all", "message": "of you"}, "HIGH"))
        mine = next(x for x in super().poll() if x["event_type"] == "Global" and x["payload"]["title"] == "all")
        self.assertIsNone(mine["target_userid"])

    def test_S1_11_22_what_has_expired_is_not_polled_not_recovered_and_not_streamed(self):
        self.send(title="short", target_userid=self.user, expire_after=1 / 60)
        kept = self.send(title="kept", target_userid=self.user, expire_after=5)
        stored = {x["payload"]["title"]: x for x in self.poll()}
        self.assertAlmostEqual(parse_time(stored["kept"]["expires_at"]) - parse_time(stored["kept"]["created_at"]), 300, delta=1)
        # Clean-up runs twice an hour: this is the store's own look at the time.
        eventually(lambda: [x["id"] for x in self.poll()] == [kept], 10)
        stream = self.stream("/sse/SystemNotification", self.as_user())
        self.assertEqual(value_of(stream.event())["id"], kept)
        for bad in (0, -1, "5", 1e12):
            with self.subTest(bad):
                self.send(status=400, title="t", target_userid=self.user, expire_after=bad)

    def test_S1_12_names_of_priorities(self):
        wanted = {"low": "LOW", "Normal": "NORMAL", "HIGH": "HIGH", "cRITICAL": "CRITICAL", "urgent!": "NORMAL", "": "NORMAL",
                  0: "LOW", 3: "CRITICAL", 9: "NORMAL"}
        ids = {self.send(title="t", target_userid=self.user, priority=x): y for x, y in wanted.items()}
        self.assertEqual({x["id"]: x["priority"] for x in self.poll()}, ids)

    def test_S1_13_a_direct_send_stores_nothing_and_says_whether_somebody_got_it(self):
        broker = self.broker(config='[[topic]]\npattern = "user:*"\nephemeral = true\n')
        target = f"/topics/user:{self.user}?type=X"
        self.assertEqual(broker.post(target, "lost").json["subscribers"], 0)
        stream = self.open_stream(broker, "/sse/X")
        self.assertEqual(broker.post(target, "seen").json["subscribers"], 1)
        self.assertEqual(value_of(stream.event())["payload"]["data"], "seen")
        self.assertEqual(self.poll(broker=broker), [])
        # Items are kept all the same: they are not direct.
        kept = self.notify(broker=broker, type="X")
        self.assertEqual([x["id"] for x in self.poll(broker=broker)], [kept])

    def test_S1_14_test_aids_where_nobody_has_to_sign_in(self):
        page = self.shared.get("/ssetest")
        self.assertEqual((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"))
        self.assertIn("sse/SystemNotification", page.text)
        stream = self.open_stream(self.shared, "/sse/SystemNotification")
        form = {"Content-Type": "application/x-www-form-urlencoded", **self.as_user()}
        body = urllib.parse.urlencode({"title": "Zwölf & drei", "message": "a+b=c"})
        self.assertEqual(self.shared.post("/generate_notification", body, form).status, 201)
        self.assertEqual(value_of(stream.event())["payload"], {"title": "Zwölf & drei", "message": "a+b=c"})
        self.assert_problem(self.shared.post("/generate_notification", body), 401, "unauthorized")

    def test_S1_14_test_aids_are_no_open_door(self):
        switch = '[[profile]]\nkind = "notifications"\ntest-aids = true\n'
        for text, there in ((SIGN_IN, False), (SIGN_IN + switch, True), (switch.replace("true", "false"), False)):
            with self.subTest(text):
                broker = self.broker(config=text)
                self.assertEqual(broker.get("/ssetest", self.as_user("ada")).status, 200 if there else 404)
                answer = broker.post("/generate_notification", "title=x", self.as_user("ada"))
                self.assertEqual(answer.status, 201 if there else 404, answer)
                if there:  # and they lend nobody a right that they have not
                    answer = broker.post("/generate_notification", "title=x", self.as_user("eve"))
                    self.assert_problem(answer, 403, "forbidden")

    def test_sending_needs_the_right_to_publish(self):
        key = "app-key"
        hashed = hashlib.sha256(key.encode()).hexdigest()
        broker = self.broker(config=SIGN_IN + f'[[auth.api-key]]\nname = "app"\nsha256 = "{hashed}"\npublish = ["user:*"]\n')
        send = lambda headers, **fields: broker.post("/notifications/send", json.dumps({"title": "t", **fields}), headers)
        app = {"X-API-Key": key}
        self.assertEqual(send(app, target_userid="eve").status, 201)  # a program, which is no user
        self.assert_problem(send(app), 403, "forbidden")
        self.assertEqual(send(self.as_user("ada"), target_userid="ada").status, 201)
        self.assert_problem(send(self.as_user("ada"), target_userid="eve"), 403, "forbidden")
        self.assert_problem(send({}, target_userid="eve"), 401, "unauthorized")

    def test_S1_15_17_18_19_what_was_missed_is_recovered_in_order_and_never_after_its_dismissal(self):
        for priority in ("LOW", "CRITICAL", "NORMAL", "CRITICAL"):
            self.notify(title=priority, priority=priority)
        self.notify(type="Other", title="of another type")
        dismissed = self.notify(title="dismissed", priority="CRITICAL")
        self.shared.post("/notifications/dismiss", json.dumps({"ids": [dismissed]}), self.as_user())
        self.assertNotIn(dismissed, [x["id"] for x in self.poll()])
        for _ in range(2):
            stream = self.stream("/sse/SystemNotification", self.as_user())
            seen = [value_of(stream.event()) for _ in range(4)]
            self.assertEqual([x["priority"] for x in seen], ["CRITICAL", "CRITICAL", "NORMAL", "LOW"])
            self.assertTrue(all(x["is_recovered"] for x in seen))
            self.assertLess(seen[0]["created_at"], seen[1]["created_at"])
        live = self.notify(title="live")
        value = value_of(stream.event())
        self.assertEqual((value["id"], value["is_recovered"]), (live, False))

    def test_S1_16_what_was_missed_is_polled(self):
        missed = self.notify("123", title="missed")
        self.assertIn((missed, "missed"), [(x["id"], x["payload"]["title"]) for x in self.poll("123")])

    def test_S1_20_after_clear_nothing_comes_back(self):
        for _ in range(3):
            self.notify()
        self.shared.post("/notifications/clear", "", self.as_user())
        self.assertEqual(self.poll(), [])
        stream = self.open_stream(self.shared, "/sse/SystemNotification")
        first = self.notify(title="after")
        self.assertEqual(value_of(stream.event())["id"], first)

    def test_S1_21_every_field_comes_back_as_it_was_sent(self):
        sent = {"event_type": "Invoice", "title": "Zwölf „Stück“", "message": "line one\nline two\ttab \\ \"quoted\" 𝄞",
                "priority": "CRITICAL", "target_userid": self.user, "expire_after": 90}
        answer = self.shared.post("/notifications/send", json.dumps(sent))
        (stored,) = self.poll()
        self.assertEqual(stored, {
            "id": answer.json["id"], "event_type": sent["event_type"], "priority": sent["priority"], "target_userid": self.user,
            "created_at": answer.json["time"], "expires_at": stored["expires_at"],
            "payload": {"title": sent["title"], "message": sent["message"]}, "is_recovered": True})
        self.assertAlmostEqual(parse_time(stored["expires_at"]) - parse_time(answer.json["time"]), 5400, delta=1)

    def test_S1_24_25_unread_items_wait_for_a_user_never_seen_also_over_a_restart(self):
        for end in ("kill", "stop"):
            with self.subTest(end):
                broker = self.broker()
                stream = self.open_stream(broker, "/sse/X", "somebody-else")
                broker.post("/events", json.dumps({"users": [123], "type": "X", "title": "waiting"}), JSON)
                getattr(broker, end)()
                with self.assertRaises((Closed, ConnectionResetError)):
                    while True:
                        stream.item()
                broker.start()
                stream = broker.stream("/sse/X", self.as_user("123"))
                self.assertEqual(value_of(stream.event())["payload"]["title"], "waiting")

    def test_S1_19_a_dismissal_outlives_a_restart(self):
        broker = self.broker()
        ids = [self.notify(broker=broker) for _ in range(2)]
        broker.post("/notifications/dismiss", json.dumps({"ids": ids[:1]}), self.as_user())
        broker.kill()
        broker.start()
        self.assertEqual([x["id"] for x in self.poll(broker=broker)], ids[1:])
        stream = broker.stream("/sse/SystemNotification", self.as_user())
        self.assertEqual(value_of(stream.event())["id"], ids[1])

    def test_S1_23_what_is_read_or_has_expired_leaves_the_store(self):
        broker = self.broker(options={"storage.compaction-interval": "1s", "mailbox.keep-read": "1s", "mailbox.changes-ttl": "1s",
                                      "storage.gap-memory": "1s"})
        gone = self.notify(broker=broker, title="gone", ttl="1s")
        read = self.notify(broker=broker, title="read")
        kept = self.notify(broker=broker, title="kept")
        broker.post(f"/users/{self.user}/mailbox/read", json.dumps({"ids": [read]}), JSON)
        listed = lambda: [x["id"] for x in broker.get(f"/users/{self.user}/mailbox").json["items"]]
        eventually(lambda: listed() == [kept], 20, "only the kept one is shown")
        records = lambda: {x["topic"]: x["events"] for x in broker.get("/topics?prefix=user:").json["topics"]}
        eventually(lambda: records() == {f"user:{self.user}": 2}, 20, "the expired record is gone")
        self.assertNotIn(gone, listed())

    def test_S1_26_one_stream_too_many_ends_the_oldest_or_is_refused(self):
        for replace in (True, False):
            broker = self.broker(config='[[profile]]\nkind = "notifications"\nstreams-per-user = 2\n'
                                        f'replace-oldest = {str(replace).lower()}\n')
            streams = [self.open_stream(broker, "/sse/X") for _ in range(2)]
            if replace:
                third = broker.stream("/sse/X", self.as_user())
                self.assertEqual(streams[0].control("tidings.closing")["reason"], "replaced")
                self.notify(broker=broker, type="X")
                for stream in (streams[1], third):
                    self.assertEqual(stream.event().type, "X")
            else:
                self.assert_problem(broker.get("/sse/X", self.as_user()), 429, "rate_limited")

    def test_a_stream_that_is_refused_ends_no_other(self):
        broker = self.broker(config='[[profile]]\nkind = "notifications"\nstreams-per-user = 1\nreplace-oldest = true\n',
                             options={"limits.streams-per-address": "1", "limits.replace-oldest": "false"})
        stream = self.open_stream(broker, "/sse/X")
        for _ in range(3):
            self.assert_problem(broker.get("/sse/X", self.as_user()), 429, "rate_limited")
        self.notify(broker=broker, type="X")
        self.assertEqual(stream.event(control=True).type, "X")

    def test_S1_26_ten_streams_unless_something_else_is_said(self):
        streams = [self.open_stream(self.shared, "/sse/X") for _ in range(10)]
        self.assertEqual(len(self.connections(self.shared, user=self.user)), 10)
        self.stream("/sse/X", self.as_user())
        self.assertEqual(streams[0].control("tidings.closing")["reason"], "replaced")

    def test_S1_27_a_slow_reader_loses_the_oldest_of_more_than_a_hundred(self):
        broker = self.broker(options={"topics.level": "written"})
        stream = self.open_stream(broker, "/sse/X", receive_buffer=4096)
        count = 1000
        self.flood(broker, lambda i: {"users": [self.user], "type": "X", "title": str(i)}, count)
        titles = []
        while not titles or titles[-1] != count - 1:
            titles.append(int(value_of(stream.event(20))["payload"]["title"]))
        self.assertEqual(titles, sorted(set(titles)))
        self.assertEqual(titles[-100:], list(range(count - 100, count)), "the newest hundred are there")
        dropped = broker.get("/stats").json["dropped_messages"]  # now: at the end of the flood a shard may still be counting
        self.assertGreater(dropped, 0)
        self.assertEqual(len(titles), count - dropped)

    def test_S1_28_lines_about_failures_say_whose_stream_it_was(self):
        broker = self.broker(options={"topics.level": "written", "limits.write-timeout": "1s"})
        self.open_stream(broker, "/sse/X", receive_buffer=4096)
        (stuck,) = self.connections(broker)
        self.flood(broker, lambda i: {"users": [self.user], "type": "X", "title": str(i)}, 1000)
        line = eventually(lambda: next((x for x in broker.log().splitlines() if "reason=slow_reader" in x), None), 20)
        for part in (f"conn={stuck['id']}", f'user="{self.user}"', 'types="X"'):
            self.assertIn(part, line)

    def test_S1_29_metrics_health_and_who_listens_to_a_type(self):
        broker = self.broker()
        for user, type in (("ada", "X"), ("ada", "X"), ("bob", "X"), ("eve", "Y")):
            self.open_stream(broker, f"/sse/{type}", user)
        self.assertIn("tidings_streams_open 4", broker.get("/metrics").text)
        self.assertIn("tidings_publish_bytes_in_flight 0", broker.get("/metrics").text)
        self.assertEqual(broker.get("/healthz").status, 200)
        self.assertEqual({x["user"] for x in self.connections(broker, types=["X"])}, {"ada", "bob"})
        self.assertEqual({x["user"] for x in self.connections(broker, types=["Y"])}, {"eve"})

    def test_S1_30_the_contract_of_send_fetch_and_dismiss_under_a_versioned_path(self):
        broker = self.broker(config='[[profile]]\nkind = "notifications"\nmount = "/v1"\n')
        self.assert_problem(broker.get("/notifications/poll", self.as_user()), 404, "not_found")
        sent = broker.post("/v1/notifications/send", json.dumps({
            "event_type": "SystemNotification", "title": "t", "message": "m", "priority": "NORMAL", "target_userid": self.user,
            "expire_after": 10}))
        self.assertEqual(sent.status, 201, sent)
        self.assertIsInstance(sent.json["id"], str)
        fetched = broker.get("/v1/notifications/poll", self.as_user())
        self.assertEqual((fetched.status, fetched.header("content-type")), (200, "application/json"))
        (item,) = fetched.json
        self.assertEqual({k: type(v) for k, v in item.items()}, {
            "id": str, "event_type": str, "priority": str, "target_userid": str, "created_at": str, "expires_at": str, "payload": dict,
            "is_recovered": bool})
        self.assertEqual({k: type(v) for k, v in item["payload"].items()}, {"title": str, "message": str})
        dismissed = broker.post("/v1/notifications/dismiss", json.dumps({"ids": [sent.json["id"]]}), self.as_user())
        self.assertEqual((dismissed.status, dismissed.json), (200, {"status": "ok", "dismissed": [sent.json["id"]]}))
        stream = broker.stream("/v1/sse/SystemNotification", self.as_user())
        self.assertEqual(stream.head.status, 200)

    def test_S1_31_a_new_broker_on_an_old_directory(self):
        for name in ("store-v1", "store-v2"):
            with self.subTest(name):
                broker = self.broker(start=False)
                shutil.copytree(os.path.join(settings.ROOT, "tests/fixtures", name), broker.data_dir)
                broker.start()
                self.assertEqual([x["data"] for x in broker.page("/topics/order:1")["events"]], [{"state": "paid"}])
                if name == "store-v2":  # the first that had items
                    shown = {x["payload"]["title"]: x for x in self.poll("ada", broker)}
                    self.assertEqual((shown["hi"]["payload"]["message"], shown["hi"]["priority"]), ("two\nlines", "HIGH"))
                    self.assertEqual(len(shown), 2)
                new = self.notify("ada", broker=broker, title="new")
                self.assertEqual(self.poll("ada", broker)[-1]["id"], new)
