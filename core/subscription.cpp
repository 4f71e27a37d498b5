#include "tidings/subscription.hpp"

#include <algorithm>

namespace tidings {

subscription::subscription(std::vector<topic_pattern> patterns,
                           std::optional<topic_rights> permitted, std::vector<std::string> types)
  : types_(std::move(types)), permitted_(std::move(permitted)) {
  universal_ = patterns.empty() || std::any_of(patterns.begin(), patterns.end(), [](auto& x) {
                 return x.is_universal();
               });
  if (universal_)
    patterns.clear();
  std::sort(patterns.begin(), patterns.end());
  patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
  key_ = universal_ ? "**" : "";
  for (auto& x : patterns) {
    if (x.is_exact() && permitted_ && !permitted_->permits(x.text()))
      continue;
    if (!key_.empty())
      key_ += ',';
    key_ += x.text();
    if (x.is_exact())
      exact_.push_back(x.text());
    else
      wildcards_.push_back(std::move(x));
  }
  if (is_exact() || (permitted_ && permitted_->is_all()))
    permitted_.reset(); // nothing is left to judge
  // What each user may read besides, such as their own topic, mostly is none of what the wildcards
  // ask for: users who see the same then share one subscription.
  if (permitted_)
    permitted_->retain_exact([&](const std::string& topic) {
      return !is_reserved_topic(topic) && (universal_ || is_asked_by_wildcard(topic));
    });
  if (permitted_) {
    key_ += '\n'; // no topic holds one
    key_ += permitted_->key();
  }
  std::sort(types_.begin(), types_.end());
  types_.erase(std::unique(types_.begin(), types_.end()), types_.end());
  for (auto& x : types_) {
    key_ += "\n\t"; // no topic begins with a tab
    key_ += x;
  }
}

bool subscription::is_asked_by_wildcard(std::string_view topic) const noexcept {
  return std::any_of(wildcards_.begin(), wildcards_.end(),
                     [&](auto& x) { return x.matches(topic); });
}

bool subscription::matches(std::string_view topic) const noexcept {
  if (std::binary_search(exact_.begin(), exact_.end(), topic))
    return true;
  if (is_reserved_topic(topic))
    return false;
  auto asked = universal_ || is_asked_by_wildcard(topic);
  return asked && (!permitted_ || permitted_->permits(topic));
}

bool subscription::matches_any(const std::vector<std::string>& topics) const noexcept {
  return std::any_of(topics.begin(), topics.end(), [&](auto& x) { return matches(x); });
}

} // namespace tidings
