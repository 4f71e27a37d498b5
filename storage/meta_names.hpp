#pragma once

#include <string_view>

namespace tidings::storage::meta {

// Keys of the family `meta`; values are numbers of eight bytes unless another form is named.

inline constexpr std::string_view schema = "schema";
inline constexpr std::string_view incarnation = "incarnation";
inline constexpr std::string_view forget_floor = "forget-floor";

/// With the number of the slot behind it: the node whose records it stands for.
inline constexpr std::string_view slot = "slot-";

/// With the name of an item and a user behind it: what the user did with it, told before it came.
inline constexpr std::string_view early = "early-";

/// With the origin position behind it: the body of a record of this node that has to wait until
/// others have given back what goes before it.
inline constexpr std::string_view set_aside = "set-aside-";

} // namespace tidings::storage::meta
