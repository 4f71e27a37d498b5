"""From a publisher to many streams: fan-out, broadcast, slow readers, I/O threads."""

import concurrent.futures

from .machine import MIB
from .runner import measurement, simple
from .servers import Server
from .table import AT_LEAST, AT_MOST, Row


def slow(readers):
    """The same twice, in two fresh processes: with nobody slow, then with slow readers. The store's buffers
    grow and shrink with the bytes written, which are the same; what is more in the second is the readers'."""

    def run(bench, contender, count):
        # Large events: the kernel's socket buffers take the first 3 MB before the broker notices.
        given = {"slow": count, "data_bytes": 1000}
        if bench.quick:
            given.update(phase_s=6, settle_s=1)
        server = Server(bench, contender, "0", ("topics.level=written",))
        try:
            # What grows once (caches, the ring of recent events) has grown before.
            bench.load(server, "ndjson", topic="before", ack="written", warmup=0,
                       events=bench.pick(300_000, 20_000))
            return bench.load(server, "slow", **given)
        finally:
            server.remove()

    @measurement(seconds=160)
    def measure(bench, name, contender, round_number):
        control = run(bench, contender, 0)
        bench.record(name + "-control", contender, round_number, "0", "1", control)
        out = run(bench, contender, readers)
        if out and control:
            more = out["results"]["growth_with_bytes"] - control["results"]["growth_with_bytes"]
            out["results"]["growth_above_control_per_reader_bytes"] = more / readers
        bench.record(name, contender, round_number, "0", "1", out)

    return measure


@measurement(seconds=240, rounds_max=1)
def slow_1000(bench, name, contender, round_number):
    """A thousand readers of one byte a second. The time limit for readers that take nothing is lifted: the
    kernel takes the byte out of its own buffer, and the broker would see none taken for minutes."""

    def run(count):
        server = Server(bench, contender, "0", ("topics.level=written", "limits.write-timeout=1h"))
        try:
            bench.load(server, "ndjson", topic="before", ack="written", warmup=0,
                       events=bench.pick(300_000, 20_000))
            return bench.load(server, "crawl", slow=count, data_bytes=1000, timeout=600,
                              hold_s=300 if bench.options.long else bench.pick(60, 5))
        finally:
            server.remove()

    readers = bench.pick(1000, 200)
    control = run(0)
    bench.record(name + "-control", contender, round_number, "0", "1", control)
    out = run(readers)
    if out and control:
        more = out["results"]["growth_bytes"] - control["results"]["growth_bytes"]
        out["results"]["growth_above_control_per_reader_bytes"] = more / readers
    bench.record(name, contender, round_number, "0", "1", out)


@measurement(seconds=100, contenders=("tidings", "floor"))
def shards(bench, name, contender, round_number):
    """One and two I/O threads on both cores, or one floor and two beside each other, which tells what this
    machine makes of two cores. The load reads every 50 ms, many events at once, which costs it little."""
    given = {"publishers": 4, "subscribers": bench.pick(2000, 500), "events": bench.pick(3000, 1500),
             "read_every_ms": 50}

    def run(count):
        if contender == "tidings":
            servers = [Server(bench, contender, "0,1", ("topics.level=written", f"server.io-threads={count}"))]
        else:
            servers = [Server(bench, contender, str(i)) for i in range(count)]
        try:
            with concurrent.futures.ThreadPoolExecutor(count) as pool:
                outs = list(pool.map(lambda x: bench.load(x, "fanout", cores="0,1", **given), servers))
        finally:
            for server in servers:
                server.remove()
        out = outs[0]
        if all(outs):
            sums = ("deliveries_per_second", "load_cpu_percent", "server_cpu_percent")
            out["results"].update({x: sum(o["results"][x] for o in outs) for x in sums})
            out["results"]["complete"] = all(o["results"]["complete"] for o in outs)
        else:
            out = None
        bench.record(f"{name}-{count}", contender, round_number, "0,1", "0,1", out)
        return out

    one, two = run(1), run(2)
    if one and two:
        bench.record(name, contender, round_number, "0,1", "0,1", {"results": {
            "complete": True,
            "speed_up": two["results"]["deliveries_per_second"] / one["results"]["deliveries_per_second"]}})


MEASURES = {
    "fanout-1": simple("fanout", 30, publishers=1, events=2000, quick={"events": 300}),
    "fanout-1-paced": simple("fanout", 30, publishers=1, events=500, rate=100, rounds_max=2,
                             quick={"events": 100}),
    "fanout-16": simple("fanout", 40, publishers=16, events=3000, quick={"events": 300}),
    "fanout-16-late": simple("fanout", 40, publishers=16, events=4000, read_every_ms=5,
                             quick={"events": 300}),
    "broadcast": simple("broadcast", 60, subscribers=15_000, events=30,
                        quick={"subscribers": 3000, "events": 5}),
    "shards": shards,
    "slow": slow(1),
    "slow-20": slow(20),
    "slow-1000": slow_1000,
}

ROWS = [
    Row("CPU per delivery, 1 publisher, 1,000 streams", "fanout-1", "server_cpu_us_per_delivery", "µs",
        limits=(("≤ 1.10 × floor", AT_MOST, lambda v: 1.10 * v["floor"]),
                ("< nchan", AT_MOST, lambda v: v["nchan"]))),
    Row("  deliveries per second", "fanout-1", "deliveries_per_second", "/s", digits=0),
    Row("  latency p50", "fanout-1", "latency_p50_us", "µs", digits=0),
    Row("  latency p99", "fanout-1", "latency_p99_us", "µs", digits=0),
    Row("CPU per delivery, 100 events/s", "fanout-1-paced", "server_cpu_us_per_delivery", "µs"),
    Row("  latency p99", "fanout-1-paced", "latency_p99_us", "µs", digits=0),
    Row("deliveries, 16 publishers, streams read at once", "fanout-16", "deliveries_per_second", "/s",
        digits=0, limits=(("≥ nchan", AT_LEAST, lambda v: v["nchan"]),)),
    Row("  CPU per delivery", "fanout-16", "server_cpu_us_per_delivery", "µs"),
    Row("deliveries, 16 publishers, streams read every 5 ms", "fanout-16-late", "deliveries_per_second",
        "/s", digits=0, limits=(("≥ nchan", AT_LEAST, lambda v: v["nchan"]),)),
    Row("  CPU per delivery", "fanout-16-late", "server_cpu_us_per_delivery", "µs"),
    Row("broadcast to 15,000, p50", "broadcast", "latency_p50_us", "ms", scale=1e-3,
        limits=(("≤ 1.3 × floor", AT_MOST, lambda v: 1.3 * v["floor"]),)),
    Row("  p99", "broadcast", "latency_p99_us", "ms", scale=1e-3),
    Row("  CPU per delivery", "broadcast", "server_cpu_us_per_delivery", "µs"),
    Row("2 I/O threads: deliveries ÷ those of 1", "shards", "speed_up",
        limits=(("≥ 1.7", AT_LEAST, lambda v: 1.7),)),
    Row("  1 thread: deliveries per second", "shards-1", "deliveries_per_second", "/s", digits=0),
    Row("  … CPU per delivery", "shards-1", "server_cpu_us_per_delivery", "µs"),
    Row("  … CPU of the server", "shards-1", "server_cpu_percent", "%", digits=0),
    Row("  … CPU of the load", "shards-1", "load_cpu_percent", "%", digits=0),
    Row("  2 threads: deliveries per second", "shards-2", "deliveries_per_second", "/s", digits=0),
    Row("  … CPU per delivery", "shards-2", "server_cpu_us_per_delivery", "µs"),
    Row("  … CPU of the server", "shards-2", "server_cpu_percent", "%", digits=0),
    Row("  … CPU of the load", "shards-2", "load_cpu_percent", "%", digits=0),
    Row("slow reader: memory for it", "slow", "growth_above_control_per_reader_bytes", "MiB",
        scale=1 / MIB, limits=(("< 2", AT_MOST, lambda v: 2),)),
    Row("  mean of 20 slow readers", "slow-20", "growth_above_control_per_reader_bytes", "MiB",
        scale=1 / MIB, limits=(("< 2", AT_MOST, lambda v: 2),)),
    Row("  p99 of the others, without it", "slow", "p99_without_us", "µs", digits=0),
    Row("  p99 of the others, with it", "slow", "p99_with_us", "µs", digits=0,
        limits=(("≤ 1.1 × without", AT_MOST, lambda v: 1.1 * v["slow p99_without_us"]),)),
    Row("1,000 readers of 1 byte/s: p99 of 50 others", "slow-1000", "hold_p99_us", "µs", digits=0,
        limits=(("≤ 1.1 × without", AT_MOST, lambda v: 1.1 * v["slow-1000-control hold_p99_us"]),)),
    Row("  … without the slow ones", "slow-1000-control", "hold_p99_us", "µs", digits=0),
    Row("  … p50", "slow-1000", "hold_p50_us", "µs", digits=0),
    Row("  … p50 without", "slow-1000-control", "hold_p50_us", "µs", digits=0),
    Row("  … p99 while their buffers fill", "slow-1000", "fill_p99_us", "µs", digits=0),
    Row("  … until these are full", "slow-1000", "fill_seconds", "s", digits=0),
    Row("  … memory of the broker for one of them", "slow-1000", "growth_above_control_per_reader_bytes", "MiB",
        scale=1 / MIB, limits=(("< 2", AT_MOST, lambda v: 2),)),
    Row("  … memory of the kernel for all of them", "slow-1000", "kernel_bytes", "MiB", scale=1 / MIB),
]
