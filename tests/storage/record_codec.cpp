#define CAF_SUITE record_codec

#include "storage/record_codec.hpp"

#include "tidings/bytes.hpp"

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

record make_item() {
  auto x = make_record();
  x.content.mail = std::make_shared<mail>(mail{"hi", "you\n", priority::critical});
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
  for (auto version : {0, 2, 3}) {
    auto other = bytes;
    other[0] = static_cast<char>(version);
    CAF_CHECK(!decode_entry(other, y));
  }
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

// -- items
// -----------------------------------------------------------------------------------------

CAF_TEST(the bytes of an item never change) {
  auto x = make_item();
  std::string bytes;
  encode_record(bytes, x, 7);
  CAF_CHECK_EQUAL(hex(bytes), "0202"             // version 2, base64
                              "0000000000000005" // expiry
                              "" + hex(std::string_view{bytes}.substr(10, 8))
                                +                  // chain
                                "00000000"         // released
                                "0000000000000102" // time
                                "00ac0202"         // this node, incarnation, sequence
                                "020161026263"     // topics
                                "0174"             // type
                                "00"               // id
                                "0200ff"           // data
                                "03"               // priority
                                "026869"           // title
                                "04796f750a");     // message
  CAF_CHECK_EQUAL(hex(std::string_view{bytes}.substr(10, 8)), "91d878a08d327e13");
  CAF_CHECK_EQUAL(chain_of(bytes, 7), x.chain);
}

CAF_TEST(an item survives the way to disk and back) {
  auto x = make_item();
  std::string bytes;
  encode_record(bytes, x, 7);
  decoded_entry y;
  CAF_REQUIRE(decode_entry(bytes, y));
  CAF_REQUIRE(y.has_mail);
  CAF_CHECK_EQUAL(y.mail.title, "hi");
  CAF_CHECK_EQUAL(y.mail.message, "you\n");
  CAF_CHECK(y.mail.level == priority::critical);
  CAF_CHECK_EQUAL(y.data, x.content.data);
  CAF_CHECK_EQUAL(payload_bytes(x.content), 3u + 6u);
  // The next entry that is decoded into the same place.
  auto plain = make_record();
  encode_record(bytes, plain, 7);
  CAF_REQUIRE(decode_entry(bytes, y));
  CAF_CHECK(!y.has_mail);
}

CAF_TEST(no item that is cut or grown or odd is accepted) {
  auto x = make_item();
  std::string bytes;
  encode_record(bytes, x, 7);
  decoded_entry y;
  for (size_t size = 0; size < bytes.size(); ++size)
    CAF_CHECK(!decode_entry(std::string_view{bytes}.substr(0, size), y));
  CAF_CHECK(!decode_entry(bytes + '\0', y));
  auto plain = bytes;
  plain[0] = 1; // then nothing may stand behind the data
  CAF_CHECK(!decode_entry(plain, y));
  auto urgent = bytes;
  urgent[bytes.size() - 9] = 4;
  CAF_CHECK_EQUAL(int{bytes[bytes.size() - 9]}, 3);
  CAF_CHECK(!decode_entry(urgent, y));
  auto stub = bytes;
  stub[1] = static_cast<char>(0x42); // an expired entry holds no mail
  record_head head;
  CAF_CHECK(!decode_head(stub, head));
}

CAF_TEST(no bytes make the decoder of items read beyond them) {
  auto x = make_item();
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

CAF_TEST(the chain covers every byte of an item) {
  auto x = make_item();
  std::string bytes;
  encode_record(bytes, x, 7);
  for (size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] ^= 1;
    auto covered = i < 10 || i >= 22;
    CAF_CHECK_EQUAL(chain_of(changed, 7) != x.chain, covered);
  }
}

CAF_TEST(the stub of an item is that of any record) {
  auto x = make_item();
  std::string bytes;
  encode_record(bytes, x, 7);
  decoded_entry y;
  CAF_REQUIRE(decode_entry(bytes, y));
  encode_stub(bytes, entry_form::evicted, 99, y);
  CAF_CHECK_EQUAL(hex(bytes.substr(0, 2)), "0182");
  CAF_CHECK_EQUAL(hex(bytes.substr(30)), "00ac0202020161026263");
  CAF_REQUIRE(decode_entry(bytes, y));
  CAF_CHECK(!y.has_mail);
}
