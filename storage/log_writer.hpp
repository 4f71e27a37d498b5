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
  status put(const log_entry& x, std::string_view key, uint64_t fingerprint);

  /// Takes a record away that another node goes on without. Nothing says that it was there.
  void take_away(lsn at, const decoded_entry& x);

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
  std::string key_;
  std::string value_;
};

} // namespace tidings::storage
