#define CAF_SUITE mailbox_decision

#include "actors/mailbox/mailbox_decision.hpp"

#include <caf/test/dsl.hpp>

#include <random>

using namespace tidings;

namespace {

mailbox_entry entry(uint64_t item, item_state state = item_state::unread, std::string type = {}) {
  mailbox_entry x;
  x.item = lsn{item};
  x.state = state;
  x.type = std::move(type);
  return x;
}

mailbox_listing make_mailbox() {
  mailbox_listing x;
  x.entries = {entry(1), entry(2, item_state::seen, "build"), entry(3, item_state::read, "build"),
               entry(4, item_state::archived), entry(5, item_state::unread, "build")};
  return x;
}

std::vector<uint64_t> items(const mailbox_decision& x) {
  std::vector<uint64_t> out;
  for (auto& change : x.changes)
    out.push_back(to_integer(change.entry.item));
  return out;
}

using numbers = std::vector<uint64_t>;

CAF_TEST(without ids everything lower rises) {
  mailbox_order order;
  order.to = item_state::read;
  auto decision = decide(order, make_mailbox(), 77);
  CAF_CHECK_EQUAL(items(decision), (numbers{1, 2, 5}));
  CAF_CHECK(decision.changes[0].was == item_state::unread);
  CAF_CHECK(decision.changes[1].was == item_state::seen);
  for (auto& x : decision.changes) {
    CAF_CHECK(x.entry.state == item_state::read);
    CAF_CHECK_EQUAL(x.entry.changed_ms, 77);
  }
  CAF_CHECK_EQUAL(decision.counts.of(item_state::unread), 0u);
  CAF_CHECK_EQUAL(decision.counts.of(item_state::read), 4u);
  CAF_CHECK_EQUAL(decision.counts.of(item_state::archived), 1u);
  CAF_CHECK_EQUAL(decision.counts.total(), 5u);
}

CAF_TEST(a filter chooses by state and type) {
  mailbox_order order;
  order.to = item_state::dismissed;
  order.filter.states = {true, true, false, false, false};
  order.filter.type = "build";
  auto decision = decide(order, make_mailbox(), 1);
  CAF_CHECK_EQUAL(items(decision), (numbers{2, 5}));
  CAF_CHECK_EQUAL(decision.counts.total(), 3u);
  CAF_CHECK_EQUAL(decision.counts.of(item_state::dismissed), 0u);
}

CAF_TEST(ids choose whatever the state and unknown ones choose nothing) {
  mailbox_order order;
  order.to = item_state::dismissed;
  order.ids.emplace();
  auto mailbox = make_mailbox();
  mailbox.named = {lsn{2}, lsn{4}, lsn{99}};
  CAF_CHECK_EQUAL(items(decide(order, mailbox, 1)), (numbers{2, 4}));
  mailbox.named.clear();
  CAF_CHECK(decide(order, mailbox, 1).changes.empty());
}

CAF_TEST(nothing goes back and a repeat changes nothing) {
  std::mt19937 random{std::random_device{}()};
  for (int round = 0; round < 200; ++round) {
    mailbox_listing mailbox;
    for (uint64_t i = 1; i <= 10; ++i)
      mailbox.entries.push_back(entry(i, static_cast<item_state>(random() % 4)));
    mailbox_order order;
    order.to = static_cast<item_state>(1 + random() % 4);
    auto decision = decide(order, mailbox, 1);
    auto after = mailbox;
    for (auto& change : decision.changes)
      for (auto& x : after.entries)
        if (x.item == change.entry.item) {
          CAF_CHECK(x.state == change.was);
          CAF_CHECK(change.entry.state > change.was);
          x = change.entry;
        }
    std::erase_if(after.entries, [](auto& x) { return x.state == item_state::dismissed; });
    CAF_CHECK(count_items(after.entries) == decision.counts);
    CAF_CHECK(decide(order, after, 2).changes.empty());
  }
}

} // namespace
