"""Damaged, missing and failing files: what was acknowledged is served as it was, or the broker says that it is not."""

import collections
import json
import os
import re
import shutil
import threading
import time

from support import settings
from support.broker import free_port, run_tidings, temporary_folder
from support.case import OwnBrokerTest, fault
from support.storm import Storm
from support.traffic import FAULTS, Item, Publisher, number_of
from support.waiting import eventually

JSON = {"Content-Type": "application/json"}


def watermark(data_dir):
    """The position of the witness."""
    with open(os.path.join(data_dir, "tidings.watermark")) as file:
        return int(re.search(r"^position (\d+)", file.read(), re.M)[1])


def files(data_dir, pattern):
    return sorted(os.path.join(data_dir, x) for x in os.listdir(data_dir) if re.search(pattern, x))


def fill(broker, numbers, filler=100, topic="t"):
    """Publishes these numbers and returns their ids."""
    ids = {}
    numbers = list(numbers)
    for at in range(0, len(numbers), 100):
        hand = numbers[at:at + 100]
        body = json.dumps([{"topic": topic, "data": f"{x}\n{'x' * filler}"} for x in hand])
        answer = broker.post("/events", body, JSON)
        if answer.status != 201:
            raise AssertionError(f"{answer!r}")
        ids.update(zip(hand, (x["id"] for x in answer.json["results"])))
    return ids


class DamagedStore(OwnBrokerTest):
    """Trials on copies of one store: damaged, started, and read."""

    EVENTS = 2000
    REFUSALS = "no store of tidings|corrupt|damage|missing|salvage|cannot|lost|incomplete"

    def template(self, late=0, restarts=0, then=0):
        """A store of which all but the `late` last events are behind the watermark, left by kill -9. Returns its events."""
        made = self.broker()
        self.ids = fill(made, range(self.EVENTS))
        eventually(lambda: watermark(made.data_dir) == self.EVENTS, 10, "the watermark is behind everything")
        for _ in range(restarts):  # each start moves the log's events to table files
            made.kill()
            made.start()
        if then:
            self.ids.update(fill(made, range(self.EVENTS, self.EVENTS + then)))
            self.EVENTS += then
            made.kill()
            made.start()
        if late:
            self.ids.update(fill(made, range(self.EVENTS, self.EVENTS + late), filler=20))
        made.kill()
        self.stored = made.data_dir
        return self.EVENTS + late

    def trial(self, damage):
        """Returns ("refused", None) or ("serves", numbers), or fails if neither is clear."""
        folder = os.path.join(temporary_folder("tidings-trial-"), "data")
        shutil.copytree(self.stored, folder)
        broker = self.broker(start=False, data_dir=folder)
        damage(folder)
        try:
            broker.start(wait=False)
            eventually(lambda: not broker.running or broker.is_ready(), 20, "refuses or serves")
            if not broker.running:
                self.assertGreater(broker.process.returncode, 0, f"ended by a signal: {broker.log_tail()}")
                self.assertRegex(broker.log().lower(), self.REFUSALS)
                return "refused", None
            numbers = []
            for event in broker.log_events():
                numbers.append(number_of(event["data"]))
                self.assertEqual(event["id"], self.ids[numbers[-1]])
            return "serves", numbers
        finally:
            broker.dispose()
            shutil.rmtree(os.path.dirname(folder))

    def tell(self, outcomes, what):
        counts = collections.Counter(outcomes)
        self.note(f"{what}: {counts['refused']} starts refused with the reason, {counts['serves']} serve everything, 0 serve less")

    @fault("S5")
    def test_s5_a_torn_tail_costs_the_tail_only(self):
        count = self.template(late=60)
        known = watermark(self.stored)
        log = files(self.stored, r"\.log$")[-1]
        size = os.path.getsize(log)
        cuts = list(range(1, 4097)) if not settings.quick and not settings.deadline else []
        opened, shortest = 0, count
        for round_ in self.rounds(4096, 5):
            cut = cuts[round_] if round_ < len(cuts) else self.random.randint(1, 4096) if round_ else 1
            outcome, numbers = self.trial(lambda folder: os.truncate(os.path.join(folder, os.path.basename(log)), size - cut))
            if outcome == "serves":
                self.assertEqual(numbers, list(range(len(numbers))), f"cut {cut}")
                self.assertGreaterEqual(len(numbers), known, f"cut {cut}: below the watermark and silent")
                opened, shortest = opened + 1, min(shortest, len(numbers))
            else:
                self.assertGreater(cut, 1)
        self.assertGreater(opened, 0)
        self.assertLess(shortest, count, "no cut took anything")
        self.note(f"{self.tried} cuts within the last 4 KiB: {opened} open with a tail missing, {shortest} of {count} at least, watermark {known}; "
                  "all others refused")

    @fault("S6")
    def test_s6_a_flipped_bit_in_the_log_is_never_silent(self):
        count = self.template()
        log = files(self.stored, r"\.log$")[-1]
        size = os.path.getsize(log)
        self.assertGreater(size, 100 * count)
        outcomes = []
        for _ in self.rounds(1000, 6):
            at, bit = self.random.randrange(size), 1 << self.random.randrange(8)

            def flip(folder):
                with open(os.path.join(folder, os.path.basename(log)), "r+b") as file:
                    file.seek(at)
                    byte = file.read(1)[0]
                    file.seek(at)
                    file.write(bytes([byte ^ bit]))

            outcome, numbers = self.trial(flip)
            outcomes.append(outcome)
            if outcome == "serves":
                self.assertEqual(numbers, list(range(count)), f"bit {bit} of byte {at} of {size}")
        self.assertIn("refused", outcomes)
        self.tell(outcomes, f"{len(outcomes)} bits of the log flipped")

    @fault("S7")
    def test_s7_files_missing_or_cut(self):
        count = self.template(restarts=1)
        names = sorted(os.listdir(self.stored))
        cases = []
        for name in names:
            if os.path.isdir(os.path.join(self.stored, name)) or name.endswith(".sst"):
                continue
            path = lambda folder, name=name: os.path.join(folder, name)
            size = os.path.getsize(os.path.join(self.stored, name))
            cases.append((f"{name} deleted", lambda folder, path=path: os.remove(path(folder))))
            if size:
                cases.append((f"{name} emptied", lambda folder, path=path: os.truncate(path(folder), 0)))
                cases.append((f"{name} cut in half", lambda folder, path=path, half=size // 2: os.truncate(path(folder), half)))
        cases.append(("everything of the database deleted", lambda folder: [
            os.remove(os.path.join(folder, x)) for x in os.listdir(folder) if not x.startswith("tidings.")]))
        cases.append(("everything of ours deleted", lambda folder: [
            os.remove(os.path.join(folder, x)) for x in os.listdir(folder) if x.startswith("tidings.")]))
        outcomes = []
        for name, damage in cases:
            with self.attempt(name):
                outcome, numbers = self.trial(damage)
                outcomes.append(outcome)
                if outcome == "serves":
                    self.assertEqual(numbers, list(range(count)))
        self.assertGreater(outcomes.count("refused"), 5)
        self.tell(outcomes, f"{len(cases)} ways to lose a file or a part of it")

    @fault("S8")
    def test_s8_damaged_table_files_give_errors_and_never_other_data(self):
        # The start reads the newest entries; what is older is read when somebody asks for it.
        self.template(restarts=1, then=1500)
        table = max(files(self.stored, r"\.sst$"), key=os.path.getsize)  # that of the log, with what came first
        size = os.path.getsize(table)
        outcomes = collections.Counter()
        for round_ in self.rounds(300, 6):
            folder = os.path.join(temporary_folder("tidings-trial-"), "data")
            shutil.copytree(self.stored, folder)
            path = os.path.join(folder, os.path.basename(table))
            kind = ("deleted", "cut", "flipped")[min(round_, 2)]
            if kind == "deleted":
                os.remove(path)
            elif kind == "cut":
                os.truncate(path, self.random.randrange(size))
            else:
                with open(path, "r+b") as file:
                    at = self.random.randrange(size)
                    file.seek(at)
                    byte = file.read(1)[0]
                    file.seek(at)
                    file.write(bytes([byte ^ 1 << self.random.randrange(8)]))
            broker = self.broker(start=False, data_dir=folder).start(wait=False)
            eventually(lambda: not broker.running or broker.is_ready(), 20, "refuses or serves")
            if not broker.running:
                self.assertGreater(broker.process.returncode, 0, broker.log_tail())
                outcomes["refused to start"] += 1
            else:
                outcomes[self.read_each(broker)] += 1
            broker.dispose()
            shutil.rmtree(os.path.dirname(folder))
        self.note(f"{sum(outcomes.values())} damaged table files: " + ", ".join(f"{n} {x}" for x, n in sorted(outcomes.items())))

    def read_each(self, broker):
        """Everything in small pages and as one stream. What is answered must be right, and what is missing must be said."""
        wrong = 0
        for number in range(0, self.EVENTS, 5):
            since = self.ids[number - 1] if number else "earliest"
            answer = broker.get(f"/events?since={since}&limit=5", {"Accept": "application/json"})
            if answer.status != 200:
                self.assertIn(answer.status, (500, 503), answer)
                self.assertIn(answer.json["code"], ("storage_corrupt", "storage_unavailable"), answer)
                wrong += 1
                continue
            page = answer.json
            got = [number_of(x["data"]) for x in page["events"]]
            if page["gap"] is None:
                self.assertEqual(got, list(range(number, min(number + 5, self.EVENTS))))
        got, told = [], False
        try:
            with broker.stream("/events?since=earliest") as stream:
                if stream.head.status == 200:
                    while len(got) < self.EVENTS:
                        event = stream.event(3, control=True)
                        told = told or event.type in ("tidings.gap", "tidings.closing")
                        if not event.type.startswith("tidings."):
                            self.assertTrue(told or number_of(event.data) == len(got), f"a silent gap after {len(got)}")
                            got.append(number_of(event.data))
        except FAULTS:
            pass
        self.assertTrue(len(got) == self.EVENTS or told or wrong or got == list(range(len(got))))
        return "serve with errors for what is damaged" if wrong else "serve everything"


class WrongDirectory(OwnBrokerTest):
    @fault("S16")
    def test_s16_a_directory_that_is_not_ours_is_refused_and_not_touched(self):
        good = self.broker()
        fill(good, range(10))
        good.stop()

        def tree(folder):
            return {x: open(os.path.join(folder, x), "rb").read() for x in sorted(os.listdir(folder))
                    if os.path.isfile(os.path.join(folder, x)) and x != "tidings.lock"}

        def newer(folder):
            """The same store as a later version would leave it, with a right check sum if that is all that is wrong."""
            path = os.path.join(folder, "tidings.store")
            text = open(path).read()
            with open(path, "w") as file:
                file.write(re.sub(r"^schema \d+", "schema 9999", text, flags=re.M))

        def other(folder):
            for name in os.listdir(folder):
                if name.startswith("tidings."):
                    os.remove(os.path.join(folder, name))

        def strange(folder):
            shutil.rmtree(folder)
            os.mkdir(folder)
            with open(os.path.join(folder, "letter.txt"), "w") as file:
                file.write("somebody's own files")

        for name, change in (("a newer schema", newer), ("a database of somebody else", other), ("other files", strange)):
            with self.attempt(name):
                folder = os.path.join(temporary_folder(), "data")
                shutil.copytree(good.data_dir, folder)
                change(folder)
                before = tree(folder)
                done = run_tidings("serve", "--listen", f"127.0.0.1:{free_port()}", "--data-dir", folder, "--set", "storage.reserve=64MiB",
                                   timeout=10)
                self.assertGreater(done.returncode, 0, done)
                self.assertIn(folder, done.stdout + done.stderr)
                self.assertEqual(tree(folder), before)
        self.note("each refused with the directory's name, no file changed")


class FailingDisk(OwnBrokerTest):
    """Errors put in at the system calls (strace)."""

    def strace(self, *inject):
        # -D: the broker is our child, and the tracer ends with it.
        calls = ",".join(x.split(":")[0] for x in inject)
        return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", *(w for x in inject for w in ("-e", f"inject={x}"))]

    @fault("S11")
    def test_s11_a_sync_that_fails_is_not_acknowledged_and_ends_the_process(self):
        codes = collections.Counter()
        for _ in self.rounds(40, 2):
            when = self.random.randint(10, 120)
            broker = self.broker(start=False, options={"topics.level": "none"}, prefix=self.strace(f"fdatasync:error=EIO:when={when}+"))
            broker.start(wait=False)
            eventually(lambda: not broker.running or broker.is_ready(), 20)
            storm = Storm(self, broker, levels=("fsync", "written"), publishers=4).begin()
            eventually(lambda: not broker.running or any(x.failure for x in storm.writers), 60, f"an end by itself after sync {when} failed")
            storm.stop()
            code = broker.wait_exit()
            self.assertGreater(code, 0, broker.log_tail())
            codes[code] += 1
            broker.prefix = []
            broker.start()
            found = storm.judge(survives=("written", "fsync"))
            # A record whose sync failed may be there: its publisher was told that this is not known.
            self.assertTrue(found.good, found)
            storm.check_all()
            broker.dispose()
        self.note(f"{self.tried} failed syncs under load: 0 acknowledged lost, exit codes {dict(codes)}")

    @fault("S12")
    def test_s12_a_slow_disk_slows_publishes_and_nothing_else(self):
        delay = 0.5
        broker = self.broker(options={"limits.publish-bytes": "1MiB", "limits.body-bytes": "512KiB", "limits.event-bytes": "256KiB"},
                             prefix=self.strace("fdatasync:delay_enter=500000"), start=False)
        broker.start(timeout=60)
        stream = broker.stream("/topics/quiet?heartbeat=1s")
        stream.ready()
        # Neither its publisher nor anybody else hears of an event before it is on the disk.
        watcher = broker.stream("/topics/t")
        watcher.ready()
        answered = []
        begin = time.monotonic()
        publisher = threading.Thread(target=lambda: answered.append((broker.post("/topics/t", "x").status, time.monotonic())), daemon=True)
        publisher.start()
        self.assertEqual(watcher.event().data, "x")
        self.assertGreater(time.monotonic() - begin, delay * 0.8, "shown before it was synced")
        publisher.join(60)
        self.assertEqual([status for status, _ in answered], [201])
        self.assertGreater(answered[0][1] - begin, delay * 0.8, "answered before it was synced")
        watcher.close()
        statuses, slowest = collections.Counter(), 0.0
        threads, stop = [], []

        def publish():
            try:
                with broker.connect(timeout=60) as link:
                    while not stop:
                        statuses[link.request("POST", "/topics/t", body="y" * 200000).status] += 1
            except FAULTS as why:
                statuses[repr(why)] += 1

        for _ in range(12):
            threads.append(threading.Thread(target=publish, daemon=True))
            threads[-1].start()
        base = broker.memory()
        beats, end = [], time.monotonic() + settings.pick(20, 3)
        while time.monotonic() < end:
            begin = time.monotonic()
            self.assertEqual(broker.get("/healthz", timeout=5).status, 200)
            slowest = max(slowest, time.monotonic() - begin)
            stream.item(3)
            beats.append(time.monotonic())
        grown = broker.memory() - base
        stop.append(True)
        for thread in threads:
            thread.join(60)
        self.assertGreater(statuses[201], 0, statuses)
        self.assertGreater(statuses[503], 0, "more than limits.publish-bytes was waiting")
        self.assertEqual(set(statuses), {201, 503}, statuses)
        gaps = [b - a for a, b in zip(beats, beats[1:])]
        self.assertLess(max(gaps), 2.5)
        self.assertLess(slowest, 0.5)
        self.assertLess(grown, 96 << 20)
        self.note(f"each sync 500 ms: {statuses[201]} taken, {statuses[503]} refused with 503, heartbeats every {max(gaps):.2f} s at most, "
                  f"other answers within {slowest * 1000:.0f} ms, memory {grown / 2**20:+.0f} MiB")

    @fault("S21")
    def test_s21_any_call_that_fails_leaves_a_store_that_starts(self):
        calls = ("fdatasync", "fsync", "rename", "write", "fallocate", "ftruncate", "unlink", "mkdir", "pread64", "openat")
        outcomes, hit = collections.Counter(), 0
        for round_ in self.rounds(400, 10):
            call = calls[round_ % len(calls)]
            when = 1 + round_ // len(calls) if settings.quick else self.random.randint(1, 60)
            error = self.random.choice(("EIO", "ENOSPC"))
            broker = self.broker(start=False, options={"storage.write-buffer-bytes": "1MiB"})
            broker.start()
            acknowledged = fill(broker, range(20))
            broker.kill()
            broker.prefix = self.strace(f"{call}:error={error}:when={when}")
            broker.start(wait=False)
            eventually(lambda: not broker.running or broker.is_ready(), 30, f"{call} {when}: neither ready nor ended")
            more = {}
            try:
                for number in range(20, 60):
                    answer = broker.post(f"/topics/t?ack={('fsync', 'written')[number % 2]}", str(number), timeout=10)
                    if answer.status == 201:
                        more[number] = answer.json["id"]
            except FAULTS:
                pass
            outcomes["went on" if broker.running else "ended with an error" if broker.process.poll() > 0 else "aborted"] += 1
            if broker.running:
                broker.kill()
            broker.prefix = []
            broker.start()
            log = {number_of(str(x["data"])): x["id"] for x in broker.log_events()}
            for number, identity in {**acknowledged, **more}.items():
                self.assertEqual(log.get(number), identity, f"{call} {when} {error}: event {number}")
            self.assertEqual(list(log)[:20], list(range(20)))
            broker.dispose()
        self.note(f"{self.tried} runs with one failing call ({', '.join(calls)}): {dict(outcomes)}; each started again with all that was acknowledged")


class ExpiryAndKill(OwnBrokerTest):
    @fault("S18")
    def test_s18_compaction_expiry_and_kill_9(self):
        broker = self.broker(options={"topics.level": "written", "storage.write-buffer-bytes": "1MiB", "storage.compaction-interval": "1s",
                                      "storage.gap-memory": "2s", "storage.reserve": "64MiB"})
        kept, short, number, times = {}, {}, 0, []
        filler = "f" * 900
        for _ in self.rounds(60, 2):
            end = time.monotonic() + self.random.uniform(0.5, 3)
            while time.monotonic() < end:
                hand = range(number, number + 50)
                body = json.dumps([{"topic": "t", "data": f"{x}\n{filler}", "ttl": "2s" if x % 3 else "0"} for x in hand])
                answer = broker.post("/events", body, JSON)
                self.assertEqual(answer.status, 201)
                now = time.time()
                for x, result in zip(hand, answer.json["results"]):
                    (short if x % 3 else kept)[x] = (result["id"], now)
                number += 50
            broker.kill()
            begin = time.monotonic()
            broker.start()
            times.append(time.monotonic() - begin)
            asked = time.time()
            log = {number_of(x["data"]): x["id"] for x in broker.log_events("/topics/t")}
            self.assertEqual(list(log), sorted(log))
            self.assertEqual([x for x in kept if log.get(x) != kept[x][0]], [], "unexpired and lost")
            # What was answered more than its life ago was stored before that.
            self.assertEqual([x for x in log if x in short and short[x][1] + 2 < asked], [], "expired and shown")
        self.note(f"{self.tried} kills under expiry and compaction: {len(kept)} unexpired all there, {len(short)} expired all gone, "
                  f"ready after {max(times):.2f} s at most")


class ManyTopics(OwnBrokerTest):
    @fault("S20")
    def test_s20_many_topics_and_mailboxes(self):
        count = settings.pick(1000000, 50000)
        broker = self.broker(options={"topics.level": "written"})
        send = lambda key, at: {key: [f"{key[0]}{x}" for x in range(at, at + 16)], "data": "x", **({"title": "t"} if key == "users" else {})}
        with broker.connect(timeout=120) as link:
            for key in ("topics", "users"):
                for at in range(0, count // 2, 16 * 1000):
                    body = json.dumps([send(key, x) for x in range(at, min(at + 16000, count // 2), 16)])
                    answer = link.request("POST", "/events", JSON, body)
                    self.assertEqual(answer.status, 201, answer)
        loaded = broker.memory()
        broker.kill()
        begin = time.monotonic()
        broker.start(timeout=60)
        took = time.monotonic() - begin
        entries = len(os.listdir(broker.data_dir))
        self.assertLess(took, 5)
        self.assertLess(entries, 200, "files by topic")
        self.assertLess(broker.memory(), 600 << 20)
        self.assertEqual(len(broker.page(f"/topics/t{count // 2 - 1}")["events"]), 1)
        self.assertEqual(broker.get(f"/users/u{count // 2 - 1}/mailbox").json["counts"]["unread"], 1)
        self.note(f"{count // 2} topics and as many mailboxes: {loaded / 2**20:.0f} MiB loaded, after kill -9 ready in {took:.2f} s with "
                  f"{broker.memory() / 2**20:.0f} MiB, {entries} files")


class Retry(OwnBrokerTest):
    @fault("S19")
    def test_s19_repeats_over_kills_are_one_event(self):
        broker = self.broker(options={"topics.level": "written"})
        stored = {}
        for round_ in self.rounds(40, 3):
            items = [Item(round_ * 1000 + x, ["t"]) for x in range(300)]
            hands = [Publisher(broker.address, [("topic", [x]) for x in items[i::4]], f"r{round_}") for i in range(4)]
            for hand in hands:
                hand.start()
            least = self.random.randint(20, 200)
            eventually(lambda: sum(len(x.acknowledged) for x in hands) >= least, 30)
            broker.kill()
            broker.start()
            for hand in hands:
                hand.join(60)
                self.assertIsNone(hand.failure)
                stored.update(hand.acknowledged)
        log = [(number_of(str(x["data"])), x["id"]) for x in broker.log_events()]
        self.assertEqual(sorted(log), sorted(stored.items()))
        self.note(f"{len(stored)} events, each repeated under its key until answered, over {self.tried} kills: each stored once under the id it was "
                  "answered with")
