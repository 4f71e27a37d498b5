#define CAF_SUITE topic

#include "tidings/topic.hpp"

#include "support/reference_matcher.hpp"

#include <caf/test/dsl.hpp>

#include <random>

namespace {

using namespace tidings;

bool is_topic(std::string_view x) {
  auto why = validate_topic(x);
  if (why && (why->code != errc::invalid_topic || why->detail.empty()))
    CAF_ERROR("no proper reason for " << std::string{x});
  return !why;
}

bool is_pattern(std::string_view x) {
  auto pattern = topic_pattern::parse(x);
  if (pattern && pattern->text() != x)
    CAF_ERROR("another text for " << std::string{x});
  if (!pattern && (pattern.error().code != errc::invalid_topic || pattern.error().detail.empty()))
    CAF_ERROR("no proper reason for " << std::string{x});
  return static_cast<bool>(pattern);
}

topic_pattern make(std::string_view x) {
  return *topic_pattern::parse(x);
}

bool matches(std::string_view pattern, std::string_view topic) {
  return make(pattern).matches(topic);
}

CAF_TEST(names that people use are accepted) {
  for (auto x : {"a", "orders", "order:17", "iot/plant-1/temp.c", "https://example.com/books/1",
                 "user:42:inbox", "a b", "größe/北京/🙂", "...", "a/.b/..c/d.", "a:.:b",
                 "/a/", "::", "a%2Fb", "a\"b\\c", "a$", "+", "\xc2\xa0"})
    CAF_CHECK(is_topic(x));
}

CAF_TEST(a name has 1 to 256 bytes) {
  CAF_CHECK(!is_topic(""));
  CAF_CHECK(is_topic(std::string(256, 'x')));
  CAF_CHECK(!is_topic(std::string(257, 'x')));
  CAF_CHECK(!is_topic(std::string(255, 'x') + "ü"));
}

CAF_TEST(no byte that a line or a list could stumble over is accepted) {
  for (int c = 0; c < 0x20; ++c)
    CAF_CHECK(!is_topic(std::string{'a', static_cast<char>(c), 'b'}));
  for (auto x : {"a\x7f", "a\xc2\x80", "a\xc2\x9f", "a\xe2\x80\xa8", "a\xe2\x80\xa9", "a?b", "a#b",
                 "a,b", "a*", "*", "**", " a", "a ", " "})
    CAF_CHECK(!is_topic(x));
}

CAF_TEST(bytes that are not UTF - 8 are refused) {
  for (auto x : {"\xff", "a\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xe2\x80"})
    CAF_CHECK(!is_topic(x));
}

CAF_TEST(pieces that paths lose on their way are refused) {
  for (auto x : {".", "..", "a/.", "a/..", "./a", "../a", "a/./b", "a/../b", "/.", "/../"})
    CAF_CHECK(!is_topic(x) && !is_pattern(x));
  for (auto x : {"../*", "*/..", "./**"})
    CAF_CHECK(!is_pattern(x));
}

CAF_TEST(nobody publishes to topics of the broker) {
  for (auto x : {"$", "$mailbox/ada", "$SYS", "$a:b"}) {
    CAF_CHECK(is_reserved_topic(x));
    CAF_CHECK(!is_topic(x));
    CAF_CHECK(is_pattern(x)); // but streams may name them
  }
  for (auto x : {"a$", "a/$b", " $"})
    CAF_CHECK(!is_reserved_topic(x));
  CAF_CHECK(!is_reserved_topic(""));
}

CAF_TEST(no wildcard matches a topic of the broker) {
  for (auto pattern : {"*", "**", "*/*", "*/**", "$mailbox/*", "$mailbox/**", "$*", "*:**"})
    for (auto topic : {"$", "$mailbox/ada", "$a", "$a:b"})
      if (auto x = topic_pattern::parse(pattern))
        CAF_CHECK(!x->matches(topic));
  CAF_CHECK(matches("$mailbox/ada", "$mailbox/ada"));
  CAF_CHECK(!matches("$mailbox/ada", "$mailbox/bob"));
  CAF_CHECK(matches("a/*", "a/$b"));
}

CAF_TEST(a wildcard is a whole segment) {
  for (auto x : {"*", "**", "order:*", "*:paid", "a/*/b", "*/*", "*:**", "iot/**", "a:*.b", "/*",
                 "*/", "//**", "*.*.*", "plain", "https://*/books/*"})
    CAF_CHECK(is_pattern(x));
  for (auto x : {"a*", "*a", "a/b*", "a/*b", "***", "a/***", "**/a", "a/**/b", "a**", "a/**b",
                 "**/", "*a*", "a*b", "** ", "* ", "**:*", "*/**/*"})
    CAF_CHECK(!is_pattern(x));
}

CAF_TEST(patterns obey the other rules of names) {
  for (auto x : {"", " *", "*,a", "a?/*", "*/#", "\xff/*", "*/\n"})
    CAF_CHECK(!is_pattern(x));
  CAF_CHECK(is_pattern(std::string(254, 'x') + "/*"));
  CAF_CHECK(!is_pattern(std::string(255, 'x') + "/*"));
}

CAF_TEST(patterns know their kind) {
  CAF_CHECK(make("a:b").is_exact());
  CAF_CHECK(!make("a:b").is_universal());
  CAF_CHECK(!make("a:*").is_exact());
  CAF_CHECK(!make("a:*").is_universal());
  CAF_CHECK(!make("*:**").is_universal());
  for (auto x : {"*", "**"}) {
    CAF_CHECK(!make(x).is_exact());
    CAF_CHECK(make(x).is_universal());
  }
}

CAF_TEST(one star stands for one segment) {
  CAF_CHECK(matches("order:*", "order:1"));
  CAF_CHECK(!matches("order:*", "order:1:paid"));
  CAF_CHECK(!matches("order:*", "order:1/paid"));
  CAF_CHECK(!matches("order:*", "order:1."));
  CAF_CHECK(!matches("order:*", "order:"));
  CAF_CHECK(!matches("order:*", "order"));
  CAF_CHECK(!matches("order:*", "order/1"));
  CAF_CHECK(!matches("order:*", "orders:1"));
  CAF_CHECK(matches("*:paid", "order:paid"));
  CAF_CHECK(!matches("*:paid", "a:order:paid"));
  CAF_CHECK(!matches("*:paid", ":paid"));
  CAF_CHECK(!matches("*:paid", "order:paid:x"));
  CAF_CHECK(matches("a/*/c", "a/b/c"));
  CAF_CHECK(!matches("a/*/c", "a//c"));
  CAF_CHECK(!matches("a/*/c", "a/b:c"));
  CAF_CHECK(matches("https://*.com/**", "https://example.com/books/1"));
}

CAF_TEST(two stars stand for everything below) {
  CAF_CHECK(matches("iot/**", "iot/a"));
  CAF_CHECK(matches("iot/**", "iot/a/b"));
  CAF_CHECK(matches("iot/**", "iot/a:b.c"));
  CAF_CHECK(matches("iot/**", "iot//"));
  CAF_CHECK(!matches("iot/**", "iot"));
  CAF_CHECK(!matches("iot/**", "iot/"));
  CAF_CHECK(!matches("iot/**", "iot:a"));
  CAF_CHECK(!matches("iot/**", "iota"));
  CAF_CHECK(matches("*:**", "a:b:c"));
  CAF_CHECK(!matches("*:**", "a"));
}

CAF_TEST(universal patterns match everything) {
  for (auto pattern : {"*", "**"})
    for (auto topic : {"a", "a:b", "/", "a/b/c"})
      CAF_CHECK(matches(pattern, topic));
}

CAF_TEST(the matcher agrees with the reference) {
  std::mt19937_64 random{20261121};
  auto text = [&](std::string_view alphabet) {
    std::string x;
    for (auto n = 1 + random() % 7; n != 0; --n)
      x += alphabet[random() % alphabet.size()];
    return x;
  };
  size_t positive = 0;
  size_t tried = 0;
  while (tried < 300'000) {
    auto pattern = topic_pattern::parse(text("ab::/.****"));
    auto topic = text("aab::/.");
    if (!pattern || !is_topic(topic))
      continue;
    ++tried;
    auto expected = reference_matches(pattern->text(), topic);
    positive += expected && !pattern->is_universal();
    if (pattern->matches(topic) != expected)
      CAF_FAIL("wrong: " << pattern->text() << " and " << topic);
  }
  CAF_CHECK_GREATER(positive, 2000u);
}

CAF_TEST(the wildcard rules agree with the reference) {
  std::mt19937_64 random{42};
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    for (auto n = 1 + random() % 6; n != 0; --n)
      text += "a:/**"[random() % 5];
    auto parts = cut(text);
    auto sound = true;
    for (auto& x : parts)
      if (x.find('*') != std::string::npos)
        sound = sound && (x == "*" || (x == "**" && &x == &parts.back()));
    if (is_pattern(text) != sound)
      CAF_FAIL("wrong: " << text);
  }
}

CAF_TEST(patterns are ordered by their text) {
  CAF_CHECK(make("a") < make("a:*"));
  CAF_CHECK(make("a") == make("a"));
  CAF_CHECK(make("*") != make("**"));
}

} // namespace
