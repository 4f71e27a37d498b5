#pragma once

#include "actors/messages.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace tidings {

/// Publishes that are on this node's disk and wait for those of a majority.
class quorum_queue {
public:
  /// @param self short form of this node
  explicit quorum_queue(uint64_t self) : self_(self) {
    // nop
  }

  /// @returns what of it others have to store; sequence 0: nothing of this node
  origin_position wanted(const publish_request& x) const {
    origin_position highest;
    for (auto& item : x.items)
      if (waits(item) && item.outcome.node == self_)
        highest = std::max(highest, item.outcome.origin);
    return highest;
  }

  void add(publish_ptr x, origin_position wanted, int64_t deadline_ms) {
    waiting_.push_back({std::move(x), wanted, deadline_ms});
  }

  /// Everything up to a position is stored by a majority.
  /// @param others see `settle`
  /// @returns what waited for that, with its level
  std::vector<publish_ptr> reach(origin_position at, uint32_t nodes, uint32_t others) {
    std::vector<publish_ptr> done;
    while (!waiting_.empty() && waiting_.front().wanted <= at) {
      done.push_back(std::move(waiting_.front().what));
      waiting_.pop_front();
      settle(*done.back(), nodes, others);
    }
    return done;
  }

  /// @returns what has waited for too long, refused
  std::vector<publish_ptr> expire(int64_t now_ms) {
    std::vector<publish_ptr> late;
    while (!waiting_.empty() && waiting_.front().deadline_ms <= now_ms) {
      late.push_back(std::move(waiting_.front().what));
      waiting_.pop_front();
      for (auto& item : late.back()->items)
        if (waits(item))
          item.outcome.refused =
            failure{errc::indeterminate,
                    "stored on this node, but not in time on a majority of the cluster: it may be, "
                    "later; repeat it with the same Idempotency-Key to be sure"};
    }
    return late;
  }

  /// What waited has reached its level.
  /// @param nodes how many have what this node took
  /// @param others how many are known to have what another node took, of which this is a repeat;
  ///   0: less than a majority, so that it stays at the level of this node
  void settle(publish_request& x, uint32_t nodes, uint32_t others) const {
    for (auto& item : x.items)
      if (auto have = item.outcome.node == self_ ? nodes : others; waits(item) && have != 0) {
        item.outcome.level = durability::quorum;
        item.outcome.nodes = have;
      }
  }

  size_t size() const noexcept {
    return waiting_.size();
  }

private:
  struct entry {
    publish_ptr what;
    origin_position wanted;
    int64_t deadline_ms = 0;
  };

  static bool waits(const publish_item& x) {
    return !x.outcome.refused && x.level == durability::quorum
           && x.outcome.level == durability::fsync;
  }

  uint64_t self_;
  std::deque<entry> waiting_; // bounded by limits.publish-bytes; in the order of the log
};

} // namespace tidings
