#pragma once

#include "actors/handles.hpp"
#include "actors/shard/shard.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <vector>

namespace tidings {

/// The actors that a shard talks to; they exist only after the shards.
struct shard_peers {
  distributor_actor distributor;
  std::vector<reader_actor> readers; ///< at least one
  std::vector<shard_actor> shards;   ///< all, in the order of their index
  mailroom_actor mailroom;
  cluster_keeper keeper; ///< none: the node is alone
};

/// Starts the actor of a shard on the shard's thread. Its first message must be its peers.
shard_actor spawn_shard(caf::actor_system& sys, caf::execution_unit* unit,
                        std::shared_ptr<shard> core);

} // namespace tidings
