#pragma once

#include <algorithm>
#include <cstdint>

namespace tidings {

/// Token bucket: a burst of one second's worth, refilled steadily.
class rate_limit {
public:
  /// @param per_second 0: no bound
  explicit rate_limit(uint32_t per_second) : per_second_(per_second), tokens_(per_second) {
    // nop
  }

  /// Takes one token if there is one.
  bool admit(int64_t steady_ms) {
    if (per_second_ == 0)
      return true;
    auto passed = last_ms_ == 0 ? 0 : std::max<int64_t>(steady_ms - last_ms_, 0);
    last_ms_ = steady_ms;
    tokens_ = std::min(tokens_ + static_cast<double>(passed) * per_second_ / 1000.0,
                       static_cast<double>(per_second_));
    if (tokens_ < 1)
      return false;
    tokens_ -= 1;
    return true;
  }

private:
  uint32_t per_second_;
  double tokens_;
  int64_t last_ms_ = 0;
};

} // namespace tidings
