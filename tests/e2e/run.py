#!/usr/bin/env python3
"""Runs the end-to-end tests against a built broker. The last line says how many passed.

    python3 tests/e2e/run.py [--broker PATH] [--quick] [--only TEXT]... [--crash-cycles N] [--model-steps N]
                             [--without-outside-clients] [--list]
"""

import argparse
import faulthandler
import pathlib
import signal
import sys
import time
import traceback
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from support import settings  # noqa: E402


TEST_SECONDS = 600  # a test that takes longer hangs


def _hangs(*_):
    raise TimeoutError(f"the test did not end within {TEST_SECONDS} s")


class Result(unittest.TestResult):
    """A line before and after each test, so that a log that breaks off shows where."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self.bad = []
        self.bad_skips = []

    def startTest(self, test):
        super().startTest(test)
        print(f"[ .. ] {test.id()}", flush=True)
        signal.alarm(TEST_SECONDS)
        self._start = time.monotonic()

    def _end(self, word, test):
        signal.alarm(0)
        print(f"[ {word} ] {test.id()}  {time.monotonic() - self._start:.1f} s", flush=True)

    def addSuccess(self, test):
        self.passed += 1
        self._end("ok", test)

    def _bad(self, test, error):
        self.bad.append(test.id())
        if not hasattr(self, "_start"):
            self._start = time.monotonic()
        self._end("FAILED", test)
        traceback.print_exception(*error)
        if hasattr(test, "logs"):
            print(test.logs())
        sys.stderr.flush()
        sys.stdout.flush()

    def addError(self, test, error):
        self._bad(test, error)

    def addFailure(self, test, error):
        self._bad(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self._bad(subtest, error)
            if hasattr(test, "logs"):
                print(test.logs())

    def addSkip(self, test, reason):
        # Nothing is left out in silence.
        self.bad_skips.append(test.id())
        self._end(f"skipped: {reason}", test)


def tests_of(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_of(item)
        else:
            yield item


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--broker", type=pathlib.Path, default=settings.broker_path)
    parser.add_argument("--quick", action="store_true", help="small counts")
    parser.add_argument("--only", action="append", default=[], help="tests whose name contains TEXT")
    parser.add_argument("--crash-cycles", type=int, help="kill -9 cycles of the crash test")
    parser.add_argument("--model-steps", type=int, help="steps of the test of mailboxes against a model; 10000 is the full count")
    parser.add_argument("--without-outside-clients", action="store_true",
                        help="leave out the tests that need clients from npm, PyPI and the Go module proxy")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    settings.broker_path = options.broker.resolve()
    settings.quick = options.quick
    settings.crash_cycles = options.crash_cycles
    settings.model_steps = options.model_steps

    faulthandler.enable()
    signal.signal(signal.SIGALRM, _hangs)
    # So that the brokers of a run that is stopped are stopped, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    # Each test file on its own: a file that cannot be loaded is one failure.
    tests = list(tests_of(unittest.TestLoader().discover(str(HERE), "test_*.py", str(HERE))))
    tests = [x for x in tests if not options.only or any(o.lower() in x.id().lower() for o in options.only)]
    outside = [x for x in tests if getattr(x, "needs_registry", False)]
    if options.without_outside_clients:
        tests = [x for x in tests if x not in outside]
        print(f"left out: {len(outside)} tests with clients from registries", flush=True)
    if options.list:
        print("\n".join(x.id() for x in tests))
        return
    print(f"seed {settings.seed} (TIDINGS_SEED={settings.seed} repeats this run)", flush=True)
    result = Result()
    start = time.monotonic()
    unittest.TestSuite(tests).run(result)
    print(f"end-to-end: {time.monotonic() - start:.0f} s, seed {settings.seed}")
    for name in result.bad:
        print(f"FAILED: {name}")
    skipped = f", {len(result.bad_skips)} skipped" if result.bad_skips else ""
    print(f"{result.passed} passed, {len(result.bad)} failed{skipped}", flush=True)
    sys.exit(1 if result.bad else 0)


if __name__ == "__main__":
    main()
