#define CAF_SUITE membership

#include "tidings/membership.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;

namespace {

membership list(uint64_t version, std::vector<cluster_member> members) {
  return {version, std::move(members)};
}

const membership three = list(4, {{"a", "h:1"}, {"b", "h:2"}, {"c", "h:3"}});

errc code_of(const result<membership>& x) {
  return x ? errc{} : x.error().code;
}

} // namespace

CAF_TEST(the configured list is version 0) {
  cluster_config x;
  x.members = {"a=h:1", "nonsense", "b=[::1]:2"};
  CAF_CHECK(configured_membership(x) == list(0, {{"a", "h:1"}, {"b", "[::1]:2"}}));
  CAF_CHECK(to_texts(three) == (std::vector<std::string>{"a=h:1", "b=h:2", "c=h:3"}));
}

CAF_TEST(members come and go one at a time) {
  auto four = with_member(three, {"d", "h:4"});
  CAF_REQUIRE(four);
  CAF_CHECK_EQUAL(four->version, 5u);
  CAF_CHECK_EQUAL(four->members.size(), 4u);
  auto again = without_member(*four, "d");
  CAF_REQUIRE(again);
  CAF_CHECK_EQUAL(again->version, 6u);
  CAF_CHECK(again->members == three.members);
}

CAF_TEST(what cannot be is refused) {
  CAF_CHECK(code_of(with_member(three, {"a", "h:9"})) == errc::invalid_parameter);
  CAF_CHECK(code_of(with_member(three, {"d", "h:2"})) == errc::invalid_parameter);
  CAF_CHECK(code_of(without_member(three, "d")) == errc::not_found);
  CAF_CHECK(code_of(without_member(list(1, {{"a", "h:1"}}), "a")) == errc::invalid_parameter);
  auto full = three;
  for (char c = 'd'; full.members.size() < members_max; ++c)
    full.members.push_back({std::string(1, c), std::string{"h:4"} + c});
  CAF_CHECK(code_of(with_member(full, {"z", "h:99"})) == errc::invalid_parameter);
}

CAF_TEST(of two lists all nodes choose the same) {
  auto newer = list(5, {{"a", "h:1"}});
  CAF_CHECK(supersedes(newer, three) && !supersedes(three, newer));
  auto forced = list(4, {{"a", "h:1"}, {"b", "h:2"}});
  CAF_CHECK(supersedes(forced, three) != supersedes(three, forced));
  CAF_CHECK(!supersedes(three, three));
}

CAF_TEST(a list is read as it was written) {
  auto back = parse_membership(to_text(three));
  CAF_REQUIRE(back);
  CAF_CHECK(*back == three);
}

CAF_TEST(what is no list is refused) {
  auto head = std::string{R"({"kind":"tidings-members-1","version":1,"members":)"};
  for (auto& text : {std::string{}, std::string{"{}"}, std::string{"[]"}, head + "[]}",
                     head + "[\"a\"]}", head + "[1]}", head + R"(["a=h:1","a=h:2"]})", head + "7}",
                     std::string{R"({"kind":"x","version":1,"members":["a=h:1"]})"},
                     std::string{R"({"kind":"tidings-members-1","members":["a=h:1"]})"}})
    CAF_CHECK(!parse_membership(text));
  CAF_CHECK(parse_membership(head + R"(["a=h:1"]})").has_value());
}
