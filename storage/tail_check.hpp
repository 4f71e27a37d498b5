#pragma once

#include "storage/watermark_file.hpp"
#include "tidings/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tidings::storage {

/// Looks at the newest entries of a log, one after the other in ascending order, and says whether
/// they can be the end of what was written.
class tail_check {
public:
  /// How many entries are enough to look at; never forgotten, so that they are there.
  static constexpr uint64_t entries = 1024;

  /// @param expected the witness; nullopt: a store without one
  explicit tail_check(std::optional<watermark> expected) : expected_(expected) {
    // nop
  }

  void add(lsn position, std::string_view value);

  /// errc::storage_corrupt with what is missing and what to do.
  status finish() const;

  /// The end that was found.
  lsn last() const noexcept {
    return last_;
  }

  uint64_t chain() const noexcept {
    return chain_;
  }

  int64_t time_ms() const noexcept {
    return time_ms_;
  }

private:
  void report(std::string what);

  std::optional<watermark> expected_;
  std::string problem_;
  bool any_ = false;
  lsn last_{};
  uint64_t chain_ = 0;
  int64_t time_ms_ = 0;
};

} // namespace tidings::storage
