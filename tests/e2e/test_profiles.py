"""The systems that the broker stands in for: their paths and manners. Tests carry the number of the promise that they keep."""

import json
import time
import uuid

from support.case import BrokerTest, OwnBrokerTest
from support.waiting import eventually

JSON = {"Content-Type": "application/json"}


class ProfileTest(BrokerTest):
    def setUp(self):
        super().setUp()
        self.user = f"u{uuid.uuid4().hex[:10]}"

    def as_user(self, user=None):
        return {"X-User-Id": user or self.user}

    def notify(self, user=None, type="SystemNotification", **fields):
        value = {"users": [user or self.user], "type": type, "title": "t", "message": "m", **fields}
        return self.post_events(value).json["id"]

    def poll(self, user=None):
        answer = self.shared.get("/notifications/poll", self.as_user(user))
        self.assertEqual(answer.status, 200, answer)
        return [x for x in answer.json if x["event_type"] != "Global"]  # which another test sends to all


class Notifications(ProfileTest):
    def test_S1_01_02_09_a_notification_reaches_its_user_under_its_type(self):
        stream = self.stream("/sse/SystemNotification", self.as_user())
        other = self.stream("/sse/SystemNotification", self.as_user("somebody-else"))
        self.notify(title="Hello", message="World", priority="high")
        event = stream.event()
        self.assertEqual(event.type, "SystemNotification")
        value = json.loads(event.data)
        self.assertEqual(value["payload"], {"title": "Hello", "message": "World"})
        self.assertEqual((value["event_type"], value["priority"], value["is_recovered"]), ("SystemNotification", "HIGH", False))
        self.notify("somebody-else", title="theirs")
        self.assertEqual(json.loads(other.event().data)["payload"]["title"], "theirs")

    def test_S1_03_a_heartbeat_event_comes_on_an_idle_stream(self):
        broker = self.broker(config='[[profile]]\nkind = "notifications"\nheartbeat-interval = "1s"\n')
        stream = broker.stream("/sse/X", self.as_user())
        for _ in range(2):
            event = stream.event(control=True)
            self.assertEqual((event.type, json.loads(event.data)), ("heartbeat", {"status": "heartbeat"}))

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

    def test_S1_10_a_global_notification_reaches_every_user(self):
        streams = [self.stream("/sse/Global", self.as_user(f"{self.user}-{i}")) for i in range(3)]
        self.post_events({"users": "*", "type": "Global", "title": "all", "priority": "HIGH"})
        for stream in streams:
            self.assertEqual(json.loads(stream.event().data)["payload"]["title"], "all")

    def test_S1_11_22_what_has_expired_is_not_polled_and_not_recovered(self):
        self.notify(ttl="1s")
        kept = self.notify(title="kept")
        eventually(lambda: [x["id"] for x in self.poll()] == [kept], 10)
        stream = self.stream("/sse/SystemNotification", self.as_user())
        self.assertEqual(json.loads(stream.event().data)["id"], kept)

    def test_S1_15_17_18_19_what_was_missed_is_recovered_in_order_and_never_after_its_dismissal(self):
        for priority in ("LOW", "CRITICAL", "NORMAL", "CRITICAL"):
            self.notify(title=priority, priority=priority)
        self.notify(type="Other", title="of another type")
        dismissed = self.notify(title="dismissed", priority="CRITICAL")
        self.shared.post("/notifications/dismiss", json.dumps({"ids": [dismissed]}), self.as_user())
        for _ in range(2):
            stream = self.stream("/sse/SystemNotification", self.as_user())
            seen = [json.loads(stream.event().data) for _ in range(4)]
            self.assertEqual([x["priority"] for x in seen], ["CRITICAL", "CRITICAL", "NORMAL", "LOW"])
            self.assertTrue(all(x["is_recovered"] for x in seen))
            self.assertLess(seen[0]["created_at"], seen[1]["created_at"])
        live = self.notify(title="live")
        value = json.loads(stream.event().data)
        self.assertEqual((value["id"], value["is_recovered"]), (live, False))

    def test_S1_24_25_unread_items_wait_for_a_user_never_seen_also_over_a_restart(self):
        broker = self.broker()
        broker.post("/events", json.dumps({"users": [123], "type": "X", "title": "waiting"}), JSON)
        broker.kill()
        broker.start()
        stream = broker.stream("/sse/X", self.as_user("123"))
        self.assertEqual(json.loads(stream.event().data)["payload"]["title"], "waiting")

    def test_S1_26_one_stream_too_many_ends_the_oldest_or_is_refused(self):
        for replace in (True, False):
            broker = self.broker(config='[[profile]]\nkind = "notifications"\nstreams-per-user = 2\n'
                                        f'replace-oldest = {str(replace).lower()}\n')
            streams = [broker.stream("/sse/X", self.as_user()) for _ in range(2)]
            for stream in streams:
                eventually(lambda: broker.get("/stats").json["connected_clients"] >= len(streams), 5)
            if replace:
                third = broker.stream("/sse/X", self.as_user())
                self.assertEqual(streams[0].control("tidings.closing")["reason"], "replaced")
                broker.post("/events", json.dumps({"users": [self.user], "type": "X", "title": "t"}), JSON)
                for stream in (streams[1], third):
                    self.assertEqual(stream.event().type, "X")
            else:
                self.assert_problem(broker.get("/sse/X", self.as_user()), 429, "rate_limited")


class Topics(ProfileTest):
    def test_S2_01_02_03_16_topics_in_every_form_and_all_without_one(self):
        everything = self.stream("/events")
        one = self.stream(f"/events?topics=order:{self.user},room:{self.user}")
        two = self.stream(f"/events?topic=order:{self.user}&topic=room:{self.user}&topics=order:{self.user}")
        for stream in (everything, one, two):
            stream.ready()
        for topic in ("order", "room", "system"):
            self.publish(f"{topic}:{self.user}", topic)
        for stream in (one, two):
            self.assertEqual([x.data for x in stream.events(2)], ["order", "room"])
        self.assertEqual([x.data for x in everything.events(3)], ["order", "room", "system"])

    def test_S2_04_05_06_a_user_hears_what_is_sent_to_them_and_to_everyone(self):
        mine = self.stream("/events?topics=else", self.as_user())
        theirs = self.stream("/events?topics=else", self.as_user("nobody-in-particular"))
        for stream in (mine, theirs):
            stream.ready()
        self.publish(f"user:{self.user}", "for me")
        self.publish("everyone", "for all")
        self.assertEqual([x.data for x in mine.events(2)], ["for me", "for all"])
        self.assertEqual(theirs.event().data, "for all")

    def test_S2_12_the_heartbeat_keeps_a_fixed_interval(self):
        broker = self.broker(config='[[profile]]\nkind = "topics"\nheartbeat-interval = "1s"\nheartbeat-timing = "fixed"\n')
        stream = broker.stream("/events")
        stream.ready()
        begin = time.monotonic()
        beats = 0
        while beats < 3:
            if stream.item().kind in ("comment", "position"):
                beats += 1
        self.assertTrue(2 < time.monotonic() - begin < 6)


class Broadcast(ProfileTest):
    def test_S3_01_02_the_stream_begins_with_its_clients_id_for_every_origin(self):
        seen = set()
        for _ in range(2):
            with self.shared.connect() as link:
                link.send_request("GET", "/api/sse/stream", {"Origin": "https://anywhere.example"})
                head = link.read_head()
                self.assertEqual(head.status, 200)
                self.assertEqual(head.header("access-control-allow-origin"), "*")
            event = self.stream("/api/sse/stream").event(control=True)
            self.assertEqual(event.type, "connection_established")
            client = uuid.UUID(json.loads(event.data)["client_id"])
            self.assertEqual(client.version, 4)
            seen.add(client)
        self.assertEqual(len(seen), 2)

    def test_S3_03_19_a_small_heartbeat_event_at_its_interval(self):
        broker = self.broker(config='[[profile]]\nkind = "broadcast"\nheartbeat-interval = "1s"\n')
        stream = broker.stream("/api/sse/stream")
        names = [stream.event(control=True).type for _ in range(3)]
        self.assertEqual(names, ["connection_established", "heartbeat", "heartbeat"])

    def test_S3_04_05_06_any_event_reaches_everybody(self):
        streams = [self.stream("/api/sse/stream") for _ in range(3)]
        for stream in streams:
            self.assertEqual(stream.event(control=True).type, "connection_established")
        self.post_events({"topic": "t", "type": "generic_event", "data": {"a": [1, 2]}})
        self.publish("t", "one\ntwo", "?type=another")
        for stream in streams:
            event = stream.event()
            self.assertEqual((event.type, json.loads(event.data)), ("generic_event", {"a": [1, 2]}))
            self.assertTrue(event.id)
            self.assertEqual((stream.event().data), "one\ntwo")


class Dashboard(ProfileTest):
    def test_S4_01_03_04_05_08_the_stream_is_the_users_own(self):
        with self.shared.connect() as link:
            link.send_request("GET", "/events/stream", self.as_user())
            head = link.read_head()
            self.assertEqual(head.status, 200)
            self.assertTrue(head.header("content-type").startswith("text/event-stream"))
            self.assertEqual(head.header("x-accel-buffering"), "no")
        tabs = [self.stream("/events/stream", self.as_user()) for _ in range(2)]
        other = self.stream("/events/stream", self.as_user("another-user"))
        value = {"id": 7, "title": "Übung \"1\"", "duration_hours": 1.5, "activity_date": "2026-11-21", "ksbs": ["K1"]}
        eventually(lambda: self.shared.get("/stats").json["connected_clients"] >= 3, 5)
        self.publish(f"user:{self.user}", json.dumps(value), "?type=activity_saved", JSON)
        self.publish("user:another-user", '{"id":8}', "?type=activity_deleted", JSON)
        for tab in tabs:
            event = tab.event()
            self.assertEqual((event.type, json.loads(event.data)), ("activity_saved", value))
        self.assertEqual(other.event().type, "activity_deleted")

    def test_S4_02_nobody_is_refused(self):
        self.assert_problem(self.shared.get("/events/stream"), 401, "unauthorized")

    def test_S4_09_silence_is_broken_by_a_comment(self):
        broker = self.broker(config='[[profile]]\nkind = "dashboard"\nheartbeat-interval = "1s"\n')
        stream = broker.stream("/events/stream", self.as_user())
        while True:
            item = stream.item()
            if item.kind == "comment":
                self.assertEqual(item.data.strip(), "keepalive")
                return

    def test_S4_12_publishing_to_a_user_without_streams_succeeds(self):
        self.publish(f"user:{self.user}", "{}")


class Settings(ProfileTest):
    def test_a_profile_moves_and_goes(self):
        broker = self.broker(config='[[profile]]\nkind = "dashboard"\nmount = "/old"\n\n[[profile]]\nkind = "broadcast"\nenabled = false\n')
        self.assert_problem(broker.get("/events/stream", self.as_user()), 404, "not_found")
        broker.stream("/old/events/stream", self.as_user())
        self.assert_problem(broker.get("/api/sse/stream"), 404, "not_found")

    def test_the_envelope_is_a_setting(self):
        broker = self.broker(config='[[profile]]\nkind = "notifications"\nenvelope = false\n')
        stream = broker.stream("/sse/X", self.as_user())
        eventually(lambda: broker.get("/stats").json["connected_clients"] == 1, 5)
        broker.post("/events", json.dumps({"users": [self.user], "type": "X", "data": {"bare": 1}}), JSON)
        self.assertEqual(json.loads(stream.event().data), {"bare": 1})


class Bounds(OwnBrokerTest):
    def test_publishes_per_caller_are_bounded(self):
        broker = self.broker(options={"limits.publishes-per-caller": "5"})
        answers = [broker.post("/topics/t", "x", {"X-User-Id": "ada"}) for _ in range(20)]
        refused = [x for x in answers if x.status == 429]
        self.assertTrue(refused)
        self.assertEqual(refused[0].header("retry-after"), "1")
        self.assertEqual(broker.post("/topics/t", "x", {"X-User-Id": "eve"}).status, 201)

    def test_streams_per_address_are_bounded(self):
        broker = self.broker(options={"limits.streams-per-address": "2"})
        first = broker.stream("/topics/t")
        first.ready()
        for _ in range(2):
            broker.stream("/topics/t").ready()
        self.assertEqual(first.control("tidings.closing")["reason"], "replaced")

    def test_streams_of_some_types_only(self):
        broker = self.broker()
        stream = broker.stream("/topics/t?type=paid&type=message&since=earliest")
        stream.ready()
        for name in ("paid", "sent", ""):
            broker.post(f"/topics/t?type={name}" if name else "/topics/t", name or "plain")
        self.assertEqual([x.data for x in stream.events(2)], ["paid", "plain"])
        page = broker.page("/topics/t?type=sent")
        self.assertEqual([x["data"] for x in page["events"]], ["sent"])
