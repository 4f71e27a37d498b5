#define CAF_SUITE verified_tokens

#include "identity/verified_tokens.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace tidings;

verified_token_ptr until(int64_t ms, std::string user = "u") {
  verified_token x;
  x.who.user = std::move(user);
  x.who.expires_at_ms = ms;
  return std::make_shared<verified_token>(std::move(x));
}

/// Keys that fall into one part.
verified_tokens::digest key(uint8_t i) {
  verified_tokens::digest x{};
  x[1] = i;
  return x;
}

CAF_TEST(gives back what was put in until it expires) {
  verified_tokens x{100};
  auto name = verified_tokens::digest_of("a");
  CAF_CHECK(!x.find(name, 0));
  x.insert(name, until(1000, "alice"));
  CAF_REQUIRE(x.find(name, 999));
  CAF_CHECK_EQUAL(x.find(name, 999)->who.user, "alice");
  CAF_CHECK(!x.find(verified_tokens::digest_of("b"), 999));
  CAF_CHECK(!x.find(name, 1000));
  CAF_CHECK_EQUAL(x.size(), 0u);
  CAF_CHECK(!x.find(name, 0)); // gone for good
}

CAF_TEST(what was not used for the longest time makes room) {
  verified_tokens x{8 * 3}; // three in each part
  for (uint8_t i = 0; i < 3; ++i)
    x.insert(key(i), until(1000));
  CAF_CHECK(x.find(key(0), 1));
  x.insert(key(3), until(1000));
  CAF_CHECK_EQUAL(x.size(), 3u);
  CAF_CHECK(x.find(key(0), 1));
  CAF_CHECK(!x.find(key(1), 1));
  CAF_CHECK(x.find(key(2), 1));
  CAF_CHECK(x.find(key(3), 1));
}

CAF_TEST(there are never more than asked for) {
  verified_tokens x{4096};
  for (int i = 0; i < 20'000; ++i)
    x.insert(verified_tokens::digest_of(std::to_string(i)), until(1000));
  CAF_CHECK_LESS_OR_EQUAL(x.size(), 4096u);
  CAF_CHECK_GREATER(x.size(), 4000u);
}

CAF_TEST(the first of two that were checked at once stays) {
  verified_tokens x{8};
  x.insert(key(1), until(1000, "first"));
  x.insert(key(1), until(1000, "second"));
  CAF_CHECK_EQUAL(x.size(), 1u);
  CAF_CHECK_EQUAL(x.find(key(1), 1)->who.user, "first");
}

CAF_TEST(without room nothing is kept) {
  verified_tokens x{0};
  x.insert(key(1), until(1000));
  CAF_CHECK_EQUAL(x.size(), 0u);
}

} // namespace
