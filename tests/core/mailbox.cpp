#define CAF_SUITE mailbox

#include "tidings/mailbox.hpp"

#include "tidings/topic.hpp"

#include <caf/test/dsl.hpp>

#include <string>
#include <string_view>

namespace {

using namespace tidings;

bool is_user(std::string_view x) {
  auto why = validate_user(x);
  if (why && (why->code != errc::invalid_parameter || why->detail.empty()))
    CAF_ERROR("no proper reason for " << std::string{x});
  return !why;
}

CAF_TEST(priorities have names in any case) {
  for (auto x : {priority::low, priority::normal, priority::high, priority::critical})
    CAF_CHECK(parse_priority(to_string(x)) == x);
  CAF_CHECK_EQUAL(std::string{to_string(priority::critical)}, "CRITICAL");
  CAF_CHECK(parse_priority("high") == priority::high);
  CAF_CHECK(parse_priority("Low") == priority::low);
  for (auto x : {"", "lo", "lows", "urgent", "LOW ", "1"})
    CAF_CHECK(!parse_priority(x));
  CAF_CHECK(priority::low < priority::normal && priority::high < priority::critical);
}

CAF_TEST(states have names and rise) {
  for (size_t i = 0; i < item_state_count; ++i) {
    auto x = static_cast<item_state>(i);
    CAF_CHECK(parse_item_state(to_string(x)) == x);
  }
  for (auto x : {"", "READ", "unrea", "unreads", "gone"})
    CAF_CHECK(!parse_item_state(x));
  CAF_CHECK(item_state::unread < item_state::seen && item_state::seen < item_state::read
            && item_state::read < item_state::archived
            && item_state::archived < item_state::dismissed);
}

CAF_TEST(a user id may stand in a topic) {
  for (auto x : {"ada", "42", "a:b/c.d", "ada@example.com", "größe", "a b", "$", "Me", "me2",
                 "0f7c3f6e-8d9a-4b1c-9a53-000000000000"})
    CAF_CHECK(is_user(x));
  CAF_CHECK(is_user(std::string(128, 'x')));
  CAF_CHECK(!is_user(std::string(129, 'x')));
  for (auto x : {"", "me", "a,b", "a*", "*", "a?b", "a#b", "a\nb", "a ", "a/../b", "\xff"})
    CAF_CHECK(!is_user(x));
  CAF_CHECK(!is_user(std::string_view{"a\0b", 3}));
}

CAF_TEST(the longest user id fits into both topics) {
  std::string user(user_bytes_max, 'x');
  CAF_CHECK(!validate_topic(user_topic(user)));
  CAF_CHECK_LESS_OR_EQUAL(mailbox_topic(user).size(), topic_bytes_max);
}

CAF_TEST(a topic of a user names the user) {
  for (auto user : {"ada", "a:b", "$", "user:x"})
    CAF_CHECK(user_of_topic(user_topic(user)) == user);
  CAF_CHECK_EQUAL(user_topic("ada"), "user:ada");
  for (auto topic : {"", "user", "user:", "users:ada", "User:ada", "everyone", "$mailbox/ada"})
    CAF_CHECK(!user_of_topic(topic));
}

CAF_TEST(the topic of changes belongs to the broker) {
  CAF_CHECK_EQUAL(mailbox_topic("ada"), "$mailbox/ada");
  CAF_CHECK(is_reserved_topic(mailbox_topic("ada")));
  CAF_CHECK(!is_reserved_topic(user_topic("ada")));
  CAF_CHECK(!is_reserved_topic(everyone_topic));
  CAF_CHECK(!validate_topic(everyone_topic));
}

CAF_TEST(counts are by state) {
  mailbox_counts x;
  CAF_CHECK_EQUAL(x.total(), 0u);
  x.in = {5, 4, 3, 2, 0};
  CAF_CHECK_EQUAL(x.of(item_state::unread), 5u);
  CAF_CHECK_EQUAL(x.of(item_state::archived), 2u);
  CAF_CHECK_EQUAL(x.total(), 14u);
  CAF_CHECK(x != mailbox_counts{});
}

} // namespace
