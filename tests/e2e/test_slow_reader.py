"""A reader that stops owns a bounded number of bytes, hurts nobody and misses nothing."""

import threading
import time

from support import settings
from support.case import OwnBrokerTest, fault
from support.traffic import number_of
from support.waiting import eventually
from support.wire import Closed, Connection

RATE = 1000  # events per second


class SlowReader(OwnBrokerTest):
    def load(self, broker, seconds, first=0):
        """Publishes RATE events per second, each with the time it was sent at. Returns the next number."""
        number, start = first, time.monotonic()
        body = "x" * 180
        with Connection(broker.address) as link:
            while time.monotonic() - start < seconds:
                due = start + (number - first) / RATE
                ahead = due - time.monotonic()
                if ahead > 0:
                    time.sleep(ahead)  # the rate is the point
                answer = link.request("POST", "/topics/t", body=f"{number}\n{time.monotonic()}\n{body}")
                assert answer.status == 201, answer
                number += 1
        return number

    @fault("C4")
    def test_a_stopped_reader_goes_on_with_everything_in_order(self):
        seconds = settings.pick(12, 4)
        # The kernel takes what it can; small buffers make the broker feel the reader soon.
        broker = self.broker(options={"topics.level": "written", "limits.write-timeout": "60s"})
        quick = broker.stream("/topics/t")
        quick.ready()
        delays, got, stop = [], [], threading.Event()

        def read_quick():
            while not stop.is_set():
                try:
                    event = quick.event(0.5)
                except TimeoutError:
                    continue
                number, sent, _ = event.data.split("\n")
                delays.append(time.monotonic() - float(sent))
                got.append(int(number))

        reader = threading.Thread(target=read_quick, daemon=True)
        reader.start()
        number = self.load(broker, seconds / 2)
        eventually(lambda: len(got) == number)
        before = sorted(delays)
        del delays[:]
        base = broker.memory()

        slow = broker.stream("/topics/t", receive_buffer=4096)
        slow.ready()
        position = number
        number = self.load(broker, seconds, number)  # nobody reads `slow` meanwhile
        eventually(lambda: len(got) == number)
        during = sorted(delays)
        grown = broker.memory() - base
        expected = list(range(position, number))
        self.assertEqual([number_of(slow.event(20).data) for _ in expected], expected)
        number = self.load(broker, 1, number)
        tail = [number_of(slow.event(20).data) for _ in range(expected[-1] + 1, number)]
        self.assertEqual(tail, list(range(expected[-1] + 1, number)))
        eventually(lambda: len(got) == number)
        stop.set()
        reader.join()
        self.assertEqual(got, list(range(number)))
        p99 = lambda x: x[int(len(x) * 0.99)] * 1000
        self.note(f"stopped for {seconds} s under {len(expected) / seconds:.0f} events/s: {len(expected)} events in order "
                  f"afterwards; memory {grown / 1024:+.0f} KiB; p99 of the other reader {p99(before):.1f} ms before, "
                  f"{p99(during):.1f} ms during")
        # The log itself takes memory as it grows (memtable, recent events), with or without the reader.
        self.assertLess(grown, 40 << 20)
        self.assertEqual(broker.get("/stats").json["dropped_messages"], 0)

    @fault("C1")
    def test_many_stopped_readers_stay_within_their_bytes(self):
        readers = settings.pick(100, 20)
        broker = self.broker(options={"topics.level": "written", "limits.write-timeout": "60s", "stream.recent-bytes": "1MiB"})
        body = "x" * 2000
        # Without readers first, so that what the log needs is in the base.
        for _ in range(40):
            broker.post("/events", "[" + ",".join(f'{{"topic":"warm","data":"{body}"}}' for _ in range(100)) + "]",
                        {"Content-Type": "application/json"})
        streams = [broker.stream("/topics/t", receive_buffer=4096) for _ in range(readers)]
        for stream in streams:
            self.addCleanup(stream.close)
            stream.ready()
        base = broker.memory()
        count = 0
        for _ in range(40):
            answer = broker.post("/events", "[" + ",".join(f'{{"topic":"t","data":"{count + i}\\n{body}"}}' for i in range(100)) + "]",
                                 {"Content-Type": "application/json"})
            self.assertEqual(answer.status, 201)
            count += 100
        grown = broker.memory() - base
        for stream in streams:
            self.assertEqual([number_of(stream.event(30).data) for _ in range(count)], list(range(count)))
        self.note(f"{readers} readers stopped, {count * 2 // 1000} MB published for each: memory {grown / readers / 1024:+.0f} KiB per "
                  f"reader; then {readers * count} events in order")
        # Kernel buffers are not the broker's; 256 KiB is what a reader may own, 8 MiB what the log may grow by.
        self.assertLess(grown, readers * (256 << 10) + (24 << 20))

    @fault("C1")
    def test_the_kernel_holds_little_for_a_stopped_reader(self):
        broker = self.broker(options={"topics.level": "written", "limits.write-timeout": "60s", "stream.unsent-bytes": "64KiB"})
        stream = broker.stream("/topics/t", receive_buffer=4096)
        self.addCleanup(stream.close)
        stream.ready()
        body, count = "x" * 2000, 0
        for _ in range(40):
            answer = broker.post("/events", "[" + ",".join(f'{{"topic":"t","data":"{count + i}\\n{body}"}}' for i in range(100)) + "]",
                                 {"Content-Type": "application/json"})
            self.assertEqual(answer.status, 201)
            count += 100
        # What was published is far more than the kernel would take, and it has been offered: the stream is not live any more.
        eventually(lambda: broker.get("/connections").json["connections"][0]["state"] == "blocked", 20, "the stream is blocked")
        held = broker.unsent_bytes()
        self.assertEqual([number_of(stream.event(30).data) for _ in range(count)], list(range(count)))
        self.note(f"{count * 2 // 1000} MB published past a stopped reader: {held >> 10} KiB in the kernel; then {count} events in order")
        # The limit, what the reader's own buffer let pass, and one segment.
        self.assertLess(held, 192 << 10)

    @fault("C2")
    def test_a_reader_that_takes_no_byte_is_closed(self):
        broker = self.broker(options={"topics.level": "written", "limits.write-timeout": "1s"})
        stuck = broker.stream("/topics/t", receive_buffer=4096)
        stuck.ready()
        other = broker.stream("/topics/t")
        other.ready()
        body = "x" * 200000
        for _ in range(60):
            broker.post("/topics/t", body)
            other.event(20)
        eventually(lambda: broker.get("/stats").json["connected_clients"] == 1, 20, "the stuck stream is ended")
        with self.assertRaises((Closed, ConnectionResetError)):
            while True:
                stuck.item(5)
        # It comes back with the last whole event it has.
        again = broker.stream("/topics/t", {"Last-Event-ID": stuck.last_event_id})
        self.assertIs(again.ready()["recovered"], True)
        again.event(10)


class Overflow(OwnBrokerTest):
    def flood(self, broker, overflow):
        stream = broker.stream(f"/topics/t?overflow={overflow}", receive_buffer=4096)
        stream.ready()
        body = "x" * 8000
        for i in range(100):
            broker.post("/events", "[" + ",".join(f'{{"topic":"t","data":"{i * 20 + j}\\n{body}"}}' for j in range(20)) + "]",
                        {"Content-Type": "application/json"})
        return stream

    def read_all(self, stream):
        """Until the marker: numbers, gaps."""
        numbers, gaps = [], []
        while True:
            event = stream.event(10, control=True)
            if event.type == "tidings.gap":
                gaps.append(event.data)
            elif event.data == "end":
                return numbers, gaps
            else:
                numbers.append(number_of(event.data))

    def test_dropping_is_announced_and_counted(self):
        broker = self.broker(options={"topics.level": "written"})
        for overflow in ("drop_oldest", "drop_newest"):
            with self.subTest(overflow):
                stream = self.flood(broker, overflow)
                self.addCleanup(stream.close)
                # Room first: an end that is dropped, too, would never come.
                dropped = broker.get("/stats").json["dropped_messages"]
                self.assertGreater(dropped, 0)
                done = threading.Event()

                def mark():
                    while not done.is_set():
                        broker.post("/topics/t", "end")
                        done.wait(0.05)

                marker = threading.Thread(target=mark, daemon=True)
                marker.start()
                try:
                    numbers, gaps = self.read_all(stream)
                finally:
                    done.set()
                    marker.join()
                self.assertEqual(numbers, sorted(set(numbers)), "what is delivered is in order and once")
                self.assertLess(len(numbers), 2000)
                self.assertTrue(gaps and all('"lagged"' in x for x in gaps), gaps[:3])
                self.note(f"{overflow}: {len(numbers)} of 2000 delivered, {len(gaps)} gaps told, {dropped} dropped in all")
                stream.close()

    def test_disconnect_ends_the_stream_and_the_id_goes_on(self):
        broker = self.broker(options={"topics.level": "written"})
        stream = self.flood(broker, "disconnect")
        numbers = []
        try:
            while True:
                event = stream.event(10, control=True)
                if event.type == "tidings.closing":
                    self.assertIn("slow_reader", event.data)
                elif not event.type.startswith("tidings."):
                    numbers.append(number_of(event.data))
        except (Closed, ConnectionResetError):
            pass
        self.assertLess(len(numbers), 2000)
        again = broker.stream("/topics/t", {"Last-Event-ID": stream.last_event_id})
        rest = [number_of(again.event(10).data) for _ in range(2000 - len(numbers))]
        self.assertEqual(numbers + rest, list(range(2000)))
