#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidings::http {

/// In what shape a client wants events.
enum class representation : uint8_t { event_stream, json, ndjson };

/// What an `Accept` header asks for most; of equals the first in the order of `representation`.
/// Absent, empty or `*/*`: event_stream. nullopt: nothing that we have. Members that make no sense
/// are ignored.
std::optional<representation> negotiate(std::string_view accept);

/// A `Content-Type`.
struct media_type {
  std::string essence; ///< `application/json`: lower case, without parameters
  std::string charset; ///< lower case; empty: none given

  /// `application/json`, `text/json` or anything with the suffix `+json`.
  bool is_json() const noexcept;

  /// Whether text in it is UTF-8, as far as it says.
  bool is_utf8() const noexcept;
};

/// nullopt: it is malformed. An empty text gives an empty essence.
std::optional<media_type> parse_media_type(std::string_view text);

} // namespace tidings::http
