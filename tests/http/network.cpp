#define CAF_SUITE network

#include "http/network.hpp"

#include <caf/test/dsl.hpp>

namespace {

using tidings::http::network_of;

CAF_TEST(an address of IPv4 is counted by itself) {
  CAF_CHECK_EQUAL(network_of("192.0.2.7"), "192.0.2.7");
  CAF_CHECK_EQUAL(network_of("::ffff:192.0.2.7"), "192.0.2.7");
}

CAF_TEST(addresses of IPv6 are counted by their network) {
  CAF_CHECK_EQUAL(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  CAF_CHECK_EQUAL(network_of("2001:db8:1:2::1"), "2001:db8:1:2::/64");
  CAF_CHECK_EQUAL(network_of("2001:db8:1:3::1"), "2001:db8:1:3::/64");
  CAF_CHECK_EQUAL(network_of("::1"), "::/64");
}

CAF_TEST(what is no address stays as it is) {
  for (auto text : {"", "unix", "fe80::1%eth0", "1.2.3"})
    CAF_CHECK_EQUAL(network_of(text), text);
}

} // namespace
