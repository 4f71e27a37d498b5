#pragma once

#include "storage/expiry_filter.hpp"
#include "tidings/config.hpp"
#include "tidings/position.hpp"
#include "tidings/result.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidings::storage {

/// The column families, in the order in which they are opened.
enum class family : uint8_t { log, topic, origin, key, mailbox, meta };

inline rocksdb::Slice slice(std::string_view x) noexcept {
  return {x.data(), x.size()};
}

inline std::string_view view(const rocksdb::Slice& x) noexcept {
  return {x.data(), x.size()};
}

/// How to read the positions `(after, until]`. Who reads many passes by once: the block cache keeps
/// what it has for those who come back.
inline rocksdb::ReadOptions passing_by(lsn after, lsn until) noexcept {
  constexpr uint64_t many = 100'000;
  rocksdb::ReadOptions x;
  x.fill_cache = to_integer(until) - to_integer(after) <= many;
  return x;
}

/// RocksDB with our families and settings. After a failed write it refuses all others: what is in
/// memory may not be what is on disk.
class database {
public:
  /// @param create whether there may be no database yet
  static result<std::unique_ptr<database>> open(const storage_config& settings, bool create,
                                                std::shared_ptr<expiry_context> expiry);

  database(const database&) = delete;
  database& operator=(const database&) = delete;
  ~database();

  rocksdb::DB& raw() const noexcept {
    return *db_;
  }

  rocksdb::ColumnFamilyHandle* at(family x) const noexcept {
    return families_[static_cast<size_t>(x) + 1];
  }

  /// Thread-safe; one write at a time.
  status write(rocksdb::WriteBatch& batch, bool sync);

  /// Makes all writes so far durable.
  status sync();

  /// For failures elsewhere after which nothing may be written either.
  status give_up(const failure& why);

  /// Set for ever once a write has failed.
  status failed() const;

  result<std::optional<std::string>> get(family from, std::string_view key) const;

  // -- numbers in `meta`
  // ---------------------------------------------------------------------------

  result<std::optional<uint64_t>> get_number(std::string_view name) const;

  /// Durable when it returns.
  status put_number(std::string_view name, uint64_t x);

private:
  database() = default;

  status latch(std::string why);

  std::shared_ptr<expiry_context> expiry_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_; // [0] is RocksDB's default, unused
  mutable std::mutex mutex_;
  std::atomic<bool> has_failed_{false};
  std::string why_;
};

} // namespace tidings::storage
