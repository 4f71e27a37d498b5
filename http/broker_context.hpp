#pragma once

#include "actors/cluster/cluster_board.hpp"
#include "actors/messages.hpp"
#include "http/publish_rates.hpp"
#include "http/stream_census.hpp"
#include "identity/authenticator.hpp"
#include "tidings/clock.hpp"
#include "tidings/schemas.hpp"
#include "tidings/statistics.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace tidings::http {

/// What all workers share. Outlives them. Members are set before the workers start, and only read
/// after.
struct broker_context {
  std::shared_ptr<statistics> stats;
  std::string version;
  int64_t started_ms = 0; ///< Unix time
  uint32_t connections_max = 0;

  std::shared_ptr<const cluster_board> cluster; ///< nullptr: the node is alone

  /// Why the broker is not ready to serve, as a stable word; empty: it is.
  std::function<std::string()> not_ready;

  /// Prometheus text.
  std::function<std::string()> metrics;

  /// A Unix time in milliseconds that has passed even if the clock of the machine is ahead.
  std::function<int64_t()> past_ms;

  /// Decides who callers are; exchanged when the configuration is read again.
  std::atomic<std::shared_ptr<const authenticator>> gate;

  /// What events must be like; exchanged when the configuration is read again.
  std::atomic<std::shared_ptr<const schema_set>> schemas{std::make_shared<const schema_set>()};

  std::shared_ptr<revocations> revoked = std::make_shared<revocations>(milliseconds{0});
  std::shared_ptr<stream_census> census = std::make_shared<stream_census>();
  publish_rates rates;

  std::atomic<bool> draining{false}; ///< it stops
  std::atomic<bool> resting{false};  ///< it was told to take no new work, for now

  bool takes_work() const noexcept {
    return !draining && !resting;
  }
};

} // namespace tidings::http
