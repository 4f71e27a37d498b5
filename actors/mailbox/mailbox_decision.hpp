#pragma once

#include "actors/messages.hpp"

#include <span>
#include <vector>

namespace tidings {

mailbox_counts count_items(std::span<const mailbox_entry> xs);

/// What an order comes to.
struct mailbox_decision {
  struct change {
    mailbox_entry entry; ///< as it is afterwards
    item_state was = item_state::unread;
  };

  std::vector<change> changes; ///< ascending by item; empty: nothing is to be done
  mailbox_counts counts;       ///< afterwards
};

/// Decides which items an order raises: those that are meant and lower than it says.
/// @param in the user's entries and what the order's ids stand for
mailbox_decision decide(const mailbox_order& x, const mailbox_listing& in, int64_t now_ms);

} // namespace tidings
