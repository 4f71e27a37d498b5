"""Judges ledgers: python3 tests/checker [--survives LEVEL]... [--json] FILE...

Ends with 0 if nothing is wrong, 1 if something is, 2 if a ledger cannot be read.
"""

import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from checker import KINDS, judge, read_ledgers  # noqa: E402
from checker.judge import SURVIVING  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="checker", description=__doc__.splitlines()[0])
    parser.add_argument("ledgers", nargs="+", metavar="FILE", help="JSON lines, see tests/checker/README.md")
    parser.add_argument("--survives", action="append", metavar="LEVEL",
                        help=f"a level that outlives what happened (default: {', '.join(SURVIVING)})")
    parser.add_argument("--json", action="store_true", help="everything that was found, as JSON")
    options = parser.parse_args()
    try:
        found = judge(read_ledgers(options.ledgers), options.survives or SURVIVING)
    except (OSError, ValueError) as why:
        print(f"checker: {why}", file=sys.stderr)
        sys.exit(2)
    print(json.dumps({"counts": found.counts, **{x: getattr(found, x) for x in KINDS}}) if options.json else found)
    sys.exit(0 if found.good else 1)


if __name__ == "__main__":
    main()
