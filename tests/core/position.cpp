#define CAF_SUITE position

#include "tidings/position.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace tidings;

CAF_TEST(a node id prints all of its bytes and is short by its first eight) {
  node_id x{{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54,
             0x32, 0x10}};
  CAF_CHECK_EQUAL(to_string(x), "0123456789abcdeffedcba9876543210");
  CAF_CHECK_EQUAL(x.short_form(), 0x0123456789abcdefu);
  CAF_CHECK_EQUAL(to_string(node_id{}), std::string(32, '0'));
}

CAF_TEST(positions of a later incarnation come later) {
  CAF_CHECK((origin_position{1, 900} < origin_position{2, 1}));
  CAF_CHECK((origin_position{2, 1} < origin_position{2, 2}));
  CAF_CHECK(next(lsn{}) == lsn{1});
}

} // namespace
