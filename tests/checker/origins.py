"""The history of a cluster is one history for each node that accepts events: every node tells the records of one origin in the
same order, and records of different origins in any order."""

import collections

from .judge import KINDS, Judgement, judge


def split_by_origin(lines, origin_of):
    """origin -> lines as if there was no other one, for `judge`.

    `origin_of(id)`: which node an event's id names. A delivery has two ids: `id`, that of the event, and `cursor`, what the
    stream was then at and may come back with; the ids of moves and of connections are cursors.
    """
    lines = list(lines)
    owners = {}
    for kind in ("stored", "acknowledged", "delivered"):
        for x in lines:
            if x["what"] == kind and x["id"] is not None:
                owners.setdefault(x["event"], origin_of(x["id"]))
    found = {origin: [] for origin in owners.values()}
    for x in lines:
        what = x["what"]
        if what == "delivered":
            owner = owners[x["event"]]
            found[owner].append(x)
            for history in found.values():
                history.append({"what": "moved", "stream": x["stream"], "id": x["cursor"]})
        elif "stream" in x or what == "read":
            for history in found.values():
                history.append(x)
        elif x["event"] in owners:
            found[owners[x["event"]]].append(x)
    return found


def judge_origins(lines, origin_of, **options):
    """A Judgement for the whole of it: what was found for each origin, together."""
    whole = Judgement()
    for history in split_by_origin(lines, origin_of).values():
        part = judge(history, **options)
        for kind in KINDS:
            getattr(whole, kind).extend(getattr(part, kind))
        whole.counts += collections.Counter({x: part.counts[x] for x in ("sent", "acknowledged", "stored", "delivered")})
    return whole
