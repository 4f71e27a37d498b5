#pragma once

#include "storage/forgetting.hpp"

#include <rocksdb/table_properties.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace tidings::storage {

/// When compaction can do something about the entries of a table file.
struct due_times {
  int64_t first_ms = never_due;  ///< about one entry
  int64_t eighth_ms = never_due; ///< about an eighth of them
};

/// Collects when entries are due, in bounded memory.
class due_sampler {
public:
  void add(int64_t due_ms);

  due_times finish();

private:
  static constexpr size_t samples_max = 512;

  int64_t first_ms_ = never_due;
  uint64_t seen_ = 0;
  uint64_t stride_ = 1; // every how manieth entry is kept
  std::vector<int64_t> samples_;
};

/// When an entry is due.
using due_function = std::function<int64_t(std::string_view key, std::string_view value)>;

/// Writes the due times into each table file, so that a file that has mostly expired can be found
/// without reading it.
std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> make_due_collector(due_function due);

due_times read_due_times(const rocksdb::TableProperties& x);

due_function log_due(int64_t gap_memory_ms);
due_function topic_due(int64_t gap_memory_ms);
due_function key_due();
due_function mailbox_due(int64_t keep_read_ms);

} // namespace tidings::storage
