#pragma once

#include "json_line.hpp"

#include <cstdint>
#include <sys/types.h>
#include <vector>

namespace bench {

/// What the measured server has used so far, over all its processes and threads.
struct server_usage {
  double cpu_seconds = 0;
  double user_seconds = 0;   // in clock ticks, 10 ms
  double system_seconds = 0; // in clock ticks
  uint64_t rss_bytes = 0;
  uint64_t anonymous_bytes = 0; // of the resident ones
  uint64_t peak_bytes = 0;      // resident, since the start or the last reset_peak()
};

/// Looks at the server from outside. Without process ids every figure is 0.
class server_probe {
public:
  explicit server_probe(std::vector<pid_t> pids) : pids_(std::move(pids)) {
    // nop
  }

  explicit operator bool() const {
    return !pids_.empty();
  }

  server_usage read() const;

  /// The CPU clock alone, to the nanosecond: cheap enough to frame a window with.
  double cpu_seconds() const;

  uint64_t rss_bytes() const;

  /// False where the kernel does not let us.
  bool reset_peak() const;

private:
  std::vector<pid_t> pids_;
};

/// CPU seconds of this process: tells whether the load generator was the bottleneck.
double own_cpu_seconds();

/// The CPU that a window took, in all and per unit of work.
class cpu_window {
public:
  explicit cpu_window(const server_probe& probe);

  void stop();

  double seconds() const {
    return seconds_;
  }

  double server_cpu_seconds() const {
    return server_cpu_;
  }

  /// Adds `seconds`, `server_cpu_us_per_UNIT`, shares of a core and the like.
  void describe(json_line& to, const char* unit, uint64_t units) const;

private:
  const server_probe& probe_;
  server_usage before_;
  server_usage after_;
  uint64_t begin_ns_;
  double own_before_;
  double seconds_ = 0;
  double own_cpu_ = 0;
  double server_cpu_ = 0;
};

} // namespace bench
