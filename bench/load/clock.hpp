#pragma once

#include <cstdint>
#include <ctime>

namespace bench {

inline uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<uint64_t>(now.tv_nsec);
}

constexpr uint64_t ns_per_second = 1'000'000'000U;

} // namespace bench
