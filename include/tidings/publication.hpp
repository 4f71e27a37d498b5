#pragma once

#include "tidings/durability.hpp"
#include "tidings/event.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace tidings {

/// What a publisher asked for: an event and how it is to be treated.
struct publication {
  event content;

  /// Repeats under the same key are answered with the first result; empty: none. Already scoped, so
  /// that keys of different kinds cannot meet.
  std::string key;
  uint64_t fingerprint = 0; ///< hash of topics, type and data: tells a repeat from a conflict

  std::optional<std::chrono::milliseconds> ttl; ///< zero: for ever; unset: the topic's default
  std::optional<durability> level;              ///< unset: the topic's level
};

} // namespace tidings
