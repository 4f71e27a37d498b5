#include "delivery.hpp"

namespace bench {

namespace {

constexpr uint64_t quiet_ns = 5 * ns_per_second;

} // namespace

void prime(reactor& loop, publisher_set& publishers, uint64_t connections, stream_set& streams) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    streams.tally() = {};
    publishers.start(connections);
    const auto all = streams.size() * connections;
    auto done = [&] { return publishers.done() && streams.tally().events >= all; };
    if (loop.run_until(now_ns() + 2 * ns_per_second, done) && streams.tally().events == all) {
      streams.be_strict();
      streams.tally() = {};
      return;
    }
    loop.run_until(now_ns() + quiet_ns, [&] { return publishers.done(); });
    loop.run_for(ns_per_second / 5);
  }
  fail("what is published does not reach every stream");
}

bool deliver(reactor& loop, publisher_set& publishers, stream_set& streams, uint64_t count,
             double rate) {
  const auto all = streams.tally().events + streams.size() * count;
  auto& seen = streams.tally().last_event_ns;
  seen = now_ns();
  publishers.start(count, rate);
  auto over = [&] {
    return publishers.done() && (streams.tally().events >= all || now_ns() - seen > quiet_ns);
  };
  loop.run_until(UINT64_MAX, over);
  return streams.tally().events == all;
}

publisher_plan publishers_from(options& opts, uint64_t connections) {
  publisher_plan plan;
  plan.connections = opts.number("publishers", connections);
  plan.topic = opts.text("topic", "bench");
  plan.ack = opts.text("ack", "written");
  plan.data_bytes = opts.number("data-bytes", 200);
  return plan;
}

} // namespace bench
