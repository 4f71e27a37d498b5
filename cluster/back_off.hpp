#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tidings::cluster {

/// How long to wait before trying again: longer each time, and by chance, so that those who failed
/// together do not come back together.
class back_off {
public:
  using duration = std::chrono::milliseconds;

  back_off(duration shortest, duration longest, uint64_t seed) noexcept
    : shortest_(shortest), longest_(std::max(shortest, longest)), random_(seed) {
    // nop
  }

  /// Between the shortest time and one that doubles with every call.
  duration next() noexcept {
    ceiling_ = std::min(longest_, std::max(shortest_, ceiling_) * 2);
    // SplitMix64
    auto x = random_ += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    x ^= x >> 31;
    auto span = static_cast<uint64_t>((ceiling_ - shortest_).count());
    return shortest_ + duration{x % (span + 1)};
  }

  /// It worked: begin anew.
  void reset() noexcept {
    ceiling_ = duration::zero();
  }

private:
  duration shortest_;
  duration longest_;
  duration ceiling_{0};
  uint64_t random_;
};

} // namespace tidings::cluster
