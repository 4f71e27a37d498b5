"""The judges themselves: histories that are wrong on purpose must be found."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from checker import KINDS, Ledger, check_history, check_ledger, judge, judge_origins, matches, read_ledgers, wants
from support.sse import Parser

CHECKER = pathlib.Path(__file__).resolve().parent


class HistoryChecker(unittest.TestCase):
    LOG = [3, 1, 2, 7, 5]

    def test_a_right_history_is_good(self):
        verdict = check_history(self.LOG, [3, 1, 2, 7, 5])
        self.assertTrue(verdict.good, verdict)
        self.assertEqual(verdict.checked, 5)

    def test_finds_what_is_lost(self):
        for hole in self.LOG:
            verdict = check_history(self.LOG, [x for x in self.LOG if x != hole])
            self.assertEqual(verdict.lost, [hole])
            self.assertFalse(verdict.good)

    def test_finds_what_is_doubled(self):
        verdict = check_history(self.LOG, [3, 1, 1, 2, 7, 5])
        self.assertEqual(verdict.doubled, [1])
        self.assertFalse(verdict.good)
        self.assertEqual(check_history(self.LOG, [3, 1, 2, 7, 5, 3]).doubled, [3])

    def test_finds_what_is_out_of_order(self):
        verdict = check_history(self.LOG, [3, 2, 1, 7, 5])
        self.assertEqual((verdict.reordered, verdict.lost, verdict.doubled), ([1], [], []))
        self.assertFalse(verdict.good)

    def test_finds_what_was_never_stored(self):
        verdict = check_history(self.LOG, [3, 1, 2, 9, 7, 5])
        self.assertEqual(verdict.phantom, [9])
        self.assertFalse(verdict.good)

    def test_refuses_a_log_that_holds_something_twice(self):
        with self.assertRaises(ValueError):
            check_history([1, 1], [1])


class LedgerChecker(unittest.TestCase):
    def test_a_right_log_is_good(self):
        self.assertEqual(check_ledger({"a": "i1"}, [("i1", "a"), ("i2", "b")]), ([], [], []))

    def test_finds_an_acknowledged_event_that_is_gone(self):
        self.assertEqual(check_ledger({"a": "i1", "b": "i2"}, [("i1", "a")])[0], ["b"])

    def test_finds_an_id_that_stands_for_two_events(self):
        # in the log, between ledger and log, and within the ledger
        self.assertTrue(check_ledger({}, [("i1", "a"), ("i1", "b")])[1])
        self.assertTrue(check_ledger({"a": "i1"}, [("i2", "a"), ("i1", "b")])[1])
        self.assertTrue(check_ledger({"a": "i1", "b": "i1"}, [("i1", "a"), ("i2", "b")])[1])

    def test_finds_an_event_stored_twice(self):
        self.assertEqual(check_ledger({"a": "i1"}, [("i1", "a"), ("i2", "a")])[2], ["a"])


class Judge(unittest.TestCase):
    """A right history of two publishers and two streams, and each way of being wrong."""

    def setUp(self):
        self.lines = []
        for number, topic in enumerate(("a", "b", "a", "a", "b", "a")):
            publisher = f"p{number % 2}"
            self.add("sent", event=number, publisher=publisher, topics=[topic])
            self.add("acknowledged", event=number, publisher=publisher, id=f"i{number}", level="fsync", topics=[topic])
            self.add("stored", event=number, id=f"i{number}", topics=[topic])
        self.add("opened", stream="all", topics=[], cursor="earliest")
        for number in (0, 1, 2):
            self.add("delivered", stream="all", event=number, id=f"i{number}")
        self.add("opened", stream="all", topics=[], cursor="i2")
        for number in (3, 4, 5):
            self.add("delivered", stream="all", event=number, id=f"i{number}")
        self.add("finished", stream="all")
        self.add("opened", stream="some", topics=["a"], cursor="i0")
        self.add("delivered", stream="some", event=2, id="i2")
        self.add("delivered", stream="some", event=3, id="i3")
        self.add("moved", stream="some", id="i4")
        self.add("opened", stream="some", topics=["a"], cursor="i4")
        self.add("delivered", stream="some", event=5, id="i5")
        self.add("finished", stream="some")

    def add(self, what, **fields):
        self.lines.append({"what": what, **fields})

    def at(self, what, **fields):
        """The place of a line."""
        found = [i for i, x in enumerate(self.lines) if x["what"] == what and all(x.get(k) == v for k, v in fields.items())]
        return found[0]

    def drop(self, what, **fields):
        return self.lines.pop(self.at(what, **fields))

    def finds(self, judged=None, **wanted):
        """Exactly these findings and no others."""
        found = judged or judge(self.lines)
        self.assertEqual({x: getattr(found, x) for x in KINDS if getattr(found, x)}, wanted, found)
        self.assertEqual(found.good, not wanted)

    def test_a_right_history_is_good(self):
        found = judge(self.lines)
        self.assertTrue(found.good, found)
        self.assertEqual((found.counts["stored"], found.counts["delivered"]), (6, 9))

    def test_an_acknowledged_event_that_is_not_stored_is_lost(self):
        self.drop("stored", event=1)
        self.drop("delivered", stream="all", event=1)
        self.finds(lost=[("log", 1)])
        # Unless its level does not survive what happened, or it was to go.
        self.assertTrue(judge(self.lines, survives=("quorum",)).good)
        self.assertTrue(judge(self.lines, gone=[1]).good)

    def test_in_a_log_that_is_empty_everything_is_lost(self):
        self.lines = [x for x in self.lines if x["what"] in ("sent", "acknowledged")]
        self.finds()  # it was not read at all
        self.add("read")
        self.finds(lost=[("log", x) for x in range(6)])

    def test_what_was_seen_and_un_happened_is_lost(self):
        self.drop("stored", event=5)
        self.drop("acknowledged", event=5)
        self.finds(lost=[("all", 5), ("some", 5)])

    def test_what_does_not_come_by_the_end_is_lost(self):
        self.drop("delivered", stream="some", event=5)
        self.finds(lost=[("some", 5)])

    def test_stored_twice_is_doubled(self):
        self.add("stored", event=2, id="i7", topics=["a"])
        self.finds(doubled=[("log", 2)])

    def test_delivered_twice_on_a_connection_is_doubled(self):
        self.lines.insert(self.at("delivered", stream="some", event=3) + 1, self.lines[self.at("delivered", stream="some", event=2)])
        self.finds(doubled=[("some", 2)])

    def test_delivered_again_after_coming_back_is_doubled(self):
        self.lines.insert(self.at("delivered", stream="all", event=3), self.lines[self.at("delivered", stream="all", event=2)])
        self.finds(doubled=[("all", 2)])

    def test_delivered_again_to_who_went_back_is_right(self):
        self.lines[self.at("opened", stream="all", cursor="i2")]["cursor"] = "i1"
        self.lines.insert(self.at("delivered", stream="all", event=3), self.lines[self.at("delivered", stream="all", event=2)])
        self.finds()

    def test_delivered_against_the_log_is_reordered(self):
        a, b = self.at("delivered", stream="all", event=3), self.at("delivered", stream="all", event=4)
        self.lines[a], self.lines[b] = self.lines[b], self.lines[a]
        self.finds(reordered=[("all", 3)])

    def test_delivered_from_before_its_start_is_reordered(self):
        self.lines.insert(self.at("delivered", stream="some", event=2), {"what": "delivered", "stream": "some", "event": 0, "id": "i0"})
        self.finds(reordered=[("some", 0)])

    def test_stored_against_its_publisher_is_reordered(self):
        a, b = self.at("acknowledged", event=1), self.at("acknowledged", event=5)
        self.lines[a], self.lines[b] = self.lines[b], self.lines[a]
        self.finds(reordered=[("log", 3), ("log", 1)])

    def test_what_nobody_sent_is_a_phantom(self):
        self.lines.insert(self.at("finished", stream="all"), {"what": "delivered", "stream": "all", "event": 9, "id": "i9"})
        self.finds(phantom=[("all", 9)])

    def test_what_nobody_sent_or_what_was_refused_is_a_phantom_in_the_log(self):
        self.add("stored", event=9, id="i9", topics=["c"])
        self.lines[self.at("finished", stream="all")]["what"] = "ignored"
        del self.lines[self.at("ignored")]
        self.finds(phantom=[("log", 9)])
        self.add("sent", event=9, publisher="p1")
        self.finds()
        self.add("refused", event=9, publisher="p1")
        self.finds(phantom=[("log", 9)])

    def test_a_hole_between_two_deliveries_is_a_silent_gap_unless_it_is_told(self):
        hole = self.at("delivered", stream="all", event=4)
        self.drop("delivered", stream="all", event=4)
        self.finds(silent_gap=[("all", 4)])
        self.lines.insert(hole, {"what": "gap", "stream": "all", "reason": "evicted"})
        self.finds()

    def test_a_gap_told_elsewhere_covers_nothing(self):
        self.drop("delivered", stream="all", event=4)
        self.lines.insert(self.at("delivered", stream="all", event=3), {"what": "gap", "stream": "all", "reason": "evicted"})
        self.finds(silent_gap=[("all", 4)])

    def test_a_hole_at_a_reconnect_is_a_silent_gap(self):
        self.drop("delivered", stream="all", event=3)
        self.finds(silent_gap=[("all", 3)])

    def test_a_position_that_passes_something_over_is_a_silent_gap(self):
        self.drop("delivered", stream="some", event=3)
        self.finds(silent_gap=[("some", 3)])

    def test_an_id_for_two_events_is_found(self):
        self.lines[self.at("stored", event=4)]["id"] = "i3"
        self.assertEqual(judge(self.lines).reused, [("i3", ["3", "4"])])

    def test_without_the_log_one_publishers_answers_are_the_order(self):
        lines = [{**x, "publisher": "p"} if "publisher" in x else x for x in self.lines if x["what"] != "stored"]
        self.assertTrue(judge(lines).good)
        found = judge([x for x in lines if (x["what"], x.get("event")) != ("delivered", 3)])
        self.assertEqual(found.silent_gap, [("all", 3), ("some", 3)])

    def test_each_kind_is_found_by_the_command(self):
        self.drop("delivered", stream="all", event=4)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "ledger")
            ledger = Ledger(path)
            for line in self.lines:
                ledger.write(**line)
            ledger.close()
            self.assertEqual(list(read_ledgers([path])), self.lines)
            run = lambda *words: subprocess.run([sys.executable, CHECKER, *words], capture_output=True, text=True)
            done = run(path)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("1 silent_gap", done.stdout)
            self.assertEqual(json.loads(run("--json", path).stdout)["silent_gap"], [["all", 4]])
            self.assertEqual(run(os.path.join(folder, "none")).returncode, 2)
            with open(path, "a") as file:
                file.write('{"what":"delivered","stream":"all","event":5,"id":"i5"}\n{"what":"delivered"}\n')
            done = run(path)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn(f"{path}:{len(self.lines) + 2}", done.stderr)


class Origins(unittest.TestCase):
    """Two nodes that each order their own events: a3 is the third of node a. A cursor names how many of each were seen."""

    def setUp(self):
        self.lines = []
        for event in ("a1", "b1", "a2", "b2", "a3"):
            self.add("sent", event=event, publisher=event[0], topics=["t"])
            self.add("acknowledged", event=event, publisher=event[0], id=event, level="quorum", topics=["t"])
        for event in ("a1", "a2", "b1", "b2", "a3"):
            self.add("stored", event=event, id=event, topics=["t"])
        self.add("opened", stream="s", topics=[], cursor="earliest")
        self.deliver("b1", "0/1")
        self.deliver("a1", "1/1")
        self.deliver("b2", "1/2")
        self.add("opened", stream="s", topics=[], cursor="1/2")
        self.deliver("a2", "2/2")
        self.deliver("a3", "3/2")
        self.add("finished", stream="s")

    def add(self, what, **fields):
        self.lines.append({"what": what, **fields})

    def deliver(self, event, cursor):
        self.add("delivered", stream="s", event=event, id=event, cursor=cursor)

    def drop(self, what, event):
        self.lines.remove(next(x for x in self.lines if x["what"] == what and x.get("event") == event))

    def finds(self, **wanted):
        found = judge_origins(self.lines, lambda identity: identity[0])
        self.assertEqual({x: getattr(found, x) for x in KINDS if getattr(found, x)}, wanted, found)

    def test_nodes_may_be_told_in_any_order(self):
        self.finds()
        self.assertEqual(judge_origins(self.lines, lambda x: x[0]).counts["delivered"], 5)

    def test_what_is_not_stored_or_not_delivered_is_found(self):
        self.drop("delivered", "b2")
        next(x for x in self.lines if x.get("cursor") == "1/2" and x["what"] == "opened")["cursor"] = "1/1"
        self.finds(lost=[("s", "b2")])
        self.drop("stored", "b2")
        self.finds(lost=[("log", "b2")])

    def test_what_the_cursor_had_seen_is_doubled(self):
        self.lines.insert(-1, {"what": "delivered", "stream": "s", "event": "b2", "id": "b2", "cursor": "3/2"})
        self.finds(doubled=[("s", "b2")])

    def test_what_the_cursor_had_not_seen_is_passed_over(self):
        self.drop("delivered", "a2")
        self.finds(silent_gap=[("s", "a2")])

    def test_each_node_has_an_order(self):
        a, b = (next(i for i, x in enumerate(self.lines) if x["what"] == "delivered" and x["event"] == e) for e in ("a2", "a3"))
        self.lines[a], self.lines[b] = self.lines[b], self.lines[a]
        self.finds(reordered=[("s", "a2")])


class Patterns(unittest.TestCase):
    def test_one_segment_any_depth_and_literal_separators(self):
        for pattern, topic, want in [
            ("order:*", "order:1", True),
            ("order:*", "order:1:paid", False),
            ("order:*", "order:", False),
            ("order:*", "order/1", False),
            ("*:paid", "order:paid", True),
            ("a/*/c", "a/b/c", True),
            ("a/*/c", "a/b.b/c", False),
            ("iot/**", "iot/a/b", True),
            ("iot/**", "iot/a.b:c", True),
            ("iot/**", "iot", False),
            ("**", "x:y/z", True),
            ("*", "x:y/z", True),
            ("a.b", "a.b", True),
            ("a.b", "aXb", False),
        ]:
            self.assertIs(matches(pattern, topic), want, (pattern, topic))

    def test_no_pattern_is_everything(self):
        self.assertTrue(wants([], ["x"]))
        self.assertFalse(wants(["a", "b:*"], ["c", "b"]))
        self.assertTrue(wants(["a", "b:*"], ["c", "b:1"]))


class SseParser(unittest.TestCase):
    TEXT = ("\ufeff: hi\nretry: 250\nretry: 1x\n\nid: 1\n\nevent: a\nid: 2\ndata: x\ndata:  y\r\ndata\rdata:z\n\n"
            "id: 3\ndata: cut").encode()

    def test_the_same_items_however_the_bytes_are_cut(self):
        whole = Parser().feed(self.TEXT)
        self.assertEqual([(x.kind, x.type, x.data, x.id) for x in whole], [
            ("comment", None, " hi", ""),
            ("retry", None, 250, ""),
            ("position", None, None, "1"),
            ("event", "a", "x\n y\n\nz", "2"),
        ])
        for size in (1, 2, 3, 5):
            parser, items = Parser(), []
            for at in range(0, len(self.TEXT), size):
                items += parser.feed(self.TEXT[at:at + size])
            self.assertEqual(items, whole, f"pieces of {size}")
            # A block without its end does not move the position.
            self.assertEqual(parser.last_event_id, "2")
