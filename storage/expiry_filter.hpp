#pragma once

#include "storage/forgetting.hpp"
#include "tidings/clock.hpp"

#include <rocksdb/compaction_filter.h>

#include <memory>

namespace tidings::storage {

/// What all compactions of a store need to know. Outlives the database.
struct expiry_context {
  expiry_context(const guarded_clock& judge, int64_t memory_ms, int64_t keep_ms)
    : clock(judge), gap_memory_ms(memory_ms), keep_read_ms(keep_ms) {
    // nop
  }

  const guarded_clock& clock;
  int64_t gap_memory_ms = 0;
  int64_t keep_read_ms = 0;
  forget_floor floor;
};

// Compaction filters, one kind per family. Each asks the clock and the floor once per compaction,
// so that one compaction has one "now".

std::shared_ptr<rocksdb::CompactionFilterFactory>
make_log_filter(std::shared_ptr<expiry_context> context);

std::shared_ptr<rocksdb::CompactionFilterFactory>
make_topic_filter(std::shared_ptr<expiry_context> context);

std::shared_ptr<rocksdb::CompactionFilterFactory>
make_key_filter(std::shared_ptr<expiry_context> context);

std::shared_ptr<rocksdb::CompactionFilterFactory>
make_mailbox_filter(std::shared_ptr<expiry_context> context);

} // namespace tidings::storage
