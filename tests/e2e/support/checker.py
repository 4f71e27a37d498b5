"""Judges what a client saw against the log. Knows nothing of the broker but its promises."""

import collections
import re

_SEPARATORS = ":/."


def matches(pattern, topic):
    """The meaning of a subscription's pattern, written down a second time."""
    if pattern in ("*", "**"):
        return True
    expression, segment = "", ""
    for letter in pattern + "\0":
        if letter in _SEPARATORS or letter == "\0":
            last = letter == "\0"
            if segment == "*":
                expression += f"[^{re.escape(_SEPARATORS)}]+"
            elif segment == "**" and last:
                expression += ".+"
            else:
                expression += re.escape(segment)
            expression += "" if last else re.escape(letter)
            segment = ""
        else:
            segment += letter
    return re.fullmatch(expression, topic, re.DOTALL) is not None


def wants(patterns, topics):
    """Whether an event with these topics belongs to a stream that asked for these patterns."""
    return not patterns or any(matches(p, t) for p in patterns for t in topics)


class Verdict:
    def __init__(self, lost, doubled, reordered, phantom, checked):
        self.lost, self.doubled, self.reordered, self.phantom = lost, doubled, reordered, phantom
        self.checked = checked

    @property
    def good(self):
        return not (self.lost or self.doubled or self.reordered or self.phantom)

    def __str__(self):
        return (f"{self.checked} checked: {len(self.lost)} lost {self.lost[:5]}, {len(self.doubled)} doubled "
                f"{self.doubled[:5]}, {len(self.reordered)} out of order {self.reordered[:5]}, "
                f"{len(self.phantom)} never stored {self.phantom[:5]}")


def check_history(expected, received):
    """`expected`: what matches, in log order, each once. `received`: what the client got, in order.

    lost: expected and never received. doubled: received again. phantom: received, not expected.
    reordered: received after something that stands behind it in the log.
    """
    place = {x: i for i, x in enumerate(expected)}
    if len(place) != len(expected):
        raise ValueError("the log holds something twice")
    seen = set()
    doubled, reordered, phantom = [], [], []
    furthest = -1
    for x in received:
        if x in seen:
            doubled.append(x)
            continue
        seen.add(x)
        if x not in place:
            phantom.append(x)
        elif place[x] < furthest:
            reordered.append(x)
        else:
            furthest = place[x]
    lost = [x for x in expected if x not in seen]
    return Verdict(lost, doubled, reordered, phantom, len(received))


class Ledger:
    """Acknowledged publishes, kept outside of the broker: what was answered, never what was asked."""

    def __init__(self):
        self.acknowledged = {}  # content -> (id, level)
        self.refused = 0
        self.unknown = 0

    def acknowledge(self, content, identity, level):
        self.acknowledged[content] = (identity, level)


def check_ledger(acknowledged, log):
    """`acknowledged`: content -> id, of all that was promised to last; `log`: (id, content) as read.

    Returns (lost, reused, doubled): contents that are not there; ids that stand for two contents, by
    the ledger or the log; contents stored more than once.
    """
    owners = collections.defaultdict(set)
    for content, identity in acknowledged.items():
        owners[identity].add(content)
    stored = collections.Counter()
    for identity, content in log:
        owners[identity].add(content)
        stored[content] += 1
    lost = [x for x in acknowledged if not stored[x]]
    reused = [(i, sorted(map(str, c))[:3]) for i, c in owners.items() if len(c) > 1]
    doubled = [x for x, n in stored.items() if n > 1]
    return lost, reused, doubled
