#pragma once

#include "histogram.hpp"
#include "json_line.hpp"
#include "options.hpp"
#include "server_probe.hpp"
#include "target.hpp"

namespace bench {

/// What one run says: what was asked for, what came out.
struct report {
  json_line parameters;
  json_line results;
};

/// What every mode gets.
struct run_context {
  options& opts;
  const target& to;
  const server_probe& probe;
};

/// `NAME_p50_us`, `NAME_p99_us` and `NAME_max_us`.
inline void add_percentiles(json_line& to, const std::string& name, const histogram& x) {
  to.add(name + "_p50_us", static_cast<double>(x.percentile(0.5)) / 1e3);
  to.add(name + "_p99_us", static_cast<double>(x.percentile(0.99)) / 1e3);
  to.add(name + "_max_us", static_cast<double>(x.max()) / 1e3);
}

report run_fanout(run_context& x);
report run_broadcast(run_context& x);
report run_idle(run_context& x);
report run_publish(run_context& x);
report run_ndjson(run_context& x);
report run_replay(run_context& x);
report run_slow(run_context& x);
report run_crawl(run_context& x);
report run_hop(run_context& x);
report run_listen(run_context& x);
report run_storm(run_context& x);
report run_churn(run_context& x);
report run_mailbox(run_context& x);
report run_first(run_context& x);
report run_sync(run_context& x);

} // namespace bench
