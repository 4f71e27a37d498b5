"""What streams, topics and mailboxes cost that come, stay and go."""

from .runner import measurement, simple
from .servers import Server
from .table import AT_MOST, Row


@measurement(seconds=60)
def topic_churn(bench, name, contender, round_number):
    """Publishes, and streams of one event, on ever new topics, each beside the same on topics that stay."""
    def run(measure, mode, **options):
        server = Server(bench, contender, "0", ("topics.level=written",))
        try:
            out = bench.load(server, mode, **options)
        finally:
            server.remove()
        bench.record(measure, contender, round_number, "0", "1", out)

    events = bench.pick(100_000, 5_000)
    # The second half of these topics is new when it is measured.
    run(name + "-publish-one", "publish", topics=1, events=events, warmup=events)
    run(name + "-publish-new", "publish", topics=2 * events, events=events, warmup=events)
    rounds = bench.pick(20_000, 1_000)
    run(name + "-streams-one", "churn", publish="yes", new_topics="no", rounds=rounds)
    run(name + "-streams-new", "churn", publish="yes", new_topics="yes", rounds=rounds)


@measurement(seconds=45, rounds_max=1)
def topic_memory(bench, name, contender, round_number):
    """Memory after publishes to so many new topics, and when these are idle: in one process, a decade after
    the other."""
    server = Server(bench, contender, "0", ("topics.level=written", "topics.idle-timeout=2s"))
    try:
        # The store's buffers have had their full size before.
        bench.load(server, "ndjson", topic="before", ack="written", warmup=0, events=bench.pick(600_000, 20_000))
        for topics in bench.pick((1_000, 10_000, 100_000), (100, 1_000)):
            out = bench.load(server, "publish", topic=f"of-{topics}", topics=topics, warmup=0,
                             events=bench.pick(100_000, 2_000), settle_s=8)
            bench.record(f"{name}-{topics}", contender, round_number, "0", "1", out)
    finally:
        server.remove()


@measurement(seconds=60, rounds_max=1)
def memory_mailbox(bench, name, contender, round_number):
    """Streams of as many mailboxes, an item and a change for each. The control keeps one mailbox's actor at a
    time: what is more without that bound is the actors'."""
    for users in bench.pick((1_000, 10_000), (200, 1_000)):
        found = {}
        for suffix, settings in (("-control", ("mailbox.active-max=1",)), ("", ())):
            server = Server(bench, contender, "0", ("topics.level=written", *settings))
            try:
                found[suffix] = bench.load(server, "mailbox", users=users)
            finally:
                server.remove()
        own, control = found[""], found["-control"]
        if own and control:
            more = own["results"]["rss_per_user_bytes"] - control["results"]["rss_per_user_bytes"]
            own["results"]["rss_per_actor_bytes"] = more
        bench.record(f"{name}-{users}-control", contender, round_number, "0", "1", control)
        bench.record(f"{name}-{users}", contender, round_number, "0", "1", own)


MEASURES = {
    "idle": simple("idle", 160, ("tidings", "nchan"), streams=15_000, topics=15_000, rounds_max=1,
                   quick={"streams": 3000, "hold_s": 16}),
    "idle-one-topic": simple("idle", 45, ("tidings",), streams=15_000, hold_s=30, rounds_max=1,
                             quick={"streams": 3000, "hold_s": 5}),
    "connect-churn": simple("churn", 30, rounds=50_000, quick={"rounds": 2_000}),
    "resume-storm": simple("storm", 40, ("tidings",), quick={"streams": 2_000, "topics": 200, "rate": 500,
                                                             "away_s": 2, "calm_s": 2}),
    "topic-churn": topic_churn,
    "topic-memory": topic_memory,
    "memory-mailbox": memory_mailbox,
}

ROWS = [
    Row("resident memory per idle stream, a topic each", "idle", "rss_per_stream_bytes", "bytes",
        digits=0, limits=(("≤ 4096", AT_MOST, lambda v: 4096),)),
    Row("CPU with 15,000 idle streams", "idle", "server_cpu_percent", "%",
        limits=(("< 2", AT_MOST, lambda v: 2),)),
    Row("  heartbeats per stream", "idle", "heartbeats_per_stream"),
    Row("resident memory per idle stream, one topic", "idle-one-topic", "rss_per_stream_bytes", "bytes",
        digits=0),
    Row("CPU per stream that opens and closes, 32 at a time", "connect-churn", "server_cpu_us_per_round", "µs"),
    Row("  streams per second", "connect-churn", "rounds_per_second", "/s", digits=0),
    Row("  request to first bytes p99", "connect-churn", "opening_p99_us", "µs", digits=0),
    Row("  memory that stays, per stream", "connect-churn", "rss_per_round_settled_bytes", "bytes", digits=0),
    Row("10,000 streams lost at once: all have everything after", "resume-storm", "caught_up_seconds", "s",
        limits=(("≤ 30", AT_MOST, lambda v: 30),)),
    Row("  all are back after", "resume-storm", "back_seconds", "s"),
    Row("  as many new ones open in", "resume-storm", "fresh_open_seconds", "s"),
    Row("  CPU per returned stream", "resume-storm", "server_cpu_us_per_stream", "µs"),
    Row("  latency p99 before", "resume-storm", "latency_before_p99_us", "µs", digits=0),
    Row("  latency p99 after", "resume-storm", "latency_after_p99_us", "µs", digits=0),
    Row("CPU per publish, each to a topic not in memory", "topic-churn-publish-new",
        "server_cpu_us_per_publish", "µs"),
    Row("  … all to one topic", "topic-churn-publish-one", "server_cpu_us_per_publish", "µs"),
    Row("CPU per stream of one event, each on a new topic", "topic-churn-streams-new",
        "server_cpu_us_per_round", "µs"),
    Row("  … on topics that stay", "topic-churn-streams-one", "server_cpu_us_per_round", "µs"),
    Row("memory after 1,000 topics, per topic", "topic-memory-1000", "rss_per_topic_bytes", "bytes", digits=0),
    Row("  after 10,000", "topic-memory-10000", "rss_per_topic_bytes", "bytes", digits=0),
    Row("  … when these are idle", "topic-memory-10000", "rss_per_topic_settled_bytes", "bytes", digits=0),
    Row("  after 100,000", "topic-memory-100000", "rss_per_topic_bytes", "bytes", digits=0),
    Row("  … when these are idle", "topic-memory-100000", "rss_per_topic_settled_bytes", "bytes", digits=0),
    Row("mailboxes of 1,000 users: memory per actor", "memory-mailbox-1000", "rss_per_actor_bytes", "bytes",
        digits=0),
    Row("  … per stream", "memory-mailbox-1000", "rss_per_stream_bytes", "bytes", digits=0),
    Row("mailboxes of 10,000 users: memory per actor", "memory-mailbox-10000", "rss_per_actor_bytes", "bytes",
        digits=0),
    Row("  … per stream", "memory-mailbox-10000", "rss_per_stream_bytes", "bytes", digits=0),
    Row("  … CPU per change", "memory-mailbox-10000", "server_cpu_us_per_change", "µs"),
]
