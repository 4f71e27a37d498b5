#!/usr/bin/env python3
"""Two result files of scripts/bench in, a table of what changed for the broker out."""

import json
import sys


def table_of(path):
    with open(path) as f:
        result = json.load(f)
    return result, {(row["measure"], row["key"]): row for row in result["table"]}


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: bench/compare.py BEFORE.json AFTER.json")
    before, old = table_of(sys.argv[1])
    after, new = table_of(sys.argv[2])
    for result in (before, after):
        if result["quick"]:
            print("warning: a quick run, its figures mean little")
    if before["machine"]["cpu"] != after["machine"]["cpu"]:
        print("warning: not the same kind of machine")
    print(f"{before['commit'][:12]} -> {after['commit'][:12]}")
    for key, row in new.items():
        then, now = old.get(key, {}).get("tidings"), row.get("tidings")
        if then is None or now is None:
            continue
        change = f"{(now / then - 1) * 100:+6.1f} %" if then else ""
        print(f"{row['measure']:16}  {row['label']:52}  {then:14,.2f}  {now:14,.2f}  {row['unit']:5}  {change}")


if __name__ == "__main__":
    main()
