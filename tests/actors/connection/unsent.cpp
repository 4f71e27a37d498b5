#define CAF_SUITE unsent

#include "actors/connection/unsent.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace tidings;

std::string text(const unsent& x) {
  std::string all;
  for (auto piece : x.pieces())
    all += piece;
  return all;
}

CAF_TEST(what is shared goes first and is let go with its last byte) {
  auto event = std::make_shared<const std::string>("0123456789");
  unsent x;
  CAF_CHECK(x.empty());
  x.share(event, std::string_view{*event}.substr(2));
  x.append("abc");
  CAF_CHECK_EQUAL(text(x), "23456789abc");
  CAF_CHECK_EQUAL(x.size(), 11u);
  x.drop(0);
  x.drop(3);
  CAF_CHECK_EQUAL(text(x), "56789abc");
  CAF_CHECK_EQUAL(event.use_count(), 2);
  x.drop(5);
  CAF_CHECK_EQUAL(text(x), "abc");
  CAF_CHECK_EQUAL(event.use_count(), 1);
  x.drop(1);
  x.append("d");
  CAF_CHECK_EQUAL(text(x), "bcd");
  x.drop(3);
  CAF_CHECK(x.empty());
}

CAF_TEST(what is taken in many small pieces is what was appended) {
  unsent x;
  std::string expected;
  std::string got;
  for (int i = 0; i < 1000; ++i) {
    x.append(std::to_string(i));
    expected += std::to_string(i);
    auto n = std::min<size_t>(x.size(), static_cast<size_t>(i % 5));
    got += text(x).substr(0, n);
    x.drop(n);
    CAF_REQUIRE_EQUAL(x.size(), expected.size() - got.size());
  }
  got += text(x);
  x.drop(x.size());
  CAF_CHECK_EQUAL(got, expected);
  CAF_CHECK(x.empty());
}

CAF_TEST(one drop can take from both) {
  auto event = std::make_shared<const std::string>("0123");
  unsent x;
  x.share(event, *event);
  x.append("abc");
  x.drop(5);
  CAF_CHECK_EQUAL(text(x), "bc");
  CAF_CHECK_EQUAL(event.use_count(), 1);
  x.drop(2);
  CAF_CHECK(x.empty());
}

} // namespace
