#pragma once

#include "tidings/cursor.hpp"
#include "tidings/event.hpp"
#include "tidings/gap.hpp"
#include "tidings/mailbox.hpp"
#include "tidings/result.hpp"
#include "tidings/subscription.hpp"
#include "tidings/topic.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// How much of one topic is kept besides the time to live. 0: no bound.
struct topic_retention {
  uint64_t events_max = 0;
  uint64_t bytes_max = 0; ///< of payload: data, type and id, title and message
  uint64_t items_max = 0; ///< of a user's topic without any other bound: only items count, and go

  bool bounded() const noexcept {
    return events_max != 0 || bytes_max != 0 || items_max != 0;
  }

  bool operator==(const topic_retention&) const = default;
};

/// One event on its way to the log.
struct log_entry {
  record content; ///< position, origin, time and chain are set by `append`

  /// Repeats within the window are answered with the first result; empty: none. Scoped by whoever
  /// made it.
  std::string key;

  /// Hash of what was published under the key, to tell a repeat from a conflict.
  uint64_t fingerprint = 0;

  /// For each topic of the event, in its order; empty: none is bounded.
  std::vector<topic_retention> retention;

  /// What the event does to mailboxes, written in the same batch. The entries of an item itself are
  /// not among them: the store makes those from its topics.
  std::vector<mailbox_change> changes;

  /// Set by event_store::admit: what another node accepted, as it travels between nodes. Only
  /// `retention` and `raises` may be set then.
  std::string body;

  /// The place of something that is gone: nothing to deliver.
  bool is_gone = false;

  /// What a user did with items, according to a record of another node.
  std::vector<mailbox_raise> raises;
};

/// Whether an entry is no event of a publisher: what a user did with items, or the broker's own.
inline bool is_upkeep(const log_entry& x) noexcept {
  auto& topics = x.content.content.topics;
  return !x.changes.empty() || (!topics.empty() && is_reserved_topic(topics.front()));
}

/// How far a log holds the records of one node.
struct log_head {
  uint64_t node = 0;
  origin_position at;
  uint64_t chain = 0; ///< of that record; 0: not known

  bool operator==(const log_head&) const = default;
};

/// A record as other nodes are sent it.
struct travelling_record {
  origin_position at;
  origin_position follows; ///< of the first of an incarnation: the last one of the node before it
  uint64_t chain = 0;
  std::string body;
};

/// Records of one node, in order.
struct origin_chunk {
  /// Set if what would come first is not there any more, because it has expired: up to here.
  std::optional<log_head> forgotten;

  std::vector<travelling_record> records;
  bool end_reached = false;
};

/// What a publish under an idempotency key led to.
struct key_entry {
  lsn position{};
  uint64_t node = 0;
  origin_position origin;
  int64_t time_ms = 0;
  uint64_t fingerprint = 0;
};

/// A record as a reader sees it: valid only during the call that shows it.
struct record_view {
  lsn position{};
  const cursor* at = nullptr; ///< where who has read up to and including it stands
  uint64_t node = 0;
  origin_position origin;
  int64_t time_ms = 0;
  int64_t expires_at_ms = 0;
  data_kind kind = data_kind::text;
  std::span<const std::string_view> topics;
  std::string_view type;
  std::string_view id;
  std::string_view data;
  const mail_view* mail = nullptr; ///< nullptr: it is no item of mailboxes
};

/// Something that a subscription would have been sent and that is not there any more.
struct missing_record {
  lsn position{};
  const cursor* at = nullptr; ///< see record_view
  gap_reason reason = gap_reason::expired;
  std::span<const std::string_view> topics;
};

/// What to read.
struct read_request {
  const subscription* who = nullptr;               ///< not owned
  lsn after{};                                     ///< exclusive
  lsn until{std::numeric_limits<uint64_t>::max()}; ///< inclusive
  bool reverse = false;                            ///< newest first
  int64_t now_ms = 0;                              ///< what has expired by then is hidden

  /// What the reader has seen elsewhere, and is not shown again; nullptr: nothing.
  const cursor* seen = nullptr;

  /// A user: items that went there and that the mailbox does not list any more, because they have
  /// been dismissed or read for long, are passed over as if they had not been asked for. Empty:
  /// nobody.
  std::string_view hide_dismissed_of;

  size_t scan_max = 10'000; ///< log positions looked at before the call returns; bounds its time
};

/// Receives what a read finds, in log order.
class record_visitor {
public:
  virtual ~record_visitor() = default;

  /// @returns false to stop before this record: a later read starts with it
  virtual bool on_record(const record_view& x) = 0;

  virtual void on_missing(const missing_record& x) = 0;
};

struct read_outcome {
  /// All up to and including this position has been shown (reverse: from this position on).
  lsn covered{};

  /// Whether the log (or `until`) ended the read, rather than the visitor or `scan_max`.
  bool end_reached = false;
};

/// Where a reader's cursor points to in this node's log.
struct resolved_cursor {
  lsn after{}; ///< read on after this position

  /// Set if it is already certain that something may be missing.
  std::optional<gap_reason> gap;

  /// Whether records behind `after` may be covered by the cursor: it comes from another node.
  bool overlaps = false;
};

struct topic_summary {
  std::string topic;
  uint64_t events = 0;    ///< unexpired
  uint64_t bytes = 0;     ///< payload of these
  bool truncated = false; ///< there are more than were counted
  lsn last{};             ///< position of the newest
  cursor last_at;         ///< where a reader stands who has seen that
};

struct store_statistics {
  lsn first{}; ///< oldest position that may still hold a record
  lsn last{};
  uint64_t disk_bytes = 0;   ///< live data files and write-ahead log
  uint64_t free_bytes = 0;   ///< of the file system
  uint64_t memory_bytes = 0; ///< write buffers, caches, readers

  /// Whether nothing is deleted for its age, because the wall clock is ahead of what it should be.
  bool clock_is_ahead = false;
};

/// The log as the actors see it. One thread writes; any number reads at the same time.
class event_store {
public:
  virtual ~event_store() = default;

  // -- identity
  // --------------------------------------------------------------------------------------

  virtual const node_id& node() const = 0;

  /// Incarnation of this run.
  virtual uint64_t incarnation() const = 0;

  /// Whether this node belongs to a cluster, which decides what event ids look like.
  virtual bool is_member() const = 0;

  // -- the writer's thread
  // ---------------------------------------------------------------------------

  /// Writes all entries in one atomic batch and sets position, origin, time and chain of each
  /// record. Retention by count and bytes is applied in the same batch. When it returns without
  /// failure the batch has been handed to the operating system and, if `sync`, is on disk. Entries
  /// that are ephemeral get the position of the record before them and are not written. After a
  /// failure other than errc::storage_full nothing may be appended any more.
  virtual status append(std::span<log_entry> entries, bool sync) = 0;

  /// Checks records of another node, or of an earlier incarnation of this one, and makes entries of
  /// them, which must be appended in this order before others of that node are admitted. They must
  /// follow without a hole on what there is.
  /// @returns errc::storage_corrupt if they are not what this log expects next: another history
  virtual result<std::vector<log_entry>> admit(uint64_t node,
                                               std::span<const std::string> bodies) = 0;

  /// What was admitted is not going to be appended.
  virtual void dismiss_admitted() = 0;

  /// Notes that what a node's records up to here were is not known any more. Durable.
  virtual status append_forgotten(const log_head& x) = 0;

  /// Publishes what there is of another node behind `after` again, in this node's name, and takes
  /// the old copies away: that node went on without them. Durable.
  ///
  /// Of this node itself, which was set back to another past than the one that it went on from: the
  /// copies are set aside, because what it is about to get back of its own goes before them. Only
  /// before the first record of this run.
  /// @param up_to errc::invalid_parameter if it is not the last there is any more
  /// @returns the new records; of this node itself none
  virtual result<std::vector<record>> reoriginate(uint64_t node, origin_position after,
                                                  origin_position up_to) = 0;

  /// Publishes what `reoriginate` has set aside, in this run or in one before. Durable.
  /// @returns the new records
  virtual result<std::vector<record>> append_set_aside() = 0;

  /// Makes everything appended so far durable, and records how far that is.
  virtual status sync() = 0;

  /// The live result of an earlier publish under this key.
  virtual result<std::optional<key_entry>> find_key(std::string_view key, int64_t now_ms) = 0;

  /// Checks the free space of the file system: errc::storage_full below the reserve.
  /// @param for_upkeep of small things that keep a full node in order, see is_upkeep: these may use
  ///   half of the reserve
  virtual status check_space(bool for_upkeep) = 0;

  // -- any thread
  // ------------------------------------------------------------------------------------

  /// Last position that readers can see.
  virtual lsn last() const = 0;

  /// Shows the matching records in `(after, until]`, and what is known to be missing there.
  virtual result<read_outcome> read(const read_request& what, record_visitor& to) const = 0;

  virtual result<resolved_cursor> resolve(const cursor& x, const subscription& who) const = 0;

  /// The cursor of a reader that has been shown everything up to and including a position.
  virtual cursor cursor_at(lsn x) const = 0;

  /// The id of the event at a position; the position of an event; nullopt: it is not there.
  virtual std::optional<event_id> id_at(lsn x) const = 0;
  virtual std::optional<lsn> find(const event_id& x) const = 0;

  /// How far the log holds the records of each node that it has any of.
  virtual std::vector<log_head> heads() const = 0;

  /// Records of one node after a position, in order; at least one if there is one.
  /// @param up_to none behind it
  /// @param bytes_max about as many
  virtual result<origin_chunk> read_origin(uint64_t node, origin_position after,
                                           origin_position up_to, size_t bytes_max) const = 0;

  /// The last position whose record is older than a Unix time; read on after it.
  virtual result<lsn> before_time(int64_t unix_ms) const = 0;

  /// Topics that hold at least one unexpired record, in byte order, strictly after `after`.
  virtual result<std::vector<topic_summary>> topics(std::string_view after, std::string_view prefix,
                                                    size_t limit, int64_t now_ms) const = 0;

  /// The newest entries of a user, own and everyone's, ascending by item: without what is
  /// dismissed, has expired by `now_ms`, or has been read for longer than `mailbox.keep-read`.
  /// @param limit at most this many
  virtual result<std::vector<mailbox_entry>> mailbox(std::string_view user, size_t limit,
                                                     int64_t now_ms) const = 0;

  /// Shows the records at these positions, in this order; leaves out what is not there any more.
  virtual status read_records(std::span<const lsn> positions, int64_t now_ms,
                              record_visitor& to) const = 0;

  virtual store_statistics statistics() const = 0;
};

} // namespace tidings
