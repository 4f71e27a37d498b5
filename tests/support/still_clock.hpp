#pragma once

#include "tidings/clock.hpp"

#include <cstdint>

namespace tidings {

/// Shows the time that a test has set.
struct still_clock : clock_source {
  int64_t now;

  explicit still_clock(int64_t now_ms = 1'000) : now(now_ms) {
    // nop
  }

  int64_t wall_ms() const override {
    return now;
  }

  int64_t steady_ms() const override {
    return now;
  }
};

} // namespace tidings
