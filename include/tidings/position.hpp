#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

namespace tidings {

/// Position in this node's log: the order in which the node committed records. 0 is before the
/// first.
enum class lsn : uint64_t {};

constexpr uint64_t to_integer(lsn x) noexcept {
  return static_cast<uint64_t>(x);
}

constexpr lsn next(lsn x) noexcept {
  return lsn{to_integer(x) + 1};
}

/// The persistent identity of a store: random, made with it, the same for its whole life.
struct node_id {
  std::array<uint8_t, 16> bytes{};

  auto operator<=>(const node_id&) const = default;

  /// The first eight bytes, big endian: what cursors carry.
  uint64_t short_form() const noexcept;
};

/// 32 lower-case hexadecimal digits.
std::string to_string(const node_id& x);

/// Names one record of one node for ever. `incarnation` grows at every start of the node,
/// `sequence` starts at 1 in each incarnation and has no holes.
struct origin_position {
  uint64_t incarnation = 0;
  uint64_t sequence = 0;

  auto operator<=>(const origin_position&) const = default;
};

} // namespace tidings
