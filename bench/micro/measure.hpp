#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace tidings::bench {

/// Keeps the compiler from removing what computes `x`.
template <class T>
void keep(const T& x) {
  asm volatile("" : : "g"(&x) : "memory");
}

/// Prints the best and the median time of one call over several rounds; the best is what the code
/// needs, the distance to the median is what the machine adds.
template <class F>
void measure(const char* name, size_t calls, F f) {
  using clock = std::chrono::steady_clock;
  std::vector<double> ns;
  for (int round = 0; round < 15; ++round) {
    auto begin = clock::now();
    for (size_t i = 0; i < calls; ++i)
      f();
    std::chrono::duration<double, std::nano> took = clock::now() - begin;
    ns.push_back(took.count() / static_cast<double>(calls));
  }
  std::sort(ns.begin(), ns.end());
  std::printf("%-44s best %9.1f ns  median %9.1f ns  %12.0f per second\n", name, ns.front(),
              ns[ns.size() / 2], 1e9 / ns[ns.size() / 2]);
}

} // namespace tidings::bench
