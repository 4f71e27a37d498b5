#pragma once

#include "tidings/subscription.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tidings {

/// Finds the groups of subscribers that want an event. A group is everybody who asked for the same
/// subscription in the same way: an event is matched once for all of them.
///
/// @tparam Group has `const subscription& what()` and a public `uint64_t visited`, owned by the
/// index. Groups belong to the caller and leave the index before they die.
template <class Group>
class subscription_index {
public:
  void add(Group& x) {
    auto& what = x.what();
    if (what.is_universal()) {
      universal_.push_back(&x);
      return;
    }
    for (auto& topic : what.topics())
      exact_[topic].push_back(&x);
    if (!what.wildcards().empty()) {
      wildcard_.push_back(&x);
      cache_.clear();
    }
  }

  void remove(Group& x) {
    auto& what = x.what();
    if (what.is_universal()) {
      std::erase(universal_, &x);
      return;
    }
    for (auto& topic : what.topics()) {
      auto i = exact_.find(topic);
      std::erase(i->second, &x);
      if (i->second.empty())
        exact_.erase(i);
    }
    if (!what.wildcards().empty()) {
      std::erase(wildcard_, &x);
      cache_.clear();
    }
  }

  /// Calls `f(group)` once for each group that wants an event of these topics.
  template <class F>
  void for_each_match(const std::vector<std::string>& topics, F f) {
    ++visit_;
    auto once = [&](Group* x) {
      if (x->visited != visit_) {
        x->visited = visit_;
        f(*x);
      }
    };
    for (auto x : universal_)
      if (x->what().matches_any(topics))
        once(x);
    for (auto& topic : topics) {
      if (auto i = exact_.find(topic); i != exact_.end())
        for (auto x : i->second)
          once(x);
      if (!wildcard_.empty())
        for (auto x : wildcards_of(topic))
          once(x);
    }
  }

private:
  static constexpr size_t cached_topics_max = 16 * 1024;

  const std::vector<Group*>& wildcards_of(const std::string& topic) {
    if (auto i = cache_.find(topic); i != cache_.end())
      return i->second;
    if (cache_.size() >= cached_topics_max)
      cache_.clear();
    auto& found = cache_[topic];
    for (auto x : wildcard_)
      if (x->what().matches(topic))
        found.push_back(x);
    return found;
  }

  std::vector<Group*> universal_;
  std::vector<Group*> wildcard_;
  std::unordered_map<std::string, std::vector<Group*>> exact_;
  std::unordered_map<std::string, std::vector<Group*>> cache_; // topic -> wildcard groups
  uint64_t visit_ = 0;
};

} // namespace tidings
