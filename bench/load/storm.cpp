// Mode storm: all streams are lost at once and come back with their cursors, while publishing goes
// on.

#include "follower_set.hpp"
#include "modes.hpp"
#include "publisher_set.hpp"

namespace bench {

namespace {

double seconds_since(uint64_t begin_ns) {
  return static_cast<double>(now_ns() - begin_ns) * 1e-9;
}

} // namespace

report run_storm(run_context& x) {
  follower_plan plan{.topic = "storm", .ports = {x.to.port}};
  auto streams = x.opts.number("streams", 10'000);
  plan.topics = x.opts.number("topics", 1000);
  plan.opening_max = x.opts.number("opening-max", 1000);
  publisher_plan source{.topic = plan.topic, .topics = plan.topics, .number_by_topic = true};
  source.connections = x.opts.number("publishers", 16);
  source.ack = x.opts.text("ack", "written");
  source.data_bytes = x.opts.number("data-bytes", 200);
  auto rate = x.opts.real("rate", 1000);
  auto away_s = x.opts.number("away-s", 5);
  auto calm_s = x.opts.number("calm-s", 5);
  auto patience_s = x.opts.number("patience-s", 60);
  x.opts.refuse_unknown();

  reactor loop;
  follower_set followers{loop, x.to, plan, streams};
  followers.be_strict();
  const auto patience_ns = patience_s * ns_per_second;
  auto open_all = [&](follower_set& set) {
    set.open();
    return loop.run_until(now_ns() + patience_ns, [&] {
      set.tend();
      return set.all_open();
    });
  };
  if (!open_all(followers))
    fail("streams do not open");

  publisher_set publishers{loop, x.to, source};
  publishers.start(UINT64_MAX, rate);
  loop.run_for(calm_s * ns_per_second);
  const auto before = followers.tally().latency;

  followers.drop();
  loop.run_for(away_s * ns_per_second);
  // The control: as many new ones, under the same load.
  double fresh_s = 0;
  {
    plan.first_index = streams;
    follower_set fresh{loop, x.to, plan, streams};
    auto begin = now_ns();
    if (!open_all(fresh))
      fail("new streams do not open");
    fresh_s = seconds_since(begin);
  }
  loop.run_for(2 * ns_per_second);

  followers.tally() = {};
  cpu_window window{x.probe};
  auto begin = now_ns();
  auto back = open_all(followers);
  auto back_s = seconds_since(begin);
  // What was published until the last one was back.
  followers.want(publishers.topic_numbers());
  auto caught_up = loop.run_until(begin + patience_ns, [&] {
    followers.tend();
    return followers.satisfied() == streams;
  });
  auto caught_up_s = seconds_since(begin);
  window.stop();
  const auto returned = followers.tally();

  followers.tally().latency.clear();
  loop.run_for(calm_s * ns_per_second);
  const auto after = followers.tally().latency;
  publishers.stop();
  loop.run_until(now_ns() + 10 * ns_per_second, [&] { return publishers.done(); });
  followers.want(publishers.topic_numbers());
  auto all =
    loop.run_until(now_ns() + 10 * ns_per_second, [&] { return followers.satisfied() == streams; });

  report out;
  out.parameters.add("streams", streams).add("topics", plan.topics).add("rate", rate);
  out.parameters.add("away_s", away_s).add("opening_max", plan.opening_max);
  out.parameters.add("data_bytes", source.data_bytes).add("ack", source.ack);
  auto& r = out.results;
  const auto& tally = followers.tally();
  r.add("complete", back && caught_up && all && followers.missing() == 0 && tally.doubled == 0
                      && tally.unreadable == 0 && followers.gaps() == 0
                      && publishers.failed() == 0);
  r.add("fresh_open_seconds", fresh_s).add("back_seconds", back_s);
  r.add("caught_up_seconds", caught_up_s).add("caught_up_streams", followers.satisfied());
  r.add("events", returned.events).add("missing", followers.missing());
  r.add("doubled", tally.doubled).add("late", tally.late).add("gaps", followers.gaps());
  r.add("ended", tally.ended).add("refused", tally.refused);
  add_percentiles(r, "opening", returned.opening);
  add_percentiles(r, "latency_before", before);
  add_percentiles(r, "latency_after", after);
  window.describe(r, "stream", streams);
  return out;
}

} // namespace bench
