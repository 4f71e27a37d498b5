#include "actors/mailbox/mailbox_decision.hpp"

#include <algorithm>

namespace tidings {

mailbox_counts count_items(std::span<const mailbox_entry> xs) {
  mailbox_counts counts;
  for (auto& x : xs)
    ++counts.in[static_cast<size_t>(x.state)];
  return counts;
}

mailbox_decision decide(const mailbox_order& x, const mailbox_listing& in, int64_t now_ms) {
  mailbox_decision decision;
  decision.counts = count_items(in.entries);
  for (auto& entry : in.entries) {
    auto meant = x.ids ? std::binary_search(in.named.begin(), in.named.end(), entry.item)
                       : x.filter.admits(entry);
    if (!meant || entry.state >= x.to)
      continue;
    auto raised = entry;
    raised.state = x.to;
    raised.changed_ms = now_ms;
    --decision.counts.in[static_cast<size_t>(entry.state)];
    if (x.to != item_state::dismissed) // what is dismissed is not in the mailbox any more
      ++decision.counts.in[static_cast<size_t>(x.to)];
    decision.changes.push_back({std::move(raised), entry.state});
  }
  return decision;
}

} // namespace tidings
