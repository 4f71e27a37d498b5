#pragma once

#include "storage/database.hpp"
#include "tidings/event_store.hpp"

#include <vector>

namespace tidings::storage {

/// Walks the topic index. At most this many entries are counted in one topic.
inline constexpr uint64_t topic_entries_counted_max = 1'000'000;

/// See event_store::topics.
/// @param last what readers may see
result<std::vector<topic_summary>> list_topics(const database& db, std::string_view after,
                                               std::string_view prefix, size_t limit,
                                               int64_t now_ms, lsn last);

} // namespace tidings::storage
