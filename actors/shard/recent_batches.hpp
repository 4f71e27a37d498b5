#pragma once

#include "tidings/batch.hpp"

#include <algorithm>
#include <deque>

namespace tidings {

/// The newest committed batches, kept in memory so that a reader who is only a little behind does
/// not need the disk. Bounded by bytes.
class recent_batches {
public:
  explicit recent_batches(uint64_t bytes_max) : bytes_max_(bytes_max) {
    // nop
  }

  void push(batch_ptr x) {
    bytes_ += x->weight();
    batches_.push_back(std::move(x));
    while (bytes_ > bytes_max_ && batches_.size() > 1) {
      bytes_ -= batches_.front()->weight();
      floor_ = batches_.front()->last();
      batches_.pop_front();
    }
  }

  /// Says that what is before this has to be read from the log.
  void start_after(lsn x) {
    floor_ = x;
  }

  /// Whether everything after a position is here.
  bool covers(lsn after) const noexcept {
    return after >= floor_;
  }

  /// Calls `f(batch)` for each batch that ends after a position, oldest first, until it returns
  /// false.
  template <class F>
  void for_each_after(lsn after, F f) const {
    auto i = std::partition_point(batches_.begin(), batches_.end(),
                                  [&](auto& x) { return x->last() <= after; });
    for (; i != batches_.end(); ++i)
      if (!f(*i))
        return;
  }

private:
  uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  lsn floor_{};
  std::deque<batch_ptr> batches_;
};

} // namespace tidings
