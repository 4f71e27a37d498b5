"""A disk that fills up: refused with 507 before it is full, everything else goes on, and it heals by itself."""

import os
import subprocess
import unittest

from support.broker import temporary_folder
from support.case import OwnBrokerTest
from support.waiting import eventually

MIB = 1 << 20


@unittest.skipUnless(os.geteuid() == 0, "mounting a small disk needs root")
class FullDisk(OwnBrokerTest):
    def disk(self, mebibytes):
        folder = temporary_folder()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tidings-e2e", folder], check=True)
        # Lazily: should the broker hang, the mount still goes with it.
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
        return folder

    def fill(self, folder, leave):
        """Takes room until only `leave` bytes are free. Returns the file to remove."""
        path = os.path.join(folder, "ballast")
        with open(path, "ab") as file:
            while True:
                state = os.statvfs(folder)
                free = state.f_bavail * state.f_frsize - leave
                if free < state.f_frsize:
                    return path
                try:
                    file.write(b"\0" * min(free, MIB))
                    file.flush()
                except OSError:
                    return path

    def test_507_below_the_reserve_and_back_again(self):
        disk = self.disk(300)
        broker = self.broker(options={"storage.write-buffer-bytes": "8MiB"}, data_dir=os.path.join(disk, "data"))
        ids = [broker.post("/topics/t", str(i)).json["id"] for i in range(10)]
        stream = broker.stream("/topics/t?heartbeat=1s")
        stream.ready()
        ballast = self.fill(disk, 40 * MIB)
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

    def test_a_storm_ends_in_507_and_not_in_a_crash(self):
        disk = self.disk(160)
        broker = self.broker(options={"storage.write-buffer-bytes": "8MiB", "topics.level": "written"},
                             data_dir=os.path.join(disk, "data"))
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
        state = os.statvfs(disk)
        self.assertGreater(state.f_bavail * state.f_frsize, 16 * MIB, "the reserve is there to be kept")
        self.assertEqual(len(broker.log_events("/topics/t", limit=50)), acknowledged)
        self.note(f"{acknowledged * 180 // 1000} MB taken, then 507 with {state.f_bavail * state.f_frsize // MIB} MiB free")
        broker.kill()
        # A start on a full disk: it serves what it has.
        self.fill(disk, 20 * MIB)
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
            self.assertRegex(broker.log_tail(3).lower(), "space|full")
            os.remove(os.path.join(disk, "ballast"))
            broker.start()
            self.assertEqual(len(broker.log_events("/topics/t", limit=50)), acknowledged)
