#include "tidings/subscription.hpp"

#include <algorithm>

namespace tidings {

subscription::subscription(std::vector<topic_pattern> patterns,
                           std::optional<topic_rights> permitted)
  : permitted_(std::move(permitted)) {
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
  if (permitted_) {
    key_ += '?'; // no topic holds one
    key_ += permitted_->key();
  }
}

bool subscription::matches(std::string_view topic) const noexcept {
  if (std::binary_search(exact_.begin(), exact_.end(), topic))
    return true;
  if (is_reserved_topic(topic))
    return false;
  auto asked = universal_ || std::any_of(wildcards_.begin(), wildcards_.end(), [&](auto& x) {
                 return x.matches(topic);
               });
  return asked && (!permitted_ || permitted_->permits(topic));
}

bool subscription::matches_any(const std::vector<std::string>& topics) const noexcept {
  return std::any_of(topics.begin(), topics.end(), [&](auto& x) { return matches(x); });
}

} // namespace tidings
