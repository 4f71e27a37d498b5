#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace tidings {

/// The topics that have an actor now, least recently used first to go.
/// @tparam Handle an actor handle; anything copyable in tests
template <class Handle>
class topic_directory {
public:
  /// Marks the topic as used and returns its handle; nullptr if it has none.
  Handle* find(const std::string& topic, int64_t now_ms) {
    auto i = by_name_.find(topic);
    if (i == by_name_.end())
      return nullptr;
    i->second->used_ms = now_ms;
    by_use_.splice(by_use_.end(), by_use_, i->second);
    return &i->second->handle;
  }

  Handle& add(const std::string& topic, Handle x, int64_t now_ms) {
    by_use_.push_back({topic, std::move(x), now_ms});
    auto last = std::prev(by_use_.end());
    by_name_.emplace(last->topic, last);
    return last->handle;
  }

  /// Takes out what has been idle since before a time and, beyond that, the least recently used
  /// until no more than `size_max` are left. Calls `f(handle)` for each.
  template <class F>
  void evict(int64_t idle_since_ms, size_t size_max, F f) {
    while (!by_use_.empty()
           && (by_use_.size() > size_max || by_use_.front().used_ms < idle_since_ms)) {
      f(by_use_.front().handle);
      by_name_.erase(by_use_.front().topic);
      by_use_.pop_front();
    }
  }

  template <class F>
  void for_each(F f) {
    for (auto& x : by_use_)
      f(x.handle);
  }

  size_t size() const noexcept {
    return by_use_.size();
  }

private:
  struct entry {
    std::string topic;
    Handle handle;
    int64_t used_ms;
  };

  std::list<entry> by_use_;
  std::unordered_map<std::string_view, typename std::list<entry>::iterator> by_name_;
};

} // namespace tidings
