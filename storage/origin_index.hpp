#pragma once

#include "storage/database.hpp"
#include "storage/origin_heads.hpp"
#include "tidings/event_store.hpp"

#include <optional>

namespace tidings::storage {

/// The way between names of records, (node, incarnation, sequence), and places in this log. The
/// family `origin` has an entry wherever one node's records follow on another's, or on an earlier
/// incarnation's. Thread-safe: it holds nothing but what it reads.
class origin_index {
public:
  /// @param forgotten nothing is known about what was at or below it
  /// @param is_member whether records of other nodes may come
  origin_index(const database& db, const origin_heads& heads, const forget_floor& forgotten,
               bool is_member)
    : db_(db), heads_(heads), forgotten_(forgotten), is_member_(is_member) {
    // nop
  }

  /// The place of a record; nullopt: it is not there any more, or never was.
  result<std::optional<lsn>> find(const event_id& x) const;

  /// The place of the first record of a node behind a position; nullopt: there is none.
  result<std::optional<lsn>> first_after(uint64_t node, origin_position at) const;

  /// Where who has read everything up to and including a place stands.
  result<cursor> cursor_at(lsn x) const;

  /// What a cursor means to a reader of this log.
  /// @param current incarnation of this process
  result<resolved_cursor> resolve(const cursor& x, uint64_t current, lsn last) const;

  /// See event_store::read_origin.
  result<origin_chunk> read(uint64_t node, origin_position after, origin_position up_to,
                            size_t bytes_max, lsn last) const;

  /// See event_store::id_at.
  result<std::optional<event_id>> id_at(lsn x) const;

  /// Removes what leads only to places that have been forgotten.
  status forget();

private:
  /// Whether the log holds just this record there.
  result<bool> holds(lsn place, const event_id& x) const;

  /// Whether the log holds anything of a node in `[from, end)`: what does not expire stays, however
  /// far the rest is forgotten.
  result<bool> holds_any(uint64_t node, lsn from, lsn end) const;

  const database& db_;
  const origin_heads& heads_;
  const forget_floor& forgotten_;
  const bool is_member_;
};

} // namespace tidings::storage
