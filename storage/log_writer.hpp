#pragma once

#include "storage/database.hpp"
#include "storage/mailbox_batch.hpp"
#include "storage/origin_runs.hpp"
#include "storage/retention_batch.hpp"
#include "tidings/event_store.hpp"

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

namespace tidings::storage {

/// The end of the log: what the next record follows.
struct log_end {
  lsn position{};
  origin_position origin;
  uint64_t chain = 0;
  int64_t time_ms = 0;
};

/// Turns entries into write batches. One thread at a time, but for `last`.
class log_writer {
public:
  struct settings {
    uint64_t node = 0; ///< short form
    uint64_t incarnation = 0;
    int64_t idempotency_window_ms = 0;
  };

  log_writer(database& db, origin_runs& runs, const guarded_clock& clock, const settings& x,
             const log_end& end);

  /// See event_store::append.
  status append(std::span<log_entry> entries, bool sync);

  /// Puts a place into the log that says that records were lost before it. Durable.
  status append_loss();

  const log_end& end() const noexcept {
    return end_;
  }

  /// Last position that readers may see. Thread-safe.
  lsn last() const noexcept {
    return lsn{last_.load(std::memory_order_acquire)};
  }

private:
  status build(std::span<log_entry> entries);

  /// Sets what the log decides about a record.
  void place(record& x, int64_t now_ms);

  void put(const log_entry& x);

  /// Notes where this incarnation begins, with its first record.
  void put_run(const record& first);

  status commit(bool sync);

  database& db_;
  origin_runs& runs_;
  const guarded_clock& clock_;
  const settings settings_;
  log_end end_;
  std::atomic<uint64_t> last_;
  std::optional<origin_run> new_run_; // in the batch, not yet in runs_
  bool has_run_ = false;
  retention_batch retention_;
  mailbox_batch mailboxes_;
  rocksdb::WriteBatch batch_;
  std::string key_;
  std::string value_;
};

} // namespace tidings::storage
