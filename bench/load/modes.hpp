#pragma once

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

report run_fanout(run_context& x);
report run_broadcast(run_context& x);
report run_idle(run_context& x);
report run_publish(run_context& x);
report run_ndjson(run_context& x);
report run_replay(run_context& x);
report run_slow(run_context& x);

} // namespace bench
