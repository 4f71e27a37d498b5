#pragma once

#include "actors/cluster/cluster_board.hpp"
#include "actors/cluster/replication.hpp"
#include "actors/handles.hpp"
#include "tidings/clock.hpp"
#include "tidings/membership.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>
#include <string>

namespace tidings {

/// What the replicator works with.
struct cluster_environment {
  cluster_config cfg;
  membership members; ///< the list that counts, see cfg.members
  std::string secret;
  std::shared_ptr<event_store> store;
  storage_actor storage;
  distributor_actor distributor;
  views_actor views;
  std::vector<shard_actor> shards;
  std::shared_ptr<statistics> stats;
  uint64_t publish_bytes_max = 0; ///< see limits.publish-bytes
  std::shared_ptr<cluster_gate> gate;
  std::shared_ptr<cluster_board> board;
  const clock_source* clock = nullptr; ///< outlives the actor

  /// Called when this node must not go on: another writes in its name.
  std::function<void(const failure&)> on_broken;

  /// Makes another list of members survive the end of the process.
  std::function<status(const membership&)> keep;

  /// The node goes by another list from now on, the distributor too.
  std::function<void(const membership&)> on_members;

  /// The node takes no new publishes, or takes them again.
  std::function<void(bool)> set_draining;
};

/// Starts the actor that holds the links to the other members and exchanges records with them, on
/// a thread of its own. Listens when it returns. Fails with errc::invalid_configuration.
/// @param port receives the port that links are taken on
result<caf::actor> spawn_replicator(caf::actor_system& sys, cluster_environment env,
                                    uint16_t& port);

} // namespace tidings
