#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tidings {

/// What an acknowledgement promises to survive, weakest first.
enum class durability : uint8_t {
  none,    ///< admitted to a bounded queue; survives nothing
  written, ///< handed to the operating system; survives the death of the process
  fsync,   ///< on this node's disk; survives power loss
  quorum,  ///< on the disks of a majority of the configured members
};

const char* to_string(durability x) noexcept;

/// Parses what `to_string` prints.
std::optional<durability> parse_durability(std::string_view text) noexcept;

} // namespace tidings
