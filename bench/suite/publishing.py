"""What a publish costs, how fast events are stored and read again, how soon a full store is ready."""

import os
import shutil
import sys

from .machine import MIB
from .runner import measurement, simple
from .servers import Server
from .table import AT_LEAST, AT_MOST, Row


def publish_fsync(connections, events, quick):
    """Level fsync. The floor is the disk: one record appended and synced after the other."""

    @measurement(seconds=40, contenders=("tidings", "floor"))
    def measure(bench, name, contender, round_number):
        count = bench.pick(events, quick)
        if contender == "floor":
            out = bench.load(None, "sync", cores="0", file=bench.work / "sync-floor", bytes=300,
                             events=bench.pick(5000, 500))
            bench.record(name, contender, round_number, None, "0", out)
            return
        server = Server(bench, contender, "0")
        try:
            out = bench.load(server, "publish", ack="fsync", connections=connections, events=count)
        finally:
            server.remove()
        bench.record(name, contender, round_number, "0", "1", out)

    return measure


def ndjson(connections, topics):
    """Level fsync, and the broker may use both cores, as it would: parsing and storing are two threads."""

    @measurement(seconds=12)
    def measure(bench, name, contender, round_number):
        server = Server(bench, contender, "0,1")
        try:
            out = bench.load(server, "ndjson", ack="fsync", events=bench.pick(1_000_000, 50_000),
                             connections=connections, topics=topics)
        finally:
            server.remove()
        bench.record(name, contender, round_number, "0,1", "1", out)

    return measure


@measurement(seconds=20)
def replay(bench, name, contender, round_number):
    """A fresh store with a million events, then a new process, so that its memory is of the replay alone."""
    events = bench.pick(1_000_000, 50_000)
    settings = ("topics.level=written",)
    server = Server(bench, contender, "0,1", settings)
    data = server.data
    again = None
    try:
        fill = bench.load(server, "ndjson", ack="written", events=events, warmup=0)
        server.stop()
        again = Server(bench, contender, "0,1", settings, data=data)
        first = bench.load(again, "replay", events=events)
        second = bench.load(again, "replay", events=events)
    finally:
        if again:
            again.remove()
        server.remove()
    bench.record(name + "-fill", contender, round_number, "0,1", "1", fill)
    bench.record(name, contender, round_number, "0,1", "1", first)
    bench.record(name + "-again", contender, round_number, "0,1", "1", second)


def forget_pages(folder):
    """Takes the store's files out of the page cache, as after a reboot."""
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as f:
                os.fsync(f.fileno())
                os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def has_room(bench, events):
    free = shutil.disk_usage(bench.work).free
    if free < events * 1500:
        print(f"    left out: {events} events need room, {free // MIB} MiB are free", file=sys.stderr)
    return free >= events * 1500


@measurement(seconds=120, rounds_max=1)
def ready(bench, name, contender, round_number):
    """From exec to /readyz 200 over a store of ten million events: after a clean stop, after a crash,
    and with nothing of it in the page cache."""
    events = bench.pick(10_000_000, 200_000)
    settings = ("topics.level=written",)
    if not has_room(bench, events):
        return
    first = Server(bench, contender, "0,1", settings)
    data = first.data
    others = []

    def start(measure):
        server = Server(bench, contender, "0,1", settings, data=data)
        others.append(server)
        if measure:
            bench.record(measure, contender, round_number, "0,1", None, {
                "mode": "ready", "target": contender, "parameters": {"events": events},
                "results": {"complete": True, "ready_seconds": server.ready_seconds}})
        return server

    try:
        fill = bench.load(first, "ndjson", ack="written", events=events, warmup=0, topics=1000,
                          connections=4, timeout=900)
        bench.record(name + "-fill", contender, round_number, "0,1", "1", fill)
        first.stop(hard=True)
        start(name + "-after-kill").stop()
        for _ in range(3):
            start(name).stop()
        for _ in range(2):
            server = start(None)
            bench.load(server, "ndjson", ack="written", events=events // 50, warmup=0, topics=1000)
            server.stop(hard=True)
            start(name + "-after-kill").stop()
        forget_pages(data)
        start(name + "-cold").stop()
    finally:
        for server in others:
            server.remove()
        first.remove()


MEASURES = {
    "publish-written": simple("publish", 25, connections=32, events=300_000, quick={"events": 20_000}),
    "publish-fsync": publish_fsync(connections=32, events=100_000, quick=5_000),
    "publish-fsync-1": publish_fsync(connections=1, events=5_000, quick=500),
    "ndjson": ndjson(connections=1, topics=1),
    "ndjson-4": ndjson(connections=4, topics=1000),
    "replay": replay,
    "ready": ready,
}

ROWS = [
    Row("CPU per publish at written, 32 connections", "publish-written", "server_cpu_us_per_publish", "µs",
        limits=(("≤ 2.5 × nchan", AT_MOST, lambda v: 2.5 * v["nchan"]),)),
    Row("  publishes per second", "publish-written", "publishes_per_second", "/s", digits=0),
    Row("  answer p50", "publish-written", "answer_p50_us", "µs", digits=0),
    Row("  answer p99", "publish-written", "answer_p99_us", "µs", digits=0),
    Row("publishes at fsync, 32 connections (floor: syncs)", "publish-fsync", "publishes_per_second", "/s",
        digits=0),
    Row("  CPU per publish", "publish-fsync", "server_cpu_us_per_publish", "µs"),
    Row("  answer p50", "publish-fsync", "answer_p50_us", "µs", digits=0),
    Row("  answer p99", "publish-fsync", "answer_p99_us", "µs", digits=0),
    Row("  1 connection: answer p50 (floor: a sync)", "publish-fsync-1", "answer_p50_us", "µs", digits=0),
    Row("  1 connection: answer p99", "publish-fsync-1", "answer_p99_us", "µs", digits=0),
    Row("NDJSON at fsync, 1 connection", "ndjson", "events_per_second", "/s", digits=0,
        limits=(("≥ 200,000", AT_LEAST, lambda v: 200_000),)),
    Row("  4 connections, 1,000 topics", "ndjson-4", "events_per_second", "/s", digits=0),
    Row("replay of 1 million events to one stream", "replay", "events_per_second", "/s", digits=0,
        limits=(("≥ 500,000", AT_LEAST, lambda v: 500_000),)),
    Row("  the same again", "replay-again", "events_per_second", "/s", digits=0),
    Row("  extra memory, worst", "replay", "extra_memory_bytes", "MiB", scale=1 / MIB, worst=True,
        limits=(("< 32", AT_MOST, lambda v: 32),)),
    Row("10 million events: start to ready", "ready", "ready_seconds", "s",
        limits=(("≤ 2", AT_MOST, lambda v: 2),)),
    Row("  after kill -9, worst", "ready-after-kill", "ready_seconds", "s", worst=True,
        limits=(("≤ 2", AT_MOST, lambda v: 2),)),
    Row("  not in the page cache", "ready-cold", "ready_seconds", "s"),
    Row("  filled at written", "ready-fill", "events_per_second", "/s", digits=0),
]
