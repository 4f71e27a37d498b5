#pragma once

#include "storage/rocksdb_event_store.hpp"
#include "tidings/clock.hpp"
#include "tidings/config.hpp"
#include "tidings/event_store.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

// What the tests of the store share.

namespace tidings::storage::testing {

namespace fs = std::filesystem;

/// Removed with everything in it when it goes.
class temporary_directory {
public:
  temporary_directory() {
    auto name = (fs::temp_directory_path() / "tidings-test-XXXXXX").string();
    if (!::mkdtemp(name.data()))
      throw std::runtime_error("cannot make a temporary directory");
    path_ = name;
  }

  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  ~temporary_directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const noexcept {
    return path_;
  }

private:
  fs::path path_;
};

inline constexpr int64_t minute_ms = 60 * 1000;
inline constexpr int64_t hour_ms = 60 * minute_ms;
inline constexpr int64_t day_ms = 24 * hour_ms;

/// The store's own threads look at it, too.
struct manual_clock : clock_source {
  std::atomic<int64_t> wall = 1'800'000'000'000; // 2027-01-15
  std::atomic<int64_t> steady = 1'000'000;

  int64_t wall_ms() const override {
    return wall;
  }

  int64_t steady_ms() const override {
    return steady;
  }

  /// Time passes.
  void advance(int64_t ms) {
    wall += ms;
    steady += ms;
  }
};

struct shown_record {
  uint64_t position = 0;
  origin_position origin;
  std::vector<std::string> topics;
  std::string data;
  uint64_t node = 0;
  cursor at;
};

struct shown_gap {
  uint64_t position = 0;
  gap_reason reason{};
  std::vector<std::string> topics;

  bool operator==(const shown_gap&) const = default;
};

/// Keeps what a read shows.
struct recorder : record_visitor {
  std::vector<shown_record> records;
  std::vector<shown_gap> missing;
  size_t stop_after = SIZE_MAX;

  bool on_record(const record_view& x) override {
    if (records.size() == stop_after)
      return false;
    records.push_back({to_integer(x.position),
                       x.origin,
                       {x.topics.begin(), x.topics.end()},
                       std::string{x.data},
                       x.node,
                       *x.at});
    return true;
  }

  void on_missing(const missing_record& x) override {
    missing.push_back({to_integer(x.position), x.reason, {x.topics.begin(), x.topics.end()}});
  }

  std::vector<uint64_t> positions() const {
    std::vector<uint64_t> xs;
    for (auto& x : records)
      xs.push_back(x.position);
    return xs;
  }

  std::vector<uint64_t> missing_positions() const {
    std::vector<uint64_t> xs;
    for (auto& x : missing)
      xs.push_back(x.position);
    return xs;
  }
};

inline subscription subscribe(std::initializer_list<std::string_view> patterns) {
  std::vector<topic_pattern> xs;
  for (auto x : patterns)
    xs.push_back(*topic_pattern::parse(x));
  return subscription{std::move(xs)};
}

inline log_entry make_entry(std::string topic, std::string data, int64_t expires_at_ms = 0) {
  log_entry x;
  x.content.content.topics = {std::move(topic)};
  x.content.content.data = std::move(data);
  x.content.content.expires_at_ms = expires_at_ms;
  return x;
}

/// Appends a single entry and gives it back as it was stored.
inline record append_one(event_store& to, log_entry x, bool sync = true) {
  if (auto failed = to.append({&x, 1}, sync))
    throw std::runtime_error(failed->detail);
  return std::move(x.content);
}

/// A store in a directory of its own, on a clock of its own.
struct store_fixture {
  temporary_directory temporary;
  manual_clock clock;
  storage_config settings;
  mailbox_config mailboxes;
  std::unique_ptr<rocksdb_event_store> store;
  failure error{};

  store_fixture() {
    settings.directory = (temporary.path() / "store").string();
    settings.reserve = 0;
    settings.write_buffer_bytes = 4 * 1024 * 1024;
    settings.cache_bytes = 1024 * 1024;
  }

  fs::path directory() const {
    return settings.directory;
  }

  bool open() {
    auto x = rocksdb_event_store::open(settings, mailboxes, clock);
    if (!x) {
      error = x.error();
      return false;
    }
    store = std::move(*x);
    return true;
  }

  void close() {
    store.reset();
  }

  bool reopen() {
    close();
    return open();
  }

  /// The directory as it is at this moment becomes the store's, as after a kill.
  void crash() {
    auto image = temporary.path() / "image";
    // What a compaction has replaced may go meanwhile: then it was not one moment.
    std::error_code error;
    std::set<fs::path> before;
    do {
      before = files();
      fs::remove_all(image);
      fs::copy(directory(), image, fs::copy_options::recursive, error);
    } while (error || files() != before);
    store.reset();
    fs::remove_all(directory());
    fs::rename(image, directory());
  }

  std::set<fs::path> files() const {
    std::set<fs::path> found;
    for (auto& x : fs::directory_iterator{directory()})
      found.insert(x.path());
    return found;
  }

  /// Appends `count` events to a topic with data "0", "1", …
  void fill(size_t count, std::string topic = "t", bool sync = true) {
    for (size_t i = 0; i < count; ++i)
      append_one(*store, make_entry(topic, std::to_string(i)), sync);
  }

  recorder read(const subscription& who, uint64_t after = 0,
                std::function<void(read_request&)> change = nullptr) {
    read_request x;
    x.who = &who;
    x.after = lsn{after};
    x.now_ms = clock.wall;
    if (change)
      change(x);
    recorder to;
    auto outcome = store->read(x, to);
    if (!outcome)
      throw std::runtime_error(outcome.error().detail);
    return to;
  }

  /// The only file with this ending, or the newest by name.
  fs::path file(std::string_view ending) const {
    fs::path found;
    for (auto& x : fs::directory_iterator{directory()}) {
      auto name = x.path().filename().string();
      if (name.size() >= ending.size() && name.substr(name.size() - ending.size()) == ending
          && (found.empty() || x.path() > found))
        found = x.path();
    }
    return found;
  }
};

inline std::string slurp(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline void spill(const fs::path& path, std::string_view bytes) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

} // namespace tidings::storage::testing
