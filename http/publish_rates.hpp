#pragma once

#include "actors/topic/rate_limit.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace tidings::http {

/// How fast callers publish, over all I/O threads. Thread-safe.
class publish_rates {
public:
  /// Callers remembered at most. Beyond it all are forgotten: who is at the limit gets one burst more.
  static constexpr size_t callers_max = 100'000;

  /// Counts one request of a caller.
  /// @param per_second 0: no bound, and nothing is counted
  /// @returns whether it is within the bound
  bool admit(const std::string& caller, uint32_t per_second, int64_t steady_ms) {
    if (per_second == 0)
      return true;
    std::lock_guard lock{mutex_};
    if (per_second != per_second_ || callers_.size() >= callers_max) {
      callers_.clear();
      per_second_ = per_second;
    }
    return callers_.try_emplace(caller, per_second).first->second.admit(steady_ms);
  }

private:
  std::mutex mutex_;
  uint32_t per_second_ = 0;
  std::unordered_map<std::string, rate_limit> callers_;
};

} // namespace tidings::http
