#pragma once

#include <string_view>

namespace tidings::storage::meta {

// Keys of the family `meta`; all values are numbers of eight bytes.

inline constexpr std::string_view schema = "schema";
inline constexpr std::string_view incarnation = "incarnation";
inline constexpr std::string_view forget_floor = "forget-floor";

} // namespace tidings::storage::meta
