"""The profile `topics`: one stream, topics in its URL. Tests carry the number of the promise that they keep."""

import json
import os
import shutil
import signal
import statistics
import subprocess
import time

from support import settings, tokens
from support.broker import environment, free_port, temporary_folder
from support.profile import JSON, ProfileTest
from support.traffic import number_of
from support.waiting import eventually
from support.webdriver import Browser
from support.wire import Closed, Connection


class Topics(ProfileTest):
    def test_S2_01_02_03_16_topics_in_every_form_and_all_without_one(self):
        everything = self.stream("/events")
        one = self.stream(f"/events?topics=order:{self.user},room:{self.user},notifications-{self.user}")
        two = self.stream(f"/events?topic=order:{self.user}&topic=room:{self.user}&topics=order:{self.user},notifications-{self.user}")
        for stream in (everything, one, two):
            stream.ready()
        names = [f"order:{self.user}", f"room:{self.user}", f"system-{self.user}", f"notifications-{self.user}"]
        for name in names:
            self.publish(name, name)
        for stream in (one, two):
            self.assertEqual([x.data for x in stream.events(3)], [names[0], names[1], names[3]])
        self.assertEqual([x.data for x in everything.events(4)], names)

    def test_S2_16_the_names_as_they_were(self):
        names = ["user:123", "notifications", "system", "order:456", "room:789"]
        streams = {x: self.stream(f"/events?topics={x}") for x in names}
        for stream in streams.values():
            self.assertEqual(len(stream.ready()["topics"]), 1)
        for name in names:
            self.post_events({"topic": name, "data": name})
        for name, stream in streams.items():
            self.assertEqual(stream.event().data, name)

    def test_S2_04_05_06_a_user_hears_what_is_sent_to_them_and_to_everyone(self):
        mine = [self.stream(target, self.as_user()) for target in ("/events?topics=else", "/events?topic=other&topic=else")]
        theirs = self.stream("/events?topics=else", self.as_user("nobody-in-particular"))
        for stream in (*mine, theirs):
            stream.ready()
        self.publish(f"user:{self.user}", "for me")
        self.publish("everyone", "for all")
        for stream in mine:
            self.assertEqual([x.data for x in stream.events(2)], ["for me", "for all"])
        self.assertEqual(theirs.event().data, "for all")

    def test_S2_07_a_frame_has_its_lines(self):
        stream = self.stream("/events?topics=frame")
        stream.ready()
        begin = len(stream.raw)
        self.publish("frame", "some data", "?type=notification")
        stream.event()
        lines = bytes(stream.raw[begin:]).decode().splitlines()
        self.assertEqual([x for x in lines if x and not x.startswith(":")], [f"id: {stream.last_event_id}", "event: notification", "data: some data"])

    def test_S2_08_values_become_json_and_texts_stay_texts(self):
        stream = self.stream("/events?topics=kinds")
        stream.ready()
        values = [{"message": "hi", "timestamp": "2026-11-21T10:00:00Z"}, [1, 2, {"a": None}], 12.5, True]
        for value in values:
            self.post_events({"topic": "kinds", "type": "notification", "data": value})
        self.post_events({"topic": "kinds", "type": "system_announcement", "data": "System maintenance in 5 minutes"})
        for value in values:
            event = stream.event()
            self.assertEqual((event.type, json.loads(event.data)), ("notification", value))
        event = stream.event()
        self.assertEqual((event.type, event.data), ("system_announcement", "System maintenance in 5 minutes"))

    def test_S2_09_a_browsers_listeners_work_unmodified(self):
        broker = self.broker()
        browser = Browser()
        self.addCleanup(browser.close)
        browser.open(f"{broker.url}/")
        browser.run("""
            window.got = [];
            const source = new EventSource("/events?topics=user:123,notifications");
            source.addEventListener("notification", (e) => got.push(JSON.parse(e.data).message));
            source.addEventListener("system_announcement", (e) => got.push(e.data));
        """)
        eventually(lambda: broker.get("/stats").json["connected_clients"] == 1, 20)
        broker.post("/events", json.dumps({"topic": "user:123", "type": "notification", "data": {"message": "hello"}}), JSON)
        broker.post("/events", json.dumps({"topic": "notifications", "type": "system_announcement", "data": "soon"}), JSON)
        eventually(lambda: browser.run("return window.got") == ["hello", "soon"], 20, "both listeners fired")

    def test_S2_10_a_stalled_client_delays_nobody(self):
        broker = self.broker(options={"topics.level": "written", "limits.write-timeout": "60s"})
        quick = broker.stream("/events?topics=t")
        quick.ready()

        def delays(count):
            found = []
            with Connection(broker.address) as link:
                for i in range(count):
                    begin = time.monotonic()
                    link.request("POST", "/topics/t", body=f"{i}\n" + "x" * 20000)
                    while number_of(quick.event(5).data) != i:
                        pass
                    found.append(time.monotonic() - begin)
            return found

        before = statistics.median(delays(100))
        stalled = broker.stream("/events?topics=t", receive_buffer=4096)
        self.addCleanup(stalled.close)
        eventually(lambda: broker.get("/stats").json["connected_clients"] == 2, 5)
        delays(300)  # 6 MB: more than any socket holds
        self.assertEqual([x["state"] for x in self.connections(broker, state="blocked")], ["blocked"])
        during = statistics.median(delays(100))
        self.note(f"publish to event: {before * 1000:.1f} ms before, {during * 1000:.1f} ms while one is stalled")
        self.assertLess(during, 3 * before + 0.05)

    def test_S2_11_what_a_full_client_misses_is_counted_and_it_stays(self):
        broker = self.broker(options={"topics.level": "written"},
                             config='[[profile]]\nkind = "topics"\noverflow = "drop-newest"\nqueue-events = 10\n')
        stream = self.open_stream(broker, "/events?topics=t", receive_buffer=4096)
        sent = 1000
        self.flood(broker, lambda i: {"topic": "t"}, sent)
        dropped = lambda: broker.get("/stats").json["dropped_messages"]
        self.assertGreater(dropped(), 0)
        numbers = []
        while True:  # until one gets through that was sent after everything else
            try:
                numbers.append(number_of(stream.event(0.5).data))
            except TimeoutError:
                if numbers[-1] == sent - 1 and sent > 1000:
                    break
                broker.post("/topics/t", f"{sent}\n")
                sent += 1
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(sent - len(numbers), dropped())
        self.assertIn(f"tidings_dropped_total {dropped()}", broker.get("/metrics").text)
        self.assertEqual(broker.get("/stats").json["connected_clients"], 1)

    def test_S2_12_the_heartbeat_keeps_its_interval_on_an_idle_stream(self):
        broker = self.broker(config='[[profile]]\nkind = "topics"\nheartbeat-interval = "2s"\n')
        stream = broker.stream("/events")
        stream.ready()
        last, gaps = time.monotonic(), []
        while len(gaps) < 3:
            if stream.item().kind in ("comment", "position"):
                gaps.append(time.monotonic() - last)
                last = time.monotonic()
        for gap in gaps:
            self.assertAlmostEqual(gap, 2, delta=0.7)

    def test_S2_13_sigterm_ends_each_stream_cleanly_and_nothing_leaks(self):
        broker = self.broker()
        with Connection(broker.address) as link:
            link.request("GET", "/healthz")
        base = eventually(lambda: broker.get("/stats").json["connections"] <= 1 and broker.descriptors())
        for _ in range(3):
            for stream in [broker.stream("/events") for _ in range(20)]:
                stream.close()
        eventually(lambda: broker.descriptors() <= base, 10, "the sockets of those who left are closed")
        streams = [broker.stream("/events") for _ in range(10)]
        for stream in streams:
            stream.ready()
        broker.signal(signal.SIGTERM)
        for stream in streams:
            self.assertEqual(stream.control("tidings.closing")["reason"], "shutdown")
            with self.assertRaises(Closed) as ended:
                stream.item()
            self.assertTrue(ended.exception.clean)
        self.assertEqual(broker.wait_exit(), 0)

    def test_S2_14_statistics_count_clients_topics_and_drops(self):
        broker = self.broker()
        shown = lambda: [broker.get("/stats").json[x] for x in ("connected_clients", "active_topics", "dropped_messages")]
        self.assertEqual(shown(), [0, 0, 0])
        streams = [broker.stream(f"/events?topics={x}") for x in ("a", "b", "a,b")]
        eventually(lambda: shown() == [3, 2, 0])
        text = broker.get("/metrics").text
        for line in ("tidings_streams_open 3", "tidings_subscribed_topics 2", "tidings_dropped_total 0"):
            self.assertIn(line, text)
        for stream in streams:
            stream.close()
        eventually(lambda: shown() == [0, 0, 0])

    def test_S2_17_no_file_and_no_flags(self):
        folder, port = temporary_folder(), free_port()
        # Where others run, too, the port is not free and the disk is small.
        more = {"TIDINGS_SERVER_LISTEN": f"127.0.0.1:{port}", "TIDINGS_STORAGE_RESERVE": "64MiB"}
        process = subprocess.Popen([str(settings.broker_path), "serve"], cwd=folder, env=environment(more), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        broker = self.broker(start=False, port=port)
        eventually(broker.is_ready, 20)
        stream = broker.stream("/events")
        stream.ready()
        broker.post("/topics/hello", "good news")
        self.assertEqual(stream.event().data, "good news")
        while stream.item(20).kind not in ("comment", "position"):  # heartbeats are on
            pass

    def test_S2_18_the_app_says_who_the_user_is(self):
        key = tokens.make_key("HS256")
        broker = self.broker(config='[auth]\nproxies = ["127.0.0.2"]\nproxy-subscribe = ["t"]\n'
                                    f'[[auth.key]]\nid = "k"\nalgorithm = "HS256"\nsecret = "{key.secret.decode()}"\n')
        bearer = tokens.bearer(tokens.token(key, tokens.claims(self.user, subscribe=["t"], publish=["**"])))
        by_proxy = broker.stream("/events?topics=t", self.as_user(), source="127.0.0.2")
        by_token = broker.stream("/events?topics=t", bearer)
        for stream in (by_proxy, by_token):
            stream.ready()
        broker.post(f"/topics/user:{self.user}", "for me", bearer)
        for stream in (by_proxy, by_token):
            self.assertEqual(stream.event().data, "for me")
        # The header alone says nothing.
        self.assert_problem(broker.get("/events?topics=t", self.as_user()), 401, "unauthorized")

    def test_S2_20_one_command_installs_and_starts(self):
        # The real scripts on what was built already: building anew takes minutes.
        root = temporary_folder()
        os.makedirs(os.path.join(root, "build/release"))
        shutil.copytree(settings.ROOT / "scripts", os.path.join(root, "scripts"))
        os.symlink(settings.broker_path.resolve(), os.path.join(root, "build/release/tidings"))
        with open(os.path.join(root, "scripts/build"), "w") as file:
            file.write('#!/bin/sh\n[ "$*" = "release tidings" ] && touch "$(dirname "$0")/../built"\n')
        broker = self.broker(start=False)
        process = subprocess.Popen([os.path.join(root, "scripts/server"), "--listen", f"127.0.0.1:{broker.port}",
                                    "--set", "storage.reserve=64MiB"],
                                   env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        eventually(broker.is_ready, 60)
        self.assertTrue(os.path.exists(os.path.join(root, "built")))
        self.assertEqual(broker.post("/topics/hello", "x").status, 201)
        self.assertTrue(os.path.isdir(os.path.join(root, "tidings-data")))
        process.send_signal(signal.SIGTERM)  # as a service manager stops it
        self.assertEqual(process.wait(20), 0)
