#define CAF_SUITE listen_address

#include "tidings/listen_address.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace tidings;
using namespace std::string_literals;

CAF_TEST(reads addresses of both families) {
  auto v4 = listen_address::parse("0.0.0.0:80");
  CAF_REQUIRE(v4);
  CAF_CHECK_EQUAL(v4->host, "0.0.0.0");
  CAF_CHECK_EQUAL(v4->port, 80u);
  CAF_CHECK(!v4->loopback);
  auto v6 = listen_address::parse("[::1]:0");
  CAF_REQUIRE(v6);
  CAF_CHECK_EQUAL(v6->host, "::1");
  CAF_CHECK_EQUAL(v6->port, 0u);
  CAF_CHECK(v6->loopback);
}

CAF_TEST(knows what only this machine can reach) {
  for (auto text : {"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"})
    CAF_CHECK(listen_address::parse(text)->loopback);
  for (auto text : {"128.0.0.1:1", "10.0.0.1:1", "[::]:1", "[::ffff:10.0.0.1]:1"})
    CAF_CHECK(!listen_address::parse(text)->loopback);
  auto named = listen_address::parse("localhost:1");
  CAF_CHECK_EQUAL(named->host, "127.0.0.1");
}

CAF_TEST(refuses everything else) {
  for (auto text : {"",
                    ":",
                    ":7300",
                    "7300",
                    "localhost",
                    "localhost:",
                    "localhost:http",
                    "127.0.0.1:65536",
                    "127.0.0.1:-1",
                    "127.0.0.1: 1",
                    "127.0.0.1:1 ",
                    "::1:7300",
                    "[::1]",
                    "[]:1",
                    "[:1",
                    "[127.0.0.1]:1",
                    "[localhost]:1",
                    "example.com:1",
                    "256.0.0.1:1",
                    "127.1:1",
                    "http://127.0.0.1:1",
                    "*:7300",
                    "[fe80::1%eth0]:1"})
    CAF_CHECK(!listen_address::parse(text));
  CAF_CHECK(!listen_address::parse("127.0.0.1\0x:1"s));
}

CAF_TEST(says what would be right) {
  auto hint = [](std::string_view text, std::string_view expected) {
    auto address = listen_address::parse(text);
    CAF_REQUIRE(!address);
    auto& why = address.error();
    CAF_CHECK(why.code == errc::invalid_configuration);
    CAF_CHECK_NOT_EQUAL(why.detail.find(expected), std::string::npos);
  };
  hint(":7300", "0.0.0.0");
  hint("::1:7300", "[::1]:7300");
  hint("broker.example.com:7300", "not looked up");
  hint("127.0.0.1:70000", "0 to 65535");
}

} // namespace
