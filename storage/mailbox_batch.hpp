#pragma once

#include "storage/database.hpp"
#include "storage/record_codec.hpp"
#include "tidings/event_store.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tidings::storage {

/// Keeps mailboxes in step with the log: everything goes into the batch of the records that it
/// comes from.
class mailbox_batch {
public:
  explicit mailbox_batch(const database& db) : db_(db) {
    // nop
  }

  /// Puts the entries of an item: one for each of its users, or a single one if it went to
  /// everyone.
  void put_item(rocksdb::WriteBatch& to, const record& x);

  /// Puts what users did. A dismissed entry goes, or, of an item that went to everyone, stays to
  /// say so.
  void put_changes(rocksdb::WriteBatch& to, std::span<const mailbox_change> xs);

private:
  const database& db_;
  std::string key_;
  std::string value_;
};

/// The user whose entry goes when a topic lets go of a record; nullopt: nobody's.
std::optional<std::string_view> user_released(const decoded_entry& of, std::string_view topic);

} // namespace tidings::storage
