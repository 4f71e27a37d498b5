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

auth_key good_key() {
  return {"k", token_algorithm::eddsa, "k.pem", "", ""};
}

auth_api_key good_api_key() {
  return {"shop", std::string(64, 'a'), {"order:*"}, {}, false};
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
  // What the store cannot hold is never accepted.
  CAF_CHECK_EQUAL(problems_after([](config& x) { x.limits.topics_per_event = 33; }),
                  "limits.topics-per-event is 33 and must be between 1 and 32");
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

CAF_TEST(who can sign in may come from other machines) {
  auto with = [](auto change) {
    return problems_after([&](config& x) {
      x.server.listen = "0.0.0.0:7300";
      change(x.auth);
    });
  };
  CAF_CHECK_EQUAL(with([](auto& x) { x.keys = {good_key()}; }), "");
  CAF_CHECK_EQUAL(with([](auto& x) { x.api_keys = {good_api_key()}; }), "");
  CAF_CHECK_EQUAL(with([](auto& x) { x.proxies = {"10.0.0.7"}; }), "");
  CAF_CHECK(contains(with([](auto& x) { x.audience = "a"; }), "nobody has to sign in"));
}

CAF_TEST(settings for signing in are checked) {
  auto with = [](auto change) { return problems_after([&](config& x) { change(x.auth); }); };
  CAF_CHECK_EQUAL(with([](auto& x) { x.leeway = 1min; }), "");
  CAF_CHECK_EQUAL(with([](auto& x) { x.leeway = 0ms; }), "");
  CAF_CHECK(contains(with([](auto& x) { x.leeway = 61s; }), "auth.leeway is 1m1s"));
  CAF_CHECK(contains(with([](auto& x) { x.token_lifetime_max = 0ms; }), "auth.token-lifetime-max"));
  CAF_CHECK(contains(with([](auto& x) { x.query_token_lifetime_max = 0ms; }),
                     "auth.query-token-lifetime-max"));
  CAF_CHECK_EQUAL(with([](auto& x) { x.cookie.clear(); }), "");
  CAF_CHECK_EQUAL(with([](auto& x) { x.cookie = "__Host-tidings"; }), "");
  for (auto bad : {"a b", "a=b", "a;b", "a,b", "\"a\"", "\xc3\xa9"})
    CAF_CHECK(contains(with([&](auto& x) { x.cookie = bad; }), "auth.cookie"));
  for (auto bad : {"", "X User", "X:User", "Authorization", "cookie", "X-API-Key", "Host"})
    CAF_CHECK(contains(with([&](auto& x) { x.proxy_header = bad; }), "auth.proxy-header"));
  for (auto bad : {"localhost", "10.0.0.7/24", "0.0.0.0/0"})
    CAF_CHECK(contains(with([&](auto& x) { x.proxies = {bad}; }), "auth.proxies: "));
  CAF_CHECK(contains(with([](auto& x) {
                       x.proxies = {"10.0.0.7"};
                       x.proxy_publish = {"a**"};
                     }),
                     "auth.proxy-publish: \"a**\": A pattern"));
  CAF_CHECK(contains(with([](auto& x) {
                       x.proxies = {"10.0.0.7"};
                       x.proxy_admins = {"me"};
                     }),
                     "auth.proxy-admins"));
}

CAF_TEST(settings that would do nothing are mistakes) {
  auto with = [](auto change) { return problems_after([&](config& x) { change(x.auth); }); };
  for (auto field :
       {&auth_config::proxy_publish, &auth_config::proxy_subscribe, &auth_config::proxy_admins}) {
    CAF_CHECK(contains(with([&](auto& x) { x.*field = {"a"}; }), "no proxy is trusted"));
    CAF_CHECK_EQUAL(with([&](auto& x) {
                      x.*field = {"a"};
                      x.proxies = {"10.0.0.7"};
                    }),
                    "");
  }
  for (auto field : {&auth_config::anonymous_publish, &auth_config::anonymous_subscribe}) {
    CAF_CHECK(contains(with([&](auto& x) { x.*field = {"a"}; }), "everybody may do everything"));
    CAF_CHECK_EQUAL(with([&](auto& x) {
                      x.*field = {"a"};
                      x.keys = {good_key()};
                    }),
                    "");
  }
}

CAF_TEST(keys for tokens are checked) {
  auto with = [](auto change) {
    return problems_after([&](config& x) {
      x.auth.keys = {good_key()};
      change(x.auth.keys[0]);
    });
  };
  CAF_CHECK_EQUAL(with([](auto&) {}), "");
  CAF_CHECK(contains(with([](auto& x) { x.id.clear(); }), "needs an id"));
  CAF_CHECK(contains(with([](auto& x) { x.file.clear(); }), "needs either a file or a secret"));
  CAF_CHECK(contains(with([](auto& x) { x.secret = "s"; }), "not both"));
  CAF_CHECK(contains(with([](auto& x) {
                       x.file.clear();
                       x.secret = "s";
                     }),
                     "only HS256 has a secret; EdDSA needs"));
  CAF_CHECK(contains(problems_after([](config& x) {
                       x.auth.keys = {good_key(), good_key()};
                     }),
                     "another key has this id"));
}

CAF_TEST(API keys are checked) {
  auto with = [](auto change) {
    return problems_after([&](config& x) {
      x.auth.api_keys = {good_api_key()};
      change(x.auth.api_keys[0]);
    });
  };
  CAF_CHECK_EQUAL(with([](auto&) {}), "");
  CAF_CHECK(contains(with([](auto& x) { x.name.clear(); }), "needs a name"));
  for (auto& bad : {std::string{}, std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'g'),
                    std::string(62, 'a')})
    CAF_CHECK(contains(with([&](auto& x) { x.sha256 = bad; }), "sha256 must be 64"));
  CAF_CHECK(contains(with([](auto& x) {
                       x.publish = {"a", "b**"};
                     }),
                     "[[auth.api-key]] \"shop\": publish: \"b**\""));
  CAF_CHECK(contains(with([](auto& x) { x.subscribe = {"a?"}; }), "subscribe: \"a?\""));
  auto two = [](auto change) {
    return problems_after([&](config& x) {
      x.auth.api_keys = {good_api_key(), good_api_key()};
      x.auth.api_keys[1].name = "other";
      x.auth.api_keys[1].sha256 = std::string(64, 'b');
      change(x.auth.api_keys[1]);
    });
  };
  CAF_CHECK_EQUAL(two([](auto&) {}), "");
  CAF_CHECK(contains(two([](auto& x) { x.name = "shop"; }), "another key has this name"));
  CAF_CHECK(contains(two([](auto& x) { x.sha256 = std::string(64, 'A'); }), "is the same key as"));
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
  CAF_CHECK_EQUAL(
    problems_after([](config& x) { x.topics.level = durability::quorum; }),
    "topics.level quorum needs a cluster: name its members in [cluster], or use fsync");
  auto rule = rule_for("a");
  rule.level = durability::quorum;
  CAF_CHECK(
    contains(problems_after([&](config& x) { x.topic = {rule}; }), "[[topic]] \"a\": level"));
}

CAF_TEST(views wait for a time and ask a bounded number) {
  auto with = [](milliseconds timeout, uint32_t requests) {
    return problems_after([=](config& x) {
      x.cluster.node = "a";
      x.cluster.members = {"a=127.0.0.1:7400", "b=127.0.0.1:7401"};
      x.cluster.secret = std::string(32, 's');
      x.cluster.view_timeout = timeout;
      x.cluster.view_requests = requests;
    });
  };
  CAF_CHECK_EQUAL(with(1ms, 1), "");
  CAF_CHECK_EQUAL(with(1h, 16), "");
  CAF_CHECK(contains(with(0ms, 8), "cluster.view-timeout"));
  CAF_CHECK(contains(with(1s, 0), "cluster.view-requests"));
  CAF_CHECK(contains(with(1s, 17), "between 1 and 16"));
}

CAF_TEST(events are no longer than what nodes can exchange) {
  auto with = [](uint64_t event_bytes) {
    return problems_after([=](config& x) {
      x.cluster.node = "a";
      x.cluster.members = {"a=127.0.0.1:7400", "b=127.0.0.1:7401"};
      x.cluster.secret = std::string(32, 's');
      x.limits.event_bytes = event_bytes;
    });
  };
  CAF_CHECK_EQUAL(with(448 * 1024), "");
  CAF_CHECK(contains(with(448 * 1024 + 1), "that nodes of a cluster can exchange"));
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
