#pragma once

#include "actors/cluster/cluster_board.hpp"
#include "actors/handles.hpp"
#include "tidings/clock.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <string>
#include <vector>

namespace tidings {

struct views_environment {
  std::string member; ///< name of this node; empty: it is alone
  std::string version;
  int64_t started_ms = 0;  ///< Unix time
  milliseconds timeout{0}; ///< for answers of other members
  std::vector<shard_actor> shards;
  std::shared_ptr<const event_store> store;
  std::shared_ptr<const statistics> stats;
  std::shared_ptr<const cluster_board> board; ///< says who the members are; nullptr: alone
  const clock_source* clock = nullptr;        ///< outlives the actor
};

/// Starts the actor that says what is open and what was counted, on this node and on all members.
/// On a thread of its own: a long list keeps nobody from publishing.
views_actor spawn_views(caf::actor_system& sys, views_environment env);

} // namespace tidings
