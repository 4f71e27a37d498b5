#include "payload.hpp"

#include <algorithm>
#include <array>

namespace bench {

namespace {

constexpr auto digit_values = [] {
  std::array<uint8_t, 256> values{};
  values.fill(0xff);
  for (uint8_t i = 0; i < 10; ++i)
    values[static_cast<size_t>('0') + i] = i;
  for (uint8_t i = 0; i < 6; ++i)
    values[static_cast<size_t>('a') + i] = static_cast<uint8_t>(10 + i);
  return values;
}();

void write_hex(char* to, unsigned digits, uint64_t value) {
  for (unsigned i = digits; i-- > 0; value >>= 4U)
    to[i] = "0123456789abcdef"[value & 15U];
}

uint64_t read_hex(const char* from, unsigned digits, unsigned& seen) {
  uint64_t value = 0;
  for (unsigned i = 0; i < digits; ++i) {
    auto digit = digit_values[static_cast<uint8_t>(from[i])];
    seen |= digit;
    value = value << 4U | (digit & 15U);
  }
  return value;
}

} // namespace

void write_mark(char* to, const payload_mark& mark) {
  *to = mark_byte;
  write_hex(to + 1, 16, mark.sent_ns);
  write_hex(to + 17, 4, mark.publisher);
  write_hex(to + 21, 8, mark.sequence);
}

bool read_mark(const char* digits, payload_mark& mark) {
  unsigned seen = 0;
  mark.sent_ns = read_hex(digits, 16, seen);
  mark.publisher = static_cast<uint16_t>(read_hex(digits + 16, 4, seen));
  mark.sequence = static_cast<uint32_t>(read_hex(digits + 20, 8, seen));
  return seen < 16;
}

std::string make_payload(size_t bytes) {
  std::string payload(std::max(bytes, mark_length), 'x');
  write_mark(payload.data(), {});
  return payload;
}

} // namespace bench
