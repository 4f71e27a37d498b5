#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tidings {

/// How a token is signed. There are no others: `none` does not exist here.
enum class token_algorithm : uint8_t { hs256, rs256, es256, eddsa };

/// `HS256`, `RS256`, `ES256` or `EdDSA`.
const char* to_string(token_algorithm x) noexcept;

/// By exactly that name.
std::optional<token_algorithm> parse_token_algorithm(std::string_view x) noexcept;

} // namespace tidings
