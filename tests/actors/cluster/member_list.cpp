#define CAF_SUITE member_list

#include "actors/cluster/member_list.hpp"

#include <caf/test/dsl.hpp>

#include <set>

using namespace tidings;

namespace {

membership members(std::vector<std::string> texts) {
  cluster_config x;
  x.members = std::move(texts);
  return configured_membership(x);
}

struct fixture {
  member_list aut{members({"a=10.0.0.1:7400", "b=10.0.0.2:7400", "c=[::1]:7400"}), "b", 77};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(member_list_tests, fixture)

CAF_TEST(members are those of the list) {
  std::vector<std::string> names;
  for (auto& x : aut.all())
    names.push_back(x.name + ' ' + x.address);
  CAF_CHECK(names
            == (std::vector<std::string>{"a 10.0.0.1:7400", "b 10.0.0.2:7400", "c [::1]:7400"}));
}

CAF_TEST(it knows itself and nobody else) {
  CAF_CHECK(aut.find("b")->known);
  CAF_CHECK_EQUAL(aut.find("b")->node, 77u);
  CAF_CHECK(aut.find(77)->name == "b");
  CAF_CHECK(!aut.find("a")->known);
  CAF_CHECK(aut.find("d") == nullptr);
}

CAF_TEST(who was not heard of counts all the same and is not found by its stand in) {
  auto ids = aut.ids();
  CAF_CHECK_EQUAL((std::set<uint64_t>{ids.begin(), ids.end()}).size(), 3u);
  CAF_CHECK(aut.find(aut.find("a")->node) == nullptr);
  CAF_CHECK(aut.find(aut.find("c")->node) == nullptr);
}

CAF_TEST(a member has the id that it proved) {
  CAF_CHECK(aut.learn("a", 500));
  CAF_CHECK(!aut.learn("a", 500));
  CAF_CHECK_EQUAL(aut.find(500)->name, "a");
  CAF_CHECK(aut.ids().front() == 500);
}

CAF_TEST(one that comes back without its disk is another node) {
  aut.learn("a", 500);
  CAF_CHECK(aut.learn("a", 501));
  CAF_CHECK(aut.find(500) == nullptr);
  CAF_CHECK_EQUAL(aut.find(501)->name, "a");
}

CAF_TEST(a stranger is not learned) {
  CAF_CHECK(!aut.learn("x", 500));
  CAF_CHECK(aut.find("x") == nullptr);
  CAF_CHECK(aut.find(500) == nullptr);
  CAF_CHECK_EQUAL(aut.all().size(), 3u);
}

CAF_TEST(an id that is learned may be a stand in of another) {
  CAF_CHECK(aut.learn("c", aut.find("a")->node));
  CAF_CHECK_EQUAL(aut.find(aut.find("c")->node)->name, "c");
}

CAF_TEST_FIXTURE_SCOPE_END
()
