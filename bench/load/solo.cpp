// Modes with publishers or streams alone: idle, publish, replay.

#include "modes.hpp"
#include "publisher_set.hpp"
#include "stream_set.hpp"

#include <algorithm>

namespace bench {

report run_idle(run_context& x) {
  auto count = x.opts.number("streams", 15'000);
  auto topics = x.opts.number("topics", 1);
  auto baseline = x.opts.number("baseline", 100);
  auto settle_s = x.opts.number("settle-s", 3);
  auto hold_s = x.opts.number("hold-s", 60);
  stream_plan plan{.topic = x.opts.text("topic", "idle"), .topics = topics};
  x.opts.refuse_unknown();

  reactor loop;
  // A few first, so that what the server sets up once is not counted as theirs.
  stream_set first{loop, x.to, plan, 60'000};
  first.open(baseline);
  loop.run_for(ns_per_second);
  auto empty = x.probe.read();
  stream_set streams{loop, x.to, plan};
  auto begin = now_ns();
  streams.open(count);
  auto open_s = static_cast<double>(now_ns() - begin) * 1e-9;
  loop.run_for(settle_s * ns_per_second);
  auto opened = x.probe.read();

  streams.tally() = {};
  cpu_window window{x.probe};
  loop.run_for(hold_s * ns_per_second);
  window.stop();
  auto held = x.probe.read();

  report out;
  out.parameters.add("streams", count).add("topics", topics).add("baseline", baseline);
  out.parameters.add("hold_s", hold_s);
  auto& r = out.results;
  r.add("complete", streams.closed() == 0 && first.closed() == 0);
  r.add("open_seconds", open_s).add("closed", streams.closed());
  auto per_stream = [&](uint64_t bytes) {
    return (static_cast<double>(bytes) - static_cast<double>(empty.rss_bytes))
           / static_cast<double>(count);
  };
  r.add("rss_per_stream_opened_bytes", per_stream(opened.rss_bytes));
  r.add("rss_per_stream_bytes", per_stream(held.rss_bytes));
  r.add("heartbeats_per_stream",
        static_cast<double>(streams.tally().reads) / static_cast<double>(count));
  window.describe(r, "stream", 0);
  return out;
}

report run_publish(run_context& x) {
  publisher_plan plan;
  plan.connections = x.opts.number("connections", 32);
  plan.topic = x.opts.text("topic", "bench");
  plan.topics = x.opts.number("topics", 1);
  plan.ack = x.opts.text("ack", "written");
  plan.data_bytes = x.opts.number("data-bytes", 200);
  auto events = x.opts.number("events", 100'000);
  auto warmup = x.opts.number("warmup", events / 5);
  auto settle_s = x.opts.number("settle-s", 0);
  x.opts.refuse_unknown();

  reactor loop;
  publisher_set publishers{loop, x.to, plan};
  auto done = [&] { return publishers.done(); };
  publishers.start(warmup);
  loop.run_until(UINT64_MAX, done);
  const auto before = x.probe.rss_bytes();
  cpu_window window{x.probe};
  publishers.start(events);
  loop.run_until(UINT64_MAX, done);
  window.stop();
  const auto after = x.probe.rss_bytes();
  loop.run_for(settle_s * ns_per_second);
  const auto settled = x.probe.rss_bytes();

  report out;
  out.parameters.add("connections", plan.connections).add("events", events).add("warmup", warmup);
  out.parameters.add("topics", plan.topics).add("data_bytes", plan.data_bytes).add("ack", plan.ack);
  auto& r = out.results;
  r.add("complete", publishers.failed() == 0 && publishers.latency().count() == events);
  r.add("publishes_per_second", static_cast<double>(events) / window.seconds());
  r.add("failed_publishes", publishers.failed());
  r.add("answer_p50_us", static_cast<double>(publishers.latency().percentile(0.5)) / 1e3);
  r.add("answer_p99_us", static_cast<double>(publishers.latency().percentile(0.99)) / 1e3);
  r.add("answer_max_us", static_cast<double>(publishers.latency().max()) / 1e3);
  auto per_topic = [&](uint64_t bytes) {
    return (static_cast<double>(bytes) - static_cast<double>(before))
           / static_cast<double>(plan.topics);
  };
  r.add("rss_per_topic_bytes", per_topic(after));
  r.add("rss_per_topic_settled_bytes", per_topic(settled));
  window.describe(r, "publish", events);
  return out;
}

report run_first(run_context& x) {
  auto streams = x.opts.number("streams", 20);
  stream_plan plan{.topic = x.opts.text("topic", "bench")};
  plan.topics = x.opts.number("topics", 1);
  plan.since = x.opts.text("since", "earliest");
  plan.publishers = x.opts.number("publishers", 1);
  x.opts.refuse_unknown();

  reactor loop;
  histogram until_first;
  uint64_t reached = 0;
  cpu_window window{x.probe};
  for (uint64_t i = 0; i < streams; ++i) {
    stream_set one{loop, x.to, plan, i};
    auto begin = now_ns();
    one.open(1);
    reached += loop.run_until(begin + 10 * ns_per_second, [&] { return one.tally().events != 0; });
    until_first.add(now_ns() - begin);
  }
  window.stop();

  report out;
  out.parameters.add("streams", streams).add("topic", plan.topic).add("since", plan.since);
  out.results.add("complete", reached == streams);
  add_percentiles(out.results, "first_event", until_first);
  window.describe(out.results, "stream", streams);
  return out;
}

report run_replay(run_context& x) {
  auto events = x.opts.number("events", 1'000'000);
  stream_plan plan{.topic = x.opts.text("topic", "bench")};
  plan.since = x.opts.text("since", "earliest");
  plan.publishers = x.opts.number("publishers", 1);
  auto from_start = x.opts.text("expect-from-start", "yes") == "yes";
  x.opts.refuse_unknown();

  reactor loop;
  stream_set stream{loop, x.to, plan};
  if (from_start)
    stream.be_strict();
  auto before = x.probe.read();
  auto peak_known = x.probe.reset_peak();
  uint64_t peak = before.rss_bytes;
  uint64_t sampled_ns = 0;

  cpu_window window{x.probe};
  stream.tally().last_event_ns = now_ns();
  auto over = [&] {
    auto now = now_ns();
    // For kernels that do not reset the peak for us.
    if (!peak_known && now - sampled_ns > 10'000'000) {
      sampled_ns = now;
      peak = std::max(peak, x.probe.rss_bytes());
    }
    const auto& tally = stream.tally();
    return tally.events >= events || now - tally.last_event_ns > 10 * ns_per_second;
  };
  stream.open(1);
  loop.run_until(UINT64_MAX, over);
  window.stop();
  auto after = x.probe.read();
  if (peak_known)
    peak = after.peak_bytes;

  const auto& tally = stream.tally();
  report out;
  out.parameters.add("events", events).add("topic", plan.topic).add("since", plan.since);
  auto& r = out.results;
  r.add("complete", tally.events >= events && tally.exact());
  r.add("events", tally.events).add("missing", tally.missing).add("doubled", tally.doubled);
  r.add("events_per_second", static_cast<double>(tally.events) / window.seconds());
  r.add("bytes_per_event", static_cast<double>(tally.bytes) / static_cast<double>(tally.events));
  r.add("extra_memory_bytes", static_cast<int64_t>(peak - before.rss_bytes));
  r.add("extra_anonymous_after_bytes",
        static_cast<int64_t>(after.anonymous_bytes - before.anonymous_bytes));
  window.describe(r, "event", tally.events);
  return out;
}

} // namespace bench
