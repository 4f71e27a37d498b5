#pragma once

#include <cstddef>
#include <cstdint>

namespace tidings::simulator {

constexpr uint64_t mix(uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// The same numbers for the same seed, everywhere.
class random {
public:
  explicit random(uint64_t seed) : state_(mix(seed)) {
    // nop
  }

  uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15;
    return mix(state_);
  }

  /// Of `from` to `to`, both included.
  int64_t between(int64_t from, int64_t to) noexcept {
    return from + static_cast<int64_t>(next() % static_cast<uint64_t>(to - from + 1));
  }

  size_t below(size_t bound) noexcept {
    return static_cast<size_t>(next() % bound);
  }

  bool chance(unsigned percent) noexcept {
    return below(100) < percent;
  }

private:
  uint64_t state_;
};

} // namespace tidings::simulator
