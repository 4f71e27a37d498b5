#define CAF_SUITE histogram

#include "load/histogram.hpp"

#include <caf/test/dsl.hpp>

namespace {

using bench::histogram;

CAF_TEST(says nothing about nothing) {
  histogram x;
  CAF_CHECK_EQUAL(x.count(), 0u);
  CAF_CHECK_EQUAL(x.percentile(0.5), 0u);
  CAF_CHECK_EQUAL(x.max(), 0u);
}

CAF_TEST(keeps percentiles within a sixty - fourth) {
  histogram x;
  for (uint64_t i = 1; i <= 100'000; ++i)
    x.add(i * 1'000);
  for (double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    auto exact = share * 100'000'000;
    auto seen = static_cast<double>(x.percentile(share));
    CAF_CHECK(seen >= exact * 0.999);
    CAF_CHECK(seen <= exact * (1 + 1.0 / 64) + 1'000);
  }
  CAF_CHECK_EQUAL(x.percentile(1), 100'000'000u);
  CAF_CHECK_EQUAL(x.max(), 100'000'000u);
}

CAF_TEST(takes the smallest and the largest number) {
  histogram x;
  x.add(0);
  CAF_CHECK_EQUAL(x.percentile(0.99), 0u);
  x.add(UINT64_MAX);
  CAF_CHECK_EQUAL(x.max(), UINT64_MAX);
  CAF_CHECK_EQUAL(x.percentile(0.99), UINT64_MAX);
  x.clear();
  CAF_CHECK_EQUAL(x.count(), 0u);
}

} // namespace
