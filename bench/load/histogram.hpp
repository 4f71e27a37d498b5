#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace bench {

/// Counts of nanoseconds in buckets at most 1/64 wide: percentiles over every sample, not over a
/// choice of them, in constant memory.
class histogram {
public:
  void add(uint64_t ns) {
    ++counts_[index_of(ns)];
    ++count_;
    max_ = std::max(max_, ns);
  }

  void clear() {
    *this = histogram{};
  }

  uint64_t count() const {
    return count_;
  }

  uint64_t max() const {
    return max_;
  }

  /// Upper edge of the bucket that holds the `share` (0..1) smallest samples; 0 without samples.
  uint64_t percentile(double share) const {
    auto rank = static_cast<uint64_t>(share * static_cast<double>(count_));
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > rank || (seen == count_ && seen != 0))
        return std::min(upper_edge(i), max_);
    }
    return max_;
  }

  /// Calls `f(upper edge in ns, count)` for each bucket that is not empty, smallest first: for
  /// percentiles over several processes.
  template <class Function>
  void for_each(Function&& f) const {
    for (size_t i = 0; i < counts_.size(); ++i)
      if (counts_[i] != 0)
        f(std::min(upper_edge(i), max_), counts_[i]);
  }

private:
  static constexpr unsigned fine_bits = 6;
  static constexpr size_t fine = size_t{1} << fine_bits;

  static size_t index_of(uint64_t ns) {
    if (ns < fine)
      return ns;
    auto shift = static_cast<unsigned>(std::bit_width(ns)) - fine_bits - 1;
    return (shift + 1) * fine + ((ns >> shift) - fine);
  }

  static uint64_t upper_edge(size_t index) {
    if (index < fine)
      return index;
    auto shift = index / fine - 1;
    return ((index % fine + fine + 1) << shift) - 1;
  }

  std::array<uint64_t, (64 - fine_bits + 1) * fine> counts_{};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

} // namespace bench
