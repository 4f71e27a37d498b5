#pragma once

#include "tidings/result.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace tidings {

/// Stands for `pattern` in a schema that is ready.
inline constexpr const char* pattern_keyword = "tidings-pattern";

/// Reads a JSON Schema (draft 7) and makes it one that every event can be checked with in bounded
/// time: without references to other files, without parts that come back to themselves before they
/// have gone down in the data, and with patterns under a keyword of our own. Fails with
/// errc::invalid_configuration; the detail says what is wrong and where.
result<nlohmann::json> parse_schema_document(std::string_view text);

} // namespace tidings
