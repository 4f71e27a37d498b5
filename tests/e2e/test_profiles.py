"""Settings of the profiles, and bounds that hold for all of them. What each promises: test_profile_*.py."""

import json

from support.case import OwnBrokerTest
from support.profile import JSON, ProfileTest
from support.waiting import eventually


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
