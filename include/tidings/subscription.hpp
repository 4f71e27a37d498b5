#pragma once

#include "tidings/rights.hpp"
#include "tidings/topic.hpp"

#include <algorithm>
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
  /// @param types only events of these types; empty: of all. An event without a type is a `message`
  explicit subscription(std::vector<topic_pattern> patterns,
                        std::optional<topic_rights> permitted = std::nullopt,
                        std::vector<std::string> types = {});

  /// Whether a topic is asked for and may be read.
  bool matches(std::string_view topic) const noexcept;

  /// Whether any of an event's topics matches.
  bool matches_any(const std::vector<std::string>& topics) const noexcept;

  /// Whether events of this type are asked for.
  bool admits_type(std::string_view type) const noexcept {
    return types_.empty()
           || std::find(types_.begin(), types_.end(), type.empty() ? "message" : type)
                != types_.end();
  }

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

  /// The types that are asked for, ascending; empty: all.
  const std::vector<std::string>& types() const noexcept {
    return types_;
  }

  /// Equal for equal sets and rights: what subscriptions are shared by. Names joined with commas,
  /// `**` for all; behind line breaks the rights and the types.
  const std::string& key() const noexcept {
    return key_;
  }

private:
  bool is_asked_by_wildcard(std::string_view topic) const noexcept;

  std::vector<std::string> exact_;
  std::vector<topic_pattern> wildcards_;
  std::vector<std::string> types_;        // ascending
  std::optional<topic_rights> permitted_; // judges what wildcards match; exact topics passed it
  std::string key_ = "**";
  bool universal_ = true;
};

} // namespace tidings
