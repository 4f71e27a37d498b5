"""Runs tests and tells as it goes: a line before and after each, so that a log that breaks off shows where."""

import faulthandler
import pathlib
import signal
import sys
import time
import traceback
import unittest

from . import settings

TESTS = pathlib.Path(__file__).resolve().parents[2]
TEST_SECONDS = 600  # without a sanitizer; a test, or a round of one that says that it goes on, hangs if it takes longer


def _hangs(*_):
    raise TimeoutError(f"no progress within {settings.seconds(TEST_SECONDS)} s")


def going_on():
    """A test of many rounds says so after each."""
    signal.alarm(settings.seconds(TEST_SECONDS))


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.passed = []
        self.bad = []
        self.bad_skips = []

    def startTest(self, test):
        super().startTest(test)
        print(f"[ .. ] {test.id()}", flush=True)
        going_on()
        self._start = time.monotonic()

    def _end(self, word, test):
        signal.alarm(0)
        print(f"[ {word} ] {test.id()}  {time.monotonic() - self._start:.1f} s", flush=True)

    def addSuccess(self, test):
        self.passed.append(test)
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


def load(*folders):
    """All tests of these folders of tests/. Each file on its own: one that cannot be loaded is one failure."""
    for folder in folders:
        top = TESTS if (TESTS / folder / "__init__.py").exists() else TESTS / folder
        yield from tests_of(unittest.TestLoader().discover(str(TESTS / folder), "test_*.py", str(top)))


def run(tests, name, result=None):
    """Returns the result after the closing lines; the last one says how many passed."""
    faulthandler.enable()
    signal.signal(signal.SIGALRM, _hangs)
    # So that the brokers of a run that is stopped are stopped, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"seed {settings.seed} (TIDINGS_SEED={settings.seed} repeats this run)", flush=True)
    result = result or Result()
    start = time.monotonic()
    unittest.TestSuite(tests).run(result)
    print(f"{name}: {time.monotonic() - start:.0f} s, seed {settings.seed}")
    for bad in result.bad:
        print(f"FAILED: {bad}")
    return result


def close(result):
    skipped = f", {len(result.bad_skips)} skipped" if result.bad_skips else ""
    print(f"{len(result.passed)} passed, {len(result.bad)} failed{skipped}", flush=True)
    sys.exit(1 if result.bad else 0)
