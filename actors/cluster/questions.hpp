#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tidings {

/// What was asked over links and waits for its answer. Each question ends once: with the answer,
/// with its link, or with its time.
class questions {
public:
  /// Gets the answer, or nullopt if none came.
  using continuation = std::function<void(std::optional<std::string>)>;

  /// @returns the id that the answer will name
  uint64_t add(uint64_t link, int64_t deadline_ms, continuation then) {
    open_.emplace(++last_, entry{link, deadline_ms, std::move(then)});
    return last_;
  }

  /// Answers that nobody waits for any more are dropped.
  /// @param link where it came from: nobody answers for others
  void answer(uint64_t link, uint64_t id, std::string body) {
    auto i = open_.find(id);
    if (i == open_.end() || i->second.link != link)
      return;
    auto then = std::move(i->second.then);
    open_.erase(i);
    then(std::move(body));
  }

  void link_down(uint64_t link) {
    give_up([link](const entry& x) { return x.link == link; });
  }

  void expire(int64_t now_ms) {
    give_up([now_ms](const entry& x) { return x.deadline_ms <= now_ms; });
  }

private:
  struct entry {
    uint64_t link = 0;
    int64_t deadline_ms = 0;
    continuation then;
  };

  template <class Predicate>
  void give_up(Predicate is_over) {
    std::vector<continuation> over;
    for (auto i = open_.begin(); i != open_.end();)
      if (is_over(i->second)) {
        over.push_back(std::move(i->second.then));
        i = open_.erase(i);
      } else {
        ++i;
      }
    for (auto& then : over)
      then(std::nullopt);
  }

  std::map<uint64_t, entry> open_;
  uint64_t last_ = 0;
};

} // namespace tidings
