#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace tidings {

/// What is in memory now, by name, in the order of its last use.
template <class Value>
class recently_used {
public:
  /// Marks the entry as used and returns its value; nullptr if there is none.
  Value* find(const std::string& name, int64_t now_ms) {
    auto i = by_name_.find(name);
    if (i == by_name_.end())
      return nullptr;
    i->second->used_ms = now_ms;
    by_use_.splice(by_use_.end(), by_use_, i->second);
    return &i->second->value;
  }

  /// Looks without using.
  Value* peek(const std::string& name) {
    auto i = by_name_.find(name);
    return i == by_name_.end() ? nullptr : &i->second->value;
  }

  /// There must not be one of this name.
  Value& add(const std::string& name, Value x, int64_t now_ms) {
    by_use_.push_back({name, std::move(x), now_ms});
    auto last = std::prev(by_use_.end());
    by_name_.emplace(last->name, last);
    return last->value;
  }

  void remove(const std::string& name) {
    auto i = by_name_.find(name);
    if (i == by_name_.end())
      return;
    auto where = i->second;
    by_name_.erase(i); // its key lives in the entry
    by_use_.erase(where);
  }

  /// Takes out what has been idle since before a time and, beyond that, the least recently used
  /// until no more than `size_max` are left. Calls `f(value)` for each.
  template <class F>
  void evict(int64_t idle_since_ms, size_t size_max, F f) {
    while (!by_use_.empty()
           && (by_use_.size() > size_max || by_use_.front().used_ms < idle_since_ms)) {
      f(by_use_.front().value);
      by_name_.erase(by_use_.front().name);
      by_use_.pop_front();
    }
  }

  /// Calls `f(value)` for each that `evict` would take out.
  template <class F>
  void for_each_due(int64_t idle_since_ms, size_t size_max, F f) {
    auto left = by_use_.size();
    for (auto& x : by_use_) {
      if (left <= size_max && x.used_ms >= idle_since_ms)
        return;
      f(x.value);
      --left;
    }
  }

  template <class F>
  void for_each(F f) {
    for (auto& x : by_use_)
      f(x.value);
  }

  size_t size() const noexcept {
    return by_use_.size();
  }

private:
  struct entry {
    std::string name;
    Value value;
    int64_t used_ms;
  };

  std::list<entry> by_use_;
  std::unordered_map<std::string_view, typename std::list<entry>::iterator> by_name_;
};

} // namespace tidings
