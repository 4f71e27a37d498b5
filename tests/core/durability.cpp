#define CAF_SUITE durability

#include "tidings/durability.hpp"

#include <caf/test/dsl.hpp>

namespace {

using tidings::durability;

CAF_TEST(levels read back as printed) {
  for (auto x : {durability::none, durability::written, durability::fsync, durability::quorum})
    CAF_CHECK(tidings::parse_durability(to_string(x)) == x);
}

CAF_TEST(other spellings are refused) {
  for (auto text : {"", "None", "fsync ", "fsyn", "fsyncs", "unknown", "0"})
    CAF_CHECK(!tidings::parse_durability(text));
}

CAF_TEST(a stronger level is greater) {
  CAF_CHECK(durability::none < durability::written);
  CAF_CHECK(durability::written < durability::fsync);
  CAF_CHECK(durability::fsync < durability::quorum);
}

} // namespace
