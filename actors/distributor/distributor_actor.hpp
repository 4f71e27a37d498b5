#pragma once

#include "actors/handles.hpp"
#include "tidings/clock.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <vector>

namespace tidings {

/// Starts the distributor.
/// @param clock outlives the actor
distributor_actor spawn_distributor(caf::actor_system& sys, config_ptr cfg, storage_actor storage,
                                    std::vector<shard_actor> shards,
                                    std::shared_ptr<statistics> stats, const clock_source& clock);

} // namespace tidings
