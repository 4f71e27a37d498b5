"""Where the four systems contradict each other, one broker can be told to do as any of them."""

import json
import time

from support.profile import JSON, ProfileTest
from support.waiting import eventually

STREAMS = {"notifications": "/sse/X", "topics": "/events", "broadcast": "/api/sse/stream", "dashboard": "/events/stream"}


def profile(kind, **settings):
    """A [[profile]] table."""
    text = f'[[profile]]\nkind = "{kind}"\n'
    for name, value in settings.items():
        text += f"{name.replace('_', '-')} = {json.dumps(value)}\n"
    return text + "\n"


def for_all(**settings):
    return "".join(profile(x, **settings) for x in STREAMS)


class Conflicts(ProfileTest):
    @classmethod
    def shared_wanted(cls):
        return False

    def streams(self, broker, user=None):
        return {name: self.open_stream(broker, path, user) for name, path in STREAMS.items()}

    def beat(self, stream):
        """The next heartbeat: kind, name, data."""
        while True:
            item = stream.item()
            if item.kind == "comment" or (item.kind == "event" and item.type == "beat"):
                return item.kind, item.type, item.data.strip()

    def test_conflict_heartbeat_shape(self):
        shapes = (("event", ("event", "beat", '{"a":1}')), ("comment", ("comment", None, '{"a":1}')))
        for shape, expected in shapes:
            broker = self.broker(config=for_all(heartbeat=shape, heartbeat_event="beat", heartbeat_data='{"a":1}', heartbeat_interval="1s"))
            for name, stream in self.streams(broker).items():
                with self.subTest(f"{shape} {name}"):
                    self.assertEqual(self.beat(stream), expected)

    def test_conflict_heartbeat_interval(self):
        seconds = {"notifications": 1, "broadcast": 2, "dashboard": 3, "topics": 4}
        broker = self.broker(config="".join(profile(k, heartbeat="event", heartbeat_event="beat", heartbeat_data="x", heartbeat_interval=f"{v}s")
                                            for k, v in seconds.items()))
        opened = {name: (time.monotonic(), stream) for name, stream in self.streams(broker).items()}
        for name, wanted in seconds.items():
            begin, stream = opened[name]
            self.beat(stream)
            self.assertAlmostEqual(time.monotonic() - begin, wanted, delta=0.8, msg=name)

    def test_conflict_heartbeat_timing(self):
        """Events come four times a second: a stream that waits for silence beats not once, the others go on."""
        for timing in ("idle", "fixed"):
            broker = self.broker(config=for_all(heartbeat="event", heartbeat_event="beat", heartbeat_data="x", heartbeat_interval="1s",
                                                heartbeat_timing=timing))
            streams = self.streams(broker)
            end = time.monotonic() + 3.2
            while time.monotonic() < end:
                broker.post("/events", json.dumps({"users": [self.user], "type": "X", "title": "t"}), JSON)
                time.sleep(0.25)  # the rate is the point
            broker.post("/events", json.dumps({"users": [self.user], "type": "X", "title": "end", "data": "end"}), JSON)
            for name, stream in streams.items():
                beats = 0
                while True:
                    event = stream.event(control=True)
                    beats += event.type == "beat"
                    if "end" in event.data:
                        break
                with self.subTest(f"{timing} {name}"):
                    self.assertTrue(beats == 0 if timing == "idle" else 2 <= beats <= 4, beats)

    def test_conflict_first_frame(self):
        broker = self.broker(config=for_all(first_event="hello"))
        for name, stream in self.streams(broker).items():
            event = stream.event(control=True)
            self.assertEqual((event.type, list(json.loads(event.data))), ("hello", ["client_id"]), name)
        broker = self.broker(config=for_all(first_event=""))
        streams = self.streams(broker)
        self.notify(broker=broker, type="X")
        for name, stream in streams.items():
            event = stream.event(control=True)
            self.assertEqual(event.type, "tidings.ready" if name == "topics" else "X", name)

    def test_conflict_default_subscription(self):
        broker = self.broker()
        streams = self.streams(broker)
        sent = {"item": {"users": [self.user], "type": "X", "title": "item", "data": "item"},
                "item of another type": {"users": [self.user], "type": "Y", "title": "other", "data": "item of another type"},
                "of another user": {"topic": "user:somebody-else", "data": "of another user"},
                "anything": {"topic": "orders", "data": "anything"},
                "end": {"users": [self.user], "type": "X", "title": "end", "data": "end"}}
        for value in sent.values():
            self.assertEqual(broker.post("/events", json.dumps(value), JSON).status, 201)
        heard = {"notifications": ["item", "end"], "topics": list(sent), "broadcast": list(sent),
                 "dashboard": ["item", "item of another type", "end"]}
        for name, stream in streams.items():
            got = []
            while not got or got[-1] != "end":
                data = stream.event().data
                if "client_id" not in data:
                    try:  # an item has its fields around what was sent
                        value = json.loads(data)
                        data = value.get("data") or value["payload"]["data"]
                    except ValueError:
                        pass
                    got.append(data)
            self.assertEqual(got, heard[name], name)

    def test_conflict_topic_selector(self):
        broker = self.broker()
        streams = [broker.stream(x, self.as_user()) for x in
                   ("/sse/X", "/events?topics=t,u", "/events?topic=t&topic=u", "/topics/t", "/api/sse/stream", "/events/stream")]
        eventually(lambda: broker.get("/stats").json["connected_clients"] == len(streams))
        broker.post("/events", json.dumps({"topics": ["t", f"user:{self.user}"], "type": "X", "data": "x"}), JSON)
        for stream in streams:
            self.assertTrue(any(stream.event().type == "X" for _ in range(2)))

    def test_conflict_overflow(self):
        """Each policy, with a size of its own, on each kind of stream."""
        count = 600
        for policy in ("catch-up", "drop-oldest", "drop-newest", "disconnect"):
            broker = self.broker(options={"topics.level": "written"}, config=for_all(overflow=policy, queue_events=30))
            # Nobody reads; each has a small window, so that the broker feels it soon.
            streams = {name: self.open_stream(broker, path, receive_buffer=4096) for name, path in STREAMS.items()}
            self.flood(broker, lambda i: {"users": [self.user], "type": "X", "title": "t"}, count)
            dropped = {x["topics"][0] if len(x["topics"]) == 1 else str(len(x["topics"])): x["dropped"] for x in self.connections(broker)}
            with self.subTest(policy):
                if policy == "disconnect":
                    eventually(lambda: not self.connections(broker), 10)
                else:
                    self.assertEqual(len(self.connections(broker)), len(streams))
                    held = broker.get("/stats").json["dropped_messages"]
                    self.assertEqual(held == 0, policy == "catch-up", dropped)
                    self.assertTrue(all(policy == "catch-up" or 0 < x <= count - 30 for x in dropped.values()), dropped)

    def test_conflict_connections_per_user(self):
        for replace in (True, False):
            broker = self.broker(config=for_all(streams_per_user=1, replace_oldest=replace))
            for name, path in STREAMS.items():
                with self.subTest(f"{name} {replace}"):
                    first = self.open_stream(broker, path)
                    self.open_stream(broker, path, "somebody-else")
                    if replace:
                        broker.stream(path, self.as_user())
                        self.assertEqual(first.control("tidings.closing")["reason"], "replaced")
                    else:
                        self.assert_problem(broker.get(path, self.as_user()), 429, "rate_limited")
        broker = self.broker(config=for_all(streams_per_user=0))
        for path in STREAMS.values():
            streams = [self.open_stream(broker, path) for _ in range(12)]
            self.assertEqual(len(streams), 12)
        self.assertEqual(len(self.connections(broker, user=self.user)), 48)

    def test_conflict_offline_events(self):
        """Kept for whoever comes later, or lost: by the class of the topic."""
        broker = self.broker(config='[[topic]]\npattern = "live:*"\nephemeral = true\n')
        stream = broker.stream("/events?topics=live:a,kept:a")
        stream.ready()
        for topic in ("live:a", "kept:a"):
            broker.post(f"/topics/{topic}", "seen")
        self.assertEqual([x.data for x in stream.events(2)], ["seen", "seen"])
        last = stream.last_event_id
        stream.close()
        eventually(lambda: broker.get("/stats").json["connected_clients"] == 0)
        for topic in ("live:a", "kept:a"):
            broker.post(f"/topics/{topic}", topic)
        self.notify(broker=broker, type="X", title="item")
        stream = broker.stream("/events?topics=live:a,kept:a", {"Last-Event-ID": last})
        self.assertEqual(stream.event().data, "kept:a")
        broker.post("/topics/live:a", "next")
        self.assertEqual(stream.event().data, "next")
        self.assertEqual([x["payload"]["title"] for x in self.poll(broker=broker)], ["item"])

    def test_conflict_id_line(self):
        broker = self.broker()
        streams = self.streams(broker)
        answer = broker.post("/events", json.dumps({"users": [self.user], "type": "X", "title": "t"}), JSON)
        for name, stream in streams.items():
            while (event := stream.event()).type != "X":
                pass
            self.assertEqual(event.id, answer.json["id"], name)

    def test_conflict_global_send(self):
        """To everyone, also who comes later; or to those who listen right now."""
        broker = self.broker(config='[[topic]]\npattern = "everyone"\nephemeral = true\n')
        streams = self.streams(broker)
        broker.post("/topics/everyone?type=X", "now")
        broker.post("/events", json.dumps({"users": "*", "type": "X", "title": "kept", "data": "kept"}), JSON)
        for name, path in STREAMS.items():
            if name == "dashboard":
                continue  # what is sent to everyone is not its user's
            while (event := streams[name].event()).type != "X":
                pass
            self.assertIn("now", event.data)
            self.assertIn("kept", streams[name].event().data)
        self.assertEqual([x["payload"]["title"] for x in self.poll("appears-later", broker)], ["kept"])
        self.assertEqual(self.connections(broker, user="appears-later"), [])

    def test_conflict_user_ids(self):
        broker = self.broker()
        for user in (7, "7", "ada@example.com", "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "Ünal"):
            with self.subTest(user):
                name = str(user)
                header = {"X-User-Id": name.encode().decode("latin-1")}
                stream = broker.stream("/events/stream", header)
                eventually(lambda: any(x["user"] == name for x in self.connections(broker)))
                broker.post("/events", json.dumps({"users": [user], "title": "t", "data": "hi"}), JSON)
                self.assertEqual(stream.event().data, "hi")
                stream.close()
                eventually(lambda: not self.connections(broker))

    def test_conflict_sign_in(self):
        sign_in = '[auth]\nproxies = ["127.0.0.1"]\nanonymous-subscribe = ["**"]\n\n'
        for asked in (True, False):
            broker = self.broker(config=sign_in + for_all(sign_in=asked))
            for name, path in STREAMS.items():
                with self.subTest(f"{name} {asked}"):
                    of_a_user = name in ("notifications", "dashboard")  # without one there is nothing to show
                    answer = broker.request("HEAD", path)
                    self.assertEqual(answer.status, 401 if asked or of_a_user else 200)
                    self.assertEqual(broker.request("HEAD", path, self.as_user()).status, 200)
        broker = self.broker(config='[auth]\nproxies = ["127.0.0.1"]\n')
        self.assert_problem(broker.get("/api/sse/stream"), 401, "unauthorized")  # nobody may read anything

    def test_conflict_envelope(self):
        for envelope in (True, False):
            broker = self.broker(config=profile("notifications", envelope=envelope) + profile("dashboard", envelope=envelope)
                                 + profile("topics", envelope=envelope))
            streams = self.streams(broker)
            broker.post("/events", json.dumps({"users": [self.user], "type": "X", "title": "t", "data": {"bare": 1}}), JSON)
            broker.post("/topics/plain", '{"bare":2}', JSON)
            with self.subTest(envelope):
                for name in ("notifications", "dashboard"):
                    value = json.loads(streams[name].event().data)
                    self.assertEqual("bare" not in value, envelope, value)
                item, plain = [json.loads(x.data) for x in streams["topics"].events(2)]
                self.assertEqual(item["title"], "t")
                self.assertEqual((plain.get("topic"), plain.get("data", plain)), ("plain" if envelope else None, {"bare": 2}))
