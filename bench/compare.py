#!/usr/bin/env python3
"""Result files of scripts/bench in, a table of what changed for the broker out.

Usage: bench/compare.py BEFORE.json[,BEFORE2.json…] AFTER.json[,AFTER2.json…]

Of several files of one side the medians are compared: runs in turns, which see the same weather, tell more than one after
the other. Figures of floor and nchan, in which nothing changed, say how much of a difference is the machine.
"""

import json
import statistics
import sys

CONTENDERS = ("tidings", "floor", "nchan")


class Side:
    def __init__(self, paths):
        self.results = [json.load(open(path)) for path in paths.split(",")]
        self.labels = {}
        self._values = {}
        for result in self.results:
            for row in result["table"]:
                key = row["measure"], row["key"]
                self.labels[key] = row["label"], row["unit"]
                for who in CONTENDERS:
                    if row.get(who) is not None:
                        self._values.setdefault((key, who), []).append(row[who])

    def value(self, key, who):
        values = self._values.get((key, who))
        return statistics.median(values) if values else None

    def commits(self):
        return "+".join(sorted({x["commit"][:12] for x in self.results}))


def change(then, now):
    return f"{(now / then - 1) * 100:+6.1f} %" if then and now is not None else ""


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.split("\n\n")[1])
    before, after = map(Side, sys.argv[1:])
    everything = before.results + after.results
    if any(x["quick"] for x in everything):
        print("warning: a quick run, its figures mean little")
    if len({x["machine"]["cpu"] for x in everything}) != 1:
        print("warning: not the same kind of machine")
    print(f"{before.commits()} ({len(before.results)}) -> {after.commits()} ({len(after.results)})")
    for key, (label, unit) in after.labels.items():
        then, now = before.value(key, "tidings"), after.value(key, "tidings")
        if then is None or now is None:
            continue
        others = [f"{who} {text}" for who in CONTENDERS[1:]
                  if (text := change(before.value(key, who), after.value(key, who)).strip())]
        print(f"{key[0]:16}  {label:52}  {then:14,.2f}  {now:14,.2f}  {unit:5}  {change(then, now):10}  {', '.join(others)}")


if __name__ == "__main__":
    main()
