#pragma once

#include "actors/handles.hpp"
#include "tidings/clock.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace tidings {

/// What the storage actor works with.
struct storage_environment {
  std::shared_ptr<event_store> store;
  std::vector<shard_actor> shards;
  std::shared_ptr<statistics> stats;
  std::shared_ptr<const cluster_gate> gate; ///< nullptr: the node is alone
  config_ptr cfg;
  std::function<int64_t()> now_ms; ///< what expiry counts from: guarded_clock::read_now_ms

  /// Called once, on the storage thread, when the store failed and nothing can be published any
  /// more.
  std::function<void(const failure&)> on_broken;
};

/// Starts the storage actor on a thread of its own.
storage_actor spawn_storage(caf::actor_system& sys, storage_environment env);

} // namespace tidings
