#pragma once

#include "tidings/cursor.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tidings {

/// Why events between two points of a stream are not sent.
enum class gap_reason : uint8_t {
  expired,        ///< their time to live ended
  evicted,        ///< the topic's retention by count or bytes removed them
  lagged,         ///< the reader asked not to be sent what it could not take
  lost,           ///< this node lost them (restored or salvaged store, unsynced tail)
  unknown_cursor, ///< the id is not one of ours
};

const char* to_string(gap_reason x) noexcept;

/// What a stream tells its reader instead of staying silent: something is missing after `from` up
/// to and including `to`. `from` is empty when the reader's id was not understood.
struct gap {
  gap_reason reason = gap_reason::expired;
  std::vector<std::string> topics; ///< those known to be affected, at most 100; empty: unknown
  std::string from;                ///< exclusive, as text: what the reader gave
  cursor to;                       ///< inclusive
};

/// `{"reason":…,"topics":[…],"from":…,"to":…}`
std::string to_json(const gap& x);

} // namespace tidings
