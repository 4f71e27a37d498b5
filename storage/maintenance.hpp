#pragma once

#include "storage/database.hpp"
#include "storage/origin_index.hpp"
#include "tidings/result.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace tidings::storage {

/// What a store does besides reading and writing: raises the forget floor, and compacts table files
/// of which much has expired, so that also a store in which nothing happens shrinks. Owns a thread.
class maintenance {
public:
  struct settings {
    std::chrono::milliseconds floor_interval{60'000};
    std::chrono::milliseconds compaction_interval{};
  };

  /// @param last the last position of the log; called from any thread
  maintenance(database& db, expiry_context& expiry, origin_index& index, std::function<lsn()> last,
              const settings& x);

  ~maintenance();

  /// Starts the thread. `also` is called in each of its rounds.
  void start(std::function<void()> also);

  /// Ends the thread, and a compaction that it may be in. Idempotent.
  void stop();

  /// Makes what compactions have found to be forgettable forgettable. Durable when it returns.
  status raise_floor();

  /// Compacts what is due.
  status compact();

  /// Compacts all there is.
  status compact_everything();

private:
  status compact_due(family x);
  status compact_range(family x, const rocksdb::Slice* from, const rocksdb::Slice* to);
  void run();

  database& db_;
  expiry_context& expiry_;
  origin_index& index_;
  std::function<lsn()> last_;
  const settings settings_;
  std::function<void()> also_;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

} // namespace tidings::storage
