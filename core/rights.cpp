#include "tidings/rights.hpp"

#include <algorithm>

namespace tidings {

result<topic_rights> topic_rights::parse(std::span<const std::string> patterns) {
  topic_rights x;
  for (auto& text : patterns) {
    auto pattern = topic_pattern::parse(text);
    if (!pattern)
      return pattern.error();
    x.all_ = x.all_ || pattern->is_universal();
    x.patterns_.push_back(std::move(*pattern));
  }
  std::sort(x.patterns_.begin(), x.patterns_.end());
  x.patterns_.erase(std::unique(x.patterns_.begin(), x.patterns_.end()), x.patterns_.end());
  x.make_key();
  return x;
}

topic_rights topic_rights::all() {
  const std::string everything = "**";
  return *parse({&everything, 1});
}

bool topic_rights::permits(std::string_view topic) const noexcept {
  if (std::binary_search(exact_.begin(), exact_.end(), topic))
    return true;
  if (is_reserved_topic(topic))
    return false;
  return all_ || std::any_of(patterns_.begin(), patterns_.end(), [&](auto& x) {
           return x.matches(topic);
         });
}

void topic_rights::add_exact(std::string topic) {
  auto at = std::lower_bound(exact_.begin(), exact_.end(), topic);
  if (at != exact_.end() && *at == topic)
    return;
  exact_.insert(at, std::move(topic));
  make_key();
}

void topic_rights::make_key() {
  // Neither a pattern nor a topic holds one of the separators, so that different rights never have
  // the same key: streams are shared by it.
  key_.clear();
  for (auto& pattern : patterns_)
    key_.append(key_.empty() ? "" : ",").append(pattern.text());
  for (auto& topic : exact_)
    key_.append("#").append(topic);
}

} // namespace tidings
