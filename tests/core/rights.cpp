#define CAF_SUITE rights

#include "tidings/rights.hpp"

#include "support/reference_matcher.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <random>

namespace {

using namespace tidings;

topic_rights make(const std::vector<std::string>& patterns) {
  return *topic_rights::parse(patterns);
}

CAF_TEST(there are no rights at first) {
  topic_rights x;
  for (auto topic : {"a", "a:b", "$a", ""})
    CAF_CHECK(!x.permits(topic));
  CAF_CHECK(!x.is_all());
  CAF_CHECK(x.patterns().empty());
  CAF_CHECK_EQUAL(x.key(), make({}).key());
}

CAF_TEST(patterns permit what they match) {
  auto x = make({"a", "order:*", "iot/**"});
  for (auto topic : {"a", "order:1", "iot/x/y"})
    CAF_CHECK(x.permits(topic));
  for (auto topic : {"b", "A", "order", "order:1:x", "iot"})
    CAF_CHECK(!x.permits(topic));
  CAF_CHECK(!x.is_all());
  CAF_CHECK_EQUAL(x.patterns().size(), 3u);
}

CAF_TEST(a pattern that is none is refused) {
  for (auto bad : {"", "a*", "**/a", "a,b", " a", "a\n"}) {
    const std::vector<std::string> patterns{"fine", bad};
    auto x = topic_rights::parse(patterns);
    CAF_REQUIRE(!x);
    CAF_CHECK(x.error().code == errc::invalid_topic);
  }
}

CAF_TEST(all is every topic but the broker's own) {
  for (auto& x : {topic_rights::all(), make({"**"}), make({"*"}), make({"a", "**"})}) {
  CAF_CHECK(x.is_all());
  CAF_CHECK(x.permits("a"));
  CAF_CHECK(x.permits("a:b/c"));
  CAF_CHECK(!x.permits("$mailbox/ada"));
  }
}

CAF_TEST(a topic of the broker is permitted only where it is added by name) {
  auto x = make({"$mailbox/ada", "$mailbox/*", "$mailbox/**"});
  CAF_CHECK(!x.permits("$mailbox/ada"));
  x.add_exact("$mailbox/ada");
  CAF_CHECK(x.permits("$mailbox/ada"));
  CAF_CHECK(!x.permits("$mailbox/bob"));
  CAF_CHECK(!x.permits("$mailbox/ada/x"));
}

CAF_TEST(equal rights have equal keys) {
  CAF_CHECK_EQUAL(make({"b", "a", "b"}).key(), make({"a", "b"}).key());
  CAF_CHECK_NOT_EQUAL(make({"a", "b"}).key(), make({"a"}).key());
  CAF_CHECK_NOT_EQUAL(make({"a"}).key(), topic_rights{}.key());
  auto x = make({"a"});
  auto y = make({"a"});
  x.add_exact("b");
  CAF_CHECK_NOT_EQUAL(x.key(), y.key());
  x.add_exact("b"); // again
  y.add_exact("b");
  CAF_CHECK_EQUAL(x.key(), y.key());
}

CAF_TEST(rights agree with their patterns one by one) {
  std::mt19937_64 random{21};
  const std::vector<std::string> texts{"a",   "b",   "a:b", "a:*",   "*:b", "a/**",
                                       "b.*", "*:*", "$a",  "a:b.c", "$a:*"};
  const std::vector<std::string> topics{"a",  "b",     "c",   "a:b",   "b:b", "a/x",
                                        "$a", "a/x/y", "b.c", "a:b.c", "$a:b"};
  for (int i = 0; i < 5000; ++i) {
    std::vector<std::string> chosen;
    for (auto n = random() % 4; n != 0; --n)
      chosen.push_back(texts[random() % texts.size()]);
    auto x = make(chosen);
    for (auto& topic : topics) {
      auto expected = !is_reserved_topic(topic)
                      && std::any_of(chosen.begin(), chosen.end(),
                                     [&](auto& y) { return reference_matches(y, topic); });
      if (x.permits(topic) != expected)
        CAF_FAIL("wrong: " << x.key() << " and " << topic);
    }
  }
}

} // namespace
