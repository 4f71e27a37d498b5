#pragma once

#include "storage/record_codec.hpp"
#include "storage/watermark_file.hpp"
#include "tidings/result.hpp"

#include <array>
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
  /// @param nodes short forms of the nodes, by slot
  tail_check(std::optional<watermark> expected, const std::array<uint64_t, slots_max>& nodes)
    : expected_(expected), nodes_(nodes) {
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

  int64_t arrived_ms() const noexcept {
    return arrived_ms_;
  }

  uint8_t slot() const noexcept {
    return slot_;
  }

  origin_position origin() const noexcept {
    return heads_[slot_].at;
  }

private:
  /// The last entry of one node.
  struct seen {
    origin_position at;
    uint64_t chain = 0;
  };

  void check_chain(const std::string& position, const decoded_entry& x, std::string_view value);
  void report(std::string what);

  std::optional<watermark> expected_;
  std::array<uint64_t, slots_max> nodes_;
  std::array<seen, slots_max> heads_{};
  std::string problem_;
  bool any_ = false;
  lsn last_{};
  uint8_t slot_ = 0;
  uint64_t chain_ = 0;
  int64_t arrived_ms_ = 0;
};

} // namespace tidings::storage
