#pragma once

#include "storage/database.hpp"
#include "storage/retention_window.hpp"
#include "tidings/event_store.hpp"

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tidings::storage {

/// The windows of the bounded topics that were written to lately. They can be made again from the
/// topic index, so the least recently used ones are forgotten when there are too many.
class topic_windows {
public:
  struct window {
    std::string topic;
    topic_retention bound; ///< what it was filled for: if it is one of items, it holds only these
    retention_window held;
    lsn gone{};            ///< the topic's floor
    lsn evicted{};         ///< all up to here is evicted
    bool in_batch = false; ///< holds what is not on disk yet: must neither go nor be filled again
    bool stale = false;    ///< to be filled again as soon as it may be

    /// The index holds older events than the window: there are more than the bound allows.
    bool has_backlog = false;

    size_t counted = 0; ///< its part of what all windows hold
  };

  /// About 24 bytes each.
  static constexpr size_t entries_max = 1'000'000;

  explicit topic_windows(const database& db) : db_(db) {
    // nop
  }

  /// The window of a topic, filled from what is on disk if need be. Valid until `shrink`.
  result<window*> find(std::string_view topic, const topic_retention& bound, int64_t now_ms);

  /// The window of a topic if it is in memory.
  window* peek(std::string_view topic);

  /// For topics that have lost their bound: their window would miss what is added meanwhile.
  void forget(std::string_view topic);

  /// Up to `limit` positions of events that are older than what the window holds.
  result<std::vector<lsn>> backlog(window& x, size_t limit, int64_t now_ms) const;

  /// Drops what has not been used for long. Only between batches.
  void shrink();

private:
  using order = std::list<window>;

  status fill(window& x, int64_t now_ms) const;
  status fill_with_events(window& x, int64_t now_ms) const;
  status fill_with_items(window& x, int64_t now_ms) const;
  status read_floor(window& x) const;

  result<std::vector<lsn>> backlog_of_events(window& x, size_t limit) const;
  result<std::vector<lsn>> backlog_of_items(window& x, size_t limit, int64_t now_ms) const;

  void count(window& x);

  const database& db_;
  size_t weight_ = 0; // entries of all windows when they were last looked at
  order windows_;     // least recently used first
  std::unordered_map<std::string_view, order::iterator> by_topic_; // keys point into windows_
};

} // namespace tidings::storage
