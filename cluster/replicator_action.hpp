#pragma once

#include "cluster/message.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What a replicator wants done. Actions are to be begun in the order in which they were given out.
namespace tidings::cluster {

/// Names one link for its whole life; chosen by who owns the links, never used again.
enum class link_id : uint64_t {};

/// Names one piece of work given to the store. Its answer names it again.
enum class ticket : uint64_t {};

/// What a record takes of the credit: the same on both sides of a link.
constexpr uint64_t cost(const replica& x) noexcept {
  return x.bytes.size() + 64;
}

uint64_t cost(const std::vector<replica>& records) noexcept;

/// What an operator has to hear of.
enum class alarm : uint8_t {
  /// A node went on without records of its own that this node has. This node publishes them again
  /// in its own name, as all do that have them.
  late_tail,

  /// Two different records have the same name. The records of that node are not exchanged any more.
  fork_detected,

  /// Somebody else writes in the name of this node, or its disk was set back together with its
  /// clock. Fatal: the process has to end, and the next incarnation has to be higher than that in
  /// `at`.
  incarnation_reused,

  /// More nodes than `replicator_settings::origins_max` have written records: those of this one are
  /// not taken.
  too_many_origins,
};

std::string_view to_string(alarm x) noexcept;

/// Why a link is to be closed.
enum class link_fault : uint8_t {
  replaced,        ///< a newer link to the same node is there
  not_a_member,    ///< the node is not, or not any more, a configured member
  credit_exceeded, ///< it sent more than it may
};

std::string_view to_string(link_fault x) noexcept;

/// Why the store did not do what it was asked to.
enum class refusal : uint8_t {
  not_now, ///< the disk is full, or the records do not continue what is stored: tried again later
  fork,    ///< a chain does not fit
};

namespace action {

struct send {
  link_id link{};
  message what;
};

/// Append records of another node, or lost ones of this node, and sync them. They continue those of
/// the work before. One without bytes has expired, and all before it. The chain is checked, unless
/// the one before is not known (0). The answer is `stored` with the new head of the node, or
/// `refused`.
struct store {
  ticket work{};
  uint64_t node = 0;
  std::vector<replica> records;
};

/// Note that the records of a node up to and including `up_to` have expired everywhere, and that
/// the next one continues from there. What the store still holds of them may be shown to readers,
/// but is not read for others any more. Answered like `store`.
struct store_forgotten {
  ticket work{};
  origin_head up_to;
  origin_position after; ///< what the last one before them is, or the work is to be refused
};

/// In one batch, synced: append copies of the records of `node` after `after` under this node's own
/// name (with the id and key they had), and take the old ones out of the node's sequence and the
/// log. Answered by `stored` with both heads: the node's is the last record up to `after` that is
/// held, which may be less than `after`; but if all records up to `after` have been forgotten here,
/// it is `after`, with the chain 0.
///
/// If `up_to` is not the head of the node any more, it is to be refused.
///
/// Of this node itself, which has been set back to another past than the one that it went on from,
/// and has not published since: the copies are set aside, on disk, until `append_set_aside`.
struct reoriginate {
  ticket work{};
  uint64_t node = 0;
  origin_position after;
  origin_position up_to; ///< the last one that is held
};

/// Read records of a node from the log for a peer: those after `after`, none after `up_to`, as many
/// as cost no more than `bytes_max` together, but at least one. Of an incarnation whose first
/// records are forgotten: its first one without bytes, then by the next read how far it is
/// forgotten. Answered by `read_done`.
struct read {
  ticket work{};
  uint64_t node = 0;
  origin_position after;
  origin_position up_to;
  uint64_t bytes_max = 0;
};

/// This node's own records up to and including `at` are on disk on a majority of the members.
/// `copies` nodes have the record at `at`, this one included.
struct quorum_reached {
  origin_position at;
  size_t copies = 0;
};

/// This node has what the others know of it: publishes may be accepted.
struct joined {};

/// Publish what `reoriginate` has set aside of this node, now or before the last restart.
struct append_set_aside {};

struct raise {
  alarm kind{};
  uint64_t node = 0;     ///< whose records it is about
  origin_position at;    ///< the record that shows it
  origin_position since; ///< late_tail: where the node went on
  uint64_t peer = 0;     ///< who sent it; 0: the store found it
};

struct close_link {
  link_id link{};
  link_fault reason{};
};

} // namespace action

using replicator_action =
  std::variant<action::send, action::store, action::store_forgotten, action::reoriginate,
               action::read, action::quorum_reached, action::joined, action::append_set_aside,
               action::raise, action::close_link>;

} // namespace tidings::cluster
