#pragma once

#include "actors/mailbox/mailbox_actor.hpp"
#include "tidings/clock.hpp"

namespace tidings {

/// Starts the mailroom.
/// @param env its `mailroom` is set here
/// @param clock outlives the actor
mailroom_actor spawn_mailroom(caf::actor_system& sys, config_ptr cfg, mailbox_environment env,
                              const clock_source& clock);

} // namespace tidings
