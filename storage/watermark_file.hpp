#pragma once

#include "tidings/event_store.hpp"
#include "tidings/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidings::storage {

/// How far the log was on disk at some moment: the witness outside the database that tells a log
/// that lost its end from one that never had more.
struct watermark {
  origin_position origin; ///< of the record at `position`
  lsn position{};
  uint64_t chain = 0;       ///< of the record at `position`
  uint64_t incarnation = 0; ///< of the process that wrote this
  int64_t wall_ms = 0;      ///< what the next run may trust: guarded_clock::trusted_ms

  bool operator==(const watermark&) const = default;
};

std::string to_text(const watermark& x);

/// nullopt: not a file of ours, or damaged.
std::optional<watermark> parse_watermark(std::string_view text);

/// nullopt if the directory has none.
result<std::optional<watermark>> load_watermark(const std::string& directory);

status save_watermark(const std::string& directory, const watermark& x);

} // namespace tidings::storage
