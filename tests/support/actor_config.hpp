#pragma once

#include "actors/messages.hpp"

#include <caf/actor_system_config.hpp>

namespace tidings {

/// For an actor system with the messages of Tidings.
struct config_with_types : caf::actor_system_config {
  config_with_types() {
    add_message_types<caf::id_block::tidings>();
  }
};

} // namespace tidings
