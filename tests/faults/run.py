#!/usr/bin/env python3
"""Runs the fault matrix against a built broker: a line for each fault, `ID tried held figure`, at the end.

    python3 tests/faults/run.py [--broker PATH] [--short] [--budget MINUTES] [--cycles N] [--only ID|TEXT]...
                                [--may-skip] [--list]
"""

import argparse
import collections
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent)]

from support import runner, settings  # noqa: E402


def in_rounds(test):
    return "rounds" in getattr(test, test._testMethodName).__code__.co_names


class FaultResult(runner.Result):
    """Shares the time out among the tests in rounds that are still to come."""

    def __init__(self, tests, minutes):
        super().__init__()
        self.left = sum(map(in_rounds, tests))
        self.end = time.monotonic() + minutes * 60 if minutes else None

    def startTest(self, test):
        if self.end:
            settings.deadline = time.monotonic() + max(self.end - time.monotonic(), 0) / max(self.left, 1)
        self.left -= in_rounds(test)
        super().startTest(test)


def faults_of(test):
    return getattr(getattr(test, test._testMethodName, None), "faults", ())


def wanted(test, only):
    """An ID is taken for the fault, everything else for a part of the test's name."""
    if not only:
        return True
    numbers = {x.upper() for x in faults_of(test)}
    return any(x.upper() in numbers if re.fullmatch(r"[A-Za-z]\d+", x) else x.lower() in test.id().lower() for x in only)


def summary(tests, result):
    rows = collections.defaultdict(lambda: [0, 0, []])
    passed = set(map(id, result.passed))
    for test in tests:
        tried = max(test.tried, 1)
        held = (test.held if test.tried else 1) if id(test) in passed else min(test.held, tried - 1)
        for number in faults_of(test):
            row = rows[number]
            row[0] += tried
            row[1] += held
            row[2] += test.notes or [test._testMethodName.removeprefix("test_").replace("_", " ")]
    for number in sorted(rows, key=lambda x: (x[0], int(x[1:]))):
        tried, held, notes = rows[number]
        print(f"{number:4} {tried:6} {held:6}  {'; '.join(notes)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--broker", type=pathlib.Path, default=settings.broker_path)
    parser.add_argument("--short", action="store_true", help="small counts, and only what is quick and the end-to-end tests do not run anyway")
    parser.add_argument("--budget", type=float, metavar="MINUTES", help="tests in rounds begin no further round when their share is over")
    parser.add_argument("--cycles", type=int, metavar="N", help="exactly so many rounds of each test in rounds")
    parser.add_argument("--only", action="append", default=[], metavar="ID|TEXT", help="a fault such as S1, or part of a test's name")
    parser.add_argument("--may-skip", action="store_true",
                        help="tests that cannot run here, for instance without root, are no failure")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    settings.use_broker(options.broker)
    settings.quick = options.short
    settings.cycles = options.cycles

    tests = list(runner.load("faults"))
    if options.short:
        tests = [x for x in tests if not getattr(getattr(x, x._testMethodName, None), "long_only", False)]
    else:
        tests += [x for x in runner.load("e2e") if faults_of(x)]
    tests = [x for x in tests if wanted(x, options.only)]
    if options.list:
        for test in tests:
            print(f"{','.join(faults_of(test)):12} {test.id()}")
        return
    if not tests and not options.short:
        sys.exit(f"no test for {', '.join(options.only)}; --list has them all")
    # Those without rounds first: what they leave is for the others.
    tests.sort(key=in_rounds)
    result = runner.run(tests, "faults", FaultResult(tests, options.budget))
    summary(tests, result)
    # Whoever wants to know that nothing is lost over a power cut must not be told so by a run without one.
    if not (options.short or options.may_skip):
        for test in result.bad_skips:
            print(f"FAILED: {test} was skipped; --may-skip allows it")
        result.bad += result.bad_skips
    runner.close(result)


if __name__ == "__main__":
    main()
