#pragma once

#include "storage/database.hpp"
#include "storage/mailbox_index.hpp"
#include "storage/origin_heads.hpp"
#include "storage/record_codec.hpp"
#include "tidings/event_store.hpp"

#include <span>

namespace tidings::storage {

/// Reads the log. Thread-safe: all state of a read is the call's own.
class store_reader {
public:
  store_reader(const database& db, const origin_heads& heads, const forget_floor& forgotten,
               const mailbox_index& mailboxes)
    : db_(db), heads_(heads), forgotten_(forgotten), mailboxes_(mailboxes) {
    // nop
  }

  /// How to find what matches. Both ways show the same.
  enum class path : uint8_t { automatic, scan, topics };

  /// @param last what readers may see
  result<read_outcome> read(const read_request& what, record_visitor& to, lsn last,
                            path by = path::automatic) const;

  /// See event_store::read_records.
  /// @param last what readers may see
  status read_records(std::span<const lsn> positions, int64_t now_ms, record_visitor& to,
                      lsn last) const;

  /// Last position below `last` whose entry is older than a Unix time.
  result<lsn> before_time(int64_t unix_ms, lsn last) const;

  /// Oldest position that may still hold a record.
  lsn first(lsn last) const;

private:
  /// Looks at every position.
  result<read_outcome> scan(const read_request& what, record_visitor& to) const;

  /// Looks only at what the topics hold; nullopt if the index cannot answer.
  result<std::optional<read_outcome>> walk_topics(const read_request& what,
                                                  record_visitor& to) const;

  const database& db_;
  const origin_heads& heads_;
  const forget_floor& forgotten_;
  const mailbox_index& mailboxes_;
};

} // namespace tidings::storage
