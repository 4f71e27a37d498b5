#pragma once

#include "tidings/clock.hpp"
#include "tidings/config.hpp"
#include "tidings/result.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace tidings::storage {

/// Of one file system, in bytes.
struct disk_space {
  uint64_t total = 0;
  uint64_t free = 0; ///< for this process
};

/// Most write-ahead log that may be waiting for a flush.
uint64_t wal_bytes_max(const storage_config& x) noexcept;

/// Free bytes below which nothing is accepted: max(5 %, 2 × (write buffers + WAL limit) + 512 MiB)
/// unless configured.
uint64_t reserve_of(const storage_config& x, const disk_space& space) noexcept;

/// Keeps the database away from a full disk, which it would not survive. Thread-safe.
class space_guard {
public:
  using probe = std::function<result<disk_space>()>;

  static constexpr int64_t interval_ms = 250;

  /// `clock` must outlive the guard.
  space_guard(const storage_config& settings, const clock_source& clock, probe measure);

  /// errc::storage_full below the reserve, `for_upkeep` below half of it. Looks at the disk at most
  /// every 250 ms.
  status check(bool for_upkeep);

  /// Whether a start is possible: it must be able to flush the write-ahead log that it finds.
  status check_start(uint64_t wal_bytes);

  result<disk_space> measure() const {
    return measure_();
  }

private:
  void look(); // mutex_ is held

  const storage_config settings_;
  const clock_source& clock_;
  const probe measure_;
  std::mutex mutex_;
  std::optional<int64_t> checked_ms_;
  status found_; // for events
  status upkeep_;
};

/// Asks the operating system about the file system of a directory.
space_guard::probe file_system_of(std::string directory);

} // namespace tidings::storage
