#pragma once

#include <cstdint>
#include <string>

namespace bench {

/// What a payload says about itself, so that a reader can tell latency, losses, doubles and order
/// without parsing: a `~`, which stands nowhere else in a stream, and hexadecimal digits of fixed
/// width behind it.
struct payload_mark {
  uint64_t sent_ns = 0;
  uint16_t publisher = 0;
  uint32_t sequence = 0;
};

constexpr char mark_byte = '~';
constexpr size_t mark_digits = 16 + 4 + 8;
constexpr size_t mark_length = 1 + mark_digits;

/// Writes `mark_length` bytes.
void write_mark(char* to, const payload_mark& mark);

/// Reads the digits behind a `~`. False if they are none.
bool read_mark(const char* digits, payload_mark& mark);

/// `bytes` long, at least `mark_length`; the mark at its begin is still to be written.
std::string make_payload(size_t bytes);

} // namespace bench
