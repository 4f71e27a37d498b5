#define CAF_SUITE cookie

#include "identity/cookie.hpp"

#include <caf/test/dsl.hpp>

#include <string>

namespace {

using namespace tidings;

std::string find(std::string_view field, std::string_view name = "tidings") {
  auto x = find_cookie(field, name);
  if (!x)
    return x.error().code == errc::unauthorized ? "twice" : "wrong";
  return *x ? std::string{**x} : "none";
}

CAF_TEST(finds a cookie among others) {
  CAF_CHECK_EQUAL(find("tidings=abc"), "abc");
  CAF_CHECK_EQUAL(find("a=1; tidings=abc; b=2"), "abc");
  CAF_CHECK_EQUAL(find("a=1;tidings = abc ;b=2"), "abc");
  CAF_CHECK_EQUAL(find("tidings=a=b"), "a=b");
  CAF_CHECK_EQUAL(find("tidings=\"abc\""), "\"abc\"");
}

CAF_TEST(a name is a whole name) {
  for (auto field : {"", ";", "=", "=abc", "tidings", "tidings2=a", "xtidings=a", "Tidings=a",
                     "a=tidings=b", "a=\"; b=c", "tidings=", "tidings= "})
    CAF_CHECK_EQUAL(find(field), "none");
}

CAF_TEST(a name that comes twice means nothing) {
  for (auto field : {"tidings=a; tidings=b", "tidings=a; tidings=a", "tidings=; tidings=a",
                     "tidings=a; x=1; tidings=", "tidings =a;tidings=a"})
    CAF_CHECK_EQUAL(find(field), "twice");
}

} // namespace
