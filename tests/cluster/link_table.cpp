#define CAF_SUITE link_table

#include "cluster/link_table.hpp"

#include <caf/test/dsl.hpp>

#include <set>

using namespace tidings;
using namespace tidings::cluster;

namespace {

node_id node(uint8_t number) {
  node_id x;
  x.bytes.fill(number);
  return x;
}

struct fixture {
  link_table low{node(1)};
  link_table high{node(2)};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(link_table_tests, fixture)

CAF_TEST(one link per node is no question) {
  CAF_CHECK(!low.on_up(node(2), {1, true, 5}));
  CAF_CHECK(!low.on_up(node(3), {2, false, 5}));
  CAF_CHECK_EQUAL(low.size(), 2u);
  CAF_CHECK_EQUAL(low.find(node(3))->link, 2u);
  CAF_CHECK(low.find(node(4)) == nullptr);
}

CAF_TEST(both ends keep the link that the lower id dialled in whatever order they come up) {
  constexpr uint64_t dialled_by_low = 1;
  constexpr uint64_t dialled_by_high = 2;
  for (bool low_sees_own_first : {false, true})
    for (bool high_sees_own_first : {false, true}) {
      fixture x;
      auto up = [](link_table& table, const node_id& peer, uint64_t link, bool dialled) {
        return table.on_up(peer, {link, dialled, 5});
      };
      std::set<uint64_t> closed;
      for (bool own : {low_sees_own_first, !low_sees_own_first})
        if (auto link = up(x.low, node(2), own ? dialled_by_low : dialled_by_high, own))
          closed.insert(*link);
      for (bool own : {high_sees_own_first, !high_sees_own_first})
        if (auto link = up(x.high, node(1), own ? dialled_by_high : dialled_by_low, own))
          closed.insert(*link);
      CAF_CHECK(closed == std::set{dialled_by_high});
      CAF_CHECK_EQUAL(x.low.find(node(2))->link, dialled_by_low);
      CAF_CHECK_EQUAL(x.high.find(node(1))->link, dialled_by_low);
    }
}

CAF_TEST(a peer that started anew takes the place of what it was before) {
  low.on_up(node(2), {1, true, 5});
  CAF_CHECK(low.on_up(node(2), {2, false, 6}) == 1u); // although the higher id dialled it
  CAF_CHECK_EQUAL(low.find(node(2))->link, 2u);
  CAF_CHECK(low.on_up(node(2), {3, true, 5}) == 3u); // something late from before
  CAF_CHECK_EQUAL(low.find(node(2))->link, 2u);
}

CAF_TEST(the same node dials again because it lost the first link) {
  low.on_up(node(2), {1, false, 5});
  CAF_CHECK(low.on_up(node(2), {2, false, 5}) == 1u);
  CAF_CHECK_EQUAL(low.find(node(2))->link, 2u);
}

CAF_TEST(only the link in use going down means that the peer is gone) {
  low.on_up(node(2), {1, false, 5});
  low.on_up(node(2), {2, true, 5});
  CAF_CHECK(!low.on_down(node(2), 1));
  CAF_CHECK_EQUAL(low.find(node(2))->link, 2u);
  CAF_CHECK(low.on_down(node(2), 2));
  CAF_CHECK(!low.on_down(node(2), 2));
  CAF_CHECK(!low.on_up(node(2), {3, false, 4})); // nothing is remembered
}

CAF_TEST_FIXTURE_SCOPE_END
()
