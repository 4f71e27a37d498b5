#!/usr/bin/env python3
"""Runs the end-to-end tests, and those of their judges, against a built broker. The last line says how many passed.

    python3 tests/e2e/run.py [--broker PATH] [--quick] [--only TEXT]... [--crash-cycles N] [--model-steps N]
                             [--without-outside-clients] [--list]
"""

import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from support import runner, settings  # noqa: E402


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
    settings.use_broker(options.broker)
    settings.quick = options.quick
    settings.cycles = options.crash_cycles
    settings.model_steps = options.model_steps

    tests = [x for x in runner.load("e2e", "checker")
             if not options.only or any(o.lower() in x.id().lower() for o in options.only)]
    if options.without_outside_clients:
        outside = [x for x in tests if getattr(x, "needs_registry", False)]
        tests = [x for x in tests if x not in outside]
        print(f"left out: {len(outside)} tests with clients from registries", flush=True)
    if options.list:
        print("\n".join(x.id() for x in tests))
        return
    runner.close(runner.run(tests, "end-to-end"))


if __name__ == "__main__":
    main()
