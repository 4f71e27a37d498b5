#define CAF_SUITE back_off

#include "cluster/back_off.hpp"

#include <caf/test/dsl.hpp>

#include <set>

using namespace tidings::cluster;
using namespace std::chrono_literals;

CAF_TEST(times grow up to a bound and begin anew) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    back_off x{100ms, 5s, seed};
    auto ceiling = 100ms;
    for (int i = 0; i < 20; ++i) {
      ceiling = std::min(5000ms, ceiling * 2);
      auto t = x.next();
      CAF_CHECK(t >= 100ms && t <= ceiling);
    }
    x.reset();
    CAF_CHECK(x.next() <= 200ms);
  }
}

CAF_TEST(times differ between those who failed together) {
  std::set<int64_t> times;
  int64_t longest = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    back_off x{100ms, 5s, seed};
    for (int i = 0; i < 9; ++i)
      x.next();
    auto t = x.next().count();
    times.insert(t);
    longest = std::max(longest, t);
  }
  CAF_CHECK(times.size() > 90);
  CAF_CHECK(longest > 4000);
}
