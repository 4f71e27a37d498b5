"""How cost grows with connections, topics and events kept: the same work at sizes a decade apart."""

import http.client
import json

from .publishing import has_room
from .runner import measurement
from .servers import Server

STORE_SIZES = (100_000, 1_000_000, 10_000_000)
TOPIC_COUNTS = (1_000, 10_000, 100_000)
STREAM_COUNTS = (1_500, 15_000)


@measurement(seconds=60, contenders=("tidings", "floor"))
def connections(bench, name, contender, round_number):
    for count in STREAM_COUNTS:
        server = Server(bench, contender, "0", ("topics.level=written",))
        try:
            out = bench.load(server, "broadcast", subscribers=bench.pick(count, count // 10),
                             events=bench.pick(300_000 // count, 5), gap_ms=50 if count < 5000 else 200)
        finally:
            server.remove()
        bench.record(f"{name}-{count}", contender, round_number, "0", "1", out)


@measurement(seconds=40)
def topics(bench, name, contender, round_number):
    """Publishes to so many topics in turns. Every one has been used before."""
    for count in TOPIC_COUNTS:
        count = bench.pick(count, count // 10)
        server = Server(bench, contender, "0", ("topics.level=written",))
        try:
            out = bench.load(server, "publish", topics=count, warmup=max(count, bench.pick(50_000, 1_000)),
                             events=bench.pick(200_000, 5_000))
        finally:
            server.remove()
        bench.record(f"{name}-{count if not bench.quick else count * 10}", contender, round_number, "0", "1", out)


def id_of_one_event(server):
    """Publishes an event; its id."""
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    link.request("POST", "/topics/middle", "here", {"Content-Type": "text/plain"})
    return json.loads(link.getresponse().read())["id"]


@measurement(seconds=160, rounds_max=1)
def store(bench, name, contender, round_number):
    """A new process over a store of so many events in 1,000 topics: how soon a stream of one of these has its
    first event, from the earliest one and from the middle of the log, and what a publish costs."""
    settings = ("topics.level=written",)
    for size in STORE_SIZES:
        events = bench.pick(size, size // 100)
        if not has_room(bench, events):
            continue
        server = Server(bench, contender, "0,1", settings)
        again = None
        try:
            fill = {"ack": "written", "topics": 1000, "connections": 4, "warmup": 0, "timeout": 900}
            bench.load(server, "ndjson", events=events // 2, **fill)
            middle = id_of_one_event(server)
            bench.load(server, "ndjson", events=events // 2, **fill)
            server.stop()
            again = Server(bench, contender, "0", settings, data=server.data)
            one = {"topic": "bench:000100", "publishers": 4}
            for measure, out in (
                    ("earliest", bench.load(again, "first", since="earliest", **one)),
                    ("middle", bench.load(again, "first", since=middle, **one)),
                    ("publish", bench.load(again, "publish", topic="after", events=bench.pick(100_000, 5_000)))):
                bench.record(f"{name}-{measure}-{size}", contender, round_number, "0", "1", out)
        finally:
            if again:
                again.remove()
            server.remove()


MEASURES = {"grow-connections": connections, "grow-topics": topics, "grow-store": store}

# What, its measurement, where the figure is, unit, factor, sizes.
GROWTH = [
    ("broadcast: CPU per delivery, by streams", "grow-connections", "server_cpu_us_per_delivery", "µs", 1,
     STREAM_COUNTS),
    ("publish: CPU, by topics", "grow-topics", "server_cpu_us_per_publish", "µs", 1, TOPIC_COUNTS),
    ("publish: CPU, by events kept", "grow-store-publish", "server_cpu_us_per_publish", "µs", 1, STORE_SIZES),
    ("first event of a replay from the earliest, p50, by events kept", "grow-store-earliest",
     "first_event_p50_us", "µs", 1, STORE_SIZES),
    ("first event of a replay from the middle, p50, by events kept", "grow-store-middle",
     "first_event_p50_us", "µs", 1, STORE_SIZES),
]
