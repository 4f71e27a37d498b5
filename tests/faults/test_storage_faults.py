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
from support.wire import Closed

JSON = {"Content-Type": "application/json"}


def watermark(data_dir):
    """The position of the witness."""
    with open(os.path.join(data_dir, "tidings.watermark")) as file:
        return int(re.search(r"^position (\d+)", file.read(), re.M)[1])


def files(data_dir, pattern):
    return sorted(os.path.join(data_dir, x) for x in os.listdir(data_dir) if re.search(pattern, x))


def on_disk(data_dir, mark):
    """Whether a file of the store holds this."""
    for path in files(data_dir, r"\.(sst|log)$"):
        try:
            with open(path, "rb") as file:
                if mark.encode() in file.read():
                    return True
        except FileNotFoundError:
            pass  # a compaction was faster
    return False


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

    def template(self, restarts=0, then=0, live=0):
        """A store, left by kill -9, that is behind its watermark. Returns how many events it has.

        Each restart moves what the log file holds to table files. `then` events come before another one, `live` ones
        after it.
        """
        self.made = made = self.broker(options={"topics.level": "written"})
        self.ids = fill(made, range(self.EVENTS))
        self.await_watermark(self.EVENTS)
        for _ in range(restarts):
            made.kill()
            made.start()
        if then:
            self.ids.update(fill(made, range(self.EVENTS, self.EVENTS + then)))
            self.EVENTS += then
            made.kill()
            made.start()
        if live:
            self.ids.update(fill(made, range(self.EVENTS, self.EVENTS + live)))
            self.EVENTS += live
            self.await_watermark(self.EVENTS)
        self.stored = made.data_dir
        self.leave()
        return self.EVENTS

    def await_watermark(self, position):
        eventually(lambda: watermark(self.made.data_dir) == position, 10, "the watermark is behind everything")

    def leave(self):
        self.events = self.made.log_events()
        self.made.kill()
        self.assertEqual([(number_of(x["data"]), x["id"]) for x in self.events], list(self.ids.items()))

    def torn(self, count):
        """As `template`, with so many events more that are acknowledged and not behind the watermark, each a record of
        its own. Returns the log file and how long it was after each of them."""
        self.template()
        for _ in range(5):  # the watermark may be written at any time
            self.made.start()
            self.await_watermark(len(self.ids))
            first, lengths = len(self.ids), []
            with self.made.connect() as link:
                for number in range(first, first + count):
                    answer = link.request("POST", "/topics/t?ack=written", body=f"{number}\n{'x' * 20}")
                    self.assertEqual((answer.status, answer.json["level"]), (201, "written"))
                    self.ids[number] = answer.json["id"]
                    log = files(self.stored, r"\.log$")[-1]
                    lengths.append(os.path.getsize(log))
            self.leave()
            if watermark(self.stored) == first:
                return log, lengths
        self.fail("the watermark is always written while a few events are")

    def trial(self, damage):
        """Returns "refused" or "serves", and how many events, from the first one, are served as they were. "
        "Everything else fails."""
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
            found = broker.log_events()
            for event, was in zip(found, self.events):
                self.assertEqual(event, was, "altered")
            self.assertLessEqual(len(found), len(self.events), "events that nobody published")
            return "serves", len(found)
        finally:
            broker.dispose()
            shutil.rmtree(os.path.dirname(folder))

    def tell(self, outcomes, what):
        counts = collections.Counter(outcomes)
        self.note(f"{what}: {counts['refused']} starts refused with the reason, {counts['serves']} serve everything, 0 serve less")

    @fault("S5")
    def test_s5_a_torn_tail_costs_the_tail_only(self):
        log, lengths = self.torn(100)
        size, known = lengths[-1], watermark(self.stored)
        self.assertGreater(size - lengths[0], 4096, "all that is cut is late")
        name = os.path.basename(log)
        cuts = list(range(1, 4097)) if not settings.quick and not settings.deadline else []
        served = {}
        for round_ in self.rounds(4096, 5):
            cut = cuts[round_] if round_ < len(cuts) else self.random.randint(1, 4096) if round_ else 1
            outcome, count = self.trial(lambda folder: os.truncate(os.path.join(folder, name), size - cut))
            # Nothing behind the watermark is touched, so there is nothing to refuse.
            self.assertEqual(outcome, "serves", f"cut {cut}")
            whole = known + sum(x <= size - cut for x in lengths)
            self.assertGreaterEqual(count, whole, f"cut {cut}: {count} served, {whole} were whole")
            self.assertLess(count, len(self.events), f"cut {cut}: nothing is missing")
            served[cut] = count
        counts = [served[cut] for cut in sorted(served)]
        self.assertEqual(counts, sorted(counts, reverse=True), "the more is cut, the less there is")
        self.assertGreater(len(set(counts)), min(len(counts), 20) // 2, f"each event is a record of its own: {served}")
        self.note(f"{self.tried} cuts within the last 4 KiB: each opens, with every event before the cut; "
                  f"{min(counts)} to {max(counts)} of "
                  f"{len(self.events)}, watermark {known}")

    @fault("S5")
    def test_s5_a_cut_behind_the_watermark_is_refused(self):
        count = self.template(live=50)
        name = os.path.basename(files(self.stored, r"\.log$")[-1])
        size = os.path.getsize(os.path.join(self.stored, name))
        for round_ in self.rounds(200, 3):
            cut = self.random.randint(1, 4096) if round_ else 1
            outcome, served = self.trial(lambda folder: os.truncate(os.path.join(folder, name), size - cut))
            self.assertEqual(outcome, "refused", f"cut {cut}: {served} of {count} served")
        self.note(f"{self.tried} cuts of what the watermark vouches for: each start refused")

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

            outcome, served = self.trial(flip)
            outcomes.append(outcome)
            if outcome == "serves":
                self.assertEqual(served, count, f"bit {bit} of byte {at} of {size}")
        self.assertIn("refused", outcomes)
        self.tell(outcomes, f"{len(outcomes)} bits of the log flipped")

    @fault("S7")
    def test_s7_files_missing_or_cut(self):
        count = self.template(restarts=1)
        cases = []
        for name in sorted(os.listdir(self.stored)):
            if not os.path.isdir(os.path.join(self.stored, name)) and not name.endswith(".sst"):
                cases += self.losses(name)
        cases.append(("everything of the database deleted", lambda folder: [
            os.remove(os.path.join(folder, x)) for x in os.listdir(folder) if not x.startswith("tidings.")]))
        cases.append(("everything of ours deleted", lambda folder: [
            os.remove(os.path.join(folder, x)) for x in os.listdir(folder) if x.startswith("tidings.")]))
        outcomes = []
        for name, damage in cases:
            with self.attempt(name):
                outcome, served = self.trial(damage)
                outcomes.append(outcome)
                if outcome == "serves":
                    self.assertEqual(served, count)
        self.assertGreater(outcomes.count("refused"), 5)
        self.tell(outcomes, f"{len(cases)} ways to lose a file or a part of it")

    @fault("S7")
    def test_s7_a_log_file_with_events_that_is_missing_or_cut(self):
        """After a start the log file is nearly empty, and to lose it costs nothing. This one has events that the
        watermark vouches for."""
        self.template(restarts=1, live=200)
        log = max(files(self.stored, r"\.log$"), key=os.path.getsize)
        self.assertGreater(os.path.getsize(log), 200 * 100)
        outcomes = []
        for name, damage in self.losses(os.path.basename(log)):
            with self.attempt(name):
                outcome, served = self.trial(damage)
                outcomes.append(outcome)
                self.assertEqual(outcome, "refused", f"{served} of {len(self.events)} served")
        self.tell(outcomes, "the log file with 200 events deleted, emptied, cut in half")

    def losses(self, name):
        """(what, a function that does it to a copy) for a file."""
        path = lambda folder: os.path.join(folder, name)
        size = os.path.getsize(path(self.stored))
        yield f"{name} deleted", lambda folder: os.remove(path(folder))
        if size:
            yield f"{name} emptied", lambda folder: os.truncate(path(folder), 0)
            yield f"{name} cut in half", lambda folder: os.truncate(path(folder), size // 2)

    # A table file has blocks of 16 KiB of data, compressed, then one index and one filter for all of them.
    BLOCK = 16 << 10

    @fault("S8")
    def test_s8_damaged_table_files_give_errors_and_never_other_data(self):
        # The start reads the newest entries; what is older is read when somebody asks for it.
        self.template(restarts=1, then=1500)
        table = max(files(self.stored, r"\.sst$"), key=os.path.getsize)  # that of the log, with what came first
        size = os.path.getsize(table)
        least = min(len(x["data"]) for x in self.events)
        outcomes, worst = collections.Counter(), 0
        for round_ in self.rounds(300, 6):
            folder = os.path.join(temporary_folder("tidings-trial-"), "data")
            shutil.copytree(self.stored, folder)
            path = os.path.join(folder, os.path.basename(table))
            kind = ("deleted", "cut", "flipped in its data", "flipped")[min(round_, 2 + round_ % 2)]
            if kind == "deleted":
                os.remove(path)
            elif kind == "cut":
                os.truncate(path, self.random.randrange(size))
            else:
                with open(path, "r+b") as file:
                    at = self.random.randrange(size * 3 // 4 if kind == "flipped in its data" else size)
                    file.seek(at)
                    byte = file.read(1)[0]
                    file.seek(at)
                    file.write(bytes([byte ^ 1 << self.random.randrange(8)]))
                    kind = f"{kind} at {at} of {size}"
            broker = self.broker(start=False, data_dir=folder).start(wait=False)
            eventually(lambda: not broker.running or broker.is_ready(), 20, "refuses or serves")
            if not broker.running:
                self.assertGreater(broker.process.returncode, 0, broker.log_tail())
                self.assertRegex(broker.log().lower(), self.REFUSALS)
                outcomes["refused to start"] += 1
            else:
                bad = self.read_pages(broker, kind)
                self.read_stream(broker, kind, bad)
                if bad and "in its data" in kind:
                    together = list(range(bad[0], bad[-1] + 1, self.PAGE))
                    self.assertEqual(bad, together, f"{kind}: not next to each other")
                    # The first and the last page have events of the blocks beside it.
                    self.assertLessEqual((len(bad) - 2) * self.PAGE * least, self.BLOCK, f"{kind}: more than a block")
                    worst = max(worst, len(bad) * self.PAGE)
                outcomes["serve with errors for what is damaged" if bad else "serve everything"] += 1
            broker.dispose()
            shutil.rmtree(os.path.dirname(folder))
        self.assertTrue(worst or self.tried < 3, "no flip in the data was ever met")
        told = ", ".join(f"{n} {x}" for x, n in sorted(outcomes.items()))
        self.note(f"{sum(outcomes.values())} damaged table files: {told}; a bit costs {worst} of {self.EVENTS} events at most")

    PAGE = 5

    def read_pages(self, broker, kind):
        """Everything in small pages: right, or refused. Returns the numbers at which those begin that are refused."""
        bad = []
        with broker.connect() as link:
            for number in range(0, self.EVENTS, self.PAGE):
                since = self.ids[number - 1] if number else "earliest"
                answer = link.request("GET", f"/events?since={since}&limit={self.PAGE}", {"Accept": "application/json"})
                if answer.status != 200:
                    self.assertIn(answer.status, (500, 503), answer)
                    self.assertIn(answer.json["code"], ("storage_corrupt", "storage_unavailable"), answer)
                    bad.append(number)
                    continue
                wanted = self.events[number:number + self.PAGE]
                if answer.json["gap"] is None:
                    self.assertEqual(answer.json["events"], wanted, kind)
                else:
                    bad.append(number)
                    self.assertEqual([x for x in answer.json["events"] if x not in wanted], [], kind)
        return bad

    def read_stream(self, broker, kind, bad):
        """Everything as one stream: each event as it was, in order; what is missing, and an end before the last one,
        is said."""
        got, told = [], None
        with broker.stream("/events?since=earliest", timeout=20) as stream:
            if stream.head.status != 200:
                self.assertIn(stream.head.status, (500, 503), kind)
                self.assertTrue(bad, "refused, and every page is there")
                return
            try:
                while len(got) < self.EVENTS:
                    event = stream.event(20, control=True)
                    if event.type in ("tidings.gap", "tidings.closing"):
                        told = event.type
                    elif not event.type.startswith("tidings."):
                        got.append((event.data, event.id))
                        if not told:
                            was = self.events[len(got) - 1]
                            self.assertEqual(got[-1], (was["data"], was["id"]), f"{kind}: after {len(got) - 1}")
            except Closed:
                self.assertTrue(told, f"{kind}: ended without a word after {len(got)}")
        places = {(x["data"], x["id"]): place for place, x in enumerate(self.events)}
        order = [places.get(x, -1) for x in got]
        self.assertEqual(order, sorted(set(order)), kind)
        self.assertNotIn(-1, order, f"{kind}: other data")
        self.assertTrue(len(got) == self.EVENTS or told or bad)


class WrongDirectory(OwnBrokerTest):
    # As a version to come could leave it: its check is right (XXH3 of the lines before), so nothing but the schema is
    # wrong.
    NEWER = "tidings store\nschema 9999\nnode 00112233445566778899aabbccddeeff\ncomplete 1\ncheck 465ea3c50157e920\n"

    @fault("S16")
    def test_s16_a_directory_that_is_not_ours_is_refused_and_not_touched(self):
        good = self.broker()
        fill(good, range(10))
        good.stop()

        def tree(folder):
            return {x: open(os.path.join(folder, x), "rb").read() for x in sorted(os.listdir(folder))
                    if os.path.isfile(os.path.join(folder, x)) and x != "tidings.lock"}

        def newer(folder):
            with open(os.path.join(folder, "tidings.store"), "w") as file:
                file.write(self.NEWER)

        def damaged(folder):
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

        for name, change, why in (
                ("a newer schema", newer, r"the store has schema 9999, which a newer version of Tidings made"),
                ("a damaged identity", damaged, r"tidings\.store is damaged; put it back from a backup"),
                ("a database of somebody else", other, r"holds other things \(\S+\) and no store of Tidings"),
                ("other files", strange, r"holds other things \(letter\.txt\) and no store of Tidings")):
            with self.attempt(name):
                folder = os.path.join(temporary_folder(), "data")
                shutil.copytree(good.data_dir, folder)
                change(folder)
                before = tree(folder)
                done = run_tidings("serve", "--listen", f"127.0.0.1:{free_port()}", "--data-dir", folder, "--set", "storage.reserve=64MiB",
                                   timeout=10)
                self.assertEqual(done.returncode, 1, done)
                said = (done.stdout + done.stderr).strip().split("\n")
                self.assertRegex(said[-1], why, "the last line says why")
                self.assertIn(folder, said[-1])
                self.assertEqual(tree(folder), before)
        self.note("each refused with its own reason and the directory's name, no file changed")


class FailingDisk(OwnBrokerTest):
    """Errors put in at the system calls (strace)."""

    def strace(self, *inject, log="/dev/null", paths=False):
        """`log` gets a line for each call of these kinds; with `paths` it says which file it was of."""
        # -D: the broker is our child, and the tracer ends with it.
        calls = ",".join(x.split(":")[0] for x in inject)
        return ["strace", "-D", "-f", "-q", "-ttt", *(["-y"] if paths else []), "-o", log, "-e", f"trace={calls}",
                *(w for x in inject if ":" in x for w in ("-e", f"inject={x}"))]

    def traced(self, broker, log):
        """The lines of a broker that has ended."""
        def ended():
            with open(log, errors="replace") as file:
                lines = file.read().splitlines()
            return lines if any(re.match(rf"{broker.pid} +[0-9.]+ \+\+\+ ", x) for x in lines) else None

        return eventually(ended, 10, "the tracer has written everything down")

    @fault("S11")
    def test_s11_a_sync_that_fails_is_not_acknowledged_and_ends_the_process(self):
        before = 0
        for round_ in self.rounds(40, 2):
            # One alone, which a second attempt would pass over, or each one from there on.
            when, on = self.random.randint(30, 150), ("", "+")[round_ % 2]
            log = os.path.join(temporary_folder(), "calls")
            broker = self.broker(start=False, options={"topics.level": "none"},
                                 prefix=self.strace(f"fdatasync:error=EIO:when={when}{on}", log=log))
            broker.start()
            storm = Storm(self, broker, levels=("fsync", "written"), publishers=4).begin()
            hands = [self.watch(x) for x in storm.writers]
            eventually(lambda: not broker.running or any(x.failure for x in storm.writers), 60,
                       f"an end by itself after sync {when}{on} failed")
            storm.stop()
            self.assertEqual(broker.wait_exit(), 3, broker.log_tail())
            failed = [float(x.split()[1]) for x in self.traced(broker, log) if "(INJECTED)" in x]
            self.assertGreater(len(failed), 0)
            synced = [sent for hand in hands for sent in hand]
            before += sum(x < failed[0] for x in synced)
            # A sync that comes after one that failed proves nothing about what the failed one was for, and not about
            # itself.
            self.assertEqual([x for x in synced if x > failed[0]], [], "sent after the failure, acknowledged at fsync")
            broker.prefix = []
            broker.start()
            found = storm.judge(survives=("written", "fsync"))
            # A record whose sync failed may be there: its publisher was told that this is not known.
            self.assertTrue(found.good, found)
            self.assertGreater(storm.acknowledged, 0, "nothing was promised before the failure")
            storm.check_all()
            broker.dispose()
        self.assertGreater(before, 0, "nothing was acknowledged at fsync before the failure")
        self.note(f"{self.tried} failed syncs under load, one alone and all that follow: {before} acknowledged at "
                  f"fsync before, 0 after, 0 lost, "
                  "exit status 3 each time")

    @staticmethod
    def watch(writer):
        """When that was sent which is acknowledged at fsync, by the clock of `strace -ttt`."""
        write, sent, found = writer.write, {}, []

        def wrapped(what, **fields):
            if what == "sent":
                sent[fields["event"]] = time.time()
            elif what == "acknowledged" and fields["level"] == "fsync":
                found.append(sent.get(fields["event"], 0))
            write(what, **fields)

        writer.write = wrapped
        return found

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

    # What the store asks of the file system, whether it writes, reads, or looks.
    CALLS = ("fdatasync", "fsync", "sync_file_range", "rename", "link", "unlink", "unlinkat", "rmdir", "mkdir", "write",
             "pwrite64", "fallocate", "ftruncate", "pread64", "read", "openat", "newfstatat", "statfs", "getdents64",
             "flock")
    MUST = ("fdatasync", "fsync", "rename", "link", "unlink", "mkdir", "write", "ftruncate", "fallocate", "pread64",
            "openat", "statfs")

    def places(self, template):
        """call -> which of these calls of a thread are about a file of the store, in a run in which nothing fails."""
        log = os.path.join(temporary_folder(), "calls")
        broker = self.copy_of(template)
        broker.prefix = self.strace(*self.CALLS, log=log, paths=True)
        broker.start()
        self.publish_some(broker)
        broker.kill()
        counts, found = collections.Counter(), collections.defaultdict(set)
        for line in self.traced(broker, log):
            if call := re.match(r"(\d+) +[0-9.]+ (\w+)\(", line):
                counts[call.groups()] += 1
                # Whether there is sync_file_range is asked for with nothing to do, which cannot fail as a disk does.
                if broker.data_dir in line and not line.endswith(", 0, 0, 0) = 0"):
                    found[call[2]].add(counts[call.groups()])
        broker.dispose()
        for call in self.MUST:
            self.assertIn(call, found, "a start and publishes have this call")
        return found

    def copy_of(self, template):
        broker = self.broker(start=False, options={"storage.write-buffer-bytes": "1MiB", "topics.level": "written"})
        shutil.copytree(template, broker.data_dir)
        return broker

    def publish_some(self, broker):
        """Returns number -> id of what is acknowledged."""
        found = {}
        try:
            with broker.connect(timeout=10) as link:
                for number in range(20, 60):
                    answer = link.request("POST", f"/topics/t?ack={('fsync', 'written')[number % 2]}", body=str(number))
                    if answer.status == 201:
                        found[number] = answer.json["id"]
                    if answer.header("connection") == "close":
                        break
        except FAULTS:
            pass
        return found

    def in_turn(self, places):
        """(call, which one): each call, then each once more, until all places have been."""
        hands = [(call, sorted(places[call])) for call in self.random.sample(sorted(places), len(places))]
        for _, numbers in hands:
            self.random.shuffle(numbers)
        while hands:
            for call, numbers in hands:
                yield call, numbers.pop()
            hands = [x for x in hands if x[1]]

    @fault("S21")
    def test_s21_any_call_that_fails_leaves_a_store_that_starts(self):
        made = self.broker()
        acknowledged = fill(made, range(20))
        made.kill()
        places = self.places(made.data_dir)
        turns = self.in_turn(places)
        outcomes, hits, missed = collections.Counter(), collections.Counter(), 0
        for _ in self.rounds(sum(map(len, places.values())), 7):
            if not (turn := next(turns, None)):
                turn = (call := self.random.choice(sorted(places)), self.random.choice(sorted(places[call])))
            (call, when), error = turn, self.random.choice(("EIO", "ENOSPC"))
            log = os.path.join(temporary_folder(), "calls")
            broker = self.copy_of(made.data_dir)
            broker.prefix = self.strace(f"{call}:error={error}:when={when}", log=log, paths=True)
            broker.start(wait=False)
            eventually(lambda: not broker.running or broker.is_ready(), 30, f"{call} {when}: neither ready nor ended")
            more = self.publish_some(broker) if broker.running else {}
            if page := self.page_of(broker):
                if page.status == 200:
                    self.check_kept(page.json["events"], {**acknowledged, **more}, f"{call} {when} {error}, it goes on")
                outcomes["went on"] += 1
                broker.kill()
            else:
                code = broker.wait_exit()
                outcomes[f"ended with {code}"] += 1
                # 127: the system could not load the program
                self.assertIn(code, (1, 3, 127), f"{call} {when} {error}: {broker.log_tail()}")
            met = self.failed_calls(broker, log)
            hits[call] += met
            missed += not met  # it was done by another thread, or later
            broker.prefix = []
            broker.start()
            self.check_kept(broker.log_events(), {**acknowledged, **more}, f"{call} {when} {error}")
            broker.dispose()
        self.assertLessEqual(missed, self.tried // 2, f"few calls failed: {dict(hits)}")
        if self.tried > len(places) * 3:
            self.assertEqual([x for x in self.MUST if not hits[x]], [], "never failed")
        self.note(f"{self.tried} runs in which a call on a file of the store fails, of "
                  f"{sum(map(len, places.values()))} that a start and 40 publishes "
                  f"have: {sum(hits.values())} failed ({', '.join(f'{n} {x}' for x, n in hits.items())}); "
                  f"{dict(outcomes)}; each started again with all "
                  "that was acknowledged")

    def failed_calls(self, broker, log):
        """How many calls on a file of the store failed."""
        return sum("(INJECTED)" in x and broker.data_dir in x for x in self.traced(broker, log))

    @staticmethod
    def page_of(broker):
        """None if the broker has ended, or is about to."""
        try:
            return broker.get("/events?since=earliest&limit=1000", {"Accept": "application/json"})
        except FAULTS:
            return None

    def check_kept(self, events, acknowledged, what):
        log = {number_of(str(x["data"])): x["id"] for x in events}
        self.assertEqual({x: log.get(x) for x in acknowledged}, acknowledged, what)
        self.assertEqual(list(log), sorted(log), what)


class ExpiryAndKill(OwnBrokerTest):
    @fault("S18")
    def test_s18_compaction_expiry_and_kill_9(self):
        broker = self.broker(options={"topics.level": "written", "storage.write-buffer-bytes": "1MiB", "storage.compaction-interval": "1s",
                                      "storage.gap-memory": "2s", "storage.reserve": "64MiB"})
        kept, short, number, times = {}, {}, 0, []
        filler, mark = "f" * 900, self.random.randbytes(16).hex()
        for _ in self.rounds(60, 2):
            end = time.monotonic() + self.random.uniform(0.5, 3)
            while time.monotonic() < end:
                hand = range(number, number + 50)
                body = json.dumps([{"topic": "t", "data": f"{x}\n{mark}\n{filler}", "ttl": "2s"} if x % 3 else
                                   {"topic": "t", "data": f"{x}\n{filler}", "ttl": "0"} for x in hand])
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
        # Or all of this would be true of a broker that never cleans up.
        eventually(lambda: not on_disk(broker.data_dir, mark), 60, "compactions have removed what has expired")
        log = {number_of(x["data"]): x["id"] for x in broker.log_events("/topics/t")}
        self.assertEqual(log, {x: identity for x, (identity, _) in kept.items()})
        self.note(f"{self.tried} kills under expiry and compaction: {len(kept)} unexpired all there, {len(short)} "
                  f"expired all gone, also from the disk, "
                  f"ready after {max(times):.2f} s at most")


class ManyTopics(OwnBrokerTest):
    def load(self, broker, begin, end):
        """So many topics, and as many mailboxes, with one event each."""
        send = lambda key, at: {key: [f"{key[0]}{x}" for x in range(at, at + 16)], "data": "x", **({"title": "t"} if key == "users" else {})}
        with broker.connect(timeout=120) as link:
            for key in ("topics", "users"):
                for at in range(begin, end, 16 * 1000):
                    body = json.dumps([send(key, x) for x in range(at, min(at + 16000, end), 16)])
                    answer = link.request("POST", "/events", JSON, body)
                    self.assertEqual(answer.status, 201, answer)

    def start_again(self, broker):
        """Seconds of the processor until it is ready, which others on the machine do not add to, bytes, and files."""
        broker.kill()
        broker.start(timeout=60)
        return broker.processor_seconds(), broker.memory(), len(os.listdir(broker.data_dir))

    @fault("S20")
    def test_s20_many_topics_and_mailboxes(self):
        count = settings.pick(500000, 25600)  # of each; a tenth is a multiple of 16
        few = count // 10
        # A hand of 16,000 takes its time on a busy machine.
        broker = self.broker(options={"topics.level": "written", "limits.publish-timeout": "2m"})
        empty = self.start_again(broker)
        self.load(broker, 0, few)
        small = self.start_again(broker)
        self.load(broker, few, count)
        loaded = broker.memory()
        took, memory, entries = self.start_again(broker)
        self.assertLess(took, settings.seconds(5))
        self.assertLess(entries, 200, "files by topic")
        self.assertLess(memory, settings.memory(600 << 20))
        # Growth, beyond what an empty one has: ten times as many may take twelve times as much. The rest is what any
        # start takes.
        grown = lambda place, now: (now - empty[place], small[place] - empty[place])
        full, tenth = grown(0, took)
        self.assertLessEqual(full, 12 * max(tenth, 0.3), "the start grows faster than what there is")
        full, tenth = grown(1, memory)
        self.assertLessEqual(full, 12 * max(tenth, 8 << 20), "memory grows faster than what there is")
        self.assertEqual(len(broker.page(f"/topics/t{count - 1}")["events"]), 1)
        self.assertEqual(broker.get(f"/users/u{count - 1}/mailbox").json["counts"]["unread"], 1)
        self.note(f"{count} topics and as many mailboxes: {loaded / 2**20:.0f} MiB loaded, after kill -9 ready after "
                  f"{took:.2f} s of the processor with "
                  f"{memory / 2**20:.0f} MiB, {entries} files; a tenth of it {small[0]:.2f} s and "
                  f"{small[1] / 2**20:.0f} MiB, an empty one "
                  f"{empty[0]:.2f} s and {empty[1] / 2**20:.0f} MiB")


class Retry(OwnBrokerTest):
    @fault("S19")
    def test_s19_repeats_over_kills_are_one_event(self):
        broker = self.broker(options={"topics.level": "written"})
        stored, repeats = {}, 0
        for round_ in self.rounds(40, 3):
            items = [Item(round_ * 1000 + x, ["t"]) for x in range(1000)]
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
                repeats += hand.repeats
                # Whoever was answered, and did not hear of it, asks once more.
                number, identity = self.random.choice(sorted(hand.acknowledged.items()))
                answer = broker.post("/topics/t", str(number), {"Idempotency-Key": f"r{round_}-{number}"})
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual((answer.json.get("duplicate"), answer.json["id"]), (True, identity))
        self.assertGreater(repeats, 0, "no kill met a request under way")
        log = [(number_of(str(x["data"])), x["id"]) for x in broker.log_events()]
        self.assertEqual(sorted(log), sorted(stored.items()))
        self.note(f"{len(stored)} events, each repeated under its key until answered, over {self.tried} kills "
                  f"({repeats} repeats): each stored "
                  "once under the id it was answered with")
