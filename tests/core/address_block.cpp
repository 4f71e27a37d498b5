#define CAF_SUITE address_block

#include "tidings/address_block.hpp"

#include <caf/test/dsl.hpp>

#include <string>

namespace {

using namespace tidings;
using namespace std::literals;

bool contains(std::string_view block, std::string_view address) {
  auto x = address_block::parse(block);
  CAF_REQUIRE(x);
  auto y = ip_address::parse(address);
  CAF_REQUIRE(y);
  return x->contains(*y);
}

CAF_TEST(an address has one value however it is spelled) {
  CAF_CHECK(ip_address::parse("10.0.0.7") == ip_address::parse("::ffff:10.0.0.7"));
  CAF_CHECK(ip_address::parse("10.0.0.7") == ip_address::parse("::ffff:a00:7"));
  CAF_CHECK(ip_address::parse("2001:db8::1") == ip_address::parse("2001:DB8:0:0::0001"));
  CAF_CHECK(ip_address::parse("fe80::1%eth0") == ip_address::parse("fe80::1"));
  CAF_CHECK(ip_address::parse("10.0.0.7")->is_v4());
  CAF_CHECK(!ip_address::parse("::10.0.0.7")->is_v4());
  CAF_CHECK(!ip_address::parse("::1")->is_v4());
}

CAF_TEST(everything else is no address) {
  for (auto& bad : {""s, "10.0.0"s, "10.0.0.256"s, "10.0.0.07"s, "0x0a000007"s, "167772167"s,
                    "10.0.0.7:80"s, "[::1]"s, "localhost"s, " 10.0.0.7"s, "10.0.0.7 "s,
                    "10.0.0.7\0"s, "10.0.0.7\0x"s, "::g"s, std::string(1000, '1')})
    CAF_CHECK(!ip_address::parse(bad));
}

CAF_TEST(a block holds what begins like it) {
  CAF_CHECK(contains("10.0.0.7", "10.0.0.7"));
  CAF_CHECK(!contains("10.0.0.7", "10.0.0.6"));
  CAF_CHECK(contains("10.0.0.0/8", "10.255.255.255"));
  CAF_CHECK(!contains("10.0.0.0/8", "11.0.0.0"));
  CAF_CHECK(contains("10.0.0.128/25", "10.0.0.128"));
  CAF_CHECK(!contains("10.0.0.128/25", "10.0.0.127"));
  CAF_CHECK(contains("10.0.0.6/31", "10.0.0.7"));
  CAF_CHECK(!contains("10.0.0.6/31", "10.0.0.8"));
  CAF_CHECK(contains("128.0.0.0/1", "255.0.0.1"));
  CAF_CHECK(!contains("128.0.0.0/1", "127.0.0.1"));
  CAF_CHECK(contains("10.0.0.7/32", "10.0.0.7"));
  CAF_CHECK(contains("2001:db8::/32", "2001:db8:ffff::1"));
  CAF_CHECK(!contains("2001:db8::/32", "2001:db9::"));
  CAF_CHECK(contains("2001:db8::/33", "2001:db8:7fff::"));
  CAF_CHECK(!contains("2001:db8::/33", "2001:db8:8000::"));
  CAF_CHECK(contains("::1/128", "::1"));
}

CAF_TEST(neither family stands for the other) {
  CAF_CHECK(contains("10.0.0.0/8", "::ffff:10.0.0.1"));
  CAF_CHECK(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
  CAF_CHECK(!contains("::/1", "10.0.0.1"));
  CAF_CHECK(contains("::/1", "::1"));
  CAF_CHECK(!contains("10.0.0.0/8", "::10.0.0.1"));
}

CAF_TEST(everything else is no block) {
  for (auto& bad : {""s, "/8"s, "10.0.0.0/"s, "10.0.0.0/33"s, "10.0.0.0/-1"s, "10.0.0.0/8/8"s,
                    "10.0.0.0/ 8"s, "10.0.0.0/0x8"s, "::/129"s, "0.0.0.0/0"s, "::/0"s,
                    "10.0.0.1/8"s, "10.0.0.128/24"s, "2001:db8::1/64"s, "10.*"s, "*"s,
                    "proxy.example"s, "fe80::1%eth0"s, "10.0.0.0/255.0.0.0"s}) {
    auto x = address_block::parse(bad);
    CAF_REQUIRE(!x);
    CAF_CHECK(x.error().code == errc::invalid_configuration);
  }
}

} // namespace
