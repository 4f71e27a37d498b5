"""The base of tests that need a broker."""

import contextlib
import json
import time
import unittest

from . import runner, settings
from .broker import Broker
from .waiting import eventually


def fault(*numbers):
    """The test is that of these faults: tests/faults/README.md."""
    def mark(test):
        test.faults = numbers
        return test
    return mark


def long_only(test):
    """Not in the short set of the fault matrix."""
    test.long_only = True
    return test


class BrokerTest(unittest.TestCase):
    """One broker for all tests of a class, unless a test starts its own with `self.broker()`.

    Tests of a class share its broker, so each uses topics of its own: `self.topic`.
    """

    options = {}
    config = None
    shared = None

    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        if cls.shared_wanted():
            cls.shared = Broker(cls.options, cls.config).start()

    @classmethod
    def shared_wanted(cls):
        return True

    @classmethod
    def tearDownClass(cls):
        if cls.shared:
            cls.shared.dispose()
            cls.shared = None

    def setUp(self):
        self.topic = self.id().rsplit(".", 1)[-1].removeprefix("test_")
        self._brokers = []
        self.random = settings.randomness(self.id())
        self.tried = self.held = 0
        self.notes = []

    def broker(self, *arguments, start=True, **keywords):
        """A broker of this test's own."""
        made = Broker(*arguments, **keywords)
        self.add_broker(made)
        if start:
            made.start()
        return made

    def add_broker(self, made):
        """It ends with this test."""
        self._brokers.append(made)
        # A log is of use only after a failure, and by then the folder must still be there.
        self.addCleanup(made.dispose)

    def note(self, text):
        """Says what was checked."""
        self.notes.append(text)
        print(f"      {text}", flush=True)

    def rounds(self, full, few):
        """Numbers of rounds of a test that does the same again and again, and counts those that held.

        As many as were asked for, else `full` (`few` in a quick run) while the time for this test lasts.
        """
        for number in range(settings.cycles or settings.pick(full, few)):
            if number and settings.deadline and time.monotonic() > settings.deadline:
                return
            runner.going_on()
            self.tried += 1
            yield number
            self.held += 1

    @contextlib.contextmanager
    def attempt(self, name):
        """A case of a table: a subtest that is counted."""
        self.tried += 1
        with self.subTest(name):
            yield
            self.held += 1

    def resources(self, broker):
        """Before the fault, for `back_to`."""
        return broker.sockets(), broker.threads()

    def back_to(self, broker, start):
        """After healing: sockets and threads as at the start. One socket may be that of the question itself."""
        eventually(lambda: broker.get("/stats").json["connected_clients"] == 0, 30, "no stream is left")
        sockets, threads = start
        eventually(lambda: broker.sockets() <= sockets + 1, 10, lambda: f"{broker.sockets()} sockets, {sockets} before")
        eventually(lambda: broker.threads() <= threads, 10, lambda: f"{broker.threads()} threads, {threads} before")

    def logs(self):
        """For a failure's report."""
        brokers = self._brokers or ([self.shared] if self.shared else [])
        return "\n".join(f"--- log of {x.url}\n{x.log_tail()}" for x in brokers)

    # -- short forms for the shared broker -------------------------------------------------------------

    def post(self, target, body="", headers=None, status=201):
        answer = self.shared.post(target, body, headers)
        self.assertEqual(answer.status, status, answer)
        return answer

    def publish(self, topic, body="x", query="", headers=None, status=201):
        return self.post(f"/topics/{topic}{query}", body, headers, status).json

    def post_events(self, value, media_type="application/json", status=201, headers=None, query=""):
        body = value if isinstance(value, (str, bytes)) else json.dumps(value)
        return self.post(f"/events{query}", body, {"Content-Type": media_type, **(headers or {})}, status)

    def stream(self, target, headers=None, **options):
        made = self.shared.stream(target, headers, **options)
        self.addCleanup(made.close)
        self.assertEqual(made.head.status, 200, made.head.headers)
        return made

    def page(self, target):
        return self.shared.page(target)

    def data(self, target):
        """What a topic keeps, oldest first."""
        return [x["data"] for x in self.page(target)["events"]]

    def assert_problem(self, answer, status, code):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.header("content-type"), "application/problem+json", answer)
        problem = answer.json
        self.assertEqual(problem["code"], code, problem)
        self.assertEqual(problem["status"], status)
        self.assertEqual(problem["type"], f"urn:tidings:error:{code}")
        self.assertTrue(problem["title"])
        return problem


class OwnBrokerTest(BrokerTest):
    """Each test starts what it needs."""

    @classmethod
    def shared_wanted(cls):
        return False
