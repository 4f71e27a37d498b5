#pragma once

#include "storage/database.hpp"
#include "storage/topic_windows.hpp"
#include "tidings/event_store.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidings::storage {

/// Applies retention by count and bytes within the batch that adds the events: what no topic holds
/// any more becomes a stub, its index entries go and the floors of its topics rise; what another
/// topic still holds is marked, in the log and in the index. An item leaves the mailbox of the user
/// whose topic lets go of it.
class retention_batch {
public:
  explicit retention_batch(const database& db) : db_(db), windows_(db) {
    // nop
  }

  void begin(int64_t now_ms, int64_t delete_now_ms);

  /// To be called for each entry, once its place is known.
  /// @param value as it goes into the log
  status add(const log_entry& x, std::string_view value);

  /// A topic's events were changed by others: they are looked up when the next one comes. Only
  /// between batches.
  void forget(std::string_view topic) {
    windows_.forget(topic);
  }

  /// An item has left a mailbox because its user was done with it.
  void dismissed(std::string_view user, lsn item);

  /// Puts all changes into the batch: after the entries themselves, some of which may change too.
  status finish(rocksdb::WriteBatch& batch);

private:
  status apply(topic_windows::window& x);

  /// A topic lets go of a record.
  status release(topic_windows::window& x, lsn position);

  /// A record that no topic holds any more leaves the index of one of them.
  status delist(std::string_view topic, lsn position, int64_t expires_at_ms);

  /// Whether nothing of the topic is left below a position. What only marks something that is gone
  /// goes from the lowest on, and the floor rises.
  result<bool> clear_below(std::string_view topic, lsn position);

  /// The topic stays in the index at this place, so that who reads it is told by the log.
  void mark_released(std::string_view topic, lsn position, int64_t expires_at_ms);

  /// The value of a log entry as this batch leaves it; nullptr if it is already forgotten.
  result<std::string*> current(lsn position);

  const database& db_;
  topic_windows windows_;
  int64_t now_ms_ = 0;
  int64_t delete_now_ms_ = 0;
  lsn first_{};                          // of the batch
  std::string values_;                   // of the entries of the batch, one behind the other
  std::vector<size_t> ends_;             // of these, by position
  std::map<lsn, std::string> rewritten_; // entries that this batch has changed
  std::vector<topic_windows::window*> touched_;
  std::map<std::string, std::optional<std::string>> index_; // key to value, nullopt: deleted
  std::vector<std::string> delisted_;                       // keys of mailbox entries
  std::vector<std::pair<std::string, lsn>> dismissed_;      // topics and items, in this batch
  std::map<std::string, lsn> floors_; // of topics from which something is gone in this batch
  std::string key_;
  std::string value_;
};

} // namespace tidings::storage
