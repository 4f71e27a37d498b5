#pragma once

#include <string_view>

namespace tidings::storage::meta {

// Keys of the family `meta`; all values are numbers of eight bytes.

inline constexpr std::string_view schema = "schema";
inline constexpr std::string_view incarnation = "incarnation";
inline constexpr std::string_view forget_floor = "forget-floor";

/// With the number of the slot behind it: the node whose records it stands for.
inline constexpr std::string_view slot = "slot-";

/// With the name of an item and a user behind it: what the user did with it, told before it came.
inline constexpr std::string_view early = "early-";

} // namespace tidings::storage::meta
