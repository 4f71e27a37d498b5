"""A disk that fills up: refused with 507 before it is full, everything else goes on, and it heals by itself."""

import os
import re
import unittest

from support.case import OwnBrokerTest, fault
from support.disk import MIB, SmallDisk
from support.mailbox import JSON, Mailbox
from support.waiting import eventually


@unittest.skipUnless(os.geteuid() == 0, "mounting a small disk needs root")
class FullDisk(OwnBrokerTest):
    @fault("S9")
    def test_507_below_the_reserve_and_back_again(self):
        disk = SmallDisk(self, 300)
        broker = self.broker(options={"storage.write-buffer-bytes": "8MiB"}, data_dir=disk.folder())
        ids = [broker.post("/topics/t", str(i)).json["id"] for i in range(10)]
        stream = broker.stream("/topics/t?heartbeat=1s")
        stream.ready()
        ballast = disk.fill(40 * MIB)
        eventually(lambda: broker.get("/readyz").status == 503, 10, "readiness is false below the reserve")
        self.assertEqual(broker.get("/readyz").json["reason"], "storage_full")
        self.assertEqual(broker.get("/healthz").status, 200)
        for target, body, media_type in (("/topics/t", "x", "text/plain"), ("/events", '{"topic":"t"}', "application/json"),
                                         ("/events", '[{"topic":"t"}]', "application/json")):
            answer = broker.post(target, body, {"Content-Type": media_type})
            self.assert_problem(answer, 507, "storage_full")
            self.assertTrue(answer.header("retry-after"), answer)
        answer = broker.post("/events", '{"topic":"t"}\n', {"Content-Type": "application/x-ndjson"})
        codes = [x.get("code") for x in answer.lines] if answer.status == 200 else [answer.json["code"]]
        self.assertEqual(codes, ["storage_full"])
        # Streams, pages and resuming go on.
        eventually(lambda: stream.item(5).kind in ("comment", "position"), 10, "a heartbeat")
        self.assertEqual(len(broker.page("/topics/t")["events"]), 10)
        with broker.stream("/topics/t", {"Last-Event-ID": ids[4]}) as again:
            self.assertEqual([x.data for x in again.events(5)], ["5", "6", "7", "8", "9"])
        os.remove(ballast)
        eventually(broker.is_ready, 10, "publishing resumes by itself")
        self.assertEqual(broker.post("/topics/t", "after").status, 201)
        self.assertEqual(stream.event().data, "after")

    @fault("S9")
    def test_what_users_do_with_their_items_is_kept_below_the_reserve(self):
        disk = SmallDisk(self, 300)
        broker = self.broker(options={"storage.write-buffer-bytes": "8MiB", "storage.reserve": "100MiB"}, data_dir=disk.folder())
        box = Mailbox(broker, "ann")
        items = [box.send(title=str(i))["id"] for i in range(3)]
        ballast = disk.fill(70 * MIB)
        eventually(lambda: broker.get("/readyz").status == 503, 10)
        self.assert_problem(broker.post(box.path, '{"title":"x"}', JSON), 507, "storage_full")
        box.change("dismiss", {"ids": items[:1]})
        box.change("read", {"ids": items[1:2]})
        self.assertEqual(broker.post("/revocations", '{"jti":"lost"}', JSON).status, 201)
        broker.kill()
        broker.start(wait=False)

        def serves():
            try:
                return broker.get("/healthz").status == 200
            except ConnectionRefusedError:
                return False

        eventually(serves, 20, "it starts below the reserve")
        self.assertEqual(box.counts()["total"], 2)
        self.assertEqual([x["state"] for x in box.items(order="oldest")], ["read", "unread"])
        self.assertEqual([x["jti"] for x in broker.get("/revocations").json["revocations"]], ["lost"])
        os.remove(ballast)
        disk.fill(40 * MIB)
        eventually(lambda: broker.post("/revocations", '{"jti":"late"}', JSON).status == 507, 10, "half of the reserve is not theirs")
        self.assert_problem(box.attempt("dismiss", {"ids": items[1:2]}), 507, "storage_full")

    @fault("S9", "S10")
    def test_a_storm_ends_in_507_and_not_in_a_crash(self):
        disk = SmallDisk(self, 160)
        broker = self.broker(options={"storage.write-buffer-bytes": "8MiB", "topics.level": "written"},
                             data_dir=disk.folder())
        body, acknowledged = os.urandom(90000).hex(), 0
        with broker.connect() as link:
            while True:
                answer = link.request("POST", "/topics/t", body=f"{acknowledged}\n{body}")
                if answer.status != 201:
                    break
                acknowledged += 1
                self.assertLess(acknowledged, 2000, "more stored than the disk can hold")
            self.assert_problem(answer, 507, "storage_full")
        self.assertGreater(acknowledged, 50)
        self.assertTrue(broker.running)
        free = disk.free()
        self.assertGreater(free, 16 * MIB, "the reserve is there to be kept")
        self.assertEqual(len(broker.log_events("/topics/t", limit=50)), acknowledged)
        self.note(f"{acknowledged * 180 // 1000} MB taken, then 507 with {free // MIB} MiB free")
        broker.kill()
        # A start on a full disk: it serves what it has, or says why not.
        disk.fill(20 * MIB)
        before = len(broker.log())
        broker.start(wait=False)

        def settled():
            try:
                return not broker.running or broker.get("/readyz").json.get("reason") == "storage_full"
            except ConnectionRefusedError:
                return False

        eventually(settled, 20)
        if broker.running:
            self.assertEqual(len(broker.log_events("/topics/t", limit=50)), acknowledged)
        else:
            self.assertGreater(broker.process.returncode, 0, "ended by a signal")
            # It says so once, and does not try again and again.
            lines = [x for x in broker.log()[before:].splitlines() if re.search("space|full", x.lower())]
            self.assertEqual(len(lines), 1, lines)
            disk.resize(400)
            broker.start()
            self.assertEqual(len(broker.log_events("/topics/t", limit=50)), acknowledged)

    @fault("S10")
    def test_a_start_below_the_reserve_serves_what_there_is(self):
        disk = SmallDisk(self, 300)
        broker = self.broker(options={"storage.write-buffer-bytes": "8MiB"}, data_dir=disk.folder())
        ids = [broker.post("/topics/t", str(i)).json["id"] for i in range(10)]
        broker.kill()
        # Less than the reserve of 64 MiB, more than a start needs.
        ballast = disk.fill(50 * MIB)
        broker.start(wait=False)

        def settled():
            self.assertTrue(broker.running, broker.log_tail())
            try:
                return broker.get("/readyz").json.get("reason") == "storage_full"
            except ConnectionRefusedError:
                return False

        eventually(settled, 20, "it has started, and is not ready")
        self.assertEqual(broker.get("/healthz").status, 200)
        self.assertEqual([x["id"] for x in broker.page("/topics/t")["events"]], ids)
        with broker.stream("/topics/t", {"Last-Event-ID": ids[4]}) as stream:
            self.assertEqual([x.data for x in stream.events(5)], ["5", "6", "7", "8", "9"])
            self.assert_problem(broker.post("/topics/t", "x"), 507, "storage_full")
            os.remove(ballast)
            eventually(broker.is_ready, 10, "publishing resumes by itself")
            self.assertEqual(broker.post("/topics/t", "after").status, 201)
            self.assertEqual(stream.event().data, "after")
