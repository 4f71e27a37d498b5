#pragma once

#include "tidings/result.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace tidings {

/// Deepest nesting that is read, the outermost object included.
inline constexpr size_t json_depth_max = 8;

/// Reads one JSON object in which no member is named twice, at any depth: parsers disagree about
/// which of the two counts. Fails with `code`; the detail says what is wrong with `what`, and holds
/// nothing of the text.
result<nlohmann::json> parse_strict_object(std::string_view text, errc code, std::string_view what);

} // namespace tidings
