#include "storage/database.hpp"

#include "storage/due_collector.hpp"
#include "storage/keys.hpp"
#include "storage/rocksdb_failure.hpp"
#include "storage/space_guard.hpp"
#include "tidings/descriptors.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <utility>

namespace tidings::storage {

namespace {

constexpr uint64_t kibibyte = 1024;
constexpr uint64_t mebibyte = 1024 * kibibyte;

/// What the database has to say to people goes to the broker's log. Its own file would be one more
/// that can fail: RocksDB as Debian builds it ends the process when it writes to that again.
class forwarding_log : public rocksdb::Logger {
public:
  forwarding_log() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {
    // nop
  }

  using rocksdb::Logger::Logv;

  void Logv(const char*, va_list) override {
    // nop: a heading, or below the level
  }

  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    auto matters =
      level == rocksdb::InfoLogLevel::ERROR_LEVEL || level == rocksdb::InfoLogLevel::FATAL_LEVEL;
    if (!matters && level != rocksdb::InfoLogLevel::WARN_LEVEL)
      return;
    std::array<char, 512> text{};
    std::vsnprintf(text.data(), text.size(), format, arguments);
    spdlog::log(matters ? spdlog::level::warn : spdlog::level::debug, "rocksdb: {}", text.data());
  }
};

/// The part of a key of the topic index that all entries of a topic share.
class topic_prefix : public rocksdb::SliceTransform {
public:
  const char* Name() const override {
    return "tidings.topic";
  }

  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), key.size() - position_bytes};
  }

  bool InDomain(const rocksdb::Slice& key) const override {
    return key.size() > position_bytes;
  }

private:
  static constexpr size_t position_bytes = 8;
};

rocksdb::DBOptions database_options(const storage_config& settings, bool create) {
  rocksdb::DBOptions x;
  x.create_if_missing = create;
  x.create_missing_column_families = create; // a family that is missing later has been lost

  // -- what must never go unnoticed --
  x.paranoid_checks = true;
  x.wal_recovery_mode = settings.recovery == recovery_mode::salvage
                          ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                          : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  x.recycle_log_file_num = 0; // old bytes in a recycled file would look like records
  x.manual_wal_flush = false;
  x.max_bgerror_resume_count = 0; // after an error nothing is known to be on disk
  x.atomic_flush = true;          // without its log, the families are still of one moment
  x.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();

  // -- how long a start takes --
  x.max_total_wal_size = wal_bytes_max(settings);
  x.max_open_files = static_cast<int>(share_descriptors(descriptor_limit()).store_files);
  x.skip_stats_update_on_db_open = true;

  // -- memory and threads --
  x.db_write_buffer_size = settings.write_buffer_bytes;
  x.max_background_jobs = 2;
  x.enable_pipelined_write = false; // there is one writer
  x.allow_concurrent_memtable_write = false;
  x.enable_write_thread_adaptive_yield = false;
  x.bytes_per_sync = mebibyte; // no bursts; only of table files, which are synced in the end anyway

  // -- what it writes beside the data --
  x.info_log = std::make_shared<forwarding_log>();
  x.stats_dump_period_sec = 0;
  x.stats_persist_period_sec = 0;
  x.db_host_id.clear(); // table files are copied around: no machine's name in them
  return x;
}

rocksdb::ColumnFamilyOptions family_options(const storage_config& settings,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = 16 * kibibyte;
  table.format_version = 5;
  table.cache_index_and_filter_blocks = true; // so that the cache bounds them too
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  rocksdb::ColumnFamilyOptions x;
  x.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  x.write_buffer_size = settings.write_buffer_bytes;
  x.max_write_buffer_number = 3;
  x.compression = rocksdb::kLZ4Compression;
  x.force_consistency_checks = true;
  return x;
}

rocksdb::ColumnFamilyOptions with_bloom_filter(rocksdb::ColumnFamilyOptions x,
                                               const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.format_version = 5;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  x.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return x;
}

} // namespace

result<std::unique_ptr<database>> database::open(const storage_config& settings, bool create,
                                                 std::shared_ptr<expiry_context> expiry) {
  auto cache = rocksdb::NewLRUCache(settings.cache_bytes);
  auto plain = family_options(settings, cache);
  auto small = plain;
  small.write_buffer_size = 4 * mebibyte;
  auto log = plain;
  log.compaction_filter_factory = make_log_filter(expiry);
  log.table_properties_collector_factories = {make_due_collector(log_due(expiry->gap_memory_ms))};
  auto topic = plain;
  topic.compaction_filter_factory = make_topic_filter(expiry);
  topic.table_properties_collector_factories = {
    make_due_collector(topic_due(expiry->gap_memory_ms))};
  // Entries of a topic come in ascending order: the place of the one before is where to look first.
  topic.memtable_insert_with_hint_prefix_extractor = std::make_shared<topic_prefix>();
  auto key = with_bloom_filter(plain, cache);
  key.compaction_filter_factory = make_key_filter(expiry);
  key.table_properties_collector_factories = {make_due_collector(key_due())};
  auto mailbox = plain;
  mailbox.compaction_filter_factory = make_mailbox_filter(expiry);
  mailbox.table_properties_collector_factories = {
    make_due_collector(mailbox_due(expiry->keep_read_ms))};
  std::vector<rocksdb::ColumnFamilyDescriptor> families{
    {rocksdb::kDefaultColumnFamilyName, small},
    {"log", log},
    {"topic", topic},
    {"origin", small},
    {"key", key},
    {"mailbox", mailbox},
    {"meta", small},
  };
  std::unique_ptr<database> self{new database};
  self->expiry_ = std::move(expiry);
  rocksdb::DB* db = nullptr;
  auto opened = rocksdb::DB::Open(database_options(settings, create), settings.directory, families,
                                  &self->families_, &db);
  self->db_.reset(db);
  if (!opened.ok())
    return to_failure("cannot open the store in " + settings.directory, opened);
  return self;
}

database::~database() {
  if (!db_)
    return;
  for (auto* x : families_)
    db_->DestroyColumnFamilyHandle(x);
  db_->Close();
}

status database::write(rocksdb::WriteBatch& batch, bool sync) {
  std::lock_guard guard{mutex_};
  if (has_failed_)
    return failure{errc::storage_unavailable, why_};
  rocksdb::WriteOptions options;
  options.sync = sync;
  if (auto x = db_->Write(options, &batch); !x.ok())
    return latch(to_failure("a write failed", x).detail);
  return std::nullopt;
}

status database::sync() {
  std::lock_guard guard{mutex_};
  if (has_failed_)
    return failure{errc::storage_unavailable, why_};
  if (auto x = db_->SyncWAL(); !x.ok())
    return latch(to_failure("a sync failed", x).detail);
  return std::nullopt;
}

status database::failed() const {
  if (!has_failed_)
    return std::nullopt;
  std::lock_guard guard{mutex_};
  return failure{errc::storage_unavailable, why_};
}

status database::give_up(const failure& why) {
  std::lock_guard guard{mutex_};
  return latch(why.detail);
}

status database::latch(std::string why) {
  why_ = std::move(why) + "; the broker must be restarted";
  has_failed_ = true;
  return failure{errc::storage_unavailable, why_};
}

result<std::optional<std::string>> database::get(family from, std::string_view key) const {
  std::string value;
  auto x = db_->Get({}, at(from), slice(key), &value);
  if (x.IsNotFound())
    return std::optional<std::string>{};
  if (!x.ok())
    return to_failure("cannot read", x);
  return std::optional<std::string>{std::move(value)};
}

result<std::optional<uint64_t>> database::get_number(std::string_view name) const {
  auto value = get(family::meta, name);
  if (!value)
    return value.error();
  if (!*value)
    return std::optional<uint64_t>{};
  auto x = parse_number(**value);
  if (!x)
    return failure{errc::storage_corrupt,
                   "the entry " + std::string{name} + " of the store cannot be read"};
  return x;
}

status database::put_number(std::string_view name, uint64_t x) {
  rocksdb::WriteBatch batch;
  batch.Put(at(family::meta), slice(name), encode_number(x));
  return write(batch, true);
}

} // namespace tidings::storage
