#pragma once

#include "tidings/position.hpp"
#include "tidings/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidings::storage {

/// Who a store is: made once, beside the database. Its presence says that the database must exist.
struct identity {
  node_id node;
  uint32_t schema = 0;
  bool complete = false; ///< false until the database has been created

  bool operator==(const identity&) const = default;
};

std::string to_text(const identity& x);

/// nullopt: not a file of ours, or damaged. Of a newer schema only the number is read.
std::optional<identity> parse_identity(std::string_view text);

/// nullopt if the directory has none.
result<std::optional<identity>> load_identity(const std::string& directory);

status save_identity(const std::string& directory, const identity& x);

/// A random one.
result<node_id> make_node_id();

} // namespace tidings::storage
