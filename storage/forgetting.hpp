#pragma once

#include "storage/keys.hpp"
#include "storage/record_codec.hpp"

#include <atomic>
#include <cstdint>
#include <limits>

namespace tidings::storage {

// What compaction may do to an entry. First the place of an expired event is kept as a stub, so
// that readers can be told what they missed; much later it is forgotten, but never above the forget
// floor, which is on disk before anything at or below it goes: who resumes below the floor is told
// that something may be missing.

struct forgetting_rules {
  int64_t now_ms = 0;        ///< guarded_clock::delete_now_ms
  int64_t gap_memory_ms = 0; ///< how long it is known what is gone
  lsn floor{};
  int64_t keep_read_ms = 0; ///< how long a mailbox lists what has been read; 0: for ever
};

enum class forgetting : uint8_t {
  keep,
  keep_due, ///< could be forgotten if the floor were higher
  stub,     ///< an event whose time to live has ended
  stub_due, ///< the same, and its stub could be forgotten if the floor were higher
  remove,
};

forgetting judge_log(const forgetting_rules& rules, lsn position, const record_head& x) noexcept;

forgetting judge_topic(const forgetting_rules& rules, lsn position, const topic_entry& x) noexcept;

/// Of the entry that holds a topic's retention floor.
forgetting judge_topic_floor(const forgetting_rules& rules, lsn floor) noexcept;

forgetting judge_key(const forgetting_rules& rules, const idempotency_entry& x) noexcept;

forgetting judge_mailbox(const forgetting_rules& rules, const mailbox_entry& x) noexcept;

/// Whether a mailbox shows an entry: not what is dismissed, has expired, or has been read for long.
bool is_listed(const mailbox_entry& x, int64_t now_ms, int64_t keep_read_ms) noexcept;

inline constexpr int64_t never_due = std::numeric_limits<int64_t>::max();

/// When compaction can next do something about an entry.
int64_t log_due_ms(const record_head& x, int64_t gap_memory_ms) noexcept;

int64_t topic_due_ms(const topic_entry& x, int64_t gap_memory_ms) noexcept;

int64_t key_due_ms(const idempotency_entry& x) noexcept;

int64_t mailbox_due_ms(const mailbox_entry& x, int64_t keep_read_ms) noexcept;

/// How far forgetting has come, shared by compactions, readers and maintenance. Thread-safe.
class forget_floor {
public:
  lsn persisted() const noexcept {
    return lsn{persisted_.load(std::memory_order_acquire)};
  }

  /// Only after it is on disk.
  void persisted(lsn x) noexcept {
    persisted_.store(to_integer(x), std::memory_order_release);
  }

  /// Highest position that could be forgotten if the floor were there.
  lsn wanted() const noexcept {
    return lsn{wanted_.load(std::memory_order_acquire)};
  }

  void want(lsn x) noexcept;

private:
  std::atomic<uint64_t> persisted_{0};
  std::atomic<uint64_t> wanted_{0};
};

} // namespace tidings::storage
