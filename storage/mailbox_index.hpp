#pragma once

#include "storage/database.hpp"
#include "tidings/event_store.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tidings::storage {

/// Reads the entries of mailboxes. Thread-safe: all state of a read is the call's own.
class mailbox_index {
public:
  /// @param keep_read_ms how long it lists what has been read; 0: for ever
  mailbox_index(const database& db, int64_t keep_read_ms) : db_(db), keep_read_ms_(keep_read_ms) {
    // nop
  }

  /// See event_store::mailbox.
  /// @param last what readers may see
  result<std::vector<mailbox_entry>> list(std::string_view user, size_t limit, int64_t now_ms,
                                          lsn last) const;

  /// Whether a user has done with an item whose record is still there.
  /// @param shared whether the item went to everyone: then no entry means that it is unread
  /// @param moment what is looked at
  result<bool> is_done(std::string_view user, lsn item, bool shared, int64_t now_ms,
                       const rocksdb::Snapshot* moment) const;

private:
  const database& db_;
  const int64_t keep_read_ms_;
};

} // namespace tidings::storage
