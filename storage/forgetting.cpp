#include "storage/forgetting.hpp"

#include <algorithm>

namespace tidings::storage {

namespace {

int64_t plus(int64_t time_ms, int64_t duration_ms) noexcept {
  return time_ms > never_due - duration_ms ? never_due : time_ms + duration_ms;
}

bool is_past(int64_t time_ms, int64_t now_ms) noexcept {
  return time_ms != 0 && time_ms <= now_ms;
}

/// When an entry has been read for long enough.
int64_t read_until_ms(const mailbox_entry& x, int64_t keep_read_ms) noexcept {
  return x.state == item_state::read && keep_read_ms != 0 ? plus(x.changed_ms, keep_read_ms)
                                                          : never_due;
}

} // namespace

forgetting judge_log(const forgetting_rules& rules, lsn position, const record_head& x) noexcept {
  auto is_stub = x.form != entry_form::record;
  if (!is_stub && !is_past(x.expires_at_ms, rules.now_ms))
    return forgetting::keep;
  if (plus(x.expires_at_ms, rules.gap_memory_ms) > rules.now_ms)
    return is_stub ? forgetting::keep : forgetting::stub;
  if (position <= rules.floor)
    return forgetting::remove;
  return is_stub ? forgetting::keep_due : forgetting::stub_due;
}

forgetting judge_topic(const forgetting_rules& rules, lsn position, const topic_entry& x) noexcept {
  if (position > rules.floor || !is_past(x.expires_at_ms, rules.now_ms)
      || plus(x.expires_at_ms, rules.gap_memory_ms) > rules.now_ms)
    return forgetting::keep;
  return forgetting::remove;
}

forgetting judge_topic_floor(const forgetting_rules& rules, lsn floor) noexcept {
  return floor <= rules.floor ? forgetting::remove : forgetting::keep;
}

forgetting judge_key(const forgetting_rules& rules, const idempotency_entry& x) noexcept {
  return is_past(x.expires_at_ms, rules.now_ms) ? forgetting::remove : forgetting::keep;
}

forgetting judge_mailbox(const forgetting_rules& rules, const mailbox_entry& x) noexcept {
  return mailbox_due_ms(x, rules.keep_read_ms) <= rules.now_ms ? forgetting::remove
                                                               : forgetting::keep;
}

bool is_listed(const mailbox_entry& x, int64_t now_ms, int64_t keep_read_ms) noexcept {
  return x.state != item_state::dismissed && !is_past(x.expires_at_ms, now_ms)
         && read_until_ms(x, keep_read_ms) > now_ms;
}

int64_t log_due_ms(const record_head& x, int64_t gap_memory_ms) noexcept {
  if (x.form != entry_form::record)
    return plus(x.expires_at_ms, gap_memory_ms);
  return x.expires_at_ms == 0 ? never_due : x.expires_at_ms;
}

int64_t topic_due_ms(const topic_entry& x, int64_t gap_memory_ms) noexcept {
  return x.expires_at_ms == 0 ? never_due : plus(x.expires_at_ms, gap_memory_ms);
}

int64_t key_due_ms(const idempotency_entry& x) noexcept {
  return x.expires_at_ms == 0 ? never_due : x.expires_at_ms;
}

int64_t mailbox_due_ms(const mailbox_entry& x, int64_t keep_read_ms) noexcept {
  auto expires = x.expires_at_ms == 0 ? never_due : x.expires_at_ms;
  // Of an item that went to everyone this is all that says it is not unread any more.
  return x.shared ? expires : std::min(expires, read_until_ms(x, keep_read_ms));
}

void forget_floor::want(lsn x) noexcept {
  auto wanted = to_integer(x);
  auto known = wanted_.load(std::memory_order_relaxed);
  while (known < wanted && !wanted_.compare_exchange_weak(known, wanted))
    ;
}

} // namespace tidings::storage
