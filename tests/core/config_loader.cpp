#define CAF_SUITE config_loader

#include "tidings/config_loader.hpp"

#include "support/field_count.hpp"
#include "support/scratch_file.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>

namespace {

using namespace tidings;
using namespace std::chrono_literals;

result<config> load_text(std::string_view toml) {
  scratch_file file{toml};
  return load_config({.file = file.path()});
}

/// What the loader says about a file, which it calls FILE.
std::string problems_of(std::string_view toml) {
  scratch_file file{toml};
  auto x = load_config({.file = file.path()});
  if (x)
    return {};
  CAF_CHECK(x.error().code == errc::invalid_configuration);
  auto text = x.error().detail;
  for (auto i = text.find(file.path()); i != std::string::npos; i = text.find(file.path()))
    text.replace(i, file.path().size(), "FILE");
  return text;
}

std::string problems_of(const config_sources& from) {
  auto x = load_config(from);
  return x ? std::string{} : x.error().detail;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// -- values --------------------------------------------------------------------------------------

CAF_TEST(no source at all gives the defaults) {
  auto x = load_config({});
  CAF_REQUIRE(x);
  CAF_CHECK_EQUAL(x->server.listen, "127.0.0.1:7300");
  CAF_CHECK(!x->storage.reserve);
}

CAF_TEST(a file sets values of every type) {
  auto x = load_text(R"(
    log.format = "json"
    [server]
    listen = "[::1]:80"
    io-threads = 3
    drain-timeout = 0
    allow-open = true
    cors-origins = ["https://a.example", "https://b.example"]
    [limits]
    body-bytes = "2MiB"
    event-bytes = 1000
    [stream]
    heartbeat = "event"
    heartbeat-interval = "1m30s"
    [topics]
    level = "written"
    [storage]
    reserve = "1GiB"
  )");
  CAF_REQUIRE(x);
  CAF_CHECK(x->log.format == log_format::json);
  CAF_CHECK_EQUAL(x->server.listen, "[::1]:80");
  CAF_CHECK_EQUAL(x->server.io_threads, 3u);
  CAF_CHECK(x->server.drain_timeout == 0ms);
  CAF_CHECK(x->server.allow_open);
  CAF_CHECK_EQUAL(x->server.cors_origins,
                  (std::vector<std::string>{"https://a.example", "https://b.example"}));
  CAF_CHECK_EQUAL(x->limits.body_bytes, 2u * 1024 * 1024);
  CAF_CHECK_EQUAL(x->limits.event_bytes, 1000u);
  CAF_CHECK(x->stream.heartbeat == heartbeat_shape::event);
  CAF_CHECK(x->stream.heartbeat_interval == 90s);
  CAF_CHECK(x->topics.level == durability::written);
  CAF_CHECK(x->storage.reserve == 1024u * 1024 * 1024);
}

CAF_TEST(a file sets topic rules in their order) {
  auto x = load_text(R"(
    [[topic]]
    pattern = "order:*"
    ttl = "30d"
    ttl-max = "90d"
    level = "none"
    keep = 1000
    keep-bytes = "1MiB"
    rate-per-second = 5
    [[topic]]
    pattern = "typing/**"
    ephemeral = true
  )");
  CAF_REQUIRE(x);
  CAF_REQUIRE_EQUAL(x->topic.size(), 2u);
  auto& first = x->topic[0];
  CAF_CHECK_EQUAL(first.pattern.text(), "order:*");
  CAF_CHECK(first.ttl == 30 * 24h);
  CAF_CHECK(first.ttl_max == 90 * 24h);
  CAF_CHECK(first.level == durability::none);
  CAF_CHECK_EQUAL(first.retention.events_max, 1000u);
  CAF_CHECK_EQUAL(first.retention.bytes_max, 1024u * 1024);
  CAF_CHECK_EQUAL(first.rate_per_second, 5u);
  CAF_CHECK(!first.ephemeral);
  auto& second = x->topic[1];
  CAF_CHECK_EQUAL(second.pattern.text(), "typing/**");
  CAF_CHECK(second.ephemeral);
  CAF_CHECK(!second.ttl);
}

CAF_TEST(a file sets who may sign in) {
  auto x = load_text(R"(
    [auth]
    audience = "tidings"
    proxies = ["10.0.0.7", "fd00::/8"]
    leeway = "5s"
    [[auth.key]]
    id = "a"
    algorithm = "ES256"
    file = "a.pem"
    issuer = "https://login.example"
    [[auth.key]]
    id = "b"
    algorithm = "HS256"
    secret = "0123456789abcdef0123456789abcdef"
    [[auth.api-key]]
    name = "shop"
    sha256 = "726e3f71f766881c21c44457b69c62f2f88c0fb52fa089b1e37bfb5782812e2c"
    publish = ["order:*", "news"]
    admin = true
  )");
  CAF_REQUIRE(x);
  CAF_CHECK_EQUAL(x->auth.audience, "tidings");
  CAF_CHECK_EQUAL(x->auth.proxies.size(), 2u);
  CAF_CHECK(x->auth.leeway == 5s);
  CAF_REQUIRE_EQUAL(x->auth.keys.size(), 2u);
  CAF_CHECK_EQUAL(x->auth.keys[0].id, "a");
  CAF_CHECK(x->auth.keys[0].algorithm == token_algorithm::es256);
  CAF_CHECK_EQUAL(x->auth.keys[0].file, "a.pem");
  CAF_CHECK_EQUAL(x->auth.keys[0].issuer, "https://login.example");
  CAF_CHECK(x->auth.keys[1].algorithm == token_algorithm::hs256);
  CAF_CHECK_EQUAL(x->auth.keys[1].secret, "0123456789abcdef0123456789abcdef");
  CAF_REQUIRE_EQUAL(x->auth.api_keys.size(), 1u);
  CAF_CHECK_EQUAL(x->auth.api_keys[0].name, "shop");
  CAF_CHECK_EQUAL(x->auth.api_keys[0].publish, (std::vector<std::string>{"order:*", "news"}));
  CAF_CHECK(x->auth.api_keys[0].subscribe.empty());
  CAF_CHECK(x->auth.api_keys[0].admin);
}

CAF_TEST(the stronger source wins) {
  scratch_file file{"[stream]\nretry-min = \"1s\"\nretry-max = \"2s\"\nqueue-events = 1\n"};
  config_sources from{file.path(),
                      {{"TIDINGS_STREAM_RETRY_MAX", "3s"}, {"TIDINGS_STREAM_QUEUE_EVENTS", "2"}},
                      {"stream.queue-events=3", "stream.queue-events=4"}};
  auto x = load_config(from);
  CAF_REQUIRE(x);
  CAF_CHECK(x->stream.retry_min == 1s);
  CAF_CHECK(x->stream.retry_max == 3s);
  CAF_CHECK_EQUAL(x->stream.queue_events, 4u);
}

CAF_TEST(variables and assignments hold lists with commas) {
  config_sources from;
  from.environment = {{"TIDINGS_SERVER_CORS_ORIGINS", "https://a.example, https://b.example"}};
  auto two = load_config(from);
  CAF_REQUIRE(two);
  CAF_CHECK_EQUAL(two->server.cors_origins,
                  (std::vector<std::string>{"https://a.example", "https://b.example"}));
  from.assignments = {"server.cors-origins="};
  auto none = load_config(from);
  CAF_REQUIRE(none);
  CAF_CHECK(none->server.cors_origins.empty());
  from.assignments = {"server.cors-origins=https://a.example,"};
  CAF_CHECK(contains(problems_of(from), "server.cors-origins must be a list"));
}

CAF_TEST(a variable may name a file that holds the value) {
  scratch_file file{"broker data\r\n"};
  config_sources from{{}, {{"TIDINGS_STORAGE_DIRECTORY_FILE", file.path()}}, {}};
  auto x = load_config(from);
  CAF_REQUIRE(x);
  CAF_CHECK_EQUAL(x->storage.directory, "broker data");
  from.environment["TIDINGS_STORAGE_DIRECTORY"] = "other";
  CAF_CHECK_EQUAL(problems_of(from), "TIDINGS_STORAGE_DIRECTORY_FILE: TIDINGS_STORAGE_DIRECTORY is "
                                     "set too: remove one of the two");
  from.environment = {{"TIDINGS_STORAGE_DIRECTORY_FILE", file.path() + ".gone"}};
  CAF_CHECK(contains(problems_of(from), "cannot be read: No such file"));
}

CAF_TEST(variables of container platforms are not meant for us) {
  config_sources from{{},
                      {{"TIDINGS_SERVICE_HOST", "10.0.0.1"},
                       {"TIDINGS_SERVICE_PORT", "7300"},
                       {"TIDINGS_SERVICE_PORT_HTTP", "7300"},
                       {"TIDINGS_PORT", "tcp://10.0.0.1:7300"},
                       {"TIDINGS_PORT_7300_TCP", "tcp://10.0.0.1:7300"},
                       {"TIDINGS_PORT_7300_TCP_PROTO", "tcp"},
                       {"TIDINGS_WEB_PORT_7300_TCP_ADDR", "10.0.0.1"}},
                      {}};
  CAF_CHECK_EQUAL(problems_of(from), "");
  from.environment = {{"TIDINGS_PORT", "8080"}};
  CAF_CHECK(contains(problems_of(from), "TIDINGS_PORT: there is no such setting"));
}

// -- problems ------------------------------------------------------------------------------------

CAF_TEST(problems of a file come with their place and in its order) {
  CAF_CHECK_EQUAL(
    problems_of("[stream]\nretry-min = 30\n\n[log]\nlevel = \"loud\"\n"
                "[server]\nio-threads = \"4\"\n"),
    "FILE:2:13: stream.retry-min must be a duration with its unit, such as 500ms, 30s, "
    "5m, 12h or 7d, not 30\n"
    "FILE:5:9: log.level must be one of trace, debug, info, warn, error, off, not "
    "\"loud\"\n"
    "FILE:7:14: server.io-threads must be a whole number, not \"4\"");
}

CAF_TEST(unknown keys and sections are refused) {
  CAF_CHECK_EQUAL(problems_of("[stream]\nhartbeat-interval = \"1s\"\n"),
                  "FILE:2:1: there is no setting stream.hartbeat-interval; did you mean "
                  "stream.heartbeat-interval?");
  CAF_CHECK_EQUAL(problems_of("[streams]\n"),
                  "FILE:1:2: there is no section [streams]; did you mean stream?");
  CAF_CHECK_EQUAL(problems_of("listen = \"127.0.0.1:1\"\n"),
                  "FILE:1:1: the setting listen is in no section; did you mean server.listen?");
  CAF_CHECK_EQUAL(problems_of("[server]\nheartbeat_interval = \"1s\"\n"),
                  "FILE:2:1: there is no setting server.heartbeat_interval; did you mean "
                  "stream.heartbeat-interval?");
  CAF_CHECK_EQUAL(problems_of("[server]\nwibble = 1\n"),
                  "FILE:2:1: there is no setting server.wibble");
  CAF_CHECK_EQUAL(problems_of("server = 1\n"),
                  "FILE:1:1: server is a section: write [server], and its settings on the lines "
                  "below");
  CAF_CHECK_EQUAL(problems_of("[log.level]\nx = 1\n"),
                  "FILE:1:1: log.level must be one of trace, debug, info, warn, error, off, not a "
                  "table");
}

CAF_TEST(a file gives each value as its type) {
  auto all = problems_of(R"([server]
listen = 7300
allow-open = "true"
io-threads = 4294967296
cors-origins = "https://a.example"
drain-timeout = 1.5
[limits]
body-bytes = -1
wait-max = 2026-01-01
[storage]
directory = "a\nb"
readers = -1
[topics]
ttl = "36501d"
)");
  CAF_CHECK_EQUAL(std::count(all.begin(), all.end(), '\n'), 9);
  for (auto part : {"not 7300", "true or false, not \"true\"", "not 4294967296",
                    "without commas, not \"https://a.example\"", "not a number with a fraction",
                    "not -1", "not a date or time", "without line breaks", "readers", "topics.ttl"})
    CAF_CHECK(contains(all, part));
}

CAF_TEST(list items are texts without commas) {
  for (auto bad : {"[\"\"]", "[\"https://a.example,https://b.example\"]", "[1]", "[[]]", "[{}]"})
    CAF_CHECK(contains(problems_of("[server]\ncors-origins = " + std::string{bad}),
                       "FILE:2:16: server.cors-origins must be a list"));
}

CAF_TEST(topic rules are checked like everything else) {
  CAF_CHECK_EQUAL(problems_of("[[topic]]\nttl = \"1d\"\n"),
                  "FILE:1:1: a [[topic]] needs to say which topics it is for, such as pattern = "
                  "\"order:*\"");
  CAF_CHECK(contains(problems_of("[[topic]]\npattern = \"a**b\"\n"), "FILE:2:11: pattern must be"));
  CAF_CHECK(contains(problems_of("[[topic]]\npattern = \"a\"\nkep = 1\n"),
                     "FILE:3:1: there is no setting kep in a [[topic]]; did you mean keep?"));
  CAF_CHECK(contains(problems_of("[topic]\npattern = \"a\"\n"), "two pairs of brackets"));
  CAF_CHECK(contains(problems_of("[[topic]]\npattern = \"a\"\n[[topic]]\npattern = \"a\"\n"),
                     "FILE:4:11: [[topic]] \"a\" never applies"));
}

CAF_TEST(keys are checked like everything else) {
  CAF_CHECK_EQUAL(problems_of("[[auth.key]]\nfile = \"a.pem\"\n"),
                  "FILE:1:1: an [[auth.key]] needs an id, such as id = \"2026-11\"\n"
                  "FILE:1:1: an [[auth.key]] needs its algorithm, such as algorithm = \"EdDSA\"");
  CAF_CHECK_EQUAL(problems_of("[[auth.api-key]]\n"),
                  "FILE:1:1: an [[auth.api-key]] needs the hash of the key, as tidings token hash "
                  "prints it\n"
                  "FILE:1:1: an [[auth.api-key]] needs the name of who has it, such as name = "
                  "\"shop\"");
  const std::string key = "[[auth.key]]\nid = \"a\"\nfile = \"a.pem\"\n";
  CAF_CHECK_EQUAL(problems_of(key + "algorithm = \"none\"\n"),
                  "FILE:4:13: algorithm must be one of HS256, RS256, ES256, EdDSA, not \"none\"");
  CAF_CHECK(contains(problems_of(key + "algorithm = \"eddsa\"\n"), "one of HS256"));
  CAF_CHECK(contains(problems_of(key + "algoritm = \"EdDSA\"\n"),
                     "FILE:4:1: there is no setting algoritm in an [[auth.key]]; did you mean "
                     "algorithm?"));
  CAF_CHECK(contains(problems_of("[[auth.api_key]]\nname = \"a\"\n"),
                     "there is no setting auth.api_key; did you mean auth.api-key?"));
  CAF_CHECK(contains(problems_of("[auth.key]\nid = \"a\"\n"), "two pairs of brackets"));
  CAF_CHECK(contains(problems_of("[[auth.api-key]]\nname = \"a\"\nsha256 = \"12\"\n"),
                     "FILE:3:10: [[auth.api-key]] \"a\": sha256 must be 64"));
  CAF_CHECK(contains(problems_of(key + "algorithm = \"EdDSA\"\n" + key + "algorithm = \"EdDSA\"\n"),
                     "FILE:6:6: [[auth.key]] \"a\": another key has this id"));
}

CAF_TEST(a secret is not repeated) {
  const std::string key = "[[auth.key]]\nid = \"a\"\nalgorithm = \"HS256\"\n";
  for (auto& bad :
       {problems_of(key + "secret = \"s3cret\\nline\"\n"), problems_of(key + "secret = 4711\n"),
        problems_of(key + "secret = \"s3cret\"\nfile = \"a\"\n")}) {
    CAF_CHECK(contains(bad, "FILE:4:10: "));
    CAF_CHECK(!contains(bad, "s3cret"));
    CAF_CHECK(!contains(bad, "4711"));
  }
  scratch_file file{key + "secret = \"s3cret of thirty-two bytes or more\"\n"};
  auto text = explain_config({.file = file.path()});
  CAF_REQUIRE(text);
  CAF_CHECK(!contains(*text, "s3cret"));
  CAF_CHECK(contains(*text, "\n#secret = \"(not shown)\""));
  auth_key shown;
  shown.secret = "s3cret";
  for (auto& x : describe(shown))
    CAF_CHECK(!contains(x.value, "s3cret"));
}

CAF_TEST(a file that is no TOML names the place) {
  CAF_CHECK(contains(problems_of("[server]\nlisten = 127.0.0.1:7300\n"), "FILE:2:"));
  CAF_CHECK(contains(problems_of("[server]\nlisten = \"a\"\nlisten = \"b\"\n"), "FILE:3:"));
  CAF_CHECK(contains(problems_of("[server\n"), "this is not TOML"));
}

CAF_TEST(a file that cannot be read is a problem) {
  CAF_CHECK(contains(problems_of(config_sources{.file = "no-such-file.toml"}),
                     "no-such-file.toml: cannot be read: No such file"));
  CAF_CHECK(contains(problems_of(config_sources{.file = "/"}), "/: cannot be read"));
}

CAF_TEST(all sources are checked at once) {
  scratch_file file{"[log]\nlevel = 3\n"};
  auto all = problems_of(config_sources{
    file.path(),
    {{"TIDINGS_STREAM_HEARTBEAT_INTERVAL", "30"}, {"TIDINGS_STREAM_HEARTBEAT_INTERVALL", "30s"}},
    {"stream.retry-min", "stream.retrymin=1s", "stream.max-age=old"}});
  CAF_CHECK_EQUAL(std::count(all.begin(), all.end(), '\n'), 5);
  CAF_CHECK(contains(all,
                     "TIDINGS_STREAM_HEARTBEAT_INTERVAL: stream.heartbeat-interval must be a "
                     "duration with its unit, such as 500ms, 30s, 5m, 12h or 7d, not \"30\"\n"));
  CAF_CHECK(contains(all, "TIDINGS_STREAM_HEARTBEAT_INTERVALL: there is no such setting; did you "
                          "mean TIDINGS_STREAM_HEARTBEAT_INTERVAL?"));
  CAF_CHECK(contains(all, "command line: \"stream.retry-min\" is not SECTION.KEY=VALUE"));
  CAF_CHECK(contains(all, "command line: there is no setting stream.retrymin; did you mean "
                          "stream.retry-min?"));
  CAF_CHECK(contains(all, "command line: stream.max-age must be a duration"));
}

CAF_TEST(rules across settings name the place of a setting) {
  CAF_CHECK_EQUAL(problems_of("[limits]\nevent-bytes = \"2MiB\"\n"),
                  "FILE:2:15: limits.event-bytes is 2MiB, more than the 1MiB of limits.body-bytes "
                  "that the request around it may have");
  CAF_CHECK(contains(problems_of("[limits]\nbody-bytes = \"1KiB\"\n"),
                     "FILE:2:14: limits.event-bytes is 256KiB"));
  CAF_CHECK_EQUAL(problems_of(config_sources{.environment = {{"TIDINGS_TLS_KEY", "k.pem"}}}),
                  "TIDINGS_TLS_KEY: tls.key is set and tls.certificate is not: TLS needs both");
}

CAF_TEST(what follows from a bad value is not held against another) {
  CAF_CHECK(!contains(problems_of("[tls]\nkey = \"k.pem\"\ncertificate = 1\n"), "TLS needs both"));
}

// -- descriptions --------------------------------------------------------------------------------

CAF_TEST(every description reads back as an assignment) {
  auto all = describe(config{});
  config_sources from;
  for (auto& x : all) {
    from.assignments.push_back(x.key + '=' + x.value);
    CAF_CHECK(!x.help.empty());
    CAF_CHECK(!x.type.empty());
  }
  auto again = load_config(from);
  CAF_REQUIRE(again);
  auto values = describe(*again);
  for (size_t i = 0; i < all.size(); ++i)
    CAF_CHECK_EQUAL(values[i].value, all[i].value);
}

CAF_TEST(every variable is found) {
  config_sources from;
  for (auto& x : describe(config{}))
    from.environment[x.environment] = x.value;
  CAF_CHECK_EQUAL(problems_of(from), "");
}

CAF_TEST(every field has its setting) {
  auto all = describe(config{});
  auto count = [&all](std::string_view section) {
    return static_cast<size_t>(std::count_if(
      all.begin(), all.end(), [section](auto& x) { return x.key.starts_with(section); }));
  };
  CAF_CHECK_EQUAL(count("server."), field_count<server_config>());
  CAF_CHECK_EQUAL(count("tls."), field_count<tls_config>());
  CAF_CHECK_EQUAL(count("limits."), field_count<limits_config>());
  CAF_CHECK_EQUAL(count("stream."), field_count<stream_config>());
  CAF_CHECK_EQUAL(count("topics."), field_count<topics_config>());
  CAF_CHECK_EQUAL(count("storage.") + 1, field_count<storage_config>()); // and is_member
  CAF_CHECK_EQUAL(count("mailbox."), field_count<mailbox_config>());
  CAF_CHECK_EQUAL(count("log."), field_count<log_config>());
  CAF_CHECK_EQUAL(count("cluster."), field_count<cluster_config>());
  CAF_CHECK_EQUAL(field_count<config>(), 13u); // ten sections, [[profile]], [[schema]], [[topic]]
  // With [[auth.key]] and [[auth.api-key]].
  CAF_CHECK_EQUAL(count("auth.") + 2, field_count<auth_config>());
  CAF_CHECK_EQUAL(describe(auth_key{}).size(), field_count<auth_key>());
  CAF_CHECK_EQUAL(describe(profile_rule{}).size(), field_count<profile_rule>());
  CAF_CHECK_EQUAL(describe(schema_rule{}).size(), field_count<schema_rule>());
  CAF_CHECK_EQUAL(describe(auth_api_key{}).size(), field_count<auth_api_key>());
}

CAF_TEST(only some changes need a restart) {
  config before;
  config after;
  CAF_CHECK(needs_restart(before, after).empty());
  after.log.level = "debug";
  after.stream.retry_max = 1min;
  after.topic.push_back({*topic_pattern::parse("a")});
  CAF_CHECK(needs_restart(before, after).empty());
  after.server.listen = "127.0.0.1:1";
  after.storage.readers = 3;
  CAF_CHECK_EQUAL(needs_restart(before, after),
                  (std::vector<std::string>{"server.listen", "storage.readers"}));
}

CAF_TEST(a new certificate is a reload and TLS itself a restart) {
  config plain;
  config first;
  first.tls = {"a.pem", "a.key"};
  config second;
  second.tls = {"b.pem", "b.key"};
  CAF_CHECK(needs_restart(first, second).empty());
  CAF_CHECK_EQUAL(needs_restart(plain, first), std::vector<std::string>{"tls.certificate"});
}

CAF_TEST(the explained configuration names sources and loads again) {
  scratch_file file{"[storage]\ndirectory = \"a \\\"b\\\" \\\\ c\"\n[[topic]]\npattern = \"a\"\n"
                    "ttl = 0\n[[auth.key]]\nid = \"k\"\nalgorithm = \"EdDSA\"\nfile = \"k.pem\"\n"};
  config_sources from{file.path(),
                      {{"TIDINGS_SERVER_CORS_ORIGINS", "https://a.example,https://b.example"}},
                      {"log.level=debug"}};
  auto text = explain_config(from);
  CAF_REQUIRE(text);
  auto has = [&](std::string_view line, std::string_view source) {
    auto begin = text->find("\n" + std::string{line} + ' ');
    CAF_REQUIRE_NOT_EQUAL(begin, std::string::npos);
    auto end = text->find('\n', begin + 1);
    CAF_CHECK(text->substr(begin, end - begin).ends_with("# " + std::string{source}));
  };
  has("directory = \"a \\\"b\\\" \\\\ c\"", file.path() + ":2:13");
  has("cors-origins = [\"https://a.example\", \"https://b.example\"]",
      "TIDINGS_SERVER_CORS_ORIGINS");
  has("level = \"debug\"", "command line");
  has("retry-min = \"1s\"", "default");
  has("pattern = \"a\"", file.path() + ":4:11");
  auto again = load_text(*text);
  auto expected = load_config(from);
  CAF_REQUIRE(again);
  CAF_REQUIRE(expected);
  auto left = describe(*again);
  auto right = describe(*expected);
  for (size_t i = 0; i < left.size(); ++i)
    CAF_CHECK_EQUAL(left[i].value, right[i].value);
  CAF_CHECK_EQUAL(again->topic.size(), 1u);
  CAF_REQUIRE_EQUAL(again->auth.keys.size(), 1u);
  CAF_CHECK_EQUAL(again->auth.keys[0].file, "k.pem");
}

} // namespace
