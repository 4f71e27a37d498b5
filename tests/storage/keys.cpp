#define CAF_SUITE keys

#include "storage/keys.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace tidings;
using namespace tidings::storage;
using namespace std::string_view_literals;

CAF_TEST(log keys sort as positions do) {
  log_key key{lsn{0x0102}};
  CAF_CHECK_EQUAL(key.view(), "\0\0\0\0\0\0\1\2"sv);
  log_key smaller{lsn{255}};
  CAF_CHECK(smaller.view() < key.view());
  CAF_CHECK(parse_log_key(key.view()) == lsn{0x0102});
  CAF_CHECK(!parse_log_key("short"));
}

CAF_TEST(topic keys sort by topic and then by position) {
  std::vector<std::string> keys(5);
  encode_topic_key(keys[0], "a", lsn{0});
  encode_topic_key(keys[1], "a", lsn{300});
  encode_topic_key(keys[2], "a:b", lsn{1});
  encode_topic_key(keys[3], "ab", lsn{1});
  encode_topic_key(keys[4], "b", lsn{1});
  CAF_CHECK(std::is_sorted(keys.begin(), keys.end()));
  CAF_CHECK_EQUAL(keys[1], "a\0\0\0\0\0\0\0\1\x2c"sv);
  auto x = parse_topic_key(keys[2]);
  CAF_REQUIRE(x.has_value());
  CAF_CHECK_EQUAL(x->topic, "a:b");
  CAF_CHECK(x->position == lsn{1});
  CAF_CHECK(!parse_topic_key("a"));
  CAF_CHECK(!parse_topic_key("abcdefghijk"));
}

CAF_TEST(values come back and nothing else is accepted) {
  std::string bytes;
  encode_topic_entry(bytes, {258, 300});
  CAF_CHECK_EQUAL(bytes, "\1\0\0\0\0\0\0\1\2\0\xac\2"sv);
  auto entry = parse_topic_entry(bytes);
  CAF_REQUIRE(entry.has_value());
  CAF_CHECK_EQUAL(entry->expires_at_ms, 258);
  CAF_CHECK_EQUAL(entry->bytes, 300u);
  CAF_CHECK(!parse_topic_entry(bytes + 'x'));
  CAF_CHECK(!parse_topic_entry(std::string_view{bytes}.substr(0, 9)));
  encode_topic_floor(bytes, lsn{9});
  CAF_CHECK_EQUAL(bytes, "\1\0\0\0\0\0\0\0\x09"sv);
  CAF_CHECK(parse_topic_floor(bytes) == lsn{9});
  CAF_CHECK(!parse_topic_entry("\2\0\0\0\0\0\0\1\2\0\1"sv));

  origin_run run{0x0102030405060708, {5, 1}, lsn{7}};
  CAF_CHECK_EQUAL(encode_origin_key(run), "\1\2\3\4\5\6\7\x08\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\1"sv);
  CAF_CHECK_EQUAL(encode_origin_value(run), "\0\0\0\0\0\0\0\7"sv);
  auto parsed = parse_origin(encode_origin_key(run), encode_origin_value(run));
  CAF_REQUIRE(parsed.has_value());
  CAF_CHECK(parsed->from == run.from);
  CAF_CHECK(!parse_origin("", encode_origin_value(run)));

  encode_idempotency(bytes, {1, lsn{2}, {3, 4}, 5, 6});
  CAF_CHECK_EQUAL(bytes, "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\4"
                         "\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\6"sv);
  auto key = parse_idempotency(bytes);
  CAF_REQUIRE(key.has_value());
  CAF_CHECK(key->origin == (origin_position{3, 4}));
  CAF_CHECK_EQUAL(key->fingerprint, 6u);
  bytes.pop_back();
  CAF_CHECK(!parse_idempotency(bytes));
  CAF_CHECK(parse_number(encode_number(12345)) == uint64_t{12345});
  CAF_CHECK(!parse_number("1"));
}
