#pragma once

#include "storage/database.hpp"
#include "storage/origin_index.hpp"
#include "storage/record_codec.hpp"
#include "tidings/event_store.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidings::storage {

/// What a user did with an item that had not come.
struct early_raise {
  item_state to = item_state::unread;
  int64_t at_ms = 0;
};

/// Keeps mailboxes in step with the log: everything goes into the batch of the records that it
/// comes from. What another node tells of an item that has not come yet is kept until it does.
class mailbox_batch {
public:
  mailbox_batch(const database& db, const origin_heads& heads, const origin_index& index)
    : db_(db), heads_(heads), index_(index) {
    // nop
  }

  /// Counts what is kept for items to come, and forgets it where the item has gone by.
  status load();

  /// @param is_shared whether anything in the batch, or before it, may come from another node
  void begin(bool is_shared);

  /// Puts the entries of an item: one for each of its users, or a single one if it went to
  /// everyone.
  status put_item(rocksdb::WriteBatch& to, const record& x);

  /// Puts what users did. A dismissed entry goes, or, of an item that went to everyone, stays to
  /// say so. What was evicted meanwhile stays gone, and a state that has risen further on another
  /// node stays.
  status put_changes(rocksdb::WriteBatch& to, std::span<const mailbox_change> xs);

  /// Puts what users did elsewhere.
  status put_raises(rocksdb::WriteBatch& to, std::span<const mailbox_raise> xs);

  /// An item got another place: what its users did with it goes there too. Of an item that went to
  /// everyone this is lost.
  status move_item(rocksdb::WriteBatch& to, lsn from, const record& x);

  /// An item is taken away, and what its users did with it.
  status take_item(rocksdb::WriteBatch& to, lsn from, const event& x);

  /// The entries that have gone in this batch because their users were done with them, user and
  /// item, since the last call.
  std::vector<std::pair<std::string, lsn>> take_dismissed() {
    return std::exchange(dismissed_, {});
  }

  /// The batch has been written.
  void committed();

private:
  void put(rocksdb::WriteBatch& to, std::string_view user, const mailbox_entry& x);

  /// The entry as this batch leaves it; nullopt: there is none.
  result<std::optional<mailbox_entry>> current(std::string_view user, lsn item) const;

  /// What is kept for an item to come, as this batch leaves it.
  result<std::optional<early_raise>> told(const std::string& key) const;

  status raise(rocksdb::WriteBatch& to, std::string_view user, lsn item, item_state state,
               int64_t at_ms);

  /// What is kept for an item goes to its entries.
  status apply_early(rocksdb::WriteBatch& to, const record& x);

  const database& db_;
  const origin_heads& heads_;
  const origin_index& index_;
  std::map<std::string, std::optional<mailbox_entry>> written_; // in this batch, by key
  std::map<std::pair<uint64_t, origin_position>, lsn> items_;   // in this batch
  std::map<std::string, std::optional<early_raise>> told_;      // in this batch, by key
  std::vector<std::pair<std::string, lsn>> dismissed_;
  bool is_shared_ = false;
  uint64_t early_ = 0; // kept for items to come
  std::string value_;
};

/// Whose entry of an item one of its topics stands for; nullopt: nobody's, or it is no item.
std::optional<std::string_view> holder_of_item(const event& x, std::string_view topic);

/// The user whose entry goes when a topic lets go of a record; nullopt: nobody's.
std::optional<std::string_view> user_released(const decoded_entry& of, std::string_view topic);

} // namespace tidings::storage
