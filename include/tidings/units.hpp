#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidings {

/// `250ms`, `30s`, `5m`, `12h`, `7d`, and sums such as `1h30m`; `0` needs no unit, every other bare
/// number is refused because its unit is unclear.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;

/// The shortest text that `parse_duration` reads back: `90s` gives `1m30s`, zero gives `0`.
std::string format_duration(std::chrono::milliseconds x);

/// `512`, `64KiB`, `64k`, `1M`, `1MiB`, `2GiB`, case-insensitive; all are powers of 1024.
std::optional<uint64_t> parse_bytes(std::string_view text) noexcept;

std::string format_bytes(uint64_t x);

/// RFC 3339 with any offset and up to nine digits of fraction, to Unix milliseconds.
std::optional<int64_t> parse_rfc3339(std::string_view text) noexcept;

/// `2026-11-21T06:19:28.123Z`
std::string format_rfc3339(int64_t unix_ms);

/// Decimal digits only, no sign, no blanks, no overflow.
std::optional<uint64_t> parse_unsigned(std::string_view text) noexcept;

} // namespace tidings
