#define CAF_SUITE membership_change

#include "cluster/membership_change.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;
using namespace tidings::cluster;

namespace {

using step = membership_change::step;
using heads_list = std::vector<origin_head>;

/// So many records of a node.
origin_head head(uint64_t node, uint64_t sequence) {
  return {node, {1, sequence}, 0};
}

struct fixture {
  membership three{0, {{"a", "h:1"}, {"b", "h:2"}, {"c", "h:3"}}};
  heads_list own{head(1, 10), head(2, 10), head(3, 10)};
  std::vector<member_state> others{{"b", true, own}, {"c", true, own}};

  result<membership_change> begin(bool is_removal, std::string name, bool force = false) {
    return membership_change::begin(three, {is_removal, {std::move(name), "h:9"}, force}, others,
                                    own, 1000);
  }

  membership_change begun(bool is_removal, std::string name, bool force = false) {
    auto x = begin(is_removal, std::move(name), force);
    if (!x)
      CAF_FAIL(x.error().detail);
    return std::move(*x);
  }

  step next(membership_change& x, int64_t now = 0) {
    return x.next(others, own, now);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(membership_change_tests, fixture)

CAF_TEST(a member is added when all are level) {
  auto x = begun(false, "d");
  CAF_CHECK(next(x) == step::commit);
  CAF_CHECK_EQUAL(x.list().members.size(), 4u);
  CAF_CHECK(next(x) == step::wait);
  x.told("b");
  CAF_CHECK(next(x) == step::wait);
  x.told("c");
  CAF_CHECK(next(x) == step::finished);
  CAF_CHECK(!x.outcome().refused && x.outcome().untold.empty());
  CAF_CHECK(x.outcome().list == x.list());
}

CAF_TEST(what one has alone is waited for) {
  others[1].heads[2] = head(3, 12); // c has two more of its own
  auto x = begun(false, "d");
  CAF_CHECK(next(x) == step::wait);
  own[2] = head(3, 12);
  CAF_CHECK(next(x) == step::wait);
  others[0].heads[2] = head(3, 13);
  CAF_CHECK(next(x) == step::commit);
}

CAF_TEST(who stays behind is named) {
  others[0].heads[0] = head(1, 7);
  auto x = begun(false, "d");
  CAF_CHECK(next(x, 999) == step::wait);
  CAF_CHECK(next(x, 1000) == step::finished);
  auto outcome = x.outcome();
  CAF_REQUIRE(outcome.refused);
  CAF_CHECK(outcome.refused->code == errc::members_missing);
  CAF_CHECK(outcome.refused->detail.find("member b lacks 3 records") != std::string::npos);
}

CAF_TEST(a member leaves when those that stay have what it had at rest) {
  auto x = begun(true, "c");
  CAF_CHECK(next(x) == step::drain);
  CAF_CHECK(next(x) == step::wait);
  x.drained({head(1, 10), head(2, 10), head(3, 15)});
  CAF_CHECK(next(x) == step::wait);
  own[2] = head(3, 15);
  CAF_CHECK(next(x) == step::wait);
  others[0].heads[2] = head(3, 15); // c itself does not matter
  CAF_CHECK(next(x) == step::commit);
  CAF_CHECK(x.list().find("c") == nullptr);
  x.told("b");
  CAF_CHECK(next(x) == step::finished);
}

CAF_TEST(a member that does not come to rest stays) {
  auto x = begun(true, "c");
  CAF_CHECK(next(x) == step::drain);
  CAF_CHECK(next(x, 1000) == step::finished);
  CAF_CHECK(x.outcome().refused.has_value());
}

CAF_TEST(nothing changes while a member is not linked) {
  others[1].linked = false;
  for (auto is_removal : {false, true}) {
    auto x = begin(is_removal, is_removal ? "c" : "d");
    CAF_REQUIRE(!x);
    CAF_CHECK(x.error().code == errc::members_missing);
    CAF_CHECK(x.error().detail.find("member c is not linked") != std::string::npos);
  }
}

CAF_TEST(force waits for nobody) {
  others[1] = {"c", false, {}};
  auto x = begun(true, "c", true);
  CAF_CHECK(next(x) == step::commit);
  x.told("b");
  CAF_CHECK(next(x) == step::finished);
  CAF_CHECK(!x.outcome().refused);
}

CAF_TEST(who is not linked or does not answer hears later) {
  others[1].linked = false;
  auto x = begun(false, "d", true);
  CAF_CHECK(next(x) == step::commit);
  CAF_CHECK(next(x) == step::wait);
  CAF_CHECK(next(x, 1000) == step::finished);
  CAF_CHECK(x.outcome().untold == (std::vector<std::string>{"b", "c"}));
}

CAF_TEST(impossible changes are refused at once) {
  CAF_CHECK(begin(false, "b").error().code == errc::invalid_parameter);
  CAF_CHECK(begin(true, "x", true).error().code == errc::not_found);
}

CAF_TEST_FIXTURE_SCOPE_END
()
