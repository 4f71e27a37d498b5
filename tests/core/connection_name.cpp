#define CAF_SUITE connection_name

#include "tidings/connection_name.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;

CAF_TEST(a name is read as it is written) {
  for (auto member : {"a", "node-1.example", "0123456789abcdef"}) {
    connection_name x{member, 0x100000007};
    CAF_CHECK_EQUAL(x.to_string(), std::string{member} + ".0000000100000007");
    CAF_CHECK(connection_name::parse(x.to_string(), "b") == x);
  }
}

CAF_TEST(a mere number speaks of the member itself) {
  auto x = connection_name::parse("0000000100000007", "b");
  CAF_REQUIRE(x);
  CAF_CHECK_EQUAL(x->member, "b");
  CAF_CHECK_EQUAL(x->id, 0x100000007u);
}

CAF_TEST(a node that is alone knows no members) {
  connection_name x{"", 0x100000007};
  CAF_CHECK_EQUAL(x.to_string(), "0000000100000007");
  CAF_CHECK(connection_name::parse("0000000100000007", "") == x);
  CAF_CHECK(!connection_name::parse("a.0000000100000007", ""));
}

CAF_TEST(what is no name is refused) {
  for (auto text :
       {"", "x", "a", "a.", ".0000000100000007", "a.000000010000000", "a:0000000100000007",
        "zzzzzzzzzzzzzzzz", "a.000000010000000g", "a.-000000100000007", "0000000100000007.a",
        "00000000100000007", "a.0x00000100000007"})
    CAF_CHECK(!connection_name::parse(text, "b"));
}
