#define CAF_SUITE arrivals

#include "load/arrivals.hpp"

#include <caf/test/dsl.hpp>

namespace {

using bench::arrivals;
using verdict = arrivals::verdict;

CAF_TEST(takes numbers in order) {
  arrivals x;
  for (uint32_t i = 1; i <= 1000; ++i)
    CAF_CHECK(x.add(i) == verdict::in_order);
  CAF_CHECK_EQUAL(x.up_to(), 1000u);
  CAF_CHECK_EQUAL(x.missing(), 0u);
}

CAF_TEST(sees what comes twice) {
  arrivals x;
  CAF_CHECK(x.add(1) == verdict::in_order);
  CAF_CHECK(x.add(1) == verdict::again);
  CAF_CHECK(x.add(3) == verdict::in_order);
  CAF_CHECK(x.add(3) == verdict::again);
  CAF_CHECK(x.add(2) == verdict::late);
  CAF_CHECK(x.add(2) == verdict::again);
  CAF_CHECK_EQUAL(x.up_to(), 3u);
}

CAF_TEST(waits for numbers that were overtaken by up to sixty - three) {
  arrivals x;
  for (uint32_t i = 2; i <= 64; ++i)
    CAF_CHECK(x.add(i) == verdict::in_order);
  CAF_CHECK_EQUAL(x.up_to(), 0u);
  CAF_CHECK_EQUAL(x.missing(), 0u);
  CAF_CHECK(x.add(1) == verdict::late);
  CAF_CHECK_EQUAL(x.up_to(), 64u);
}

CAF_TEST(counts what is further behind as missing) {
  arrivals x;
  CAF_CHECK(x.add(1) == verdict::in_order);
  CAF_CHECK(x.add(68) == verdict::in_order);
  // 2, 3 and 4 are out of reach.
  CAF_CHECK_EQUAL(x.missing(), 3u);
  CAF_CHECK_EQUAL(x.up_to(), 4u);
  CAF_CHECK(x.add(4) == verdict::again);
  CAF_CHECK(x.add(5) == verdict::late);
  CAF_CHECK_EQUAL(x.up_to(), 5u);
  x.add(1'000'000);
  CAF_CHECK_EQUAL(x.up_to(), 1'000'000u - 64);
  CAF_CHECK_EQUAL(x.missing(), 1'000'000u - 64 - 3);
}

CAF_TEST(begins wherever it is told) {
  arrivals x;
  x.begin_with(500);
  CAF_CHECK(x.add(500) == verdict::in_order);
  CAF_CHECK(x.add(501) == verdict::in_order);
  CAF_CHECK(x.add(499) == verdict::again);
  CAF_CHECK_EQUAL(x.up_to(), 501u);
  CAF_CHECK_EQUAL(x.missing(), 0u);
}

} // namespace
