#include "tidings/token_algorithm.hpp"

#include <array>

namespace tidings {

namespace {

constexpr std::array<const char*, 4> names{"HS256", "RS256", "ES256", "EdDSA"};

} // namespace

const char* to_string(token_algorithm x) noexcept {
  return names[static_cast<size_t>(x)];
}

std::optional<token_algorithm> parse_token_algorithm(std::string_view x) noexcept {
  for (size_t i = 0; i < names.size(); ++i)
    if (x == names[i])
      return static_cast<token_algorithm>(i);
  return std::nullopt;
}

} // namespace tidings
