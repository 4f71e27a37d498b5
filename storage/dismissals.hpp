#pragma once

#include "storage/mailbox_index.hpp"
#include "storage/record_codec.hpp"
#include "tidings/event_store.hpp"

#include <rocksdb/snapshot.h>

#include <optional>
#include <string>

namespace tidings::storage {

/// Which items a read passes over because its user has done with them, as
/// read_request::hide_dismissed_of says. Of one moment, in which the log must be looked at too: an
/// entry that went with its record would look like one that was dismissed.
class dismissals {
public:
  dismissals(const database& db, const mailbox_index& from, const read_request& what);

  dismissals(const dismissals&) = delete;
  dismissals& operator=(const dismissals&) = delete;

  /// When the log is to be looked at; nullptr: it does not matter.
  const rocksdb::Snapshot* moment();

  /// Whether a record that is there is to be passed over.
  result<bool> hide(lsn position, const decoded_entry& x);

private:
  const mailbox_index& from_;
  const std::string_view user_; // empty: nobody
  const int64_t now_ms_;
  std::string topic_; // of the user
  std::optional<rocksdb::ManagedSnapshot> moment_;
};

} // namespace tidings::storage
