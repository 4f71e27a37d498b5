"""The judges themselves: histories that are wrong on purpose must be found."""

import unittest

from support.checker import check_history, check_ledger, matches, wants
from support.sse import Parser


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
