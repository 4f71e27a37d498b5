#include "tidings/durability.hpp"

namespace tidings {

const char* to_string(durability x) noexcept {
  switch (x) {
    case durability::none:
      return "none";
    case durability::written:
      return "written";
    case durability::fsync:
      return "fsync";
    case durability::quorum:
      return "quorum";
  }
  return "unknown";
}

std::optional<durability> parse_durability(std::string_view text) noexcept {
  for (auto x : {durability::none, durability::written, durability::fsync, durability::quorum})
    if (text == to_string(x))
      return x;
  return std::nullopt;
}

} // namespace tidings
