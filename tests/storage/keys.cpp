#define CAF_SUITE keys

#include "storage/keys.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <string>
#include <utility>
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

CAF_TEST(mailbox keys sort by user and then by item) {
  std::vector<std::string> keys(5);
  encode_mailbox_key(keys[0], all_users, lsn{9});
  encode_mailbox_key(keys[1], "a", lsn{255});
  encode_mailbox_key(keys[2], "a", lsn{256});
  encode_mailbox_key(keys[3], "a:b", lsn{1});
  encode_mailbox_key(keys[4], "ab", lsn{1});
  CAF_CHECK(std::is_sorted(keys.begin(), keys.end()));
  CAF_CHECK_EQUAL(keys[0], "\0\0\0\0\0\0\0\0\x09"sv);
  CAF_CHECK_EQUAL(keys[2], "a\0\0\0\0\0\0\0\1\0"sv);
  auto x = parse_mailbox_key(keys[3]);
  CAF_REQUIRE(x.has_value());
  CAF_CHECK_EQUAL(x->user, "a:b");
  CAF_CHECK(x->item == lsn{1});
  x = parse_mailbox_key(keys[0]);
  CAF_REQUIRE(x.has_value());
  CAF_CHECK_EQUAL(x->user, all_users);
  CAF_CHECK(!parse_mailbox_key("a"));
  CAF_CHECK(!parse_mailbox_key("abcdefghijk"));
}

CAF_TEST(mailbox entries come back and nothing else is accepted) {
  mailbox_entry x{lsn{7}, item_state::archived, priority::high, true, 258, 3, 4, "paid"};
  std::string bytes;
  encode_mailbox_entry(bytes, x);
  CAF_CHECK_EQUAL(bytes, "\1\3\2\1\0\0\0\0\0\0\1\2\0\0\0\0\0\0\0\3"
                         "\0\0\0\0\0\0\0\4\4paid"sv);
  CAF_CHECK(parse_mailbox_entry(lsn{7}, bytes) == x);
  for (size_t size = 0; size < bytes.size(); ++size)
    CAF_CHECK(!parse_mailbox_entry(lsn{7}, std::string_view{bytes}.substr(0, size)));
  CAF_CHECK(!parse_mailbox_entry(lsn{7}, bytes + 'x'));
  // version, state, priority, flags
  const std::vector<std::pair<size_t, int>> unknown{{0, 2}, {1, 5}, {2, 4}, {3, 2}, {3, 128}};
  for (auto [at, value] : unknown) {
    auto odd = bytes;
    odd[at] = static_cast<char>(value);
    CAF_CHECK(!parse_mailbox_entry(lsn{7}, odd));
  }
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

  encode_idempotency(bytes, {1, 7, lsn{2}, {3, 4}, 5, 6});
  CAF_CHECK_EQUAL(bytes, "\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\4"
                         "\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\6\7"sv);
  auto key = parse_idempotency(bytes);
  CAF_REQUIRE(key.has_value());
  CAF_CHECK(key->origin == (origin_position{3, 4}));
  CAF_CHECK_EQUAL(key->fingerprint, 6u);
  CAF_CHECK_EQUAL(int{key->slot}, 7);
  bytes.pop_back();
  CAF_CHECK(!parse_idempotency(bytes));
  // Version 1 knew no other node.
  bytes[0] = 1;
  key = parse_idempotency(bytes);
  CAF_REQUIRE(key.has_value());
  CAF_CHECK(key->origin == (origin_position{3, 4}));
  CAF_CHECK_EQUAL(key->fingerprint, 6u);
  CAF_CHECK_EQUAL(int{key->slot}, 0);
  CAF_CHECK(!parse_idempotency(bytes + '\0'));
  CAF_CHECK(parse_number(encode_number(12345)) == uint64_t{12345});
  CAF_CHECK(!parse_number("1"));
}
