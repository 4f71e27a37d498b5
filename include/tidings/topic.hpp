#pragma once

#include "tidings/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// Longest topic name or pattern, in bytes.
inline constexpr size_t topic_bytes_max = 256;

/// Checks the name of a topic that somebody wants to publish to: 1 to 256 bytes of UTF-8 without
/// control characters (C0, DEL, C1, U+2028, U+2029), spaces at either end, `*`, `?`, `#` or `,`.
/// Segments end at `:` `/` `.`; `.` and `..` as a whole piece between slashes are refused because
/// clients and proxies rewrite such paths. URLs such as `https://example.com/books/1` are fine.
/// There is one canonical form: names are compared byte by byte, nothing is decoded or normalised
/// here.
status validate_topic(std::string_view name);

/// Whether a topic is the broker's own, as those are that begin with `$`: nobody publishes to it,
/// and no pattern matches it.
inline bool is_reserved_topic(std::string_view topic) noexcept {
  return !topic.empty() && topic.front() == '$';
}

/// What a subscription names: a topic, `*` in place of one segment, or `**` at the end for any
/// depth.
///
/// `order:*` matches `order:1` and not `order:1:paid`; `*:paid` matches `order:paid`; `iot/**`
/// matches `iot/a` and `iot/a/b` and not `iot`; `**` and `*` alone match everything. A `*` stands
/// for one whole, non-empty segment; the separators of a pattern match literally.
class topic_pattern {
public:
  /// Fails with errc::invalid_topic.
  static result<topic_pattern> parse(std::string_view text);

  bool matches(std::string_view topic) const noexcept;

  /// Whether the pattern is the name of one topic.
  bool is_exact() const noexcept {
    return exact_;
  }

  /// Whether the pattern matches every topic.
  bool is_universal() const noexcept {
    return universal_;
  }

  const std::string& text() const noexcept {
    return text_;
  }

  auto operator<=>(const topic_pattern& x) const noexcept {
    return text_ <=> x.text_;
  }

  bool operator==(const topic_pattern& x) const noexcept {
    return text_ == x.text_;
  }

private:
  explicit topic_pattern(std::string text);

  std::string text_;
  bool exact_ = true;
  bool universal_ = false;
};

} // namespace tidings
