#pragma once

#include "cluster/replicator_action.hpp"
#include "simulator/model_record.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <set>

namespace tidings::simulator {

/// A connection between two nodes: what was sent arrives in order, or not at all once it is cut.
/// The two sides learn of its beginning and end at different times.
struct model_connection {
  enum class phase : uint8_t { coming, up, over };

  struct side {
    uint64_t node = 0;
    phase now = phase::coming;
    std::deque<cluster::message> inbox; ///< under way to this side
    int64_t last_arrival_us = 0;

    // What this side was told, and sent: to see that it keeps to it.
    uint64_t credit = 0;
    uint64_t bytes_sent = 0;
    std::set<uint64_t> wanted;

    bool heard = false;
    origin_position own_head; ///< of this side's own records, as the other side told last
  };

  bool cut = false;
  std::array<side, 2> sides;
};

} // namespace tidings::simulator
