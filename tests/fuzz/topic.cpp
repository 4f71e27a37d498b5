// Topics, patterns and subscriptions against a matcher that cannot be wrong. Parts: patterns, each
// on a line, and a topic.

#include "fuzz/fuzz.hpp"
#include "support/reference_matcher.hpp"
#include "tidings/subscription.hpp"
#include "tidings/text.hpp"

void tidings::fuzz::run(std::string_view input) {
  parts all{input};
  auto lines = all.next();
  auto topic = all.rest();
  auto is_topic = !validate_topic(topic);
  if (is_topic)
    require(is_utf8(topic) && is_single_line(topic) && topic.size() <= topic_bytes_max
              && topic.find_first_of("*,") == topic.npos,
            "a topic has the letters of one");
  std::vector<topic_pattern> patterns;
  auto expected = false;
  while (!lines.empty() && patterns.size() < 20) {
    auto text = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), text.size() + 1));
    auto x = topic_pattern::parse(text);
    if (!x)
      continue;
    require(x->text() == text, "a pattern keeps its spelling");
    if (is_topic) {
      auto matches = reference_matches(text, topic);
      require(x->matches(topic) == matches, "a pattern and its letters disagree");
      expected = expected || matches;
    }
    patterns.push_back(*std::move(x));
  }
  if (!is_topic || patterns.empty())
    return;
  auto reversed = patterns;
  std::reverse(reversed.begin(), reversed.end());
  subscription who{patterns};
  require(who.matches(topic) == expected, "a subscription is its patterns together");
  require(subscription{reversed}.key() == who.key(), "their order does not matter");
}
