#include "storage/maintenance.hpp"

#include "storage/due_collector.hpp"
#include "storage/meta_names.hpp"
#include "storage/rocksdb_failure.hpp"
#include "storage/tail_check.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <ctime>
#include <string>

namespace tidings::storage {

namespace {

constexpr family expiring[] = {family::log, family::topic, family::key, family::mailbox};

/// However little of a file has expired, that little goes after this time.
constexpr int64_t patience_ms = 24LL * 60 * 60 * 1000;

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

} // namespace

maintenance::maintenance(database& db, expiry_context& expiry, origin_index& index,
                         std::function<lsn()> last, const settings& x)
  : db_(db), expiry_(expiry), index_(index), last_(std::move(last)), settings_(x) {
  // nop
}

maintenance::~maintenance() {
  stop();
}

void maintenance::start(std::function<void()> also) {
  also_ = std::move(also);
  thread_ = std::thread{[this] { run(); }};
}

void maintenance::stop() {
  {
    std::lock_guard guard{mutex_};
    stopped_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

void maintenance::run() {
  auto compacted = std::chrono::steady_clock::now();
  auto pause = std::min(settings_.floor_interval, settings_.compaction_interval);
  std::unique_lock guard{mutex_};
  while (!wake_.wait_for(guard, pause, [this] { return stopped_.load(); })) {
    guard.unlock();
    also_();
    auto failed = raise_floor();
    auto now = std::chrono::steady_clock::now();
    if (!failed && now - compacted >= settings_.compaction_interval) {
      failed = compact();
      compacted = now;
    }
    if (failed && !stopped_)
      spdlog::warn("storage maintenance: {}", failed->detail);
    guard.lock();
  }
}

status maintenance::raise_floor() {
  // The newest entries stay, for the check of the next start.
  auto last = to_integer(last_());
  auto bound = last - std::min(last, tail_check::entries);
  auto wanted = std::min(to_integer(expiry_.floor.wanted()), bound);
  if (wanted <= to_integer(expiry_.floor.persisted()))
    return std::nullopt;
  if (auto failed = db_.put_number(meta::forget_floor, wanted))
    return failed;
  expiry_.floor.persisted(lsn{wanted});
  return index_.forget();
}

status maintenance::compact() {
  for (auto x : expiring)
    if (auto failed = compact_due(x))
      return failed;
  return std::nullopt;
}

status maintenance::compact_due(family x) {
  rocksdb::TablePropertiesCollection properties;
  if (auto s = db_.raw().GetPropertiesOfAllTables(db_.at(x), &properties); !s.ok())
    return to_failure("cannot read the properties of table files", s);
  auto now = expiry_.clock.delete_now_ms();
  auto interval = std::chrono::duration_cast<std::chrono::seconds>(settings_.compaction_interval);
  // What was written since the last round has been through the filter then, or has only just come.
  auto newest = static_cast<uint64_t>(std::max<int64_t>(0, std::time(nullptr) - interval.count()));
  std::vector<std::string> due;
  for (auto& [path, table] : properties) {
    auto times = read_due_times(*table);
    if ((times.eighth_ms <= now || times.first_ms <= now - patience_ms)
        && table->file_creation_time <= newest)
      due.push_back(file_name(path));
  }
  if (due.empty())
    return std::nullopt;
  rocksdb::ColumnFamilyMetaData files;
  db_.raw().GetColumnFamilyMetaData(db_.at(x), &files);
  for (auto& level : files.levels)
    for (auto& file : level.files) {
      if (stopped_)
        return std::nullopt;
      if (std::find(due.begin(), due.end(), file_name(file.name)) == due.end())
        continue;
      rocksdb::Slice from{file.smallestkey};
      rocksdb::Slice to{file.largestkey};
      if (auto failed = compact_range(x, &from, &to))
        return failed;
    }
  return std::nullopt;
}

status maintenance::compact_everything() {
  for (auto x : expiring)
    if (auto failed = compact_range(x, nullptr, nullptr))
      return failed;
  return std::nullopt;
}

status maintenance::compact_range(family x, const rocksdb::Slice* from, const rocksdb::Slice* to) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.canceled = &stopped_;
  auto s = db_.raw().CompactRange(options, db_.at(x), from, to);
  if (s.ok() || s.IsIncomplete() || stopped_)
    return std::nullopt;
  return to_failure("a compaction failed", s);
}

} // namespace tidings::storage
