// Mode hop: one stream of a topic on each node of a cluster, published to the first of them.

#include "follower_set.hpp"
#include "modes.hpp"
#include "publisher_set.hpp"

namespace bench {

report run_hop(run_context& x) {
  publisher_plan plan{.topic = "hop", .number_by_topic = true};
  plan.connections = x.opts.number("publishers", 8);
  plan.ack = x.opts.text("ack", "");
  plan.data_bytes = x.opts.number("data-bytes", 200);
  auto ports = x.opts.ports("ports");
  auto rate = x.opts.real("rate", 200);
  auto events = x.opts.number("events", 2000);
  auto warmup = x.opts.number("warmup", events / 5);
  x.opts.refuse_unknown();

  reactor loop;
  std::vector<std::unique_ptr<follower_set>> nodes;
  for (auto port : ports) {
    follower_plan where{.topic = plan.topic, .ports = {port}};
    nodes.push_back(std::make_unique<follower_set>(loop, x.to, where, 1));
    nodes.back()->be_strict();
    nodes.back()->open();
    nodes.back()->tend();
    if (!loop.run_until(now_ns() + 10 * ns_per_second, [&] { return nodes.back()->all_open(); }))
      fail("no stream on port " + std::to_string(port));
  }
  publisher_set publishers{loop, x.to, plan};
  auto run = [&](uint64_t count) {
    for (auto& node : nodes)
      node->tally() = {};
    publishers.start(count, rate);
    return loop.run_until(now_ns() + static_cast<uint64_t>((count / rate + 30) * 1e9), [&] {
      for (auto& node : nodes)
        if (node->tally().events < count)
          return false;
      return publishers.done();
    });
  };
  auto complete = run(warmup);
  cpu_window window{x.probe};
  complete = run(events) && complete && publishers.failed() == 0;
  window.stop();

  report out;
  out.parameters.add("rate", rate).add("events", events).add("warmup", warmup);
  out.parameters.add("nodes", ports.size()).add("ack", plan.ack).add("data_bytes", plan.data_bytes);
  double first_p50 = 0;
  double added = 0;
  for (size_t i = 0; i < nodes.size(); ++i) {
    auto& tally = nodes[i]->tally();
    complete = complete && tally.doubled == 0 && tally.unreadable == 0 && tally.ended == 0
               && nodes[i]->missing() == 0;
    add_percentiles(out.results, "node" + std::to_string(i + 1), tally.latency);
    auto p50 = static_cast<double>(tally.latency.percentile(0.5)) / 1e3;
    if (i == 0)
      first_p50 = p50;
    else
      added = std::max(added, p50 - first_p50);
  }
  out.results.add("complete", complete);
  if (nodes.size() > 1)
    out.results.add("added_p50_us", added);
  add_percentiles(out.results, "answer", publishers.latency());
  window.describe(out.results, "publish", events);
  return out;
}

} // namespace bench
