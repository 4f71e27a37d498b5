#pragma once

#include "cluster/message.hpp"
#include "simulator/model_record.hpp"
#include "simulator/random.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace tidings::simulator {

/// What is on the disk of a node: a log in the order of commits, and per node the sequence of its
/// records in it. The last entries may be written and not synced: they are this node's own.
class model_disk {
public:
  struct entry {
    uint64_t node = 0;
    replica record;
    bool removed = false; ///< expired, or taken out as a late tail
  };

  /// What an incarnation leaves even when all of it is forgotten.
  struct run {
    replica first; ///< without bytes
    origin_head last;
  };

  struct sequence {
    origin_head floor; ///< everything up to here has been forgotten
    origin_head head;
    std::deque<uint32_t> entries; ///< of the log, ascending
    std::vector<run> runs;        ///< ascending
  };

  explicit model_disk(uint64_t self);

  uint64_t incarnation = 0;       ///< the last one that was begun
  std::vector<std::string> aside; ///< to be published again once the node has joined

  const std::vector<entry>& log() const noexcept {
    return log_;
  }

  /// How many entries of the log are synced.
  size_t synced() const noexcept {
    return synced_;
  }

  const sequence& of(uint64_t node) const noexcept {
    return sequences_[node];
  }

  /// The heads that may be told: of what is synced.
  std::vector<origin_head> synced_heads() const;

  origin_head synced_head(uint64_t node) const;

  /// Whether `x` directly continues what is there.
  bool continues(uint64_t node, const replica& x) const;

  /// Whether the record is there, or was there until it expired.
  bool knows(uint64_t node, const origin_position& at) const;

  /// Without bytes: only its place, everything up to it has been forgotten.
  void append(uint64_t node, replica x);

  /// Gives it the next name of this node and appends it.
  const replica& append_own(std::string bytes);

  /// Moves the head without the records before it.
  void move_to(const origin_head& x);

  /// Takes the records after `after` out of a sequence.
  std::vector<replica> take_out(uint64_t node, const origin_position& after);

  void sync() noexcept {
    synced_ = log_.size();
  }

  /// Loses what is not synced, but for a random part of it.
  void cut_power(random& dice);

  /// Forgets the first records of all sequences that had expired at `now_ms`.
  /// @param even_unexpired a bug: and one more
  void trim(int64_t now_ms, bool even_unexpired);

  struct reading {
    std::vector<replica> records;
    std::optional<origin_head> forgotten;
  };

  reading read(uint64_t node, const origin_position& after, const origin_position& up_to,
               uint64_t bytes_max) const;

  /// A bug: the newest record of a sequence disappears, its head stays.
  void lose_newest(uint64_t node);

private:
  size_t first_after(const sequence& x, const origin_position& at) const;
  void correct_head(sequence& x);
  reading read_forgotten(const sequence& from, const origin_position& after) const;

  uint64_t self_;
  std::vector<entry> log_;
  size_t synced_ = 0;
  std::array<sequence, nodes_max + 1> sequences_;
};

} // namespace tidings::simulator
