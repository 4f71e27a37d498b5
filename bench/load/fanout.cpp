// Modes in which publishers and streams meet: fanout, broadcast, slow.

#include "delivery.hpp"
#include "modes.hpp"

#include <algorithm>

namespace bench {

report run_fanout(run_context& x) {
  auto plan = publishers_from(x.opts, 1);
  auto subscribers = x.opts.number("subscribers", 1000);
  auto events = x.opts.number("events", 1000);
  auto warmup = x.opts.number("warmup", std::max<uint64_t>(events / 5, 1));
  auto rate = x.opts.real("rate", 0);
  auto read_every_ms = x.opts.real("read-every-ms", 0);
  x.opts.refuse_unknown();

  reactor loop;
  loop.late_every(static_cast<uint64_t>(read_every_ms * 1e6));
  stream_plan topics{.topic = plan.topic, .publishers = plan.connections};
  stream_set streams{loop, x.to, topics};
  streams.open(subscribers);
  publisher_set publishers{loop, x.to, plan};
  prime(loop, publishers, plan.connections, streams);
  auto warm = deliver(loop, publishers, streams, warmup, rate) && streams.tally().exact();

  streams.tally() = {};
  cpu_window window{x.probe};
  auto complete = deliver(loop, publishers, streams, events, rate);
  window.stop();

  auto& tally = streams.tally();
  report out;
  out.parameters.add("subscribers", subscribers).add("publishers", plan.connections);
  out.parameters.add("events", events).add("warmup", warmup).add("rate", rate);
  out.parameters.add("read_every_ms", read_every_ms);
  out.parameters.add("data_bytes", plan.data_bytes).add("ack", plan.ack);
  out.results.add("complete", warm && complete && tally.exact() && publishers.failed() == 0);
  out.results.add("deliveries", tally.events);
  out.results.add("deliveries_per_second", static_cast<double>(tally.events) / window.seconds());
  out.results.add("missing", tally.missing).add("doubled", tally.doubled);
  out.results.add("closed", streams.closed()).add("failed_publishes", publishers.failed());
  add_percentiles(out.results, "latency", tally.latency);
  add_percentiles(out.results, "answer", publishers.latency());
  out.results.add("events_per_read",
                  static_cast<double>(tally.events) / static_cast<double>(tally.reads));
  out.results.add("bytes_per_delivery",
                  static_cast<double>(tally.bytes) / static_cast<double>(tally.events));
  window.describe(out.results, "delivery", tally.events);
  return out;
}

report run_broadcast(run_context& x) {
  auto plan = publishers_from(x.opts, 1);
  plan.connections = 1;
  auto subscribers = x.opts.number("subscribers", 15'000);
  auto events = x.opts.number("events", 20);
  auto warmup = x.opts.number("warmup", 3);
  auto gap_ms = x.opts.number("gap-ms", 200);
  x.opts.refuse_unknown();

  reactor loop;
  stream_plan topics{.topic = plan.topic};
  stream_set streams{loop, x.to, topics};
  streams.open(subscribers);
  publisher_set publishers{loop, x.to, plan};
  prime(loop, publishers, 1, streams);

  bool complete = true;
  histogram until_all;
  auto rounds = [&](uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      loop.run_for(gap_ms * 1'000'000);
      auto begin = now_ns();
      complete = deliver(loop, publishers, streams, 1, 0) && complete;
      until_all.add(streams.tally().last_event_ns - begin);
    }
  };
  rounds(warmup);
  streams.tally() = {};
  until_all.clear();
  cpu_window window{x.probe};
  rounds(events);
  window.stop();

  auto& tally = streams.tally();
  report out;
  out.parameters.add("subscribers", subscribers).add("events", events).add("warmup", warmup);
  out.parameters.add("gap_ms", gap_ms).add("data_bytes", plan.data_bytes).add("ack", plan.ack);
  out.results.add("complete", complete && tally.exact() && publishers.failed() == 0);
  out.results.add("deliveries", tally.events);
  add_percentiles(out.results, "latency", tally.latency);
  add_percentiles(out.results, "until_all", until_all);
  window.describe(out.results, "delivery", tally.events);
  return out;
}

report run_slow(run_context& x) {
  auto plan = publishers_from(x.opts, 4);
  auto subscribers = x.opts.number("subscribers", 50);
  auto slow = x.opts.number("slow", 1);
  auto rate = x.opts.real("rate", 1000);
  auto phase_s = x.opts.number("phase-s", 20);
  auto settle_s = x.opts.number("settle-s", 5);
  x.opts.refuse_unknown();

  reactor loop;
  stream_plan topics{.topic = plan.topic, .publishers = plan.connections};
  stream_set others{loop, x.to, topics};
  others.open(subscribers);
  // Small, so that the broker feels a stopped reader within a fraction of a second.
  topics.receive_bytes = 4096;
  stream_set stopped{loop, x.to, topics, 50'000};
  stopped.open(slow);
  publisher_set publishers{loop, x.to, plan};
  prime(loop, publishers, plan.connections, others);
  // The stopped readers' numbers are checked from here on; what came before is read first.
  loop.run_for(ns_per_second / 2);
  stopped.be_strict();
  stopped.tally() = {};

  const auto count = static_cast<uint64_t>(rate * static_cast<double>(phase_s));
  deliver(loop, publishers, others, static_cast<uint64_t>(rate * static_cast<double>(settle_s)),
          rate);
  loop.run_for(ns_per_second);

  struct phase {
    uint64_t rss_before = 0;
    uint64_t rss_after = 0;
    uint64_t rss_peak = 0;
    bool complete = false;
    histogram latency;
  };
  auto run_phase = [&](phase& out) {
    others.tally() = {};
    out.rss_before = x.probe.rss_bytes();
    x.probe.reset_peak();
    out.complete = deliver(loop, publishers, others, count, rate) && others.tally().exact();
    auto usage = x.probe.read();
    out.rss_after = usage.rss_bytes;
    out.rss_peak = usage.peak_bytes;
    out.latency = others.tally().latency;
  };

  phase before;
  phase during;
  phase after;
  run_phase(before);
  loop.run_for(ns_per_second);
  const auto had = stopped.tally().events;
  stopped.pause();
  run_phase(during);
  const auto had_paused = stopped.tally().events;
  auto resumed = now_ns();
  stopped.resume();
  const auto all = had + slow * count;
  bool caught_up =
    loop.run_until(now_ns() + 30 * ns_per_second, [&] { return stopped.tally().events >= all; });
  auto catch_up_s = static_cast<double>(now_ns() - resumed) * 1e-9;
  loop.run_for(ns_per_second);
  caught_up = caught_up && stopped.tally().events == all && stopped.tally().exact();
  run_phase(after);

  report out;
  out.parameters.add("subscribers", subscribers).add("slow", slow).add("rate", rate);
  out.parameters.add("phase_s", phase_s).add("data_bytes", plan.data_bytes).add("ack", plan.ack);
  auto& r = out.results;
  r.add("complete", before.complete && during.complete && after.complete && caught_up
                      && had_paused == had && publishers.failed() == 0);
  r.add("slow_readers_got_all_in_order", caught_up).add("catch_up_seconds", catch_up_s);
  r.add("slow_readers_closed", stopped.closed()).add("slow_missing", stopped.tally().missing);
  r.add("slow_doubled", stopped.tally().doubled);
  auto add_phase = [&r](const char* name, const phase& p) {
    json_line line;
    line.add("complete", p.complete);
    add_percentiles(line, "latency", p.latency);
    line.add("rss_before_bytes", p.rss_before).add("rss_after_bytes", p.rss_after);
    line.add("rss_peak_bytes", p.rss_peak);
    line.add("rss_growth_bytes", static_cast<int64_t>(p.rss_after - p.rss_before));
    r.add(name, line);
  };
  add_phase("without_before", before);
  add_phase("with", during);
  add_phase("without_after", after);
  // Part of it is the store's, see bench/README.md: to be compared with a run without slow readers.
  auto growth = [](const phase& p) { return static_cast<int64_t>(p.rss_peak - p.rss_before); };
  r.add("growth_with_bytes", growth(during)).add("growth_without_bytes", growth(before));
  r.add("p99_with_us", static_cast<double>(during.latency.percentile(0.99)) / 1e3);
  r.add("p99_without_us", static_cast<double>(std::max(before.latency.percentile(0.99),
                                                       after.latency.percentile(0.99)))
                            / 1e3);
  return out;
}

} // namespace bench
