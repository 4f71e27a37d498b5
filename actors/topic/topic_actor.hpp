#pragma once

#include "actors/handles.hpp"
#include "tidings/clock.hpp"

#include <caf/fwd.hpp>

#include <string>

namespace tidings {

/// What topic actors need of the world; shared by all of them.
struct topic_environment {
  distributor_actor distributor;
  storage_actor storage;
  std::vector<shard_actor> shards;
  const clock_source* clock = nullptr; ///< outlives all actors
};

using topic_environment_ptr = std::shared_ptr<const topic_environment>;

/// Starts the actor of one topic.
topic_actor spawn_topic(caf::actor_system& sys, std::string topic, config_ptr cfg,
                        topic_environment_ptr env);

} // namespace tidings
