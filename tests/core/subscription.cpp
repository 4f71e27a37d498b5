#define CAF_SUITE subscription

#include "tidings/subscription.hpp"

#include "support/reference_matcher.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <random>
#include <set>

namespace {

using namespace tidings;

subscription make_set(const std::vector<std::string>& texts,
                      std::optional<topic_rights> permitted = std::nullopt) {
  std::vector<topic_pattern> patterns;
  for (auto& x : texts)
    patterns.push_back(*topic_pattern::parse(x));
  return subscription{patterns, std::move(permitted)};
}

topic_rights make_rights(const std::vector<std::string>& patterns) {
  return *topic_rights::parse(patterns);
}

CAF_TEST(no pattern at all means everything) {
  for (auto& x : {subscription{}, make_set({}), make_set({"**"}), make_set({"*"}),
                  make_set({"a", "*", "b:*"})}) {
    CAF_CHECK(x.is_universal());
    CAF_CHECK(!x.is_exact());
    CAF_CHECK(x.matches("anything"));
    CAF_CHECK(x.matches_any({"anything"}));
    CAF_CHECK(x.topics().empty());
    CAF_CHECK(x.wildcards().empty());
    CAF_CHECK_EQUAL(x.key(), "**");
  }
}

CAF_TEST(equal sets have equal keys) {
  auto x = make_set({"b", "a:*", "a", "b", "c/**", "a:*"});
  CAF_CHECK_EQUAL(x.key(), "a,a:*,b,c/**");
  auto same = make_set({"c/**", "b", "a", "a:*"});
  auto smaller = make_set({"c/**", "b", "a"});
  CAF_CHECK_EQUAL(x.key(), same.key());
  CAF_CHECK_NOT_EQUAL(x.key(), smaller.key());
  CAF_CHECK((x.topics() == std::vector<std::string>{"a", "b"}));
  CAF_REQUIRE_EQUAL(x.wildcards().size(), 2u);
  CAF_CHECK_EQUAL(x.wildcards()[0].text(), "a:*");
  CAF_CHECK_EQUAL(x.wildcards()[1].text(), "c/**");
}

CAF_TEST(a set of exact topics says so) {
  CAF_CHECK(make_set({"a", "b"}).is_exact());
  CAF_CHECK(!make_set({"a", "b:*"}).is_exact());
  CAF_CHECK(!make_set({"a", "b"}).is_universal());
}

CAF_TEST(a set matches what one of its patterns matches) {
  auto x = make_set({"a", "m", "z", "order:*"});
  for (auto topic : {"a", "m", "z", "order:1"})
    CAF_CHECK(x.matches(topic));
  for (auto topic : {"b", "aa", "order", "order:1:x", "A"})
    CAF_CHECK(!x.matches(topic));
  CAF_CHECK(x.matches_any({"b", "z"}));
  CAF_CHECK(x.matches_any({"order:7", "b"}));
  CAF_CHECK(!x.matches_any({"b", "c"}));
  CAF_CHECK(!x.matches_any({}));
}

CAF_TEST(sets agree with their patterns one by one) {
  std::mt19937_64 random{7};
  const std::vector<std::string> texts{"a",    "b",   "a:b", "a:*",  "*:b",
                                       "a/**", "b.*", "*:*", "a:b.c"};
  const std::vector<std::string> topics{"a",   "b",     "c",   "a:b",  "b:b",
                                        "a/x", "a/x/y", "b.c", "a:b.c"};
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::string> chosen;
    std::set<std::string> names;
    for (auto n = 1 + random() % 4; n != 0; --n) {
      chosen.push_back(texts[random() % texts.size()]);
      names.insert(chosen.back());
    }
    auto x = make_set(chosen);
    CAF_REQUIRE_EQUAL(x.topics().size() + x.wildcards().size(), names.size());
    for (auto& topic : topics) {
      auto expected = false;
      for (auto& text : chosen)
        expected = expected || reference_matches(text, topic);
      if (x.matches(topic) != expected)
        CAF_FAIL("wrong: " << x.key() << " and " << topic);
    }
  }
}

// -- topics of the broker
// --------------------------------------------------------------------------

CAF_TEST(only by its name is a topic of the broker asked for) {
  for (auto& x : {subscription{}, make_set({"**"}), make_set({"*"}), make_set({"*/**", "*:*"}),
                  make_set({"$mailbox/*"})})
    for (auto topic : {"$mailbox/ada", "$", "$a:b"})
      CAF_CHECK(!x.matches(topic));
  auto exact = make_set({"$mailbox/ada", "user:ada"});
  CAF_CHECK(exact.is_exact());
  CAF_CHECK(exact.matches("$mailbox/ada"));
  CAF_CHECK(!exact.matches("$mailbox/bob"));
  CAF_CHECK(exact.matches_any({"a", "$mailbox/ada"}));
  auto mixed = make_set({"$mailbox/ada", "*/*"});
  CAF_CHECK(mixed.matches("$mailbox/ada"));
  CAF_CHECK(!mixed.matches("$mailbox/bob"));
}

// -- rights
// ----------------------------------------------------------------------------------------

CAF_TEST(rights take away and never add) {
  auto x = make_set({"a", "b", "order:*"}, make_rights({"a", "order:**"}));
  CAF_CHECK(x.matches("a"));
  CAF_CHECK(!x.matches("b"));
  CAF_CHECK(x.matches("order:1"));
  CAF_CHECK(!x.matches("order:1:x")); // permitted, not asked for
  CAF_CHECK((x.topics() == std::vector<std::string>{"a"}));
  auto all = make_set({}, make_rights({"order:*"}));
  CAF_CHECK(all.is_universal());
  CAF_CHECK(all.matches("order:1"));
  CAF_CHECK(!all.matches("a"));
  auto nothing = make_set({"a", "b"}, topic_rights{});
  CAF_CHECK(nothing.is_exact());
  CAF_CHECK(!nothing.is_universal());
  CAF_CHECK(nothing.topics().empty());
  CAF_CHECK(!nothing.matches("a"));
  CAF_CHECK(!make_set({}, topic_rights{}).matches("a"));
}

CAF_TEST(a topic of the broker can be permitted by its name) {
  auto rights = make_rights({"user:ada"});
  rights.add_exact("$mailbox/ada");
  auto x = make_set({"$mailbox/ada", "$mailbox/bob", "user:ada"}, rights);
  CAF_CHECK(x.matches("$mailbox/ada"));
  CAF_CHECK(!x.matches("$mailbox/bob"));
  CAF_CHECK(!make_set({}, rights).matches("$mailbox/ada"));
  CAF_CHECK(!make_set({"$mailbox/ada"}, topic_rights::all()).matches("$mailbox/ada"));
}

std::string key_of(const std::vector<std::string>& texts,
                   std::optional<topic_rights> permitted = std::nullopt) {
  return make_set(texts, std::move(permitted)).key();
}

CAF_TEST(keys are equal where the same is delivered to the same rights) {
  auto narrow = make_rights({"order:*"});
  auto wide = make_rights({"order:**"});
  const topic_rights none;
  CAF_CHECK_EQUAL(key_of({"a", "b"}), "a,b");
  // What is not permitted does not count, and exact topics leave nothing to judge.
  CAF_CHECK_EQUAL(key_of({"order:1", "b"}, narrow), "order:1");
  CAF_CHECK_EQUAL(key_of({"order:1", "b"}, wide), "order:1");
  CAF_CHECK_EQUAL(key_of({}, topic_rights::all()), key_of({}));
  CAF_CHECK_NOT_EQUAL(key_of({}, narrow), key_of({}));
  CAF_CHECK_NOT_EQUAL(key_of({}, narrow), key_of({}, wide));
  CAF_CHECK_EQUAL(key_of({"order:*"}, narrow),
                  key_of({"order:*", "x"}, make_rights({"order:*", "order:*"})));
  CAF_CHECK_NOT_EQUAL(key_of({}, none), key_of({"a"}, none));
}

CAF_TEST(users who see the same of a pattern share a set) {
  auto of = [](const std::string& user, const std::vector<std::string>& asked) {
    auto rights = make_rights({"order:*", "user:public"});
    rights.add_exact(std::string{"user:"}.append(user));
    rights.add_exact(std::string{"$mailbox:"}.append(user));
    return make_set(asked, rights);
  };
  auto key = [&](const std::string& user, const std::vector<std::string>& asked) {
    return of(user, asked).key();
  };
  CAF_CHECK_EQUAL(key("ada", {"order:*"}), key("bob", {"order:*"}));
  CAF_CHECK_EQUAL(key("ada", {"order:*", "everyone"}), key("bob", {"order:*"}));
  // What is their own stays their own.
  CAF_CHECK_NOT_EQUAL(key("ada", {"order:*", "user:*"}), key("bob", {"order:*", "user:*"}));
  CAF_CHECK_NOT_EQUAL(key("ada", {"**"}), key("bob", {"**"}));
  for (auto& asked : {std::vector<std::string>{"order:*", "user:*"}, {"**"}}) {
    auto x = of("ada", asked);
    CAF_CHECK(x.matches("user:ada"));
    CAF_CHECK(x.matches("order:1"));
    CAF_CHECK(!x.matches("user:bob"));
    CAF_CHECK(!x.matches("$mailbox:ada"));
  }
  CAF_CHECK(of("ada", {"order:*", "$mailbox:ada"}).matches("$mailbox:ada"));
}

CAF_TEST(a set with rights matches what is asked for and permitted) {
  std::mt19937_64 random{1121};
  const std::vector<std::string> texts{"a",   "b",    "$a",  "a:b", "a:*", "*:b",  "a/**",
                                       "b.*", "$a:*", "*:*", "*",   "**",  "a:b.c"};
  const std::vector<std::string> topics{"a",   "b",     "c",  "a:b",   "b:b", "a/x",
                                        "b.c", "a/x/y", "$a", "a:b.c", "$b",  "$a:b"};
  auto some = [&](size_t least) {
    std::vector<std::string> chosen;
    for (auto n = least + random() % 4; n != 0; --n)
      chosen.push_back(texts[random() % texts.size()]);
    return chosen;
  };
  auto matches_one = [](const std::vector<std::string>& patterns, const std::string& topic) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](auto& x) { return reference_matches(x, topic); });
  };
  for (int i = 0; i < 20'000; ++i) {
    auto asked = some(0);
    auto permitted = some(0);
    std::vector<std::string> named;
    for (auto n = random() % 3; n != 0; --n)
      named.push_back(topics[random() % topics.size()]);
    auto rights = make_rights(permitted);
    for (auto& x : named)
      rights.add_exact(x);
    auto x = make_set(asked, rights);
    for (auto& topic : topics) {
      auto everything = asked.empty() && !is_reserved_topic(topic);
      auto literal = std::find(named.begin(), named.end(), topic) != named.end();
      // A pattern that is the name of a topic of the broker gives no right to it.
      auto right = literal || (!is_reserved_topic(topic) && matches_one(permitted, topic));
      // Who asks for everything beside a name asks for everything but the broker's.
      auto universal =
        std::any_of(asked.begin(), asked.end(), [](auto& y) { return y == "*" || y == "**"; });
      auto want = everything || (universal ? !is_reserved_topic(topic) : matches_one(asked, topic));
      if (x.matches(topic) != (want && right))
        CAF_FAIL("wrong: " << x.key() << " and " << topic);
    }
  }
}

} // namespace
