#define CAF_SUITE payload

#include "load/payload.hpp"

#include <caf/test/dsl.hpp>

namespace {

using namespace bench;

CAF_TEST(reads what it wrote) {
  auto text = make_payload(200);
  CAF_CHECK_EQUAL(text.size(), 200u);
  write_mark(text.data(), {0x0123456789abcdefU, 0xfffe, 0x80000001U});
  CAF_CHECK_EQUAL(text.size(), 200u);
  CAF_CHECK_EQUAL(text[0], mark_byte);
  CAF_CHECK_EQUAL(text.find(mark_byte, 1), std::string::npos);
  payload_mark mark;
  CAF_REQUIRE(read_mark(text.data() + 1, mark));
  CAF_CHECK_EQUAL(mark.sent_ns, 0x0123456789abcdefU);
  CAF_CHECK_EQUAL(mark.publisher, 0xfffeu);
  CAF_CHECK_EQUAL(mark.sequence, 0x80000001U);
}

CAF_TEST(refuses other digits) {
  payload_mark mark;
  for (size_t at : {size_t{1}, size_t{17}, mark_length - 1}) {
    for (char c : {'g', ' ', '\r', 'F', '\xff'}) {
      auto text = make_payload(0);
      text[at] = c;
      CAF_CHECK(!read_mark(text.data() + 1, mark));
    }
  }
}

} // namespace
