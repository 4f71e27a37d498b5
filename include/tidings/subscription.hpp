#pragma once

#include "tidings/rights.hpp"
#include "tidings/topic.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// A set of topics and patterns, sorted and without repeats. No pattern at all means everything but
/// the broker's own topics. Immutable; shared by all streams that asked for the same set with the
/// same rights.
class subscription {
public:
  /// Everything.
  subscription() = default;

  /// @param permitted what may be read of it; nullopt: all
  explicit subscription(std::vector<topic_pattern> patterns,
                        std::optional<topic_rights> permitted = std::nullopt);

  /// Whether a topic is asked for and may be read.
  bool matches(std::string_view topic) const noexcept;

  /// Whether any of an event's topics matches.
  bool matches_any(const std::vector<std::string>& topics) const noexcept;

  /// Whether everything is asked for.
  bool is_universal() const noexcept {
    return universal_;
  }

  /// Whether only exact topics are named, so that an index by topic can answer.
  bool is_exact() const noexcept {
    return !universal_ && wildcards_.empty();
  }

  /// The exact topics that may be read, ascending.
  const std::vector<std::string>& topics() const noexcept {
    return exact_;
  }

  /// The patterns that hold a wildcard, ascending; empty if universal.
  const std::vector<topic_pattern>& wildcards() const noexcept {
    return wildcards_;
  }

  /// Equal for equal sets and rights: what subscriptions are shared by. Names joined with commas,
  /// `**` for all, and the rights behind a `?`.
  const std::string& key() const noexcept {
    return key_;
  }

private:
  std::vector<std::string> exact_;
  std::vector<topic_pattern> wildcards_;
  std::optional<topic_rights> permitted_; // judges what wildcards match; exact topics passed it
  std::string key_ = "**";
  bool universal_ = true;
};

} // namespace tidings
