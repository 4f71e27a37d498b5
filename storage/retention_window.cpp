#include "storage/retention_window.hpp"

#include <algorithm>

namespace tidings::storage {

namespace {

/// Windows up to this size are always searched; larger ones after a sixteenth of them is new.
constexpr size_t searched_always = 512;

bool is_expired(const retention_window::entry& x, int64_t now_ms) {
  return x.expires_at_ms != 0 && x.expires_at_ms <= now_ms;
}

} // namespace

void retention_window::add_newest(const entry& x) {
  entries_.push_back(x);
  count(x);
}

void retention_window::add_oldest(const entry& x) {
  entries_.push_front(x);
  count(x);
}

void retention_window::remove(lsn position) {
  auto i = std::lower_bound(entries_.begin(), entries_.end(), position,
                            [](const entry& x, lsn y) { return x.position < y; });
  if (i == entries_.end() || i->position != position)
    return;
  bytes_ -= i->bytes;
  entries_.erase(i);
}

bool retention_window::exceeds(const topic_retention& bound) const noexcept {
  return (bound.items_max != 0 && entries_.size() > bound.items_max)
         || (bound.events_max != 0 && entries_.size() > bound.events_max)
         || (bound.bytes_max != 0 && bytes_ > bound.bytes_max);
}

void retention_window::count(const entry& x) {
  bytes_ += x.bytes;
  ++since_search_;
  if (x.expires_at_ms != 0)
    next_expiry_ms_ = std::min(next_expiry_ms_, x.expires_at_ms);
}

void retention_window::drop_front() {
  bytes_ -= entries_.front().bytes;
  entries_.pop_front();
}

void retention_window::drop_expired(const topic_retention& bound, int64_t now_ms) {
  while (!entries_.empty() && is_expired(entries_.front(), now_ms))
    drop_front();
  if (!exceeds(bound) || next_expiry_ms_ > now_ms
      || (entries_.size() > searched_always && since_search_ < entries_.size() / 16))
    return;
  since_search_ = 0;
  next_expiry_ms_ = std::numeric_limits<int64_t>::max();
  std::erase_if(entries_, [&](const entry& x) {
    if (is_expired(x, now_ms)) {
      bytes_ -= x.bytes;
      return true;
    }
    if (x.expires_at_ms != 0)
      next_expiry_ms_ = std::min(next_expiry_ms_, x.expires_at_ms);
    return false;
  });
}

} // namespace tidings::storage
