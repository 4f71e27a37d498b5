#pragma once

#include "tidings/result.hpp"
#include "tidings/topic.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// Topics that somebody may use for something. Nothing at first.
class topic_rights {
public:
  /// Patterns as in subscriptions. Fails with errc::invalid_topic.
  static result<topic_rights> parse(std::span<const std::string> patterns);

  /// Every topic but the broker's own.
  static topic_rights all();

  /// Never more than the literal rule: what a pattern matches as `topic_pattern::matches` says.
  bool permits(std::string_view topic) const noexcept;

  /// Whether every topic but the broker's own is permitted.
  bool is_all() const noexcept {
    return all_;
  }

  /// Adds one topic by its name, also one of the broker's own.
  void add_exact(std::string topic);

  /// Forgets the topics added by name for which `wanted` is false.
  template <class F>
  void retain_exact(F wanted) {
    std::erase_if(exact_, [&](const std::string& topic) { return !wanted(topic); });
    make_key();
  }

  const std::vector<topic_pattern>& patterns() const noexcept {
    return patterns_;
  }

  /// Equal for equal rights, and only for these.
  const std::string& key() const noexcept {
    return key_;
  }

private:
  void make_key();

  std::vector<topic_pattern> patterns_; // ascending, without repeats
  std::vector<std::string> exact_;      // ascending
  std::string key_;
  bool all_ = false;
};

} // namespace tidings
