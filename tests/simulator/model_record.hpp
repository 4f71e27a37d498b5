#pragma once

#include "cluster/message.hpp"

#include <cstdint>

namespace tidings::simulator {

using cluster::origin_head;
using cluster::replica;

constexpr size_t nodes_max = 5; ///< named 1 to 5

/// What somebody published: its number in the ledger, and when it expires. A copy of it in another
/// node's name has the same.
struct payload {
  uint32_t value = 0;
  int64_t expires_ms = 0;
  bool copy = false;
};

std::string encode(const payload& x, size_t padding);

payload decode(const std::string& bytes);

/// Over the record and all before it in its incarnation.
uint64_t chain_after(uint64_t before, uint64_t node, const replica& x);

std::string to_string(uint64_t node, const origin_position& at);

} // namespace tidings::simulator
