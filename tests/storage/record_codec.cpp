#define CAF_SUITE record_codec

#include "storage/record_codec.hpp"

#include "tidings/bytes.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

using namespace tidings;
using namespace tidings::storage;

namespace {

constexpr uint64_t node = 0x0102030405060708;

std::string hex(std::string_view bytes) {
  std::string out;
  for (unsigned char x : bytes) {
    out += "0123456789abcdef"[x >> 4];
    out += "0123456789abcdef"[x & 15];
  }
  return out;
}

std::string from_hex(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16));
  return out;
}

record make_record() {
  record x;
  x.node = node;
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

const record_extras with_key{{}, "app:k", 0x1234};

constexpr std::array<slot_position, 2> others{{{0, {300, 1}}, {2, {5, 6}}}};

std::string make_body(record& x, const record_extras& extras = {}, uint64_t previous = 7) {
  std::string bytes;
  append_body(bytes, x, extras, previous);
  return bytes;
}

/// An entry with everything that a place can have.
std::string make_value(record& x, const record_extras& extras = {}, uint64_t previous = 7) {
  std::string bytes;
  encode_place(bytes, {1, 0x0103, others});
  append_body(bytes, x, extras, previous);
  return bytes;
}

// With two others before the body.
constexpr size_t place_bytes = 15 + 4 + 3;

// What versions 1 and 2 wrote.
const auto old_record = from_hex("0102"             // version 1, base64
                                 "0000000000000005" // expiry
                                 "30d0a2fc007e5ca5" // chain: behind 7
                                 "00000000"         // released
                                 "0000000000000102" // time
                                 "00ac0202"         // this node, incarnation, sequence
                                 "020161026263"     // topics
                                 "0174"             // type
                                 "00"               // id
                                 "0200ff");         // data

const auto old_item = from_hex("0202"             // version 2, base64
                               "0000000000000005" // expiry
                               "91d878a08d327e13" // chain: behind 7
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

const auto old_stub = from_hex("0182"             // version 1, evicted
                               "0000000000000063" // when it went
                               "30d0a2fc007e5ca5" // chain
                               "00000003"         // released
                               "0000000000000102" // time
                               "00ac0202"         // this node, incarnation, sequence
                               "020161026263");   // topics

void check_same(const decoded_entry& x, const record& y) {
  CAF_CHECK(x.form == entry_form::record);
  CAF_CHECK(x.kind == y.content.kind);
  CAF_CHECK(x.origin == y.origin);
  CAF_CHECK_EQUAL(x.time_ms, y.time_ms);
  CAF_CHECK_EQUAL(x.expires_at_ms, y.content.expires_at_ms);
  CAF_CHECK_EQUAL(x.chain, y.chain);
  CAF_REQUIRE_EQUAL(x.topic_count, y.content.topics.size());
  for (size_t i = 0; i < x.topic_count; ++i)
    CAF_CHECK_EQUAL(x.topics[i], y.content.topics[i]);
  CAF_CHECK_EQUAL(x.type, y.content.type);
  CAF_CHECK_EQUAL(x.id, y.content.id);
  CAF_CHECK_EQUAL(x.data, y.content.data);
  CAF_REQUIRE_EQUAL(x.has_mail, y.content.mail != nullptr);
  if (x.has_mail) {
    CAF_CHECK_EQUAL(x.mail.title, y.content.mail->title);
    CAF_CHECK_EQUAL(x.mail.message, y.content.mail->message);
    CAF_CHECK(x.mail.level == y.content.mail->level);
  }
}

void check_cut_and_grown(const std::string& bytes) {
  decoded_entry x;
  CAF_REQUIRE(decode_entry(bytes, x));
  for (size_t size = 0; size < bytes.size(); ++size)
    if (decode_entry(std::string_view{bytes}.substr(0, size), x))
      CAF_FAIL("accepted " << size << " bytes of " << bytes.size());
  CAF_CHECK(!decode_entry(bytes + '\0', x));
}

void check_no_reading_beyond(const std::string& bytes) {
  decoded_entry x;
  size_t accepted = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int value = 0; value < 256; ++value) {
      auto changed = std::make_unique<char[]>(bytes.size()); // for the address sanitizer
      std::copy(bytes.begin(), bytes.end(), changed.get());
      changed[i] = static_cast<char>(value);
      std::string_view all{changed.get(), bytes.size()};
      if (!decode_entry(all, x))
        continue;
      ++accepted;
      auto mail = x.has_mail ? x.mail : mail_view{};
      for (auto part : {x.data, x.type, x.id, x.key, mail.title, mail.message})
        if (!part.empty() && (part.data() < all.data() || part.end() > all.end()))
          CAF_FAIL("points beyond the bytes");
    }
  CAF_CHECK_GREATER(accepted, bytes.size()); // at least as it was
}

} // namespace

// -- the bytes
// -------------------------------------------------------------------------------------

CAF_TEST(the bytes of a place never change) {
  std::string bytes{"old"};
  encode_place(bytes, {});
  CAF_CHECK_EQUAL(hex(bytes), "03"               // version
                              "00"               // this node
                              "00000000"         // released
                              "0000000000000000" // arrived
                              "00");             // no others
  encode_place(bytes, {1, 0x0103, others});
  CAF_CHECK_EQUAL(hex(bytes), "03"
                              "01"
                              "00000000"
                              "0000000000000103"
                              "02"       // two others
                              "00ac0201" // slot 0: incarnation, sequence
                              "020506"); // slot 2
  CAF_CHECK_EQUAL(bytes.size(), place_bytes);
}

CAF_TEST(the bytes of a record never change) {
  auto x = make_record();
  auto bytes = make_body(x);
  CAF_CHECK_EQUAL(hex(bytes), "02"               // base64
                              "0000000000000005" // expiry
                              "1fb3f308cf7acfd9" // chain: behind 7
                              "0000000000000102" // time
                              "ac0202"           // incarnation, sequence
                              "020161026263"     // topics
                              "0174"             // type
                              "00"               // id
                              "0200ff");         // data
  CAF_CHECK_EQUAL(load_big_endian<uint64_t>(bytes.data() + 9), x.chain);
}

CAF_TEST(the bytes of an item never change) {
  auto x = make_item();
  CAF_CHECK_EQUAL(hex(make_body(x)), "06"               // base64, mail
                                     "0000000000000005" // expiry
                                     "8df647948bd9957f" // chain: behind 7
                                     "0000000000000102" // time
                                     "ac0202"           // incarnation, sequence
                                     "020161026263"     // topics
                                     "0174"             // type
                                     "00"               // id
                                     "0200ff"           // data
                                     "03"               // priority
                                     "026869"           // title
                                     "04796f750a");     // message
}

CAF_TEST(the bytes of a record with a key never change) {
  auto x = make_item();
  CAF_CHECK_EQUAL(hex(make_body(x, with_key)), "0e"                 // base64, mail, key
                                               "0000000000000005"   // expiry
                                               "9e7c7cb3a272cf9b"   // chain: behind 7
                                               "0000000000000102"   // time
                                               "ac0202"             // incarnation, sequence
                                               "020161026263"       // topics
                                               "0174"               // type
                                               "00"                 // id
                                               "0200ff"             // data
                                               "03"                 // priority
                                               "026869"             // title
                                               "04796f750a"         // message
                                               "056170703a6b"       // key
                                               "0000000000001234"); // fingerprint
}

CAF_TEST(the bytes of the first of an incarnation never change) {
  auto x = make_record();
  x.origin = {300, 1};
  CAF_CHECK_EQUAL(hex(make_body(x, {.follows = {299, 128}}, 0)),
                  "02"               // base64
                  "0000000000000005" // expiry
                  "60d6abfa42ad3243" // chain: behind 0
                  "0000000000000102" // time
                  "ac0201"           // incarnation, sequence
                  "ab028001"         // follows: incarnation, sequence
                  "020161026263"     // topics
                  "0174"             // type
                  "00"               // id
                  "0200ff");         // data
}

// -- the way there and back
// ------------------------------------------------------------------------

CAF_TEST(a record survives the way to disk and back) {
  auto x = make_record();
  auto bytes = make_value(x);
  decoded_entry y;
  CAF_REQUIRE(decode_entry(bytes, y));
  check_same(y, x);
  CAF_CHECK_EQUAL(y.released, 0u);
  CAF_CHECK_EQUAL(int{y.slot}, 1);
  CAF_CHECK_EQUAL(y.arrived_ms, 0x0103);
  CAF_REQUIRE_EQUAL(y.other_count, 2u);
  CAF_CHECK_EQUAL(int{y.others[1].slot}, 2);
  CAF_CHECK(y.others[1].at == (origin_position{5, 6}));
  CAF_CHECK(y.follows == origin_position{});
  CAF_CHECK(y.is_chained);
  CAF_CHECK(!y.has_key);
  CAF_CHECK_EQUAL(hex(y.body), hex(bytes.substr(place_bytes)));
}

CAF_TEST(an item with a key that begins an incarnation survives it too) {
  auto x = make_item();
  x.origin = {300, 1};
  auto bytes = make_value(x, {{299, 128}, "app:k", 0x1234});
  decoded_entry y;
  CAF_REQUIRE(decode_entry(bytes, y));
  check_same(y, x);
  CAF_CHECK(y.follows == (origin_position{299, 128}));
  CAF_CHECK(y.has_key);
  CAF_CHECK_EQUAL(y.key, "app:k");
  CAF_CHECK_EQUAL(y.fingerprint, 0x1234u);
  CAF_CHECK_EQUAL(payload_bytes(x.content), 3u + 6u);
  CAF_CHECK_EQUAL(payload_bytes(y), 3u + 6u);
  // The next entry that is decoded into the same place.
  auto plain = make_record();
  std::string next;
  encode_place(next, {});
  append_body(next, plain, {}, 7);
  CAF_REQUIRE(decode_entry(next, y));
  check_same(y, plain);
  CAF_CHECK(!y.has_key);
  CAF_CHECK(y.key.empty());
  CAF_CHECK(y.follows == origin_position{});
  CAF_CHECK_EQUAL(y.other_count, 0u);
  CAF_CHECK_EQUAL(int{y.slot}, 0);
}

CAF_TEST(a body is read without a place) {
  auto x = make_item();
  auto body = make_body(x, with_key);
  decoded_entry y;
  CAF_REQUIRE(decode_body(body, y));
  check_same(y, x);
  CAF_CHECK_EQUAL(y.key, "app:k");
  CAF_CHECK_EQUAL(chain_of(y, body, node, 7), x.chain);
  for (size_t size = 0; size < body.size(); ++size)
    CAF_CHECK(!decode_body(std::string_view{body}.substr(0, size), y));
  CAF_CHECK(!decode_body(body + '\0', y));
}

CAF_TEST(the head says what the entry says) {
  auto x = make_item();
  auto bytes = make_value(x, with_key);
  set_released(bytes, 2);
  for (auto& value : {bytes, old_record, old_item, old_stub}) {
    record_head head;
    decoded_entry entry;
    CAF_REQUIRE(decode_head(value, head));
    CAF_REQUIRE(decode_entry(value, entry));
    CAF_CHECK(head.form == entry.form && head.kind == entry.kind);
    CAF_CHECK(head.has_mail == entry.has_mail && head.has_key == entry.has_key);
    CAF_CHECK_EQUAL(head.expires_at_ms, entry.expires_at_ms);
    CAF_CHECK_EQUAL(head.chain, entry.chain);
    CAF_CHECK_EQUAL(head.released, entry.released);
    CAF_CHECK_EQUAL(head.time_ms, entry.time_ms);
    CAF_CHECK_EQUAL(head.arrived_ms, entry.arrived_ms);
    CAF_CHECK_EQUAL(head.slot, entry.slot);
  }
}

// -- what is refused
// -------------------------------------------------------------------------------

CAF_TEST(nothing that is cut or grown is accepted) {
  auto x = make_record();
  auto y = make_item();
  auto first = make_record();
  first.origin = {300, 1};
  check_cut_and_grown(make_value(x));
  check_cut_and_grown(make_value(y, with_key));
  check_cut_and_grown(make_value(first, {.follows = {299, 128}}));
  for (auto& old : {old_record, old_item, old_stub})
    check_cut_and_grown(old);
}

CAF_TEST(nothing odd is accepted) {
  auto x = make_item();
  auto bytes = make_value(x, with_key);
  auto refuses = [&](size_t at, int value) {
    auto odd = bytes;
    CAF_REQUIRE_NOT_EQUAL(int{static_cast<uint8_t>(odd[at])}, value);
    odd[at] = static_cast<char>(value);
    decoded_entry y;
    return !decode_entry(odd, y);
  };
  for (auto version : {0, 1, 2, 4, 255})
    CAF_CHECK(refuses(0, version));
  CAF_CHECK(refuses(1, 13));             // no such slot
  CAF_CHECK(refuses(14, 13));            // more others than there can be
  CAF_CHECK(refuses(1, 0));              // which is among the others
  CAF_CHECK(refuses(19, 0));             // twice the same
  CAF_CHECK(refuses(15, 3));             // they ascend
  CAF_CHECK(refuses(19, 13));            // no such slot
  CAF_CHECK(refuses(place_bytes, 0x0f)); // no such kind
  CAF_CHECK(refuses(place_bytes, 0x1e)); // no such flag
  CAF_CHECK(refuses(place_bytes, 0x4e)); // an expired entry holds no mail and no key
  CAF_CHECK(refuses(place_bytes, 0x4a));
  CAF_CHECK(refuses(place_bytes, 0x02));   // then nothing may stand behind the data
  CAF_CHECK(refuses(place_bytes + 27, 0)); // there is no sequence 0
  auto priority_at = bytes.size() - 8 - 6 - 5 - 3 - 1;
  CAF_CHECK_EQUAL(int{bytes[priority_at]}, 3);
  CAF_CHECK(refuses(priority_at, 4));
  decoded_entry y;
  auto keyless = make_value(x); // said to have a key, which is empty
  keyless[place_bytes] |= 0x08;
  CAF_CHECK(!decode_entry(keyless + std::string(9, '\0'), y));
  CAF_CHECK(decode_entry(keyless + "\1k" + std::string(8, '\0'), y));
}

CAF_TEST(nothing odd of an old version is accepted) {
  decoded_entry x;
  auto refuses = [&](std::string bytes, size_t at, int value) {
    bytes[at] = static_cast<char>(value);
    return !decode_entry(bytes, x);
  };
  CAF_CHECK(refuses(old_record, 0, 2)); // that would have mail
  CAF_CHECK(refuses(old_record, 0, 3));
  CAF_CHECK(refuses(old_item, 0, 1));    // then nothing may stand behind the data
  CAF_CHECK(refuses(old_item, 1, 0x42)); // an expired entry holds no mail
  CAF_CHECK(refuses(old_record, 1, 0x06));
  CAF_CHECK(refuses(old_record, 1, 0x0a)); // nor were there keys
  CAF_CHECK(refuses(old_record, 30, 1));   // nor other nodes
  CAF_CHECK_EQUAL(int{old_record[33]}, 2);
  CAF_CHECK(refuses(old_record, 33, 0)); // sequences begin at 1
  CAF_CHECK_EQUAL(int{old_item[old_item.size() - 9]}, 3);
  CAF_CHECK(refuses(old_item, old_item.size() - 9, 4));
}

CAF_TEST(no bytes make the decoder read beyond them) {
  auto x = make_record();
  auto y = make_item();
  check_no_reading_beyond(make_value(x));
  check_no_reading_beyond(make_value(y, with_key));
  for (auto& old : {old_record, old_item, old_stub})
    check_no_reading_beyond(old);
}

// -- the chain
// -------------------------------------------------------------------------------------

CAF_TEST(the chain covers every byte of the body and none of the place) {
  auto x = make_item();
  auto bytes = make_value(x, with_key);
  decoded_entry y;
  CAF_REQUIRE(decode_entry(bytes, y));
  CAF_CHECK_EQUAL(chain_of(y, bytes, node, 7), x.chain);
  CAF_CHECK_NOT_EQUAL(chain_of(y, bytes, node, 8), x.chain);
  CAF_CHECK_NOT_EQUAL(chain_of(y, bytes, node + 1, 7), x.chain);
  auto chain_at = place_bytes + 9;
  for (size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] ^= 1;
    // Whether it can be decoded or not: what counts is the bytes.
    y.body = std::string_view{changed}.substr(place_bytes);
    auto covered = i >= place_bytes && (i < chain_at || i >= chain_at + 8); // not the chain itself
    if ((chain_of(y, changed, node, 7) != x.chain) != covered)
      CAF_FAIL("byte " << i);
  }
  set_released(bytes, 3);
  CAF_REQUIRE(decode_entry(bytes, y));
  CAF_CHECK_EQUAL(y.released, 3u);
  CAF_CHECK_EQUAL(chain_of(y, bytes, node, 7), x.chain);
}

CAF_TEST(an unchained body is the same but for the chain) {
  auto x = make_item();
  auto body = make_body(x, with_key);
  auto unchained = body;
  set_unchained(unchained);
  decoded_entry y;
  CAF_REQUIRE(decode_body(unchained, y));
  CAF_CHECK_EQUAL(y.chain, 0u);
  CAF_CHECK_EQUAL(chain_of(y, unchained, node, 7), x.chain);
  x.chain = 0;
  check_same(y, x);
}

CAF_TEST(the chain of old versions goes over everything but what was released) {
  for (auto& old : {old_record, old_item}) {
    decoded_entry x;
    CAF_REQUIRE(decode_entry(old, x));
    for (size_t i = 0; i < old.size(); ++i) {
      auto changed = old;
      changed[i] ^= 1;
      auto covered = i < 10 || i >= 22; // not the chain itself, not what retention has released
      if ((chain_of(x, changed, node, 7) != x.chain) != covered)
        CAF_FAIL("byte " << i);
    }
    CAF_CHECK_NOT_EQUAL(chain_of(x, old, node, 8), x.chain);
  }
}

// -- old versions
// ----------------------------------------------------------------------------------

CAF_TEST(records of old versions are read) {
  for (auto& old : {old_record, old_item}) {
    decoded_entry x;
    x.slot = 5;
    CAF_REQUIRE(decode_entry(old, x));
    auto expected = old == old_item ? make_item() : make_record();
    expected.chain = load_big_endian<uint64_t>(old.data() + 10);
    check_same(x, expected);
    CAF_CHECK_EQUAL(int{x.slot}, 0); // they knew no other
    CAF_CHECK_EQUAL(x.other_count, 0u);
    CAF_CHECK_EQUAL(x.arrived_ms, x.time_ms);
    CAF_CHECK(!x.is_chained);
    CAF_CHECK(!x.has_key);
    CAF_CHECK(x.body.empty());
  }
}

CAF_TEST(releasing a topic of an old record changes nothing else) {
  auto bytes = old_item;
  set_released(bytes, 2);
  decoded_entry x;
  CAF_REQUIRE(decode_entry(bytes, x));
  CAF_CHECK_EQUAL(x.released, 2u);
  CAF_CHECK_EQUAL(chain_of(x, bytes, node, 7), x.chain);
  bytes[21] = 0;
  CAF_CHECK_EQUAL(hex(bytes), hex(old_item));
}

CAF_TEST(a stub of an old version is read) {
  decoded_entry x;
  CAF_REQUIRE(decode_entry(old_stub, x));
  CAF_CHECK(x.form == entry_form::evicted);
  CAF_CHECK_EQUAL(x.expires_at_ms, 99);
  CAF_CHECK_EQUAL(x.released, 3u);
  CAF_CHECK_EQUAL(x.time_ms, 0x0102);
  CAF_CHECK(x.origin == (origin_position{300, 2}));
  CAF_REQUIRE_EQUAL(x.topic_count, 2u);
  CAF_CHECK_EQUAL(x.topics[0], "a");
  CAF_CHECK(x.data.empty());
}

// -- stubs
// -----------------------------------------------------------------------------------------

CAF_TEST(a stub keeps the place and the names and the chain) {
  auto x = make_item();
  auto bytes = make_value(x, with_key);
  set_released(bytes, 2);
  decoded_entry y;
  CAF_REQUIRE(decode_entry(bytes, y));
  y.released = 3;
  encode_stub(bytes, entry_form::evicted, 99, y);
  CAF_CHECK_EQUAL(hex(bytes), "03"
                              "01"
                              "00000003"         // released
                              "0000000000000103" // arrived
                              "02"
                              "00ac0201"
                              "020506"
                              "82"               // evicted, of base64
                              "0000000000000063" // when it went
                              "9e7c7cb3a272cf9b" // chain
                              "0000000000000102" // time
                              "ac0202"           // incarnation, sequence
                              "020161026263");   // topics
  decoded_entry z;
  CAF_REQUIRE(decode_entry(bytes, z));
  CAF_CHECK(z.form == entry_form::evicted);
  CAF_CHECK_EQUAL(z.expires_at_ms, 99);
  CAF_CHECK_EQUAL(z.released, 3u);
  CAF_CHECK_EQUAL(z.chain, x.chain);
  CAF_CHECK_EQUAL(z.time_ms, x.time_ms);
  CAF_CHECK_EQUAL(z.arrived_ms, 0x0103);
  CAF_CHECK_EQUAL(int{z.slot}, 1);
  CAF_CHECK_EQUAL(z.other_count, 2u);
  CAF_CHECK(z.origin == x.origin);
  CAF_REQUIRE_EQUAL(z.topic_count, 2u);
  CAF_CHECK_EQUAL(z.topics[0], "a");
  CAF_CHECK(z.data.empty());
  CAF_CHECK(!z.has_mail);
  CAF_CHECK(!z.has_key);
  check_cut_and_grown(bytes);
}

CAF_TEST(the stub of the first of an incarnation says what it followed) {
  auto x = make_record();
  x.origin = {300, 1};
  auto bytes = make_value(x, {.follows = {299, 128}}, 0);
  decoded_entry y;
  CAF_REQUIRE(decode_entry(bytes, y));
  encode_stub(bytes, entry_form::expired, 99, y);
  CAF_REQUIRE(decode_entry(bytes, y));
  CAF_CHECK(y.form == entry_form::expired);
  CAF_CHECK(y.follows == (origin_position{299, 128}));
}

CAF_TEST(the stub of an old entry is one of today) {
  for (auto& old : {old_record, old_item}) {
    auto bytes = old;
    decoded_entry x;
    CAF_REQUIRE(decode_entry(bytes, x));
    auto chain = x.chain;
    encode_stub(bytes, entry_form::expired, 99, x);
    CAF_CHECK_EQUAL(hex(bytes.substr(0, 16)), "03000000000000000000000001020042");
    CAF_REQUIRE(decode_entry(bytes, x));
    CAF_CHECK_EQUAL(x.chain, chain);
    CAF_CHECK(x.origin == (origin_position{300, 2}));
    CAF_CHECK_EQUAL(x.arrived_ms, 0x0102);
    CAF_CHECK_EQUAL(x.topics[1], "bc");
  }
}
