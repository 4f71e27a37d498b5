#define CAF_SUITE ownership

#include "tidings/ownership.hpp"

#include <caf/test/dsl.hpp>

#include <map>
#include <string>

using namespace tidings;

namespace {

config cluster_of(std::vector<std::string> members, std::string self) {
  config x;
  x.cluster.node = std::move(self);
  x.cluster.members = std::move(members);
  topic_rule rule{*topic_pattern::parse("strict:*")};
  rule.order = publish_order::strict;
  x.topic = {rule};
  return x;
}

const std::vector<std::string> three{"a=h:1", "b=h:2", "c=h:3"};

ownership::answer decide(const ownership& x, std::vector<std::vector<std::string>> events) {
  ownership::answer found;
  for (auto& topics : events)
    x.add(found, topics);
  return found;
}

/// A strict topic that the member owns.
std::string topic_of(const ownership& x, const std::string& member) {
  for (int i = 0;; ++i)
    if (auto topic = "strict:" + std::to_string(i); x.owner_of(topic) == member)
      return topic;
}

} // namespace

CAF_TEST(owners never change from one version to the next) {
  ownership x{cluster_of(three, "a")};
  CAF_CHECK_EQUAL(x.owner_of("strict:orders"), "c");
  CAF_CHECK_EQUAL(x.owner_of("strict:1"), "a");
  CAF_CHECK_EQUAL(x.owner_of("strict:2"), "b");
}

CAF_TEST(every node finds the same owner and each owns about as many topics) {
  ownership a{cluster_of(three, "a")};
  ownership b{cluster_of({"c=h:3", "a=h:1", "b=h:2"}, "b")};
  std::map<std::string, int> owned;
  for (int i = 0; i < 3000; ++i) {
    auto topic = "strict:" + std::to_string(i);
    CAF_REQUIRE_EQUAL(a.owner_of(topic), b.owner_of(topic));
    ++owned[a.owner_of(topic)];
  }
  CAF_CHECK_EQUAL(owned.size(), 3u);
  for (auto& [member, count] : owned)
    CAF_CHECK(count > 800 && count < 1200);
}

CAF_TEST(a member that leaves moves only its own topics) {
  ownership before{cluster_of(three, "a")};
  ownership after{cluster_of({"a=h:1", "b=h:2"}, "a")};
  for (int i = 0; i < 1000; ++i) {
    auto topic = "strict:" + std::to_string(i);
    if (before.owner_of(topic) != "c")
      CAF_REQUIRE_EQUAL(before.owner_of(topic), after.owner_of(topic));
  }
}

CAF_TEST(any member takes what has no strict topic) {
  ownership x{cluster_of(three, "a")};
  auto found = decide(x, {{"plain"}, {"other"}});
  CAF_CHECK(found.owner.empty());
  CAF_CHECK(!found.has_several);
  CAF_CHECK(!x.is_elsewhere(found));
}

CAF_TEST(what else is in the request goes with the strict topic) {
  ownership x{cluster_of(three, "a")};
  auto theirs = decide(x, {{"plain"}, {topic_of(x, "b")}, {"plain"}});
  CAF_CHECK_EQUAL(theirs.owner, "b");
  CAF_CHECK(!theirs.has_several);
  CAF_CHECK(x.is_elsewhere(theirs));
  CAF_CHECK(!x.is_elsewhere(decide(x, {{topic_of(x, "a"), "plain"}})));
}

CAF_TEST(topics of different owners cannot be together) {
  ownership x{cluster_of(three, "a")};
  auto a = topic_of(x, "a");
  auto b = topic_of(x, "b");
  CAF_CHECK(decide(x, {{a}, {b}}).has_several);
  CAF_CHECK(decide(x, {{b, a}}).has_several);
  CAF_CHECK(!decide(x, {{b}, {b}}).has_several);
}

CAF_TEST(a node that is alone owns everything) {
  config x;
  x.topic = cluster_of(three, "a").topic;
  ownership alone{x};
  CAF_CHECK(!alone.is_elsewhere(decide(alone, {{"strict:1"}})));
}
