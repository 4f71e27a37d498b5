#include "tidings/config.hpp"

#include "config_problem.hpp"
#include "setting_table.hpp"
#include "tidings/address_block.hpp"
#include "tidings/listen_address.hpp"
#include "tidings/mailbox.hpp"
#include "tidings/membership.hpp"
#include "tidings/record_limits.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <algorithm>
#include <string_view>

namespace tidings {

namespace {

using namespace std::chrono_literals;

constexpr uint64_t kib = 1024;
constexpr uint64_t mib = 1024 * kib;
constexpr uint64_t gib = 1024 * mib;

/// The longest data of an event that fits into what nodes have under way, with all that is around
/// it.
constexpr uint64_t replicated_event_bytes_max = 448 * kib;

std::string count(uint64_t x) {
  return std::to_string(x);
}

std::string bytes(uint64_t x) {
  return format_bytes(x);
}

std::string in_quotes(std::string_view x) {
  return '"' + for_log(x) + '"';
}

/// 0 in the configuration stands for something that never ends.
std::string lifetime(milliseconds x) {
  return x.count() == 0 ? "0 (for ever)" : format_duration(x);
}

class checker {
public:
  explicit checker(const config& x) : x_(x) {
    // nop
  }

  std::vector<config_problem> run() && {
    check_server();
    check_tls();
    check_auth();
    check_limits();
    check_stream();
    check_topics();
    check_storage();
    check_mailbox();
    check_cluster();
    check_log();
    for (size_t i = 0; i < x_.profile.size(); ++i)
      check_profile(i);
    for (size_t i = 0; i < x_.schema.size(); ++i)
      check_schema(i);
    for (size_t i = 0; i < x_.topic.size(); ++i)
      check_rule(i);
    return std::move(problems_);
  }

private:
  // -- sections ----------------------------------------------------------------------------------

  void check_server() {
    auto& x = x_.server;
    if (auto address = listen_address::parse(x.listen); !address)
      complain({"server.listen"}, "server.listen: " + address.error().detail);
    else if (!address->loopback && !x.allow_open && !has_sign_in(x_.auth))
      complain(
        {"server.listen", "server.allow-open"},
        "server.listen " + x.listen
          + " can be reached by other machines and nobody has to sign in: listen on 127.0.0.1, "
            "configure a way to sign in ([auth]), or set server.allow-open = true if this is "
            "meant");
    at_most("server.io-threads", x.io_threads, 1024, count);
    not_negative("server.drain-timeout", x.drain_timeout);
    for (auto& origin : x.cors_origins)
      if (auto why = origin_problem(origin); !why.empty())
        complain({"server.cors-origins"}, "server.cors-origins: " + in_quotes(origin) + why);
  }

  void check_tls() {
    auto& x = x_.tls;
    if (x.certificate.empty() == x.key.empty())
      return;
    std::string given = x.key.empty() ? "tls.certificate" : "tls.key";
    std::string missing = x.key.empty() ? "tls.key" : "tls.certificate";
    complain({given, missing}, given + " is set and " + missing + " is not: TLS needs both");
  }

  void check_auth() {
    auto& x = x_.auth;
    // More would only lengthen the life of every token.
    between("auth.leeway", x.leeway, 0ms, 60'000ms, format_duration);
    at_least("auth.token-lifetime-max", x.token_lifetime_max, 1000ms, format_duration);
    at_least("auth.query-token-lifetime-max", x.query_token_lifetime_max, 1000ms, format_duration);
    if (!x.cookie.empty() && !is_name(x.cookie))
      complain({"auth.cookie"}, "auth.cookie must be the name of a cookie, without blanks and "
                                "punctuation, not "
                                  + in_quotes(x.cookie));
    if (!is_name(x.proxy_header) || is_taken(x.proxy_header))
      complain({"auth.proxy-header"}, "auth.proxy-header must be the name of a header of its own, "
                                      "such as X-User-Id, not "
                                        + in_quotes(x.proxy_header));
    for (auto& block : x.proxies)
      if (auto parsed = address_block::parse(block); !parsed)
        complain({"auth.proxies"}, "auth.proxies: " + parsed.error().detail);
    for (auto& user : x.proxy_admins)
      if (auto why = validate_user(user))
        complain({"auth.proxy-admins"},
                 "auth.proxy-admins: " + in_quotes(user) + ": " + why->detail);
    check_patterns("auth.proxy-publish", x.proxy_publish);
    check_patterns("auth.proxy-subscribe", x.proxy_subscribe);
    check_patterns("auth.anonymous-publish", x.anonymous_publish);
    check_patterns("auth.anonymous-subscribe", x.anonymous_subscribe);
    if (x.proxies.empty()) {
      needs("auth.proxy-publish", x.proxy_publish, "auth.proxies", no_proxy);
      needs("auth.proxy-subscribe", x.proxy_subscribe, "auth.proxies", no_proxy);
      needs("auth.proxy-admins", x.proxy_admins, "auth.proxies", no_proxy);
    }
    if (!has_sign_in(x)) {
      needs("auth.anonymous-publish", x.anonymous_publish, "auth.proxies", no_sign_in);
      needs("auth.anonymous-subscribe", x.anonymous_subscribe, "auth.proxies", no_sign_in);
    }
    for (size_t i = 0; i < x.keys.size(); ++i)
      check_key(i);
    for (size_t i = 0; i < x.api_keys.size(); ++i)
      check_api_key(i);
  }

  void check_limits() {
    auto& x = x_.limits;
    between("limits.header-bytes", x.header_bytes, kib, mib, bytes);
    at_least("limits.header-fields", x.header_fields, 1, count);
    // The encoded form of one commit is addressed with 32 bits; escaped data grows up to sevenfold.
    between("limits.body-bytes", x.body_bytes, 1, 256 * mib, bytes);
    between("limits.event-bytes", x.event_bytes, 1, 64 * mib, bytes);
    if (x.event_bytes > x.body_bytes)
      complain({"limits.event-bytes", "limits.body-bytes"},
               "limits.event-bytes is " + bytes(x.event_bytes) + ", more than the "
                 + bytes(x.body_bytes)
                 + " of limits.body-bytes that the request around it may have");
    if (x.publish_bytes < x.body_bytes)
      complain({"limits.publish-bytes", "limits.body-bytes"},
               "limits.publish-bytes is " + bytes(x.publish_bytes) + ", less than the "
                 + bytes(x.body_bytes)
                 + " of limits.body-bytes: the largest request would never "
                   "be accepted");
    if (x.transfer_bytes < std::max(x.body_bytes, 16 * mib))
      complain({"limits.transfer-bytes"}, "limits.transfer-bytes is " + bytes(x.transfer_bytes)
                                            + "; it must be at least 16MiB, and limits.body-bytes");
    at_least("limits.batch-events", x.batch_events, 1, count);
    between("limits.topics-per-event", x.topics_per_event, 1, record_topics_max, count);
    between("limits.topics-per-stream", x.topics_per_stream, 1, 100'000, count);
    at_least("limits.connections", x.connections, 1, count);
    at_least("limits.page-records", x.page_records, 1, count);
    positive("limits.header-timeout", x.header_timeout);
    positive("limits.body-timeout", x.body_timeout);
    positive("limits.idle-timeout", x.idle_timeout);
    positive("limits.write-timeout", x.write_timeout);
    positive("limits.publish-timeout", x.publish_timeout);
    not_negative("limits.wait-max", x.wait_max);
  }

  void check_stream() {
    auto& x = x_.stream;
    if (x.heartbeat_event.empty() || !is_utf8(x.heartbeat_event)
        || !is_single_line(x.heartbeat_event))
      complain({"stream.heartbeat-event"},
               "stream.heartbeat-event must be a name without line breaks, not "
                 + in_quotes(x.heartbeat_event));
    if (!is_utf8(x.heartbeat_data))
      complain({"stream.heartbeat-data"}, "stream.heartbeat-data must be UTF-8");
    if (x.heartbeat_interval.count() != 0)
      at_least("stream.heartbeat-interval", x.heartbeat_interval, 100ms, format_duration,
               ", or 0 for no heartbeats");
    positive("stream.retry-min", x.retry_min);
    if (x.retry_min > x.retry_max)
      complain({"stream.retry-min", "stream.retry-max"},
               "stream.retry-min is " + format_duration(x.retry_min)
                 + ", more than stream.retry-max, which is " + format_duration(x.retry_max));
    if (x.max_age.count() != 0)
      at_least("stream.max-age", x.max_age, 1000ms, format_duration, ", or 0 for never");
    between("stream.chunk-bytes", x.chunk_bytes, 4 * kib, 64 * mib, bytes);
    between("stream.unsent-bytes", x.unsent_bytes, 4 * kib, 64 * mib, bytes);
    at_least("stream.queue-events", x.queue_events, 1, count);
  }

  void check_topics() {
    auto& x = x_.topics;
    not_negative("topics.ttl", x.ttl);
    not_negative("topics.ttl-max", x.ttl_max);
    if (outlives(x.ttl, x.ttl_max))
      complain({"topics.ttl", "topics.ttl-max"}, "topics.ttl is " + lifetime(x.ttl)
                                                   + ", more than topics.ttl-max, which is "
                                                   + format_duration(x.ttl_max));
    if (x.level == durability::quorum && !x_.cluster.enabled())
      complain({"topics.level"}, "topics.level" + no_quorum());
    at_least("topics.active-max", x.active_max, 1, count);
    positive("topics.idle-timeout", x.idle_timeout);
  }

  void check_storage() {
    auto& x = x_.storage;
    if (x.directory.empty())
      complain({"storage.directory"}, "storage.directory must name a directory");
    at_least("storage.idempotency-window", x.idempotency_window, 1000ms, format_duration);
    at_least("storage.gap-memory", x.gap_memory, 1000ms, format_duration);
    at_least("storage.compaction-interval", x.compaction_interval, 1000ms, format_duration);
    between("storage.write-buffer-bytes", x.write_buffer_bytes, mib, 4 * gib, bytes);
    between("storage.readers", x.readers, 1, 64, count);
    between("storage.group-events", x.group_events, 1, 1'000'000, count);
    between("storage.group-bytes", x.group_bytes, 1, 64 * mib, bytes); // see limits.body-bytes
  }

  void check_mailbox() {
    auto& x = x_.mailbox;
    not_negative("mailbox.ttl", x.ttl);
    at_least("mailbox.items-max", x.items_max, 1, count);
    not_negative("mailbox.keep-read", x.keep_read);
    at_least("mailbox.changes-ttl", x.changes_ttl, 1000ms, format_duration);
    at_least("mailbox.active-max", x.active_max, 1, count);
    positive("mailbox.idle-timeout", x.idle_timeout);
    between("mailbox.page-items", x.page_items, 1, 10'000, count);
  }

  void check_cluster() {
    auto& x = x_.cluster;
    if (x.enabled() && x_.limits.event_bytes > replicated_event_bytes_max)
      complain({"limits.event-bytes"},
               "limits.event-bytes is " + bytes(x_.limits.event_bytes) + ", more than the "
                 + bytes(replicated_event_bytes_max)
                 + " that nodes of a cluster can exchange; keep what is larger elsewhere and "
                   "publish where it is");
    if (!x.enabled()) {
      if (!x.members.empty())
        complain({"cluster.node", "cluster.members"},
                 "cluster.members are named, but not which of them this node is: set cluster.node");
      return;
    }
    if (x.members.size() > members_max)
      complain({"cluster.members"},
               "cluster.members are more than " + std::to_string(members_max)
                 + ": every member keeps every event, which does not go further");
    std::vector<cluster_member> seen;
    for (auto& text : x.members) {
      auto member = parse_member(text);
      if (!member) {
        complain({"cluster.members"},
                 "cluster.members: " + in_quotes(text) + " is not written like a=10.0.0.1:7400");
        continue;
      }
      for (auto& other : seen)
        if (other.name == member->name || other.address == member->address)
          complain({"cluster.members"}, "cluster.members: " + in_quotes(text) + " and "
                                          + in_quotes(other.name + "=" + other.address)
                                          + " have the same name or address");
      seen.push_back(std::move(*member));
    }
    auto self = std::find_if(seen.begin(), seen.end(),
                             [&](const cluster_member& member) { return member.name == x.node; });
    if (self == seen.end())
      complain({"cluster.node", "cluster.members"},
               "cluster.node " + in_quotes(x.node) + " is not one of cluster.members");
    if (x.name.empty() || x.name.size() > 64)
      complain({"cluster.name"}, "cluster.name must have 1 to 64 bytes");
    if (x.secret.empty() == x.secret_file.empty())
      complain({"cluster.secret", "cluster.secret-file"},
               std::string{"a cluster needs either cluster.secret or cluster.secret-file"}
                 + (x.secret.empty() ? "" : ", not both"));
    constexpr size_t secret_bytes_min = 32;
    if (!x.secret.empty() && x.secret.size() < secret_bytes_min)
      complain({"cluster.secret"},
               "cluster.secret must have at least " + std::to_string(secret_bytes_min) + " bytes");
    auto given = !x.certificate.empty() + !x.key.empty() + !x.authority.empty();
    if (given != 0 && given != 3)
      complain({"cluster.certificate", "cluster.key", "cluster.authority"},
               "TLS between members needs cluster.certificate, cluster.key and cluster.authority");
    positive("cluster.join-timeout", x.join_timeout);
    positive("cluster.quorum-timeout", x.quorum_timeout);
    positive("cluster.change-timeout", x.change_timeout);
    between("cluster.window-bytes", x.window_bytes, mib, gib, bytes);
    positive("cluster.view-timeout", x.view_timeout);
    constexpr uint32_t view_requests_max = 16; // answers are far below what a link holds back
    between("cluster.view-requests", x.view_requests, 1, view_requests_max, count);
  }

  void check_log() {
    auto& field = find_setting("log.level")->field;
    if (config scratch; !field.read(x_.log.level, scratch))
      complain({"log.level"}, "log.level must be " + requirement(field.kind, field.choices)
                                + ", not " + in_quotes(x_.log.level));
  }

  // -- keys --------------------------------------------------------------------------------------

  void check_key(size_t i) {
    auto& all = x_.auth.keys;
    auto& x = all[i];
    auto key = [i](std::string_view name) { return table_key("auth.key", i, name); };
    auto what = "[[auth.key]] " + in_quotes(x.id);
    if (x.id.empty())
      complain({key("id")}, "an [[auth.key]] needs an id");
    for (size_t earlier = 0; earlier < i; ++earlier)
      if (all[earlier].id == x.id)
        complain({key("id"), table_key("auth.key", earlier, "id")},
                 what + ": another key has this id: each needs its own");
    if (x.file.empty() == x.secret.empty())
      complain({key("secret"), key("file"), key("id")},
               what + " needs either a file or a secret" + (x.file.empty() ? "" : ", not both"));
    else if (!x.secret.empty() && x.algorithm != token_algorithm::hs256)
      complain({key("secret"), key("algorithm")}, what + ": only HS256 has a secret; "
                                                    + to_string(x.algorithm)
                                                    + " needs the file of a public key");
  }

  void check_api_key(size_t i) {
    auto& all = x_.auth.api_keys;
    auto& x = all[i];
    auto key = [i](std::string_view name) { return table_key("auth.api-key", i, name); };
    auto what = "[[auth.api-key]] " + in_quotes(x.name);
    if (x.name.empty())
      complain({key("name")}, "an [[auth.api-key]] needs a name");
    if (!from_hex(x.sha256) || x.sha256.size() != 64)
      complain({key("sha256")}, what
                                  + ": sha256 must be 64 hexadecimal digits, as tidings token hash "
                                    "prints them");
    for (size_t earlier = 0; earlier < i; ++earlier) {
      if (all[earlier].name == x.name)
        complain({key("name"), table_key("auth.api-key", earlier, "name")},
                 what + ": another key has this name: each needs its own");
      if (auto hash = from_hex(x.sha256); hash && hash == from_hex(all[earlier].sha256))
        complain({key("sha256"), table_key("auth.api-key", earlier, "sha256")},
                 what + " is the same key as " + in_quotes(all[earlier].name));
    }
    check_patterns(key("publish"), x.publish, what + ": publish");
    check_patterns(key("subscribe"), x.subscribe, what + ": subscribe");
  }

  // -- profiles ----------------------------------------------------------------------------------

  void check_profile(size_t i) {
    auto& x = x_.profile[i];
    auto key = [i](std::string_view name) { return table_key("profile", i, name); };
    auto what = "[[profile]] " + std::to_string(i + 1);
    for (size_t earlier = 0; earlier < i; ++earlier)
      if (x_.profile[earlier].kind == x.kind)
        complain({key("kind"), table_key("profile", earlier, "kind")},
                 what + " is about the same profile as an earlier one");
    if (x.mount && !x.mount->empty()
        && (x.mount->front() != '/' || x.mount->back() == '/'
            || x.mount->find_first_of("?# %") != std::string::npos))
      complain({key("mount")}, what + ": mount must be a path such as /old");
    if (x.mount && !x.mount->empty() && x.kind == profile_kind::topics)
      complain({key("mount")}, what + ": the path of topics is /events and cannot be moved");
    if (x.heartbeat_interval && x.heartbeat_interval->count() != 0
        && *x.heartbeat_interval < std::chrono::seconds{1})
      complain({key("heartbeat-interval")}, what + ": heartbeat-interval must be 0 or at least 1s");
    if (x.test_aids && x.kind != profile_kind::notifications)
      complain({key("test-aids")}, what + ": only notifications has test-aids");
    if (x.queue_events && *x.queue_events == 0)
      complain({key("queue-events")}, what + ": queue-events must be at least 1");
  }

  // -- schemas -----------------------------------------------------------------------------------

  void check_schema(size_t i) {
    auto& x = x_.schema[i];
    auto key = [i](std::string_view name) { return table_key("schema", i, name); };
    auto what = "[[schema]] " + in_quotes(x.type);
    if (x.type.empty())
      complain({key("type")}, what + ": type must name the type of the events");
    if (x.file.empty())
      complain({key("file")}, what + ": file must name a JSON Schema");
    if (x.bytes_max == 0)
      complain({key("bytes-max")}, what + ": bytes-max must be at least 1");
    for (size_t earlier = 0; earlier < i; ++earlier)
      if (x_.schema[earlier].type == x.type)
        complain({key("type"), table_key("schema", earlier, "type")},
                 what + ": another one is for this type: each needs its own");
  }

  // -- topic rules -------------------------------------------------------------------------------

  void check_rule(size_t i) {
    auto& x = x_.topic[i];
    auto key = [i](std::string_view name) { return rule_key(i, name); };
    auto what = "[[topic]] " + in_quotes(x.pattern.text());
    for (size_t earlier = 0; earlier < i; ++earlier) {
      auto& pattern = x_.topic[earlier].pattern;
      if (!covers(pattern, x.pattern))
        continue;
      complain({key("pattern"), rule_key(earlier, "pattern")},
               what + " never applies: " + in_quotes(pattern.text())
                 + " comes before it and the first match wins");
      break;
    }
    auto ttl = x.ttl.value_or(x_.topics.ttl);
    auto ttl_max = x.ttl_max.value_or(x_.topics.ttl_max);
    if ((x.ttl || x.ttl_max) && outlives(ttl, ttl_max))
      complain({key(x.ttl ? "ttl" : "ttl-max"), "topics.ttl", "topics.ttl-max"},
               what + ": ttl is " + lifetime(ttl) + (x.ttl ? "" : " as in topics.ttl")
                 + ", more than ttl-max, which is " + format_duration(ttl_max)
                 + (x.ttl_max ? "" : " as in topics.ttl-max"));
    if (x.level == durability::quorum && !x_.cluster.enabled())
      complain({key("level")}, what + ": level" + no_quorum());
    if (x.ephemeral)
      check_ephemeral(x, what, key);
  }

  void check_ephemeral(const topic_rule& x, const std::string& what, auto key) {
    auto refuse = [&](std::string_view name) {
      complain({key(name), key("ephemeral")},
               what + ": events of an ephemeral topic are not stored, so " + std::string{name}
                 + " means nothing there: remove one of the two");
    };
    if (x.ttl)
      refuse("ttl");
    if (x.ttl_max)
      refuse("ttl-max");
    if (x.level && *x.level != durability::none)
      refuse("level");
    if (x.retention.events_max != 0)
      refuse("keep");
    if (x.retention.bytes_max != 0)
      refuse("keep-bytes");
  }

  static std::string rule_key(size_t i, std::string_view name) {
    return table_key("topic", i, name);
  }

  static bool covers(const topic_pattern& earlier, const topic_pattern& later) {
    return earlier == later || earlier.is_universal()
           || (later.is_exact() && earlier.matches(later.text()));
  }

  // -- pieces ------------------------------------------------------------------------------------

  static constexpr std::string_view no_proxy = "no proxy is trusted to name a user";
  static constexpr std::string_view no_sign_in =
    "nobody can sign in, so that everybody may do everything: configure a way to sign in";

  /// A list that would do nothing.
  void needs(const std::string& key, const std::vector<std::string>& list, const std::string& other,
             std::string_view why) {
    if (!list.empty())
      complain({key, other}, key + " is set and " + std::string{why});
  }

  void check_patterns(const std::string& key, const std::vector<std::string>& patterns,
                      const std::string& name = {}) {
    for (auto& x : patterns)
      if (auto parsed = topic_pattern::parse(x); !parsed)
        complain({key},
                 (name.empty() ? key : name) + ": " + in_quotes(x) + ": " + parsed.error().detail);
  }

  /// Whether a text is a token as HTTP has them for the names of headers and cookies.
  static bool is_name(std::string_view x) {
    return !x.empty() && std::all_of(x.begin(), x.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
             || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
    });
  }

  /// Whether a header has a meaning already that must not be mixed up with a user.
  static bool is_taken(std::string_view x) {
    std::string lower{x};
    for (auto& c : lower)
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return lower == "authorization" || lower == "cookie" || lower == "x-api-key" || lower == "host";
  }

  static bool outlives(milliseconds ttl, milliseconds ttl_max) {
    return ttl_max.count() != 0 && (ttl.count() == 0 || ttl > ttl_max);
  }

  static std::string no_quorum() {
    return " quorum needs a cluster: name its members in [cluster], or use fsync";
  }

  /// Browsers send an origin in exactly one spelling; any other would never match.
  std::string origin_problem(const std::string& x) const {
    if (x == "*")
      return x_.server.cors_origins.size() == 1
               ? ""
               : " stands for every origin: remove the others or remove it";
    auto scheme = x.find("://");
    if (scheme == 0 || scheme == std::string::npos || scheme + 3 == x.size())
      return " is not an origin: write it like https://app.example.com or http://localhost:8080";
    if (x.find_first_of("/?#@ \t*", scheme + 3) != std::string::npos)
      return " must be scheme, host and port only, without a path, a slash at its end or wildcards";
    if (std::any_of(x.begin(), x.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
      return " must be in lower case, as browsers send it";
    if ((x.starts_with("https://") && x.ends_with(":443"))
        || (x.starts_with("http://") && x.ends_with(":80")))
      return " must not name the default port: browsers leave it out";
    return {};
  }

  template <class T, class Show>
  void at_least(std::string_view key, T value, std::type_identity_t<T> least, Show show,
                std::string_view otherwise = {}) {
    if (value < least)
      out_of_range(key, show(value), "at least " + show(least) + std::string{otherwise});
  }

  template <class T, class Show>
  void at_most(std::string_view key, T value, std::type_identity_t<T> most, Show show) {
    if (value > most)
      out_of_range(key, show(value), "at most " + show(most));
  }

  template <class T, class Show>
  void between(std::string_view key, T value, std::type_identity_t<T> least,
               std::type_identity_t<T> most, Show show) {
    if (value < least || value > most)
      out_of_range(key, show(value), "between " + show(least) + " and " + show(most));
  }

  void positive(std::string_view key, milliseconds value) {
    at_least(key, value, 1ms, format_duration);
  }

  void not_negative(std::string_view key, milliseconds value) {
    at_least(key, value, 0ms, format_duration);
  }

  void out_of_range(std::string_view key, const std::string& value, const std::string& range) {
    std::string name{key};
    complain({name}, name + " is " + value + " and must be " + range);
  }

  void complain(std::vector<std::string> keys, std::string text) {
    problems_.push_back({std::move(keys), std::move(text)});
  }

  const config& x_;
  std::vector<config_problem> problems_;
};

} // namespace

bool has_sign_in(const auth_config& x) noexcept {
  return !x.keys.empty() || !x.api_keys.empty() || !x.proxies.empty();
}

std::vector<config_problem> find_problems(const config& x) {
  return checker{x}.run();
}

status validate(const config& x) {
  std::string all;
  for (auto& problem : find_problems(x))
    all += (all.empty() ? "" : "\n") + problem.text;
  if (all.empty())
    return std::nullopt;
  return failure{errc::invalid_configuration, std::move(all)};
}

} // namespace tidings
