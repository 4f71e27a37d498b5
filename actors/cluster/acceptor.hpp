#pragma once

#include "actors/cluster/link_messages.hpp"

#include <caf/fwd.hpp>

namespace tidings::cluster {

/// Waits for links; runs on the multiplexer's thread.
struct acceptor {
  caf::actor actor;
  uint16_t port = 0; ///< that it listens on
};

/// Listens, and starts a link for every connection. Those beyond `waiting_max` that have not proven
/// anything yet are closed at once. Ends with its owner, to whom the links belong. Fails with
/// errc::invalid_configuration if the address cannot be used.
result<acceptor> open_acceptor(caf::actor_system& sys, const listen_address& where,
                               link_settings_ptr settings, caf::actor owner);

} // namespace tidings::cluster
