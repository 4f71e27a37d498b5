#pragma once

#include "storage/database.hpp"
#include "storage/mailbox_batch.hpp"
#include "storage/origin_heads.hpp"
#include "storage/origin_index.hpp"
#include "storage/retention_batch.hpp"
#include "tidings/event_store.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace tidings::storage {

/// The end of the log: what the next record follows.
struct log_end {
  lsn position{};
  uint8_t slot = 0; ///< whose the last record is
  origin_position origin;
  uint64_t chain = 0;
  int64_t arrived_ms = 0;
};

/// Turns entries into write batches. One thread at a time, but for `last`.
class log_writer {
public:
  struct settings {
    uint64_t incarnation = 0;
    int64_t idempotency_window_ms = 0;
  };

  log_writer(database& db, origin_heads& heads, const origin_index& index,
             const guarded_clock& clock, const settings& x, const log_end& end);

  /// To be called once, before anything else.
  status load() {
    return mailboxes_.load();
  }

  /// See event_store::append.
  status append(std::span<log_entry> entries, bool sync);

  /// See event_store::admit.
  result<std::vector<log_entry>> admit(uint64_t node, std::span<const std::string> bodies);

  /// See event_store::dismiss_admitted.
  void dismiss_admitted();

  /// Puts a place into the log that says that records were lost before it. Durable.
  status append_loss();

  /// See event_store::append_forgotten.
  status append_forgotten(const log_head& x);

  /// See event_store::reoriginate.
  result<std::vector<record>> reoriginate(uint64_t node, origin_position after,
                                          origin_position up_to);

  /// See event_store::append_set_aside.
  result<std::vector<record>> append_set_aside();

  const log_end& end() const noexcept {
    return end_;
  }

  /// Last position that readers may see. Thread-safe.
  lsn last() const noexcept {
    return lsn{last_.load(std::memory_order_acquire)};
  }

private:
  /// Begins a batch.
  void begin();

  status build(std::span<log_entry> entries);

  /// Gives a record of this node its name and place, and makes its value.
  void encode_own(record& x, std::string_view key, uint64_t fingerprint, int64_t now_ms);

  /// Gives an entry its place, and begins its value with that.
  void place(uint8_t slot, origin_position at, int64_t now_ms);

  /// The entry itself is in `value_`.
  /// @param copied of a copy: the record that it stands for
  status put(const log_entry& x, std::string_view key, uint64_t fingerprint,
             const decoded_entry* copied = nullptr);

  /// Whether the answer that was given under a key stays the one to give.
  /// @param time_ms when the key was used again, on another node or before
  result<bool> keeps_answer(std::string_view key, int64_t time_ms, const decoded_entry* copied);

  /// Publishes a copy of a record in this node's name.
  /// @param now_ms guarded_clock::read_now_ms
  status put_copy(log_entry& copy, const decoded_entry& x, int64_t now_ms);

  /// The last record of a node, up to a position, that is there; the position itself if nobody can
  /// tell any more.
  /// @param tail the place of the first one behind it
  result<origin_position> last_held(uint8_t slot, origin_position upto,
                                    std::optional<lsn> tail) const;

  /// Takes one record out of those that its node went on without.
  /// @param after the last one that stays
  /// @param again receives the copy, if one is published
  status reoriginate_one(lsn at, const decoded_entry& x, origin_position after, int64_t now_ms,
                         std::vector<record>& again);

  /// The newest entry says how far every node is: also of one that was moved back.
  status correct_newest(uint8_t slot, origin_position to);

  /// Keeps a record of this node for `append_set_aside`.
  status set_aside(lsn at, const decoded_entry& x);

  /// Takes a record away that its node goes on without. Nobody is told that it was there.
  /// @param after what its place names from then on
  void take_away(lsn at, const decoded_entry& x, origin_position after);

  /// Moves the head of a node back to the last record at or before a position.
  status move_back(uint8_t slot, origin_position to);

  /// What is kept of a record that is gone.
  void put_gone(lsn at, const decoded_entry& x);

  /// The slot of a node; takes one if there is none yet.
  result<uint8_t> slot_of(uint64_t node);

  status commit(bool sync);

  database& db_;
  origin_heads& heads_;
  const origin_index& index_;
  const guarded_clock& clock_;
  const settings settings_;
  log_end end_;
  std::atomic<uint64_t> last_;
  bool begins_run_ = true;                  // the first of this process does, whatever came before
  uint64_t sequence_ = 0;                   // of this node's last record
  uint64_t chain_ = 0;                      // of that
  std::array<log_head, slots_max> moved_{}; // in the batch
  std::array<log_head, slots_max> admitted_{}; // not yet appended
  retention_batch retention_;
  mailbox_batch mailboxes_;
  rocksdb::WriteBatch batch_;
  std::set<std::string, std::less<>> keys_; // of idempotency, in the batch
  std::string key_;
  std::string value_;
};

} // namespace tidings::storage
