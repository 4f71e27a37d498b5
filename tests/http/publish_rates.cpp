#define CAF_SUITE publish_rates

#include "http/publish_rates.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace tidings::http;

uint32_t admitted(publish_rates& x, const std::string& who, uint32_t per_second, int64_t at_ms,
                  uint32_t tries) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < tries; ++i)
    n += x.admit(who, per_second, at_ms) ? 1 : 0;
  return n;
}

CAF_TEST(without a bound all is admitted) {
  publish_rates x;
  CAF_CHECK_EQUAL(admitted(x, "a", 0, 1, 1000), 1000u);
}

CAF_TEST(a burst of a second and then steadily) {
  publish_rates x;
  CAF_CHECK_EQUAL(admitted(x, "a", 10, 1000, 50), 10u);
  CAF_CHECK_EQUAL(admitted(x, "a", 10, 1500, 50), 5u);
  CAF_CHECK_EQUAL(admitted(x, "a", 10, 60'000, 50), 10u); // nothing is saved up
}

CAF_TEST(each caller is counted alone) {
  publish_rates x;
  CAF_CHECK_EQUAL(admitted(x, "a", 5, 1000, 50), 5u);
  CAF_CHECK_EQUAL(admitted(x, "b", 5, 1000, 50), 5u);
  CAF_CHECK_EQUAL(admitted(x, "a", 5, 1000, 50), 0u);
}

CAF_TEST(a new bound holds at once) {
  publish_rates x;
  CAF_CHECK_EQUAL(admitted(x, "a", 5, 1000, 50), 5u);
  CAF_CHECK_EQUAL(admitted(x, "a", 8, 1000, 50), 8u);
  CAF_CHECK_EQUAL(admitted(x, "a", 8, 1000, 50), 0u);
}

CAF_TEST(memory is bounded) {
  publish_rates x;
  CAF_CHECK_EQUAL(admitted(x, "first", 1, 1000, 2), 1u);
  for (size_t i = 0; i < publish_rates::callers_max; ++i)
    (void)x.admit(std::to_string(i), 1, 1000);
  CAF_CHECK_EQUAL(admitted(x, "first", 1, 1000, 2), 1u); // all were forgotten
}

} // namespace
