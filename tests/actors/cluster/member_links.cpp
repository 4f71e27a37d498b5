#define CAF_SUITE member_links

#include "actors/cluster/member_links.hpp"

#include "support/actor_config.hpp"
#include "support/still_clock.hpp"

#include <caf/all.hpp>
#include <caf/test/dsl.hpp>

#include <string>
#include <vector>

using namespace tidings;
using cluster::close_reason;

namespace {

node_id named(uint8_t x) {
  node_id id{};
  id.bytes[0] = x;
  return id;
}

membership abc() {
  membership x;
  for (auto name : {"a", "b", "c"})
    x.members.push_back({name, std::string{name} + ":1"});
  return x;
}

/// A node named b with the links of others to it.
struct fixture : test_coordinator_fixture<config_with_types>, member_links::listener {
  still_clock clock;
  member_list members{abc(), "b", named(2).short_form()};
  member_links uut{nullptr, "b", named(2), nullptr, members, clock, *this};
  std::vector<std::string> told;
  std::vector<std::string> closed;
  uint64_t last = 0;

  void on_linked(uint64_t link, const cluster::link_peer& who) override {
    told.push_back("+" + std::to_string(link) + who.member);
    members.learn(who.member, who.node.short_form());
  }

  void on_unlinked(uint64_t link) override {
    told.push_back("-" + std::to_string(link));
  }

  uint64_t up(const std::string& member, uint8_t node, bool dialled, uint64_t incarnation = 1) {
    auto number = ++last;
    auto end = sys.spawn([this, number] {
      return caf::behavior{[this, number](const cluster::link_close& x) {
        closed.push_back(std::to_string(number) + to_string(x.reason));
      }};
    });
    cluster::link_up x{number, {named(node), member, incarnation}, "somewhere", dialled, end};
    uut.on_up(x);
    run();
    return number;
  }

  void down(uint64_t link) {
    cluster::link_down x;
    x.link = link;
    x.reason = close_reason::silent;
    x.was_up = true;
    uut.on_down(x);
    run();
  }

  member_view view(const std::string& name) {
    for (auto& x : uut.views())
      if (x.name == name)
        return x;
    CAF_FAIL("no view of " << name);
  }
};

using strings = std::vector<std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(member_links_tests, fixture)

CAF_TEST(of two links one stays and the end of the other changes nothing) {
  // The node with the lower id is a: what it dialled stays.
  auto by_b = up("a", 1, true);
  auto by_a = up("a", 1, false);
  CAF_CHECK_EQUAL(told, (strings{"+1a", "-1", "+2a"}));
  CAF_CHECK_EQUAL(closed, (strings{"1replaced"}));
  down(by_b);
  CAF_CHECK_EQUAL(told.size(), 3u);
  CAF_CHECK(view("a").linked);
  down(by_a);
  CAF_CHECK_EQUAL(told.back(), "-2");
  CAF_CHECK(!view("a").linked);
  CAF_CHECK_EQUAL(view("a").trouble, "silent");
}

CAF_TEST(a link that loses is never told) {
  up("c", 3, true);
  up("c", 3, false);
  CAF_CHECK_EQUAL(told, (strings{"+1c"}));
  CAF_CHECK_EQUAL(closed, (strings{"2replaced"}));
  CAF_CHECK(uut.link_to("c") == 1u);
}

CAF_TEST(who was asked over a replaced link is not waited for) {
  up("c", 3, true);
  up("c", 3, true, 2); // it has started anew
  CAF_CHECK_EQUAL(told, (strings{"+1c", "-1", "+2c"}));
  CAF_CHECK(uut.link_to("c") == 2u);
  CAF_CHECK(!uut.has(1));
  CAF_CHECK(uut.node_at(2) == named(3).short_form());
}

CAF_TEST(a second node under a name is turned away until the first is gone) {
  auto first = up("a", 1, false);
  up("a", 9, false);
  CAF_CHECK_EQUAL(told, (strings{"+1a"}));
  CAF_CHECK_EQUAL(closed, (strings{"2not_a_member"}));
  down(first);
  up("a", 9, false);
  CAF_CHECK_EQUAL(told.back(), "+3a");
}

CAF_TEST(trouble is shown for the member that was dialled) {
  uut.on_dial_failed({"c:1", "Connection refused"});
  CAF_CHECK_EQUAL(view("c").trouble, "Connection refused");
  CAF_CHECK_EQUAL(view("a").trouble, "");
  up("c", 3, false);
  CAF_CHECK_EQUAL(view("c").trouble, "");
  uut.on_dial_failed({"c:1", "Connection refused"}); // its own dialer is not needed
  CAF_CHECK_EQUAL(view("c").trouble, "");
}

CAF_TEST_FIXTURE_SCOPE_END
()
