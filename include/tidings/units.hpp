#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidings {

/// Longest duration that is understood, about a thousand years: adding one to a time cannot
/// overflow.
inline constexpr std::chrono::milliseconds duration_max = std::chrono::hours{24 * 365'000};

/// `250ms`, `30s`, `5m`, `12h`, `7d`, and sums such as `1h30m`, largest unit first; `0` needs no
/// unit, every other bare number is refused because its unit is unclear.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;

/// The text in the largest units that `parse_duration` reads back: `90s` gives `1m30s`, zero (and
/// less) gives `0`.
std::string format_duration(std::chrono::milliseconds x);

/// `512`, `64KiB`, `64k`, `1M`, `1MiB`, `2GiB`, `1T`, case-insensitive; all are powers of 1024.
/// `64KB` is refused because it means two things.
std::optional<uint64_t> parse_bytes(std::string_view text) noexcept;

/// In the largest unit that `parse_bytes` reads back exactly: `64KiB`, `1000`.
std::string format_bytes(uint64_t x);

/// RFC 3339 with any offset and up to nine digits of fraction, to Unix milliseconds; what is finer
/// is cut off. A leap second is the first second of the next day.
std::optional<int64_t> parse_rfc3339(std::string_view text) noexcept;

/// `2026-11-21T06:19:28.123Z`; times outside the years 0 to 9999 become the nearest inside.
std::string format_rfc3339(int64_t unix_ms);

/// Appends what `format_rfc3339` returns.
void append_rfc3339(std::string& out, int64_t unix_ms);

/// Decimal digits only, no sign, no blanks, no overflow.
std::optional<uint64_t> parse_unsigned(std::string_view text) noexcept;

} // namespace tidings
