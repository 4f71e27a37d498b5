#define CAF_SUITE config

#include "tidings/config.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>

namespace {

using namespace tidings;
using namespace std::chrono_literals;

std::string problems(const config& x) {
  auto why = validate(x);
  if (!why)
    return {};
  CAF_CHECK(why->code == errc::invalid_configuration);
  return why->detail;
}

/// What is wrong with the defaults after a change.
template <class F>
std::string problems_after(F change) {
  config x;
  change(x);
  return problems(x);
}

topic_rule rule_for(std::string_view pattern) {
  return {*topic_pattern::parse(pattern)};
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

CAF_TEST(the defaults are good) {
  CAF_CHECK_EQUAL(problems(config{}), "");
}

CAF_TEST(names all problems at once) {
  auto all = problems_after([](config& x) {
    x.limits.batch_events = 0;
    x.storage.directory.clear();
    x.stream.retry_min = 10s;
    x.log.level = "loud";
  });
  CAF_CHECK_EQUAL(std::count(all.begin(), all.end(), '\n'), 3);
  for (auto key : {"limits.batch-events", "storage.directory", "stream.retry-min", "log.level"})
    CAF_CHECK(contains(all, key));
}

CAF_TEST(says what is wrong and what would be right) {
  CAF_CHECK_EQUAL(problems_after([](config& x) { x.limits.header_bytes = 12; }),
                  "limits.header-bytes is 12 and must be between 1KiB and 1MiB");
  CAF_CHECK_EQUAL(problems_after([](config& x) { x.limits.connections = 0; }),
                  "limits.connections is 0 and must be at least 1");
  CAF_CHECK_EQUAL(problems_after([](config& x) { x.stream.heartbeat_interval = 50ms; }),
                  "stream.heartbeat-interval is 50ms and must be at least 100ms, or 0 for no "
                  "heartbeats");
  CAF_CHECK_EQUAL(problems_after([](config& x) { x.log.level = "loud"; }),
                  "log.level must be one of trace, debug, info, warn, error, off, not \"loud\"");
}

CAF_TEST(listening beyond this machine without sign - in must be meant) {
  auto open = [](bool allowed) {
    return problems_after([allowed](config& x) {
      x.server.listen = "0.0.0.0:7300";
      x.server.allow_open = allowed;
    });
  };
  CAF_CHECK(contains(open(false), "server.allow-open = true"));
  CAF_CHECK_EQUAL(open(true), "");
  CAF_CHECK(contains(problems_after([](config& x) { x.server.listen = "7300"; }),
                     "server.listen: \"7300\" is not HOST:PORT"));
}

CAF_TEST(an origin is spelled as browsers send it) {
  auto with = [](std::vector<std::string> origins) {
    return problems_after([&](config& x) { x.server.cors_origins = std::move(origins); });
  };
  CAF_CHECK_EQUAL(with({"*"}), "");
  CAF_CHECK_EQUAL(with({"https://a.example", "http://localhost:8080", "capacitor://localhost"}),
                  "");
  CAF_CHECK_EQUAL(with({"http://[::1]:8080"}), "");
  CAF_CHECK(contains(with({"*", "https://a.example"}), "every origin"));
  for (auto bad : {"", "a.example", "https://", "://a.example", "https://a.example/",
                   "https://a.example/x", "https://*.example", "https://A.example",
                   "https://a.example:443", "http://a.example:80", "https://u@a.example", "null"})
    CAF_CHECK(contains(with({bad}), "server.cors-origins"));
}

CAF_TEST(TLS needs certificate and key) {
  CAF_CHECK_EQUAL(problems_after([](config& x) { x.tls = {"c.pem", "k.pem"}; }), "");
  CAF_CHECK(contains(problems_after([](config& x) { x.tls = {"c.pem", ""}; }), "tls.key is not"));
  CAF_CHECK(contains(problems_after([](config& x) {
                       x.tls = {"", "k.pem"};
                     }),
                     "tls.certificate is not"));
}

CAF_TEST(limits fit into each other) {
  CAF_CHECK(contains(problems_after([](config& x) { x.limits.event_bytes = 2 * 1024 * 1024; }),
                     "limits.event-bytes is 2MiB, more than the 1MiB of limits.body-bytes"));
  CAF_CHECK(contains(problems_after([](config& x) { x.limits.publish_bytes = 1000; }),
                     "limits.publish-bytes is 1000, less than the 1MiB"));
  CAF_CHECK(contains(problems_after([](config& x) { x.storage.group_bytes = 1ull << 32; }),
                     "storage.group-bytes"));
}

CAF_TEST(mailboxes have bounds) {
  CAF_CHECK_EQUAL(problems_after([](config& x) {
                    x.mailbox.ttl = 0ms;
                    x.mailbox.keep_read = 0ms;
                  }),
                  "");
  CAF_CHECK(contains(problems_after([](config& x) { x.mailbox.items_max = 0; }),
                     "mailbox.items-max is 0 and must be at least 1"));
  CAF_CHECK(contains(problems_after([](config& x) { x.mailbox.active_max = 0; }),
                     "mailbox.active-max is 0 and must be at least 1"));
  CAF_CHECK(contains(problems_after([](config& x) { x.mailbox.page_items = 0; }),
                     "mailbox.page-items is 0 and must be between 1 and 10000"));
  CAF_CHECK(contains(problems_after([](config& x) { x.mailbox.changes_ttl = 0ms; }),
                     "mailbox.changes-ttl is 0 and must be at least 1s"));
}

CAF_TEST(a time to live stays below its bound) {
  auto with = [](milliseconds ttl, milliseconds ttl_max) {
    return problems_after([=](config& x) {
      x.topics.ttl = ttl;
      x.topics.ttl_max = ttl_max;
    });
  };
  CAF_CHECK_EQUAL(with(1h, 1h), "");
  CAF_CHECK_EQUAL(with(0ms, 0ms), "");
  CAF_CHECK_EQUAL(with(2h, 1h), "topics.ttl is 2h, more than topics.ttl-max, which is 1h");
  CAF_CHECK(contains(with(0ms, 1h), "0 (for ever)"));
}

CAF_TEST(quorum waits for the cluster) {
  CAF_CHECK_EQUAL(problems_after([](config& x) { x.topics.level = durability::quorum; }),
                  "topics.level quorum needs a cluster, which this version does not have yet: use "
                  "fsync");
  auto rule = rule_for("a");
  rule.level = durability::quorum;
  CAF_CHECK(
    contains(problems_after([&](config& x) { x.topic = {rule}; }), "[[topic]] \"a\": level"));
}

CAF_TEST(topic rules inherit what they do not name) {
  auto rule = rule_for("order:*");
  rule.ttl_max = 1h;
  CAF_CHECK_EQUAL(problems_after([&](config& x) { x.topic = {rule}; }),
                  "[[topic]] \"order:*\": ttl is 7d as in topics.ttl, more than ttl-max, which is "
                  "1h");
  rule.ttl = 30min;
  CAF_CHECK_EQUAL(problems_after([&](config& x) { x.topic = {rule}; }), "");
  rule.ttl = 30 * 24h;
  rule.ttl_max.reset();
  CAF_CHECK_EQUAL(problems_after([&](config& x) { x.topic = {rule}; }), "");
  CAF_CHECK(contains(problems_after([&](config& x) {
                       x.topic = {rule};
                       x.topics.ttl_max = 7 * 24h;
                     }),
                     "as in topics.ttl-max"));
}

CAF_TEST(a topic rule that never applies is a mistake) {
  auto order = [](std::string_view first, std::string_view second) {
    return problems_after([&](config& x) { x.topic = {rule_for(first), rule_for(second)}; });
  };
  CAF_CHECK_EQUAL(order("order:1", "order:*"), "");
  CAF_CHECK_EQUAL(order("order:*", "*:paid"), "");
  CAF_CHECK(contains(order("order:*", "order:1"), "\"order:1\" never applies: \"order:*\""));
  CAF_CHECK(contains(order("a", "a"), "never applies"));
  CAF_CHECK(contains(order("**", "iot/**"), "never applies"));
}

CAF_TEST(nothing about storing goes with ephemeral topics) {
  auto rule = rule_for("typing/**");
  rule.ephemeral = true;
  rule.rate_per_second = 5;
  rule.level = durability::none;
  CAF_CHECK_EQUAL(problems_after([&](config& x) { x.topic = {rule}; }), "");
  rule.ttl = 1h;
  rule.ttl_max = 1h;
  rule.level = durability::fsync;
  rule.retention = {1, 1};
  auto all = problems_after([&](config& x) { x.topic = {rule}; });
  CAF_CHECK_EQUAL(std::count(all.begin(), all.end(), '\n'), 4);
}

} // namespace
