#pragma once

#include "storage/keys.hpp"
#include "tidings/cursor.hpp"
#include "tidings/event_store.hpp"

#include <cstdint>
#include <shared_mutex>
#include <vector>

namespace tidings::storage {

/// The map between (incarnation, sequence) of this node and positions in its log. Each incarnation
/// that wrote anything is one run. Thread-safe; one thread adds.
class origin_runs {
public:
  /// @param node short form of this node
  explicit origin_runs(uint64_t node) : node_(node) {
    // nop
  }

  /// Runs must come in ascending order; those of other nodes are ignored.
  void add(const origin_run& x);

  /// Origin of the record at a position that has been written; (0, 0) before the first.
  origin_position at(lsn x) const;

  /// What `cursor` means to a reader of this log.
  /// @param current incarnation of this process
  /// @param last last position of the log
  resolved_cursor resolve(const cursor& x, uint64_t current, lsn last) const;

private:
  const uint64_t node_;
  mutable std::shared_mutex mutex_;
  std::vector<origin_run> runs_; // ascending by position and by incarnation
};

} // namespace tidings::storage
