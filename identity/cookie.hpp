#pragma once

#include "tidings/result.hpp"

#include <optional>
#include <string_view>

namespace tidings {

/// The value of a cookie in a `Cookie` field; nullopt if it is not there, or empty, as it is left
/// behind by signing out. Fails with errc::unauthorized if the name comes twice: one of the two may
/// have been put there by another site of the same domain.
result<std::optional<std::string_view>> find_cookie(std::string_view field, std::string_view name);

} // namespace tidings
