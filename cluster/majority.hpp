#pragma once

#include <cstddef>

namespace tidings::cluster {

/// How many of the configured members are a majority of them.
constexpr size_t majority(size_t members) noexcept {
  return members / 2 + 1;
}

} // namespace tidings::cluster
