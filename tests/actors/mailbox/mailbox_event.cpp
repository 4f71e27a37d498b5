#define CAF_SUITE mailbox_event

#include "actors/mailbox/mailbox_event.hpp"

#include "tidings/units.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;

namespace {

const event_id first{7, {5, 1}};
const event_id second{8, {6, 2}};

std::string id(const event_id& x) {
  return x.to_string(true);
}

event change(std::string data) {
  event x;
  x.topics = {mailbox_topic("o'neil")};
  x.type = std::string{mailbox_event};
  x.kind = data_kind::json;
  x.data = std::move(data);
  return x;
}

std::string two_items() {
  return R"({"state":"read","at":"2026-11-21T10:00:01.000Z","items":[{"id":")" + id(first)
         + R"(","was":"unread"},{"id":")" + id(second) + R"(","was":"seen"}]})";
}

} // namespace

CAF_TEST(a change names a user and items and a state and a time) {
  auto found = read_mailbox_event(change(two_items()));
  auto at_ms = parse_rfc3339("2026-11-21T10:00:01.000Z").value_or(0);
  CAF_REQUIRE_EQUAL(found.size(), 2u);
  for (auto& x : found) {
    CAF_CHECK_EQUAL(x.user, "o'neil");
    CAF_CHECK(x.to == item_state::read);
    CAF_CHECK_EQUAL(x.at_ms, at_ms);
  }
  CAF_CHECK(found[0].item == first);
  CAF_CHECK(found[1].item == second);
}

CAF_TEST(every state is read) {
  for (auto state :
       {item_state::seen, item_state::read, item_state::archived, item_state::dismissed}) {
    auto found = read_mailbox_event(change(std::string{R"({"state":")"} + to_string(state)
                                           + R"(","items":[{"id":")" + id(first) + "\"}]}"));
    CAF_REQUIRE_EQUAL(found.size(), 1u);
    CAF_CHECK(found[0].to == state);
    CAF_CHECK_EQUAL(found[0].at_ms, 0);
  }
}

CAF_TEST(other events are no changes) {
  auto x = change(two_items());
  x.type = "paid";
  CAF_CHECK(read_mailbox_event(x).empty());
  x = change(two_items());
  x.topics = {"user:o'neil"};
  CAF_CHECK(read_mailbox_event(x).empty());
  x = change(two_items());
  x.topics.push_back(mailbox_topic("other"));
  CAF_CHECK(read_mailbox_event(x).empty());
  x.topics.clear();
  CAF_CHECK(read_mailbox_event(x).empty());
}

CAF_TEST(items that cannot be read are left out) {
  auto found = read_mailbox_event(
    change(R"({"state":"read","items":[7,null,"x",{},{"id":7},{"id":null},{"id":"x"},{"id":")"
           + id(first) + "\"}]}"));
  CAF_REQUIRE_EQUAL(found.size(), 1u);
  CAF_CHECK(found[0].item == first);
}

CAF_TEST(a change that cannot be read is none) {
  auto items = R"("items":[{"id":")" + id(first) + "\"}]";
  for (auto& text : std::vector<std::string>{
         "", "x", "7", "null", "[]", "{}", '{' + items + '}', R"({"state":"read"})",
         R"({"state":"none",)" + items + '}', R"({"state":7,)" + items + '}',
         R"({"state":null,)" + items + '}', R"({"state":"read","items":{}})",
         R"({"state":"read","items":"x"})"})
    CAF_CHECK(read_mailbox_event(change(text)).empty());
  // A time that is none does not take the change back.
  for (auto time : {"7", "null", "\"yesterday\""})
    CAF_CHECK_EQUAL(
      read_mailbox_event(change(R"({"state":"read","at":)" + std::string{time} + ',' + items + '}'))
        .size(),
      1u);
}
