#include "tidings/position.hpp"

namespace tidings {

uint64_t node_id::short_form() const noexcept {
  uint64_t x = 0;
  for (size_t i = 0; i < 8; ++i)
    x = x << 8 | bytes[i];
  return x;
}

std::string to_string(const node_id& x) {
  constexpr auto digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * x.bytes.size());
  for (auto byte : x.bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

} // namespace tidings
