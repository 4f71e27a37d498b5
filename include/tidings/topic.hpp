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

/// A set of topics and patterns, sorted and without repeats. No pattern at all means everything.
/// Immutable; shared by all streams that asked for the same set.
class subscription {
public:
  /// Everything.
  subscription() = default;

  explicit subscription(std::vector<topic_pattern> patterns);

  bool matches(std::string_view topic) const noexcept;

  /// Whether any of an event's topics matches.
  bool matches_any(const std::vector<std::string>& topics) const noexcept;

  bool is_universal() const noexcept {
    return universal_;
  }

  /// Whether only exact topics are named, so that an index by topic can answer.
  bool is_exact() const noexcept {
    return !universal_ && wildcards_.empty();
  }

  /// The exact topics, ascending.
  const std::vector<std::string>& topics() const noexcept {
    return exact_;
  }

  /// The patterns that hold a wildcard, ascending; empty if universal.
  const std::vector<topic_pattern>& wildcards() const noexcept {
    return wildcards_;
  }

  /// Equal for equal sets: what subscriptions are shared by. Names joined with commas; `**` for
  /// all.
  const std::string& key() const noexcept {
    return key_;
  }

private:
  std::vector<std::string> exact_;
  std::vector<topic_pattern> wildcards_;
  std::string key_ = "**";
  bool universal_ = true;
};

} // namespace tidings
