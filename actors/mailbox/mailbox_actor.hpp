#pragma once

#include "actors/handles.hpp"
#include "tidings/event_store.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tidings {

/// What all mailboxes share.
struct mailbox_environment {
  mailroom_actor mailroom;
  storage_actor storage;
  std::vector<reader_actor> readers;        ///< at least one
  std::shared_ptr<const event_store> store; ///< for the ids of positions; nothing is read from disk
  std::shared_ptr<statistics> stats;
  std::function<int64_t()> now_ms; ///< what expiry counts from
};

using mailbox_environment_ptr = std::shared_ptr<const mailbox_environment>;

/// Starts the actor of one user's mailbox.
mailbox_actor spawn_mailbox(caf::actor_system& sys, std::string user, config_ptr cfg,
                            mailbox_environment_ptr env);

} // namespace tidings
