#pragma once

#include "tidings/event_store.hpp"

#include <cstdint>
#include <deque>
#include <limits>

namespace tidings::storage {

/// What a bounded topic holds, oldest first: decides what its retention lets go.
class retention_window {
public:
  struct entry {
    lsn position{};
    int64_t expires_at_ms = 0;
    uint64_t bytes = 0;
  };

  /// Newer than all before.
  void add_newest(const entry& x);

  /// Older than all before: while the window is filled from the index, newest first.
  void add_oldest(const entry& x);

  /// Takes out what is gone for another reason, if it is there.
  void remove(lsn position);

  /// Whether there is more than the bound allows, what has expired included.
  bool exceeds(const topic_retention& bound) const noexcept;

  /// Calls `evict` with the position of each event that the bound does not hold any more, oldest
  /// first. What has expired by `now_ms` does not count and is not evicted; in a large window it
  /// may count for a while. The newest event always stays.
  template <class F>
  void trim(const topic_retention& bound, int64_t now_ms, F evict) {
    if (!exceeds(bound))
      return;
    drop_expired(bound, now_ms);
    while (exceeds(bound) && entries_.size() > 1) {
      evict(entries_.front().position);
      drop_front();
    }
  }

  size_t events() const noexcept {
    return entries_.size();
  }

  uint64_t bytes() const noexcept {
    return bytes_;
  }

  /// Position of the oldest event; the window must not be empty.
  lsn oldest() const noexcept {
    return entries_.front().position;
  }

private:
  void count(const entry& x);
  void drop_front();
  void drop_expired(const topic_retention& bound, int64_t now_ms);

  std::deque<entry> entries_;
  uint64_t bytes_ = 0;
  int64_t next_expiry_ms_ = std::numeric_limits<int64_t>::max(); // none expires before
  size_t since_search_ = 0; // events added since all were searched for expired ones
};

} // namespace tidings::storage
