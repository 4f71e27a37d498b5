#define CAF_SUITE record_codec

#include "storage/record_codec.hpp"

#include "storage/bytes.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <memory>
#include <string>

using namespace tidings;
using namespace tidings::storage;

namespace {

record make_record() {
  record x;
  x.origin = {300, 2};
  x.time_ms = 0x0102;
  x.content.topics = {"a", "bc"};
  x.content.type = "t";
  x.content.id = "";
  x.content.data = std::string("\0\xff", 2);
  x.content.kind = data_kind::base64;
  x.content.expires_at_ms = 5;
  return x;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (unsigned char x : bytes) {
    out += "0123456789abcdef"[x >> 4];
    out += "0123456789abcdef"[x & 15];
  }
  return out;
}

} // namespace

CAF_TEST(the bytes of a record never change) {
  auto x = make_record();
  std::string bytes;
  encode_record(bytes, x, 7);
  CAF_CHECK_EQUAL(hex(bytes), "0102"             // version 1, base64
                              "0000000000000005" // expiry
                              "" + hex(std::string_view{bytes}.substr(10, 8))
                                +                  // chain
                                "00000000"         // released
                                "0000000000000102" // time
                                "00ac0202"         // this node, incarnation, sequence
                                "020161026263"     // topics
                                "0174"             // type
                                "00"               // id
                                "0200ff");         // data
  CAF_CHECK_EQUAL(load_big_endian<uint64_t>(bytes.data() + 10), x.chain);
  CAF_CHECK_EQUAL(hex(std::string_view{bytes}.substr(10, 8)), "30d0a2fc007e5ca5");
}

CAF_TEST(a record survives the way to disk and back) {
  auto x = make_record();
  std::string bytes;
  encode_record(bytes, x, 7);
  decoded_entry y;
  CAF_REQUIRE(decode_entry(bytes, y));
  CAF_CHECK(y.form == entry_form::record);
  CAF_CHECK(y.kind == data_kind::base64);
  CAF_CHECK(y.origin == x.origin);
  CAF_CHECK_EQUAL(y.time_ms, x.time_ms);
  CAF_CHECK_EQUAL(y.expires_at_ms, 5);
  CAF_CHECK_EQUAL(y.chain, x.chain);
  CAF_CHECK_EQUAL(y.released, 0u);
  CAF_REQUIRE_EQUAL(y.topic_count, 2u);
  CAF_CHECK_EQUAL(y.topics[1], "bc");
  CAF_CHECK_EQUAL(y.type, "t");
  CAF_CHECK_EQUAL(y.id, "");
  CAF_CHECK_EQUAL(y.data, x.content.data);
}

CAF_TEST(no record that is cut or grown is accepted) {
  auto x = make_record();
  std::string bytes;
  encode_record(bytes, x, 7);
  decoded_entry y;
  for (size_t size = 0; size < bytes.size(); ++size)
    CAF_CHECK(!decode_entry(std::string_view{bytes}.substr(0, size), y));
  CAF_CHECK(!decode_entry(bytes + '\0', y));
  auto newer = bytes;
  newer[0] = 2;
  CAF_CHECK(!decode_entry(newer, y));
  auto flags = bytes;
  flags[1] |= 0x04;
  CAF_CHECK(!decode_entry(flags, y));
}

CAF_TEST(no bytes make the decoder read beyond them) {
  auto x = make_record();
  std::string bytes;
  encode_record(bytes, x, 7);
  decoded_entry y;
  for (size_t i = record_head_bytes; i < bytes.size(); ++i)
    for (int value = 0; value < 256; ++value) {
      auto changed = std::make_unique<char[]>(bytes.size()); // for the address sanitizer
      std::copy(bytes.begin(), bytes.end(), changed.get());
      changed[i] = static_cast<char>(value);
      decode_entry({changed.get(), bytes.size()}, y);
    }
  CAF_CHECK(true);
}

CAF_TEST(the chain depends on every byte and on what came before) {
  auto x = make_record();
  std::string bytes;
  encode_record(bytes, x, 7);
  CAF_CHECK_EQUAL(chain_of(bytes, 7), x.chain);
  CAF_CHECK_NOT_EQUAL(chain_of(bytes, 8), x.chain);
  for (size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] ^= 1;
    auto covered = i < 10 || i >= 22; // not the chain itself, not what retention has released
    CAF_CHECK_EQUAL(chain_of(changed, 7) != x.chain, covered);
  }
}

CAF_TEST(a stub keeps the place and the names) {
  auto x = make_record();
  std::string bytes;
  encode_record(bytes, x, 7);
  decoded_entry y;
  CAF_REQUIRE(decode_entry(bytes, y));
  y.released = 3;
  encode_stub(bytes, entry_form::evicted, 99, y);
  decoded_entry z;
  CAF_REQUIRE(decode_entry(bytes, z));
  CAF_CHECK(z.form == entry_form::evicted);
  CAF_CHECK_EQUAL(z.expires_at_ms, 99);
  CAF_CHECK_EQUAL(z.released, 3u);
  CAF_CHECK_EQUAL(z.chain, x.chain);
  CAF_CHECK_EQUAL(z.time_ms, x.time_ms);
  CAF_CHECK(z.origin == x.origin);
  CAF_REQUIRE_EQUAL(z.topic_count, 2u);
  CAF_CHECK_EQUAL(z.topics[0], "a");
  CAF_CHECK(z.data.empty());
  CAF_CHECK_EQUAL(hex(bytes.substr(0, 2)), "0182");
  CAF_CHECK_EQUAL(hex(bytes.substr(30)), "00ac0202020161026263");
}

CAF_TEST(releasing a topic changes nothing else) {
  auto x = make_record();
  std::string bytes;
  encode_record(bytes, x, 7);
  set_released(bytes, 2);
  decoded_entry y;
  CAF_REQUIRE(decode_entry(bytes, y));
  CAF_CHECK_EQUAL(y.released, 2u);
  CAF_CHECK_EQUAL(chain_of(bytes, 7), x.chain);
}
