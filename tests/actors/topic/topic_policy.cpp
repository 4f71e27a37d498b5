#define CAF_SUITE topic_policy

#include "actors/topic/topic_policy.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;

namespace {

topic_rule rule(std::string_view pattern) {
  return {.pattern = *topic_pattern::parse(pattern)};
}

publish_item item(std::vector<std::string> topics) {
  publish_item x;
  x.what.content.topics = std::move(topics);
  return x;
}

} // namespace

CAF_TEST(what is not asked for comes from the topic) {
  config cfg;
  cfg.topics.ttl = milliseconds{500};
  cfg.topics.level = durability::written;
  auto x = item({"a"});
  topic_policy{"a", cfg}.apply(x, 1);
  settle_expiry(x, 1000);
  CAF_CHECK(x.level == durability::written);
  CAF_CHECK_EQUAL(x.what.content.expires_at_ms, 1500);
  CAF_CHECK(!x.ephemeral);
}

CAF_TEST(the first rule that matches wins) {
  config cfg;
  cfg.topic.push_back(rule("order:*"));
  cfg.topic.push_back(rule("**"));
  cfg.topic[0].retention.events_max = 10;
  cfg.topic[1].ephemeral = true;
  auto order = item({"order:1"});
  topic_policy{"order:1", cfg}.apply(order, 1);
  CAF_CHECK(!order.ephemeral);
  CAF_REQUIRE_EQUAL(order.retention.size(), 1u);
  CAF_CHECK_EQUAL(order.retention[0].events_max, 10u);
  auto other = item({"other"});
  topic_policy{"other", cfg}.apply(other, 1);
  CAF_CHECK(other.ephemeral);
}

CAF_TEST(settings do not reach the broker s own topics) {
  config cfg;
  cfg.topics.ttl_max = milliseconds{10};
  cfg.topics.level = durability::quorum;
  cfg.topic.push_back(rule("$revocations"));
  cfg.topic[0].retention.events_max = 1;
  cfg.topic[0].ephemeral = true;
  auto x = item({"$revocations"});
  x.what.ttl = milliseconds{500};
  x.what.level = durability::fsync;
  topic_policy{"$revocations", cfg}.apply(x, 1);
  settle_expiry(x, 1000);
  CAF_CHECK(!x.outcome.refused);
  CAF_CHECK(!x.ephemeral);
  CAF_CHECK(x.level == durability::fsync);
  CAF_CHECK(x.retention.empty());
  CAF_CHECK_EQUAL(x.what.content.expires_at_ms, 1500);
}

CAF_TEST(less than the level of the topic is refused and more is taken) {
  config cfg;
  cfg.topics.level = durability::written;
  auto less = item({"a"});
  less.what.level = durability::none;
  topic_policy{"a", cfg}.apply(less, 1);
  CAF_REQUIRE(less.outcome.refused);
  CAF_CHECK(less.outcome.refused->code == errc::level_too_low);
  auto more = item({"a"});
  more.what.level = durability::fsync;
  topic_policy{"a", cfg}.apply(more, 1);
  CAF_CHECK(more.level == durability::fsync);
}

CAF_TEST(an event of several topics is stored if one of them stores and lives
           as long as the strictest allows) {
  config cfg;
  cfg.topic.push_back(rule("short"));
  cfg.topic.push_back(rule("typing"));
  cfg.topic[0].ttl_max = milliseconds{100};
  cfg.topic[1].ephemeral = true;
  auto x = item({"typing", "short"});
  x.what.ttl = milliseconds{0};
  topic_policy{"typing", cfg}.apply(x, 1);
  CAF_CHECK(x.ephemeral);
  topic_policy{"short", cfg}.apply(x, 1);
  settle_expiry(x, 1000);
  CAF_CHECK(!x.ephemeral);
  CAF_CHECK_EQUAL(x.what.content.expires_at_ms, 1100);
}

CAF_TEST(a rate lets a burst of one second pass and then refills) {
  config cfg;
  cfg.topic.push_back(rule("a"));
  cfg.topic[0].rate_per_second = 2;
  topic_policy policy{"a", cfg};
  auto admitted = [&](int64_t now) {
    auto x = item({"a"});
    policy.apply(x, now);
    return !x.outcome.refused;
  };
  CAF_CHECK(admitted(1));
  CAF_CHECK(admitted(1));
  CAF_CHECK(!admitted(1));
  CAF_CHECK(!admitted(400));
  CAF_CHECK(admitted(600));
  CAF_CHECK(!admitted(600));
}
