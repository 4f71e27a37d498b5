#define CAF_SUITE quorum_queue

#include "actors/cluster/quorum_queue.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;

namespace {

constexpr uint64_t self = 7;
constexpr uint64_t other = 8;

publish_item item(origin_position origin, durability wanted = durability::quorum,
                  uint64_t node = self) {
  publish_item x;
  x.level = wanted;
  x.outcome.level = durability::fsync;
  x.outcome.node = node;
  x.outcome.origin = origin;
  return x;
}

publish_ptr request(std::vector<publish_item> items) {
  auto x = std::make_shared<publish_request>();
  x->items = std::move(items);
  return x;
}

struct fixture {
  quorum_queue aut{self};

  publish_ptr add(uint64_t sequence, int64_t deadline_ms = 1000) {
    auto x = request({item({1, sequence})});
    aut.add(x, aut.wanted(*x), deadline_ms);
    return x;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(quorum_queue_tests, fixture)

CAF_TEST(others have to store the last of what waits for them) {
  auto x = request({item({1, 5}), item({1, 9}), item({1, 7})});
  CAF_CHECK((aut.wanted(*x) == origin_position{1, 9}));
  auto y = request({item({2, 1}), item({1, 9})});
  CAF_CHECK((aut.wanted(*y) == origin_position{2, 1}));
}

CAF_TEST(what does not wait for others is not asked of them) {
  auto refused = item({1, 9});
  refused.outcome.refused = failure{errc::overloaded, ""};
  auto unsynced = item({1, 9});
  unsynced.outcome.level = durability::written;
  auto done = item({1, 9});
  done.outcome.level = durability::quorum;
  for (auto& x : {refused, unsynced, done, item({1, 9}, durability::fsync),
                  item({1, 9}, durability::quorum, other)})
    CAF_CHECK_EQUAL(aut.wanted(*request({x})).sequence, 0u);
  CAF_CHECK((aut.wanted(*request({refused, item({1, 3})})) == origin_position{1, 3}));
}

CAF_TEST(what a majority has is given back in its order and nothing behind it) {
  auto first = add(1), second = add(2), third = add(3);
  auto done = aut.reach({1, 2}, 2, 2);
  CAF_REQUIRE_EQUAL(done.size(), 2u);
  CAF_CHECK(done[0] == first);
  CAF_CHECK(done[1] == second);
  CAF_CHECK_EQUAL(aut.size(), 1u);
  for (auto& x : {first, second}) {
    CAF_CHECK(x->items[0].outcome.level == durability::quorum);
    CAF_CHECK_EQUAL(x->items[0].outcome.nodes, 2u);
  }
  CAF_CHECK(third->items[0].outcome.level == durability::fsync);
  CAF_CHECK(aut.reach({1, 2}, 3, 2).empty());
  CAF_CHECK_EQUAL(aut.reach({2, 1}, 3, 2).size(), 1u);
  CAF_CHECK_EQUAL(third->items[0].outcome.nodes, 3u);
  CAF_CHECK_EQUAL(aut.size(), 0u);
}

CAF_TEST(only what waited gets the level) {
  auto x = request({item({1, 1}), item({1, 2}, durability::fsync)});
  aut.settle(*x, 3, 2);
  CAF_CHECK(x->items[0].outcome.level == durability::quorum);
  CAF_CHECK(x->items[1].outcome.level == durability::fsync);
  CAF_CHECK_EQUAL(x->items[1].outcome.nodes, 1u);
}

CAF_TEST(a repeat of what another node took has its own count) {
  auto x = request({item({1, 1}), item({1, 9}, durability::quorum, other)});
  auto y = request({item({1, 1}), item({1, 9}, durability::quorum, other)});
  aut.settle(*x, 3, 2);
  CAF_CHECK(x->items[1].outcome.level == durability::quorum);
  CAF_CHECK_EQUAL(x->items[1].outcome.nodes, 2u);
  aut.settle(*y, 3, 0); // of five: that one and this are no majority
  CAF_CHECK(y->items[0].outcome.level == durability::quorum);
  CAF_CHECK(y->items[1].outcome.level == durability::fsync);
}

CAF_TEST(what waited for too long is not known to be stored) {
  auto first = add(1, 100), second = add(2, 200);
  CAF_CHECK(aut.expire(99).empty());
  auto late = aut.expire(100);
  CAF_REQUIRE_EQUAL(late.size(), 1u);
  CAF_CHECK(late[0] == first);
  CAF_REQUIRE(first->items[0].outcome.refused);
  CAF_CHECK(first->items[0].outcome.refused->code == errc::indeterminate);
  CAF_CHECK(!second->items[0].outcome.refused);
  CAF_CHECK_EQUAL(aut.reach({1, 9}, 2, 2).size(), 1u);
  CAF_CHECK(aut.expire(1'000'000).empty());
}

CAF_TEST(what did not wait stays as it was when the rest is late) {
  auto x = request({item({1, 1}, durability::fsync), item({1, 2})});
  aut.add(x, aut.wanted(*x), 100);
  CAF_REQUIRE_EQUAL(aut.expire(100).size(), 1u);
  CAF_CHECK(!x->items[0].outcome.refused);
  CAF_CHECK(x->items[1].outcome.refused);
}

CAF_TEST_FIXTURE_SCOPE_END
()
