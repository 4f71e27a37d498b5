#pragma once

#include "storage/record_codec.hpp"
#include "tidings/event_store.hpp"

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

namespace tidings::storage {

/// The nodes whose records are in the log, and how far these are there. Entries name a node by its
/// slot; 0 is this node. Thread-safe; one thread writes.
class origin_heads {
public:
  /// @param own short form of this node
  explicit origin_heads(uint64_t own) {
    heads_[0].node = own;
  }

  uint64_t own() const noexcept {
    return heads_[0].node;
  }

  /// Takes a slot for a node. Slots are taken in ascending order.
  void add(uint8_t slot, uint64_t node);

  /// How many slots are taken.
  uint8_t size() const;

  std::optional<uint8_t> slot_of(uint64_t node) const;
  uint64_t node_of(uint8_t slot) const;

  log_head head(uint8_t slot) const;

  void move(uint8_t slot, origin_position at, uint64_t chain);

  /// Of the nodes that there are records of.
  std::vector<log_head> all() const;

  /// Where who has read everything stands.
  struct end_of_log {
    lsn position{};
    cursor at;
  };

  /// Both at one moment: what is committed meanwhile is behind both.
  end_of_log end() const;

  /// The heads of all nodes, and where the log ends with them.
  void move_all(const std::array<log_head, slots_max>& to, lsn end);

  /// Where the log ends with the present heads.
  void set_end(lsn x);

  /// The positions of all nodes but one, as an entry holds them.
  /// @returns how many
  size_t others(uint8_t than, std::array<slot_position, slots_max>& out) const;

private:
  mutable std::shared_mutex mutex_;
  std::array<log_head, slots_max> heads_{};
  uint8_t size_ = 1;
  lsn end_{};
};

} // namespace tidings::storage
