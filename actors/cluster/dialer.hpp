#pragma once

#include "actors/cluster/link_messages.hpp"

#include <caf/fwd.hpp>

namespace tidings::cluster {

/// Where another node listens.
struct peer_address {
  std::string host; ///< name, or address without brackets
  uint16_t port = 0;
};

struct dial_timing {
  std::chrono::milliseconds connect_max{2000};
  std::chrono::milliseconds pause_min{100};  ///< between attempts
  std::chrono::milliseconds pause_max{5000}; ///< it grows up to this, at random
  std::chrono::milliseconds settled{10000};  ///< a link that lasted so long was a good one
};

/// Dials one peer for as long as its owner lives: whenever no link that it dialled is there, and
/// the owner wants one (dial_wanted; it does at first). It blocks a thread of its own, so that a
/// peer that does not answer delays no other.
caf::actor spawn_dialer(caf::actor_system& sys, peer_address where, link_settings_ptr settings,
                        caf::actor owner, dial_timing timing = {});

} // namespace tidings::cluster
