#pragma once

#include "storage/log_writer.hpp"
#include "storage/watermark_file.hpp"
#include "tidings/clock.hpp"

#include <mutex>
#include <string>

namespace tidings::storage {

/// Keeps the watermark of a running store true. Thread-safe.
class witness {
public:
  witness(std::string directory, uint64_t incarnation, const guarded_clock& clock)
    : directory_(std::move(directory)), clock_(clock) {
    mark_.incarnation = incarnation;
  }

  /// Notes that the log is on disk up to its end: only after it is.
  status move_to(const log_end& end) {
    std::lock_guard guard{mutex_};
    mark_.position = end.position;
    mark_.origin = end.origin;
    mark_.chain = end.chain;
    return save();
  }

  /// Notes the time, so that the next run knows how far this one came.
  status touch() {
    std::lock_guard guard{mutex_};
    return save();
  }

  lsn position() const {
    std::lock_guard guard{mutex_};
    return mark_.position;
  }

private:
  status save() {
    mark_.wall_ms = clock_.trusted_ms();
    return save_watermark(directory_, mark_);
  }

  const std::string directory_;
  const guarded_clock& clock_;
  mutable std::mutex mutex_;
  watermark mark_;
};

} // namespace tidings::storage
