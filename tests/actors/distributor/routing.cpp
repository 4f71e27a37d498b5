#define CAF_SUITE routing

#include "actors/distributor/routing.hpp"

#include "actors/distributor/audience.hpp"
#include "actors/runtime/recently_used.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;

namespace {

publish_item item(std::vector<std::string> topics) {
  publish_item x;
  x.what.content.topics = std::move(topics);
  return x;
}

std::shared_ptr<const subscription> wants(std::vector<std::string> patterns) {
  std::vector<topic_pattern> xs;
  for (auto& x : patterns)
    xs.push_back(*topic_pattern::parse(x));
  return std::make_shared<const subscription>(std::move(xs));
}

} // namespace

CAF_TEST(each topic is visited once with all items that name it) {
  auto route = plan_route({item({"a", "b"}), item({"b"}), item({"c", "a"})});
  CAF_REQUIRE_EQUAL(route.size(), 3u);
  CAF_CHECK_EQUAL(route[0].topic, "a");
  CAF_CHECK_EQUAL(route[0].items, (std::vector<uint32_t>{0, 2}));
  CAF_CHECK_EQUAL(route[1].topic, "b");
  CAF_CHECK_EQUAL(route[1].items, (std::vector<uint32_t>{0, 1}));
  CAF_CHECK_EQUAL(route[2].items, (std::vector<uint32_t>{2}));
}

CAF_TEST(a stream that wants several topics of an event counts once) {
  audience x;
  auto both = wants({"a", "b"});
  x.add(both);
  x.add(wants({"a"}));
  x.add(wants({"*"}));
  x.add(wants({"order:*"}));
  CAF_CHECK_EQUAL(x.count({"a", "b"}, ""), 3u);
  CAF_CHECK_EQUAL(x.count({"order:1"}, ""), 2u);
  CAF_CHECK_EQUAL(x.distinct_topics(), 4u);
  x.remove(both);
  CAF_CHECK_EQUAL(x.count({"b"}, ""), 1u);
  CAF_CHECK_EQUAL(x.distinct_topics(), 3u);
}

CAF_TEST(the directory lets the idle go and then the least recently used) {
  recently_used<int> x;
  x.add("a", 1, 100);
  x.add("b", 2, 200);
  x.add("c", 3, 300);
  CAF_REQUIRE(x.find("a", 400) != nullptr);
  std::vector<int> gone;
  auto note = [&](int handle) { gone.push_back(handle); };
  x.evict(250, 10, note);
  CAF_CHECK_EQUAL(gone, (std::vector<int>{2}));
  x.evict(0, 1, note);
  CAF_CHECK_EQUAL(gone, (std::vector<int>{2, 3}));
  CAF_CHECK(x.find("b", 500) == nullptr);
  CAF_CHECK(x.find("a", 500) != nullptr);
}
