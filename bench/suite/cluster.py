"""Three nodes of the broker on the loopback interface, all on one disk."""

import http.client
import json
import subprocess
import threading
import time

from .machine import die_with_parent
from .runner import measurement
from .servers import Cluster, Server
from .table import AT_LEAST, AT_MOST, Row, merged_percentile

MARK = "~%016x%04x%08x"  # as bench/load/payload.hpp reads it


@measurement(seconds=60)
def hop(bench, name, contender, round_number):
    """One stream on each node; the first node is published to at 200/s. The control is a node alone."""
    events = bench.pick(2000, 200)
    for suffix, ack in (("", "quorum"), ("-fsync", "fsync")):
        cluster = Cluster(bench, "0,1")
        try:
            out = bench.load(cluster, "hop", ports=",".join(map(str, cluster.ports)), ack=ack, events=events)
        finally:
            cluster.remove()
        bench.record(name + suffix, contender, round_number, "0,1", "1", out)
    server = Server(bench, contender, "0,1")
    try:
        out = bench.load(server, "hop", ports=server.port, ack="fsync", events=events)
    finally:
        server.remove()
    bench.record(name + "-single", contender, round_number, "0,1", "1", out)


@measurement(seconds=60)
def replicate(bench, name, contender, round_number):
    """A million events to one node until both others have stored them. The control is a node alone."""
    given = {"events": bench.pick(1_000_000, 50_000)}
    cluster = Cluster(bench, "0,1")
    try:
        others = ",".join(map(str, cluster.ports[1:]))
        out = bench.load(cluster, "ndjson", ack="quorum", replicas=others, **given)
    finally:
        cluster.remove()
    bench.record(name, contender, round_number, "0,1", "1", out)
    server = Server(bench, contender, "0,1")
    try:
        out = bench.load(server, "ndjson", ack="fsync", **given)
    finally:
        server.remove()
    bench.record(name + "-single", contender, round_number, "0,1", "1", out)


class Listeners:
    """A load process for each of these ports, which holds its streams there; the others are where it goes
    when a node ends. See bench/load/listen.cpp."""

    def __init__(self, bench, servers, streams):
        self.streams = streams
        self.processes = []
        ports = [x.port for x in servers]
        for i, server in enumerate(servers):
            given = {"ports": ",".join(map(str, ports[i:] + ports[:i])), "streams": streams,
                     "first_index": i * (streams + 1000), "timeout": 900}
            self.processes.append(subprocess.Popen(
                bench.load_command(server, "listen", **given), text=True, preexec_fn=die_with_parent,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        self.opened = self.read()

    def read(self):
        return [json.loads(x.stdout.readline() or '{"failed": true}') for x in self.processes]

    def ask(self, command):
        for x in self.processes:
            x.stdin.write(command + "\n")
            x.stdin.flush()
        return self.read()

    def close(self):
        for x in self.processes:
            x.stdin.close()
            x.stdout.close()
            x.wait()

    def summary(self, answers, published):
        """One result of all processes; percentiles are over all their deliveries."""
        counts = {}
        for answer in answers:
            for item in answer.get("latency_counts", "").split():
                ns, count = map(int, item.split(":"))
                counts[ns] = counts.get(ns, 0) + count
        out = {x: sum(answer.get(x, 0) for answer in answers)
               for x in ("satisfied", "open", "events", "missing", "doubled", "late", "gaps", "unreadable",
                         "ended", "refused", "load_cpu_percent")}
        all_streams = self.streams * len(self.processes)
        out["complete"] = (out["satisfied"] == out["open"] == all_streams and out["events"] == published * all_streams
                           and not any(out[x] for x in ("missing", "doubled", "gaps", "unreadable")))
        for share, key in ((0.5, "p50"), (0.99, "p99"), (1, "last")):
            out[f"latency_{key}_us"] = merged_percentile(counts, share) / 1e3
        cpu = [a["server_cpu_us_per_event"] for a in answers if "server_cpu_us_per_event" in a]
        out["server_cpu_us_per_delivery"] = sum(cpu) / len(cpu) if cpu else None
        rss = [x["rss_per_stream_bytes"] for x in self.opened if "rss_per_stream_bytes" in x]
        out["rss_per_stream_bytes"] = sum(rss) / len(rss) if rss else None
        return {"parameters": {"streams": all_streams, "published": published}, "results": out}


class Publisher:
    """One event after the other; each until somebody says that it is stored, under one key."""

    def __init__(self, ports):
        self.ports = ports
        self.number = 0
        self.repeated = 0
        self.connection = None

    def publish(self):
        self.number += 1
        data = (MARK % (time.monotonic_ns(), 0, self.number)).ljust(200, "x")
        while not self.attempt(data):
            self.repeated += 1
            self.connection = None
            self.ports = self.ports[1:] + self.ports[:1]
            time.sleep(0.02)

    def attempt(self, data):
        try:
            if not self.connection:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.ports[0], timeout=10)
            self.connection.request("POST", "/topics/bench", data, {
                "Content-Type": "text/plain", "Idempotency-Key": f"event-{self.number}"})
            answer = self.connection.getresponse()
            answer.read()
            return answer.status in (200, 201)
        except (OSError, http.client.HTTPException):
            return False


@measurement(seconds=180)
def broadcast(bench, name, contender, round_number):
    """An event on the first node to streams on all; the control is one node with its streams."""
    streams, events = bench.pick(15_000, 1_000), bench.pick(30, 5)

    def run(measure, server, servers):
        listeners = None
        try:
            listeners = Listeners(bench, servers, streams)
            publisher = Publisher([server.port])
            for _ in range(3):
                publisher.publish()
            listeners.ask(f"want {publisher.number} 30")
            listeners.ask("clear")
            for _ in range(events):
                publisher.publish()
                time.sleep(1 if len(servers) > 1 else 0.4)
            answers = listeners.ask(f"want {publisher.number} 30")
            bench.record(measure, contender, round_number, "0", "1", listeners.summary(answers, events))
        finally:
            if listeners:
                listeners.close()
            server.remove()

    cluster = Cluster(bench, "0")
    run(name, cluster, cluster.nodes)
    single = Server(bench, contender, "0")
    run(name + "-single", single, [single])


@measurement(seconds=120, rounds_max=1)
def rolling_restart(bench, name, contender, round_number):
    """All nodes are restarted, one after the other, while events are published and streams are read, which
    come back on another node with their Last-Event-ID. With more streams the nodes that stay would be full:
    two of them have to hold all."""
    streams = bench.pick(5_000, 300)
    cluster = Cluster(bench, "0")
    listeners = None
    over = threading.Event()
    try:
        listeners = Listeners(bench, cluster.nodes, streams)
        publisher = Publisher(cluster.ports)

        def publish():
            while not over.wait(bench.pick(0.5, 0.1)):
                publisher.publish()

        thread = threading.Thread(target=publish)
        thread.start()
        begin = time.monotonic()
        try:
            for index in range(len(cluster.nodes)):
                time.sleep(3)
                cluster.restart(index)
            seconds = time.monotonic() - begin
            time.sleep(3)
        finally:
            over.set()
            thread.join()
        out = listeners.summary(listeners.ask(f"want {publisher.number} 60"), publisher.number)
        out["results"].update(restart_seconds=seconds, repeated_publishes=publisher.repeated)
        bench.record(name, contender, round_number, "0", "1", out)
    finally:
        if listeners:
            listeners.close()
        cluster.remove()


MEASURES = {
    "cluster-hop": hop,
    "cluster-replicate": replicate,
    "cluster-broadcast": broadcast,
    "cluster-restart": rolling_restart,
}

ROWS = [
    Row("cluster: added to p50 on another node, quorum", "cluster-hop", "added_p50_us", "µs", digits=0,
        limits=(("≤ 1 ms", AT_MOST, lambda v: 1000),)),
    Row("  … fsync", "cluster-hop-fsync", "added_p50_us", "µs", digits=0,
        limits=(("≤ 1 ms", AT_MOST, lambda v: 1000),)),
    *(Row(f"  {level}: {what}", measure, f"{key}_{p}_us", "µs", digits=0)
      for level, measure in (("quorum", "cluster-hop"), ("fsync", "cluster-hop-fsync"))
      for what, key, p in (("stream on the same node, p50", "node1", "p50"), ("… p99", "node1", "p99"),
                           ("second node, p50", "node2", "p50"), ("… p99", "node2", "p99"),
                           ("third node, p50", "node3", "p50"), ("… p99", "node3", "p99"),
                           ("answer p50", "answer", "p50"), ("… p99", "answer", "p99"))),
    Row("  a node alone, fsync: stream p50", "cluster-hop-single", "node1_p50_us", "µs", digits=0),
    Row("  … answer p50", "cluster-hop-single", "answer_p50_us", "µs", digits=0),
    Row("  … answer p99", "cluster-hop-single", "answer_p99_us", "µs", digits=0),
    Row("cluster: NDJSON until both other nodes have it", "cluster-replicate", "replicated_per_second", "/s",
        digits=0, limits=(("≥ 50,000", AT_LEAST, lambda v: 50_000),)),
    Row("  answered at quorum", "cluster-replicate", "events_per_second", "/s", digits=0),
    Row("  CPU of all nodes per event", "cluster-replicate", "replicated_cpu_us_per_event", "µs"),
    Row("  a node alone, fsync", "cluster-replicate-single", "events_per_second", "/s", digits=0),
    Row("  … CPU per event", "cluster-replicate-single", "server_cpu_us_per_event", "µs"),
    Row("cluster: broadcast to 45,000 on 3 nodes, p50", "cluster-broadcast", "latency_p50_us", "ms", scale=1e-3),
    Row("  p99", "cluster-broadcast", "latency_p99_us", "ms", scale=1e-3),
    Row("  last", "cluster-broadcast", "latency_last_us", "ms", scale=1e-3),
    Row("  memory per stream", "cluster-broadcast", "rss_per_stream_bytes", "bytes", digits=0),
    Row("  CPU per delivery", "cluster-broadcast", "server_cpu_us_per_delivery", "µs"),
    Row("  a node alone with 15,000, p50", "cluster-broadcast-single", "latency_p50_us", "ms", scale=1e-3),
    Row("  … p99", "cluster-broadcast-single", "latency_p99_us", "ms", scale=1e-3),
    Row("  … last", "cluster-broadcast-single", "latency_last_us", "ms", scale=1e-3),
    Row("  … memory per stream", "cluster-broadcast-single", "rss_per_stream_bytes", "bytes", digits=0),
    Row("  … CPU per delivery", "cluster-broadcast-single", "server_cpu_us_per_delivery", "µs"),
    Row("cluster: restart of all nodes under load, events lost", "cluster-restart", "missing", "", digits=0,
        limits=(("0", AT_MOST, lambda v: 0),)),
    Row("  doubled", "cluster-restart", "doubled", "", digits=0, limits=(("0", AT_MOST, lambda v: 0),)),
    Row("  streams that came back", "cluster-restart", "ended", "", digits=0),
    Row("  publishes repeated", "cluster-restart", "repeated_publishes", "", digits=0),
    Row("  latency p99", "cluster-restart", "latency_p99_us", "ms", scale=1e-3),
    Row("  latest", "cluster-restart", "latency_last_us", "ms", scale=1e-3),
    Row("  all restarted in", "cluster-restart", "restart_seconds", "s"),
]
