#define CAF_SUITE rights

#include "tidings/rights.hpp"

#include "tidings/subscription.hpp"

#include <caf/test/dsl.hpp>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

namespace {

using namespace tidings;
using namespace std::literals;

topic_rights make(std::vector<std::string> patterns) {
  auto x = topic_rights::parse(patterns);
  CAF_REQUIRE(x);
  return *x;
}

uint64_t seed() {
  auto given = std::getenv("TIDINGS_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

// -- the reference: written from the documentation, without a look at the matcher -----------------

/// A name cut into segments and the separators behind them.
struct pieces {
  std::vector<std::string> segments{""};
  std::string separators;

  explicit pieces(std::string_view x) {
    for (auto c : x) {
      if (c == ':' || c == '/' || c == '.') {
        separators += c;
        segments.emplace_back();
      } else {
        segments.back() += c;
      }
    }
  }
};

/// What one pattern permits: `*` is one whole segment that is not empty, `**` at the end is at
/// least something, both alone are everything; what begins with `$` is never permitted.
bool reference_permits(const std::string& pattern, const std::string& topic) {
  if (!topic.empty() && topic[0] == '$')
    return false;
  if (pattern == "*" || pattern == "**")
    return true;
  pieces p{pattern};
  pieces t{topic};
  auto n = p.segments.size();
  auto deep = p.segments.back() == "**";
  if (deep) {
    if (t.segments.size() < n)
      return false;
    // Something has to stand behind the separator that `**` follows.
    size_t fixed = 0;
    for (size_t i = 0; i + 1 < n; ++i)
      fixed += t.segments[i].size() + 1;
    if (topic.size() <= fixed)
      return false;
  } else if (t.segments.size() != n) {
    return false;
  }
  for (size_t i = 0; i + 1 < n; ++i)
    if (p.separators[i] != t.separators[i])
      return false;
  for (size_t i = 0; i < n - (deep ? 1 : 0); ++i)
    if (p.segments[i] == "*" ? t.segments[i].empty() : p.segments[i] != t.segments[i])
      return false;
  return true;
}

/// Names that are near each other, so that many of them nearly match.
std::string random_name(std::mt19937_64& random, bool wildcards) {
  static const std::vector<std::string> words{
    "a", "b", "A",  "",  "aa",   "a%3Ab", "%2A",      "%2a",       "*a", "a*",
    "#", "?", "$a", "$", "user", "a b",   "\xc3\xa9", "e\xcc\x81", "..", "$mailbox"};
  static const std::vector<std::string> wild{"*", "*", "**", "***", "*"};
  std::string x;
  for (auto n = 1 + random() % 4; n != 0; --n) {
    auto& from = wildcards && random() % 3 == 0 ? wild : words;
    // Plain words more often than odd ones.
    x += &from == &words && random() % 2 == 0 ? words[random() % 3] : from[random() % from.size()];
    if (n != 1)
      x += ":/."[random() % 3];
  }
  return x;
}

CAF_TEST(rights never exceed the literal rule) {
  auto start = seed();
  CAF_MESSAGE("TIDINGS_SEED=" << start);
  std::mt19937_64 random{start};
  size_t permitted = 0;
  size_t denied = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::string> patterns;
    for (auto n = random() % 4; n != 0; --n)
      if (auto x = random_name(random, true); topic_pattern::parse(x))
        patterns.push_back(x);
    auto rights = make(patterns);
    std::set<std::string> exact;
    for (auto n = random() % 3; n != 0; --n) {
      auto x = random_name(random, false);
      exact.insert(x);
      rights.add_exact(x);
    }
    for (int i = 0; i < 20; ++i) {
      auto topic = random_name(random, i % 10 == 0);
      if (i % 4 == 1 && !patterns.empty()) // what is spelled like a pattern
        topic = patterns[random() % patterns.size()];
      auto expected = exact.count(topic) != 0;
      for (auto& pattern : patterns)
        expected = expected || reference_permits(pattern, topic);
      ++(expected ? permitted : denied);
      if (rights.permits(topic) != expected)
        CAF_FAIL("wrong about \"" << topic << "\" with " << rights.key()
                                  << ", TIDINGS_SEED=" << start);
    }
  }
  CAF_CHECK_GREATER(permitted, 20'000u);
  CAF_CHECK_GREATER(denied, 20'000u);
}

CAF_TEST(no rights permit nothing) {
  for (auto topic : {"", "a", "*", "**", "$mailbox/a", "everyone"}) {
    CAF_CHECK(!topic_rights{}.permits(topic));
    CAF_CHECK(!make({}).permits(topic));
  }
}

CAF_TEST(wildcards do not reach further than they look) {
  auto x = make({"order:*"});
  for (auto good : {"order:1", "order:*", "order:%2A"})
    CAF_CHECK(x.permits(good));
  for (auto bad : {"order", "order:", "order:1:paid", "order:1.5", "orders:1", "Order:1", "order/1",
                   "border:1", "order%3A1", ""})
    CAF_CHECK(!x.permits(bad));
  auto deep = make({"iot/**"});
  for (auto good : {"iot/a", "iot/a/b", "iot//", "iot/a:b"})
    CAF_CHECK(deep.permits(good));
  for (auto bad : {"iot", "iot/", "iota/b", "iot:a"})
    CAF_CHECK(!deep.permits(bad));
}

CAF_TEST(all is all but the topics of the broker itself) {
  auto x = topic_rights::all();
  CAF_CHECK(x.is_all());
  CAF_CHECK(x.permits("anything"));
  CAF_CHECK(!x.permits("$mailbox/alice"));
  x.add_exact("$mailbox/alice");
  CAF_CHECK(x.permits("$mailbox/alice"));
  CAF_CHECK(!x.permits("$mailbox/bob"));
  CAF_CHECK(!make({"$mailbox/alice"}).permits("$mailbox/alice")); // by its name, not by a pattern
  CAF_CHECK(!make({"$mailbox/*", "$mailbox/**", "*/alice"}).permits("$mailbox/alice"));
}

CAF_TEST(different rights have different keys) {
  auto with = [](std::vector<std::string> patterns, std::vector<std::string> exact) {
    auto x = make(std::move(patterns));
    for (auto& topic : exact)
      x.add_exact(topic);
    return x.key();
  };
  std::set<std::string> keys{with({}, {}),           with({"a"}, {}),      with({}, {"a"}),
                             with({"a", "b"}, {}),   with({"a"}, {"b"}),   with({"a;b"}, {}),
                             with({}, {"a", "b"}),   with({"a b"}, {}),    with({}, {"a;b"}),
                             with({"a b"}, {"c"}),   with({"a"}, {"b;c"}), with({"a;b"}, {"c"}),
                             with({"a"}, {"b", "c"})};
  CAF_CHECK_EQUAL(keys.size(), 13u);
  CAF_CHECK_EQUAL(with({"b", "a"}, {"d", "c"}), with({"a", "b", "a"}, {"c", "d", "c"}));
}

CAF_TEST(subscriptions with different rights are not shared) {
  auto with = [](std::vector<std::string> asked, std::vector<std::string> permitted) {
    std::vector<topic_pattern> patterns;
    for (auto& x : asked)
      patterns.push_back(*topic_pattern::parse(x));
    return subscription{std::move(patterns), make(std::move(permitted))}.key();
  };
  CAF_CHECK_NOT_EQUAL(with({"iot/*", "zeta"}, {"alpha b", "zeta", "zeta alpha"}),
                      with({"iot/*", "zeta alpha"}, {"b", "zeta", "zeta alpha"}));
  CAF_CHECK_NOT_EQUAL(with({"a:*"}, {"a:b"}), with({"a:*"}, {"a:c"}));
  CAF_CHECK_EQUAL(with({"a:*"}, {"a:b", "c"}), with({"a:*"}, {"c", "a:b"}));
}

} // namespace
