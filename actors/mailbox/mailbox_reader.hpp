#pragma once

#include "actors/messages.hpp"
#include "tidings/event_store.hpp"

namespace tidings {

/// Turns what the store holds of a mailbox into what pages show and changes are decided by. Holds
/// no state between calls.
class mailbox_reader {
public:
  /// @param store outlives the reader
  explicit mailbox_reader(const event_store& store) : store_(store) {
    // nop
  }

  /// `{"items":[…],"counts":{…},"next":…}`; `next` is null on the last page, and if the order is
  /// `urgent`. Fails with errc::invalid_parameter if `after` is no id.
  result<mailbox_page> read_page(const mailbox_query& x, int64_t now_ms) const;

  result<mailbox_listing> look_up(const mailbox_lookup& x, int64_t now_ms) const;

private:
  /// The position that an item's id stands for; nullopt: none of this store's.
  std::optional<lsn> position_of(const std::string& id) const;

  const event_store& store_;
};

/// `["c1.…","c1.…"]`
void append_ids(std::string& out, const std::vector<std::string>& ids);

/// `{"unread":1,"seen":0,"read":2,"archived":0,"total":3}`
void append_counts(std::string& out, const mailbox_counts& x);

} // namespace tidings
