#define CAF_SUITE errc

#include "tidings/errc.hpp"

#include <caf/test/dsl.hpp>

#include <set>
#include <string>

namespace {

using tidings::errc;

CAF_TEST(every code has a spelling of its own in lower snake case) {
  std::set<std::string> seen;
  auto last = static_cast<int>(errc::change_under_way);
  for (int i = 1; i <= last; ++i) {
    std::string text = to_string(static_cast<errc>(i));
    CAF_CHECK_NOT_EQUAL(text, "unknown");
    CAF_CHECK_EQUAL(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos);
    CAF_CHECK(seen.insert(text).second);
  }
  CAF_CHECK_EQUAL(to_string(static_cast<errc>(last + 1)), std::string{"unknown"});
}

CAF_TEST(released spellings do not change) {
  CAF_CHECK_EQUAL(to_string(errc::invalid_request), std::string{"invalid_request"});
  CAF_CHECK_EQUAL(to_string(errc::invalid_topic), std::string{"invalid_topic"});
  CAF_CHECK_EQUAL(to_string(errc::payload_too_large), std::string{"payload_too_large"});
  CAF_CHECK_EQUAL(to_string(errc::idempotency_conflict), std::string{"idempotency_conflict"});
  CAF_CHECK_EQUAL(to_string(errc::storage_full), std::string{"storage_full"});
  CAF_CHECK_EQUAL(to_string(errc::indeterminate), std::string{"indeterminate"});
}

} // namespace
