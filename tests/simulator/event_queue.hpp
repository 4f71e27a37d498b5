#pragma once

#include <cstdint>
#include <queue>
#include <vector>

namespace tidings::simulator {

enum class event_kind : uint8_t {
  tick,        ///< of node `who`, in its life `life`
  publish,     ///< at node `who`
  commit,      ///< node `who` is done with a commit
  sync,        ///< node `who` syncs what it has only written
  read_done,   ///< node `who` has read for ticket `number`
  start,       ///< node `who`
  dial,        ///< pair `who`
  link_begins, ///< connection `who` at its side `number`
  link_ends,   ///< connection `who` at its side `number`
  deliver,     ///< the next message of connection `who` to its side `number`
  power_cut,   ///< of node `who`
  fault,
  read_on, ///< reader `who`
  look,    ///< whether all is over
};

struct event {
  int64_t at_us = 0;
  uint64_t order = 0; ///< among those of the same time
  event_kind kind{};
  uint32_t who = 0;
  uint32_t life = 0;
  uint64_t number = 0;
};

/// What is going to happen, in the order of time.
class event_queue {
public:
  void add(int64_t at_us, event_kind kind, uint32_t who, uint64_t number = 0, uint32_t life = 0) {
    queue_.push(event{at_us, ++last_, kind, who, life, number});
  }

  /// Puts an event off, behind those of the same node that have been put off before.
  void put_off(event x, int64_t at_us) {
    x.at_us = at_us;
    queue_.push(x);
  }

  event take() {
    auto result = queue_.top();
    queue_.pop();
    return result;
  }

private:
  struct later {
    bool operator()(const event& x, const event& y) const noexcept {
      return x.at_us != y.at_us ? x.at_us > y.at_us : x.order > y.order;
    }
  };

  std::priority_queue<event, std::vector<event>, later> queue_;
  uint64_t last_ = 0;
};

} // namespace tidings::simulator
