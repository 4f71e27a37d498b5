"""Judges lists in memory: what one client got against the log, and the log against what was acknowledged."""

import collections


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
