#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidings {

/// The name of a stream among all those of a cluster: `a.0000000100000007` is one on member `a`. On
/// a node that is alone it is the number only.
struct connection_name {
  std::string member; ///< empty: the node is alone
  uint64_t id = 0;

  std::string to_string() const;

  /// @param self name of this member, which a mere number speaks of; empty: the node is alone, and
  /// knows no members
  static std::optional<connection_name> parse(std::string_view text, std::string_view self);

  bool operator==(const connection_name&) const = default;
};

} // namespace tidings
