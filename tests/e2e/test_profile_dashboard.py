"""The profile `dashboard`: each user's own stream. Tests carry the number of the promise that they keep."""

import json
import os

from support.profile import JSON, ProfileTest
from support.waiting import eventually
from support.wire import Closed

PATH = "/events/stream"
SAVED = {"id": 7, "title": "Übung \"1\" – ½", "duration_hours": 1.5, "activity_date": "2026-11-21", "ksbs": ["K1", "S2"]}


class Dashboard(ProfileTest):
    def send(self, type, value, user=None, broker=None):
        answer = (broker or self.shared).post(f"/topics/user:{user or self.user}?type={type}", json.dumps(value, ensure_ascii=False), JSON)
        self.assertEqual(answer.status, 201, answer)

    def test_S4_01_03_the_stream_needs_no_topic_and_has_its_headers(self):
        with self.shared.connect() as link:
            link.send_request("GET", PATH, self.as_user())
            head = link.read_head()
            self.assertEqual(head.status, 200)
            self.assertTrue(head.header("content-type").startswith("text/event-stream"))
            self.assertEqual(head.header("cache-control"), "no-cache")
            self.assertEqual(head.header("x-accel-buffering"), "no")

    def test_S4_02_nobody_is_refused(self):
        self.assert_problem(self.shared.get(PATH), 401, "unauthorized")

    def test_S4_03_05_06_07_08_every_tab_of_the_user_and_nobody_else(self):
        tabs = [self.open_stream(self.shared, PATH) for _ in range(2)]
        other = self.open_stream(self.shared, PATH, "another-user")
        self.send("activity_saved", SAVED)
        self.send("activity_deleted", {"id": 7})
        self.send("activity_deleted", {"id": 8}, "another-user")
        for tab in tabs:
            saved, deleted = tab.events(2)
            self.assertEqual((saved.type, json.loads(saved.data)), ("activity_saved", SAVED))
            self.assertEqual((deleted.type, json.loads(deleted.data)), ("activity_deleted", {"id": 7}))
        event = other.event()
        self.assertEqual((event.type, json.loads(event.data)), ("activity_deleted", {"id": 8}))

    def test_S4_04_the_lines_of_a_frame(self):
        stream = self.open_stream(self.shared, PATH)
        self.send("activity_saved", SAVED)
        stream.event()
        data = json.dumps(SAVED, ensure_ascii=False)
        self.assertTrue(bytes(stream.raw).decode().endswith(f"\nevent: activity_saved\ndata: {data}\n\n"), stream.raw)

    def test_S4_09_silence_is_broken_by_a_comment(self):
        broker = self.broker(config='[[profile]]\nkind = "dashboard"\nheartbeat-interval = "1s"\n')
        stream = broker.stream(PATH, self.as_user())
        items = []
        while len(items) < 2:
            item = stream.item()
            self.assertNotEqual(item.kind, "event", "no listener fires")
            if item.kind == "comment":
                items.append(item.data.strip())
        self.assertEqual(items, ["keepalive"] * 2)
        self.assertIn("\n: keepalive\n", bytes(stream.raw).decode())

    def test_S4_10_a_client_fifty_behind_is_removed_and_others_are_not(self):
        broker = self.broker(options={"topics.level": "written"})
        good = self.open_stream(broker, PATH)
        stuck = self.open_stream(broker, PATH, receive_buffer=4096)
        for first in range(0, 1000, 20):  # `good` reads along
            body = [{"topic": f"user:{self.user}", "data": f"{i}\n" + "x" * 8000} for i in range(first, first + 20)]
            broker.post("/events", json.dumps(body), JSON)
            self.assertEqual([int(x.data.split("\n")[0]) for x in good.events(20)], list(range(first, first + 20)))
        eventually(lambda: len(self.connections(broker, user=self.user)) == 1, 10)
        with self.assertRaises((Closed, ConnectionResetError)):
            while True:
                stuck.item(5)
        self.send("activity_saved", SAVED, broker=broker)
        self.assertEqual(good.event().type, "activity_saved")

    def test_S4_11_12_the_user_disappears_with_the_last_client(self):
        tabs = [self.open_stream(self.shared, PATH) for _ in range(2)]
        left = lambda: len(self.connections(self.shared, user=self.user))
        self.assertEqual(left(), 2)
        for tab, rest in zip(tabs, (1, 0)):
            tab.close()
            eventually(lambda: left() == rest)
        self.send("activity_saved", SAVED)  # to nobody: which is no error
        self.send("activity_saved", SAVED, "never-seen")

    def test_S4_13_any_text_comes_back_as_it_was(self):
        stream = self.open_stream(self.shared, PATH)
        for text in ("Ünïcödé ½ – „quotes“ \"double\" 'single'", "日本語 𝄞 \u2028 \\ / \b\f\n\r\t", "</script>"):
            self.send("activity_saved", {"title": text})
            self.assertEqual(json.loads(stream.event().data), {"title": text})

    def test_S4_17_one_process_and_nothing_else(self):
        broker = self.broker()
        self.open_stream(broker, PATH)
        self.send("activity_saved", SAVED, broker=broker)
        for task in os.listdir(f"/proc/{broker.pid}/task"):
            with open(f"/proc/{broker.pid}/task/{task}/children") as file:
                self.assertEqual(file.read(), "", "it starts no other process")
        # It has sockets of its own clients, and asks nobody.
        inodes = {os.readlink(f"/proc/{broker.pid}/fd/{x}") for x in os.listdir(f"/proc/{broker.pid}/fd")}
        ports = set()
        for name in ("tcp", "tcp6"):
            with open(f"/proc/net/{name}") as file:
                for line in list(file)[1:]:
                    fields = line.split()
                    if f"socket:[{fields[9]}]" in inodes:
                        ports.add(int(fields[1].split(":")[1], 16))
        self.assertEqual(ports, {broker.port})
