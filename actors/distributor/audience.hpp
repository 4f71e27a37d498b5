#pragma once

#include "actors/subscription_index.hpp"
#include "tidings/subscription.hpp"

#include <memory>
#include <string>
#include <unordered_map>

namespace tidings {

/// Who listens to what, over all shards: counts only.
class audience {
public:
  using subscription_ptr = std::shared_ptr<const subscription>;

  void add(const subscription_ptr& x);

  void remove(const subscription_ptr& x);

  /// Streams that would get an event of these topics and this type.
  uint32_t count(const std::vector<std::string>& topics, std::string_view type);

  /// Distinct topics and patterns that somebody asked for.
  size_t distinct_topics() const noexcept {
    return mentioned_.size();
  }

private:
  struct group {
    subscription_ptr who;
    uint32_t streams = 0;
    uint64_t visited = 0;

    const subscription& what() const {
      return *who;
    }
  };

  template <class F>
  static void for_each_name(const subscription& x, F f) {
    if (x.is_universal())
      f(x.key());
    for (auto& topic : x.topics())
      f(topic);
    for (auto& pattern : x.wildcards())
      f(pattern.text());
  }

  std::unordered_map<std::string, group> groups_; // by subscription key
  std::unordered_map<std::string, uint32_t> mentioned_;
  subscription_index<group> index_;
};

} // namespace tidings
