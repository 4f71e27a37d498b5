#include "storage/dismissals.hpp"

#include <algorithm>

namespace tidings::storage {

dismissals::dismissals(const database& db, const mailbox_index& from, const read_request& what)
  : from_(from), user_(what.hide_dismissed_of), now_ms_(what.now_ms) {
  if (user_.empty())
    return;
  topic_ = user_topic(user_);
  moment_.emplace(&db.raw());
}

const rocksdb::Snapshot* dismissals::moment() {
  return moment_ ? moment_->snapshot() : nullptr;
}

result<bool> dismissals::hide(lsn position, const decoded_entry& x) {
  if (!x.has_mail || user_.empty())
    return false;
  auto topics = x.topic_span();
  auto shared = std::find(topics.begin(), topics.end(), everyone_topic) != topics.end();
  if (!shared) {
    auto own = std::find(topics.begin(), topics.end(), topic_);
    auto is_released = [&] { return (x.released >> (own - topics.begin())) & 1; };
    if (own == topics.end() || is_released())
      return false; // of others
  }
  return from_.is_done(user_, position, shared, now_ms_, moment());
}

} // namespace tidings::storage
