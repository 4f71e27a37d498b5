#include "setting_table.hpp"

#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace tidings {

namespace {

using namespace std::literals;

// -- how values are spelled ----------------------------------------------------------------------

constexpr std::span<const std::string_view> anything;

struct text {
  static constexpr auto kind = value_kind::text;
  static constexpr auto choices = anything;

  static bool read(std::string_view x, std::string& to) {
    if (!is_utf8(x) || !is_single_line(x))
      return false;
    to = x;
    return true;
  }

  static std::string write(const std::string& x) {
    return x;
  }
};

struct number {
  static constexpr auto kind = value_kind::number;
  static constexpr auto choices = anything;

  template <class T>
  static bool read(std::string_view x, T& to) {
    auto value = parse_unsigned(x);
    if (!value || *value > std::numeric_limits<T>::max())
      return false;
    to = static_cast<T>(*value);
    return true;
  }

  static std::string write(uint64_t x) {
    return std::to_string(x);
  }
};

struct duration {
  static constexpr auto kind = value_kind::duration;
  static constexpr auto choices = anything;
  static constexpr auto longest = std::chrono::hours{24 * 36'500}; // times stay far from overflow

  static bool read(std::string_view x, milliseconds& to) {
    auto value = parse_duration(x);
    if (!value || *value > longest)
      return false;
    to = *value;
    return true;
  }

  static std::string write(milliseconds x) {
    return format_duration(x);
  }
};

struct size {
  static constexpr auto kind = value_kind::size;
  static constexpr auto choices = anything;

  static bool read(std::string_view x, uint64_t& to) {
    auto value = parse_bytes(x);
    if (!value)
      return false;
    to = *value;
    return true;
  }

  static std::string write(uint64_t x) {
    return format_bytes(x);
  }
};

struct size_or_auto {
  static constexpr auto kind = value_kind::size;
  static constexpr std::array names{"auto"sv};
  static constexpr std::span<const std::string_view> choices{names};

  static bool read(std::string_view x, std::optional<uint64_t>& to) {
    if (x == names[0]) {
      to.reset();
      return true;
    }
    auto value = parse_bytes(x);
    if (value)
      to = *value;
    return value.has_value();
  }

  static std::string write(const std::optional<uint64_t>& x) {
    return x ? format_bytes(*x) : std::string{names[0]};
  }
};

struct boolean {
  static constexpr auto kind = value_kind::boolean;
  static constexpr auto choices = anything;

  static bool read(std::string_view x, bool& to) {
    if (x != "true" && x != "false")
      return false;
    to = x == "true";
    return true;
  }

  static std::string write(bool x) {
    return x ? "true" : "false";
  }
};

struct list {
  static constexpr auto kind = value_kind::list;
  static constexpr auto choices = anything;

  static bool read(std::string_view x, std::vector<std::string>& to) {
    auto items = split_list(x);
    auto good = [](const std::string& item) {
      return !item.empty() && is_utf8(item) && is_single_line(item);
    };
    if (!std::all_of(items.begin(), items.end(), good))
      return false;
    to = std::move(items);
    return true;
  }

  static std::string write(const std::vector<std::string>& x) {
    std::string result;
    for (auto& item : x)
      result += (result.empty() ? "" : ", ") + item;
    return result;
  }
};

struct pattern {
  static constexpr auto kind = value_kind::pattern;
  static constexpr auto choices = anything;

  static bool read(std::string_view x, topic_pattern& to) {
    auto value = topic_pattern::parse(x);
    if (!value)
      return false;
    to = *std::move(value);
    return true;
  }

  static std::string write(const topic_pattern& x) {
    return x.text();
  }
};

/// A text that is taken in and never given out.
struct secret {
  static constexpr auto kind = value_kind::secret;
  static constexpr auto choices = anything;

  static bool read(std::string_view x, std::string& to) {
    return text::read(x, to);
  }

  static std::string write(const std::string& x) {
    return x.empty() ? "" : "(not shown)";
  }
};

struct log_level {
  static constexpr auto kind = value_kind::text;
  static constexpr std::array names{"trace"sv, "debug"sv, "info"sv, "warn"sv, "error"sv, "off"sv};
  static constexpr std::span<const std::string_view> choices{names};

  static bool read(std::string_view x, std::string& to) {
    if (std::find(names.begin(), names.end(), x) == names.end())
      return false;
    to = x;
    return true;
  }

  static std::string write(const std::string& x) {
    return x;
  }
};

/// The names of an enum, in its order.
template <class T>
constexpr std::array names_of{""sv};

template <>
constexpr std::array names_of<heartbeat_shape>{"comment"sv, "event"sv};

template <>
constexpr std::array names_of<heartbeat_timing>{"idle"sv, "fixed"sv};

template <>
constexpr std::array names_of<overflow_policy>{"catch-up"sv, "drop-oldest"sv, "drop-newest"sv,
                                               "disconnect"sv};

template <>
constexpr std::array names_of<profile_kind>{"notifications"sv, "topics"sv, "broadcast"sv,
                                            "dashboard"sv};

template <>
constexpr std::array names_of<durability>{"none"sv, "written"sv, "fsync"sv, "quorum"sv};

template <>
constexpr std::array names_of<publish_order>{"available"sv, "strict"sv};

template <>
constexpr std::array names_of<recovery_mode>{"strict"sv, "salvage"sv};

template <>
constexpr std::array names_of<log_format>{"text"sv, "json"sv};

template <>
constexpr std::array names_of<token_algorithm>{"HS256"sv, "RS256"sv, "ES256"sv, "EdDSA"sv};

template <class T>
struct choice {
  static constexpr auto kind = value_kind::text;
  static constexpr std::span<const std::string_view> choices{names_of<T>};

  static bool read(std::string_view x, T& to) {
    auto i = std::find(choices.begin(), choices.end(), x);
    if (i == choices.end())
      return false;
    to = static_cast<T>(i - choices.begin());
    return true;
  }

  static std::string write(T x) {
    return std::string{choices[static_cast<size_t>(x)]};
  }
};

/// The highest that the node, or its cluster, has if unset.
struct level_or_auto {
  static constexpr auto kind = value_kind::text;
  static constexpr std::array names{"auto"sv, "none"sv, "written"sv, "fsync"sv, "quorum"sv};
  static constexpr std::span<const std::string_view> choices{names};

  static bool read(std::string_view x, std::optional<durability>& to) {
    if (x == names[0]) {
      to.reset();
      return true;
    }
    durability level{};
    if (!choice<durability>::read(x, level))
      return false;
    to = level;
    return true;
  }

  static std::string write(const std::optional<durability>& x) {
    return x ? choice<durability>::write(*x) : std::string{names[0]};
  }
};

/// Spelled like `Codec`; nothing if unset.
template <class Codec>
struct maybe {
  static constexpr auto kind = Codec::kind;
  static constexpr auto choices = Codec::choices;

  template <class T>
  static bool read(std::string_view x, std::optional<T>& to) {
    T value{};
    if (!Codec::read(x, value))
      return false;
    to = value;
    return true;
  }

  template <class T>
  static std::string write(const std::optional<T>& x) {
    return x ? Codec::write(*x) : std::string{};
  }
};

// -- the way to a field --------------------------------------------------------------------------

template <class Owner, class Field>
Owner owner_of(Field Owner::*);

/// Where a chain of member pointers leads to.
template <auto First, auto... Rest>
constexpr auto& follow(auto& owner) {
  if constexpr (sizeof...(Rest) == 0)
    return owner.*First;
  else
    return follow<Rest...>(owner.*First);
}

template <class Codec, auto First, auto... Rest>
constexpr auto at() {
  using owner = decltype(owner_of(First));
  return setting_field<owner>{
    Codec::kind, Codec::choices,
    [](std::string_view x, owner& to) { return Codec::read(x, follow<First, Rest...>(to)); },
    [](const owner& from) { return Codec::write(follow<First, Rest...>(from)); }};
}

template <class Codec, auto Field>
constexpr auto server = at<Codec, &config::server, Field>();

template <class Codec, auto Field>
constexpr auto tls = at<Codec, &config::tls, Field>();

template <class Codec, auto Field>
constexpr auto auth = at<Codec, &config::auth, Field>();

template <class Codec, auto Field>
constexpr auto limits = at<Codec, &config::limits, Field>();

template <class Codec, auto Field>
constexpr auto stream = at<Codec, &config::stream, Field>();

template <class Codec, auto Field>
constexpr auto topics = at<Codec, &config::topics, Field>();

template <class Codec, auto Field>
constexpr auto storage = at<Codec, &config::storage, Field>();

template <class Codec, auto Field>
constexpr auto mailbox = at<Codec, &config::mailbox, Field>();

template <class Codec, auto Field>
constexpr auto cluster = at<Codec, &config::cluster, Field>();

template <class Codec, auto Field>
constexpr auto logging = at<Codec, &config::log, Field>();

template <class Codec, auto... Path>
constexpr auto rule = at<Codec, Path...>();

template <class Codec, auto Field>
constexpr auto key = at<Codec, Field>();

// -- the tables ----------------------------------------------------------------------------------

constexpr auto apply = on_reload::apply;
constexpr auto restart = on_reload::restart;

// clang-format off
constexpr setting<config> table[] = {
  {"server.listen", restart, server<text, &server_config::listen>,
   "Address and port, as HOST:PORT with an IP address or localhost; port 0 takes a free one."},
  {"server.allow-open", restart, server<boolean, &server_config::allow_open>,
   "Whether other machines may connect although nobody has to sign in."},
  {"server.io-threads", restart, server<number, &server_config::io_threads>,
   "Threads that serve connections; 0: one per core."},
  {"server.drain-timeout", apply, server<duration, &server_config::drain_timeout>,
   "How long a stop waits for publishes to be answered and streams to end."},
  {"server.cors-origins", apply, server<list, &server_config::cors_origins>,
   "Web origins whose pages may use the broker, such as https://app.example.com, or * alone."},

  {"tls.certificate", apply, tls<text, &tls_config::certificate>,
   "PEM file with the certificate and its chain; empty: plain HTTP. A reload reads it again."},
  {"tls.key", apply, tls<text, &tls_config::key>,
   "PEM file with the certificate's private key. A reload reads it again."},

  {"auth.audience", apply, auth<text, &auth_config::audience>,
   "What the aud of a token must contain; empty: tokens for anybody are taken."},
  {"auth.leeway", apply, auth<duration, &auth_config::leeway>,
   "How far the clock of who makes tokens may be from the broker's; at most 1m."},
  {"auth.token-lifetime-max", apply, auth<duration, &auth_config::token_lifetime_max>,
   "Longest time from a token's issue to its expiry; longer ones are refused."},
  {"auth.query-token-lifetime-max", apply, auth<duration, &auth_config::query_token_lifetime_max>,
   "Longest time that a token in a URL may still have to live."},
  {"auth.cookie", apply, auth<text, &auth_config::cookie>,
   "Cookie that may hold a token; empty: cookies are not looked at."},
  {"auth.proxy-header", apply, auth<text, &auth_config::proxy_header>,
   "Header in which a trusted proxy names the user, and in an open broker everybody does."},
  {"auth.proxies", apply, auth<list, &auth_config::proxies>,
   "Addresses and blocks, such as 10.0.0.7 or 10.0.0.0/24, from which that header is believed."},
  {"auth.proxy-publish", apply, auth<list, &auth_config::proxy_publish>,
   "Topics and patterns that users may publish to whom a proxy names."},
  {"auth.proxy-subscribe", apply, auth<list, &auth_config::proxy_subscribe>,
   "Topics and patterns that users may read whom a proxy names, beside their own."},
  {"auth.proxy-admins", apply, auth<list, &auth_config::proxy_admins>,
   "Users who are administrators when a proxy names them."},
  {"auth.anonymous-publish", apply, auth<list, &auth_config::anonymous_publish>,
   "Topics and patterns that one may publish to without signing in."},
  {"auth.anonymous-subscribe", apply, auth<list, &auth_config::anonymous_subscribe>,
   "Topics and patterns that one may read without signing in."},

  {"limits.header-bytes", restart, limits<size, &limits_config::header_bytes>,
   "Request line and headers of one request."},
  {"limits.header-fields", restart, limits<number, &limits_config::header_fields>,
   "Header fields of one request."},
  {"limits.body-bytes", apply, limits<size, &limits_config::body_bytes>,
   "Body of one request; streamed NDJSON may be longer."},
  {"limits.event-bytes", apply, limits<size, &limits_config::event_bytes>,
   "Data of one event; in a cluster at most 448KiB."},
  {"limits.batch-events", apply, limits<number, &limits_config::batch_events>,
   "Events in one JSON array."},
  {"limits.topics-per-event", apply, limits<number, &limits_config::topics_per_event>,
   "Topics, or users, that one event may name; at most 32."},
  {"limits.topics-per-stream", apply, limits<number, &limits_config::topics_per_stream>,
   "Topics and patterns that one stream may ask for."},
  {"limits.connections", restart, limits<number, &limits_config::connections>,
   "Open sockets, all together; further ones are refused."},
  {"limits.streams-per-user", apply, limits<number, &limits_config::streams_per_user>,
   "Open streams of one user; 0: no bound."},
  {"limits.streams-per-address", apply, limits<number, &limits_config::streams_per_address>,
   "Open streams from one IP address; 0: no bound."},
  {"limits.replace-oldest", apply, limits<boolean, &limits_config::replace_oldest>,
   "Whether the oldest stream of a user or address ends for one too many; otherwise that one is refused (429)."},
  {"limits.publishes-per-caller", apply, limits<number, &limits_config::publishes_per_caller>,
   "Publish requests per second of one user, API key, or address of somebody who is neither; 0: no bound."},
  {"limits.publish-bytes", apply, limits<size, &limits_config::publish_bytes>,
   "Publishes that are accepted and not yet answered, all together."},
  {"limits.transfer-bytes", apply, limits<size, &limits_config::transfer_bytes>,
   "Requests under way, all together, and as much of answers; what does not fit is refused (503)."},
  {"limits.transfer-rate-min", apply, limits<size, &limits_config::transfer_rate_min>,
   "Bytes per second of a body that comes or an answer that is taken, at least; 0: no bound."},
  {"limits.header-timeout", apply, limits<duration, &limits_config::header_timeout>,
   "How long a request may take to send its headers."},
  {"limits.body-timeout", apply, limits<duration, &limits_config::body_timeout>,
   "How long a request's body may make no progress."},
  {"limits.idle-timeout", apply, limits<duration, &limits_config::idle_timeout>,
   "How long a keep-alive connection may stay without a request."},
  {"limits.write-timeout", apply, limits<duration, &limits_config::write_timeout>,
   "How long a reader may take no byte before its connection is closed."},
  {"limits.publish-timeout", apply, limits<duration, &limits_config::publish_timeout>,
   "How long a publish waits for its level; then the answer is 504 indeterminate."},
  {"limits.page-records", apply, limits<number, &limits_config::page_records>,
   "Largest limit of a page."},
  {"limits.wait-max", apply, limits<duration, &limits_config::wait_max>,
   "Longest long poll."},

  {"stream.heartbeat", apply, stream<choice<heartbeat_shape>, &stream_config::heartbeat>,
   "What is sent on a quiet stream: a comment, which scripts do not see, or an event."},
  {"stream.heartbeat-event", apply, stream<text, &stream_config::heartbeat_event>,
   "Name of the heartbeat, if it is an event."},
  {"stream.heartbeat-data", apply, stream<text, &stream_config::heartbeat_data>,
   "Data of the heartbeat, if it is an event."},
  {"stream.heartbeat-interval", apply, stream<duration, &stream_config::heartbeat_interval>,
   "How long a stream is quiet before a heartbeat; 0: no heartbeats."},
  {"stream.retry-min", apply, stream<duration, &stream_config::retry_min>,
   "Shortest time that a client is told to wait before it reconnects; drawn for each stream."},
  {"stream.retry-max", apply, stream<duration, &stream_config::retry_max>,
   "Longest time that a client is told to wait before it reconnects."},
  {"stream.max-age", apply, stream<duration, &stream_config::max_age>,
   "Age at which a stream is ended, spread at random so that clients do not return at once; 0: never."},
  {"stream.chunk-bytes", restart, stream<size, &stream_config::chunk_bytes>,
   "Memory of one stream that reads from the log."},
  {"stream.unsent-bytes", apply, stream<size, &stream_config::unsent_bytes>,
   "What the kernel takes for a stream beyond what it can send at once; the rest stays in the log."},
  {"stream.queue-events", apply, stream<number, &stream_config::queue_events>,
   "Events that a stream may be behind before the overflow policy it chose acts."},
  {"stream.recent-bytes", restart, stream<size, &stream_config::recent_bytes>,
   "Newest events kept in memory for streams that are a little behind, per I/O thread."},

  {"topics.ttl", apply, topics<duration, &topics_config::ttl>,
   "How long an event is kept that names no time to live; 0: for ever."},
  {"topics.ttl-max", apply, topics<duration, &topics_config::ttl_max>,
   "Longest time to live, longer wishes are cut to it; 0: no bound."},
  {"topics.level", apply, topics<level_or_auto, &topics_config::level>,
   "Least level at which a publish is answered; auto: fsync, and in a cluster quorum if it names none."},
  {"topics.active-max", apply, topics<number, &topics_config::active_max>,
   "Topics whose state is in memory at the same time."},
  {"topics.idle-timeout", apply, topics<duration, &topics_config::idle_timeout>,
   "How long the state of an unused topic stays in memory."},

  {"storage.directory", restart, storage<text, &storage_config::directory>,
   "Where the events are; made if it does not exist."},
  {"storage.idempotency-window", restart, storage<duration, &storage_config::idempotency_window>,
   "How long a repeated publish is recognised by its key or id."},
  {"storage.gap-memory", restart, storage<duration, &storage_config::gap_memory>,
   "How long it is remembered which events are gone, so that streams can be told."},
  {"storage.compaction-interval", restart, storage<duration, &storage_config::compaction_interval>,
   "How often expired events of a quiet store are removed from disk."},
  {"storage.reserve", restart, storage<size_or_auto, &storage_config::reserve>,
   "Free disk space below which publishes get 507; auto: derived from the file system."},
  {"storage.write-buffer-bytes", restart, storage<size, &storage_config::write_buffer_bytes>,
   "Memory for events on their way to data files."},
  {"storage.cache-bytes", restart, storage<size, &storage_config::cache_bytes>,
   "Memory for blocks read from data files."},
  {"storage.readers", restart, storage<number, &storage_config::readers>,
   "Threads that read the log for streams and pages."},
  {"storage.group-events", restart, storage<number, &storage_config::group_events>,
   "Most events in one commit."},
  {"storage.group-bytes", restart, storage<size, &storage_config::group_bytes>,
   "Most bytes in one commit."},
  {"storage.recovery", restart, storage<choice<recovery_mode>, &storage_config::recovery>,
   "If acknowledged events are missing at the start: strict refuses, salvage keeps what is left."},

  {"mailbox.ttl", apply, mailbox<duration, &mailbox_config::ttl>,
   "How long an item is kept that names no time to live; 0: for ever."},
  {"mailbox.items-max", apply, mailbox<number, &mailbox_config::items_max>,
   "Items of one user; when there are more, the oldest leave."},
  {"mailbox.keep-read", restart, mailbox<duration, &mailbox_config::keep_read>,
   "How long a mailbox shows an item after it was read; 0: as long as the item is kept."},
  {"mailbox.changes-ttl", apply, mailbox<duration, &mailbox_config::changes_ttl>,
   "How long a stream that comes back is told what was changed in its mailbox meanwhile."},
  {"mailbox.active-max", apply, mailbox<number, &mailbox_config::active_max>,
   "Mailboxes whose state is in memory at the same time."},
  {"mailbox.idle-timeout", apply, mailbox<duration, &mailbox_config::idle_timeout>,
   "How long the state of an unused mailbox stays in memory."},
  {"mailbox.page-items", apply, mailbox<number, &mailbox_config::page_items>,
   "Largest limit of a page of a mailbox."},

  {"cluster.node", restart, cluster<text, &cluster_config::node>,
   "Name of this node among the members; empty: it is alone."},
  {"cluster.name", restart, cluster<text, &cluster_config::name>,
   "Name of the cluster: nodes of another one are turned away."},
  {"cluster.members", restart, cluster<list, &cluster_config::members>,
   "All members, this one too, as NAME=HOST:PORT; until a command changes the list."},
  {"cluster.listen", restart, cluster<text, &cluster_config::listen>,
   "Address that takes the links of other members, as HOST:PORT; empty: that of this member."},
  {"cluster.secret", restart, cluster<secret, &cluster_config::secret>,
   "What members prove to each other to have: 32 random characters or more."},
  {"cluster.secret-file", restart, cluster<text, &cluster_config::secret_file>,
   "File that holds the secret."},
  {"cluster.certificate", restart, cluster<text, &cluster_config::certificate>,
   "Certificate of this member as PEM, with its name as DNS name: links then speak TLS 1.3."},
  {"cluster.key", restart, cluster<text, &cluster_config::key>,
   "Private key of the certificate."},
  {"cluster.authority", restart, cluster<text, &cluster_config::authority>,
   "Certificate of the authority that signs those of members, and nothing else."},
  {"cluster.join-timeout", restart, cluster<duration, &cluster_config::join_timeout>,
   "How long a start waits for members that cannot be reached before it takes publishes."},
  {"cluster.quorum-timeout", restart, cluster<duration, &cluster_config::quorum_timeout>,
   "How long a publish waits for a majority of members; then the answer is 504 indeterminate."},
  {"cluster.change-timeout", restart, cluster<duration, &cluster_config::change_timeout>,
   "How long a change of the list of members, or a drain, waits for members that are behind."},
  {"cluster.window-bytes", restart, cluster<size, &cluster_config::window_bytes>,
   "Records that may be under way from one other member."},
  {"cluster.view-timeout", restart, cluster<duration, &cluster_config::view_timeout>,
   "How long /connections and /stats wait for the other members; then they answer without them."},
  {"cluster.view-requests", restart, cluster<number, &cluster_config::view_requests>,
   "Such questions, 1 to 16, that one other member has not answered; more are not asked."},

  {"log.level", apply, logging<log_level, &log_config::level>,
   "Least level of the lines that are logged."},
  {"log.format", apply, logging<choice<log_format>, &log_config::format>,
   "Log lines for people, or JSON for machines."},
};

constexpr setting<topic_rule> rule_table[] = {
  {"pattern", apply, rule<pattern, &topic_rule::pattern>,
   "Topics that the rule is for; required."},
  {"ttl", apply, rule<maybe<duration>, &topic_rule::ttl>,
   "In place of topics.ttl."},
  {"ttl-max", apply, rule<maybe<duration>, &topic_rule::ttl_max>,
   "In place of topics.ttl-max."},
  {"level", apply, rule<maybe<choice<durability>>, &topic_rule::level>,
   "In place of topics.level."},
  {"keep", apply, rule<number, &topic_rule::retention, &topic_retention::events_max>,
   "Newest events kept of each topic; 0: no bound."},
  {"keep-bytes", apply, rule<size, &topic_rule::retention, &topic_retention::bytes_max>,
   "Bytes of events kept of each topic; 0: no bound."},
  {"ephemeral", apply, rule<boolean, &topic_rule::ephemeral>,
   "Whether events go only to who listens right now and are never stored."},
  {"rate-per-second", apply, rule<number, &topic_rule::rate_per_second>,
   "Publishes to each topic; 0: no bound."},
  {"order", apply, rule<choice<publish_order>, &topic_rule::order>,
   "In a cluster, strict: one member takes all publishes, so that all nodes have one order."},
};

constexpr setting<auth_key> key_table[] = {
  {"id", apply, key<text, &auth_key::id>,
   "Name of the key: for people, and for the kid of tokens; required."},
  {"algorithm", apply, key<choice<token_algorithm>, &auth_key::algorithm>,
   "The only algorithm that the key is used for; required."},
  {"file", apply, key<text, &auth_key::file>,
   "Public key as PEM, certificate, JWK or JWKS, or the secret of HS256."},
  {"secret", apply, key<secret, &auth_key::secret>,
   "Secret of HS256 in place of a file, at least 32 bytes; behind base64: it is encoded."},
  {"issuer", apply, key<text, &auth_key::issuer>,
   "The iss that tokens with this key must have; empty: any."},
};

constexpr setting<profile_rule> profile_table[] = {
  {"kind", apply, key<choice<profile_kind>, &profile_rule::kind>,
   "Which profile the table is about; required."},
  {"enabled", apply, key<maybe<boolean>, &profile_rule::enabled>,
   "Whether its paths are there."},
  {"mount", apply, key<maybe<text>, &profile_rule::mount>,
   "Path before all paths of the profile, such as /old; not for topics."},
  {"sign-in", apply, key<maybe<boolean>, &profile_rule::sign_in>,
   "Whether a caller who is no user is refused."},
  {"heartbeat", apply, key<maybe<choice<heartbeat_shape>>, &profile_rule::heartbeat>,
   "What an idle stream sends."},
  {"heartbeat-event", apply, key<maybe<text>, &profile_rule::heartbeat_event>,
   "Name of the heartbeat, if it is an event."},
  {"heartbeat-data", apply, key<maybe<text>, &profile_rule::heartbeat_data>,
   "Data of the heartbeat, or the text of the comment."},
  {"heartbeat-interval", apply, key<maybe<duration>, &profile_rule::heartbeat_interval>,
   "Time between heartbeats; 0: none."},
  {"heartbeat-timing", apply, key<maybe<choice<heartbeat_timing>>, &profile_rule::timing>,
   "Whether a heartbeat comes after so much silence or at a fixed interval."},
  {"overflow", apply, key<maybe<choice<overflow_policy>>, &profile_rule::overflow>,
   "What becomes of a reader that is too slow."},
  {"queue-events", apply, key<maybe<number>, &profile_rule::queue_events>,
   "Events that a reader may be behind before the overflow policy acts."},
  {"first-event", apply, key<maybe<text>, &profile_rule::first_event>,
   "Name of an event that begins each stream and holds the client's id; empty: none."},
  {"streams-per-user", apply, key<maybe<number>, &profile_rule::streams_per_user>,
   "Open streams of one user on this profile; 0: no bound."},
  {"replace-oldest", apply, key<maybe<boolean>, &profile_rule::replace_oldest>,
   "Whether the oldest stream ends for one too many, which else is refused (429)."},
  {"envelope", apply, key<maybe<boolean>, &profile_rule::envelope>,
   "Whether items come with their fields around them, rather than their data alone."},
  {"test-aids", apply, key<maybe<boolean>, &profile_rule::test_aids>,
   "Whether notifications has its test page; default: if nobody has to sign in."},
};

constexpr setting<schema_rule> schema_table[] = {
  {"type", apply, key<text, &schema_rule::type>,
   "Type of the events that the schema is for; required."},
  {"file", apply, key<text, &schema_rule::file>,
   "JSON Schema (draft 7) that their data must fit; required. A reload reads it again."},
  {"bytes-max", apply, key<size, &schema_rule::bytes_max>,
   "Most bytes of their data: checking it takes time."},
};

constexpr setting<auth_api_key> api_key_table[] = {
  {"name", apply, key<text, &auth_api_key::name>,
   "Who has the key; required."},
  {"sha256", apply, key<text, &auth_api_key::sha256>,
   "Hash of the key, as tidings token hash prints it; required."},
  {"publish", apply, key<list, &auth_api_key::publish>,
   "Topics and patterns that it may publish to."},
  {"subscribe", apply, key<list, &auth_api_key::subscribe>,
   "Topics and patterns that it may read."},
  {"admin", apply, key<boolean, &auth_api_key::admin>,
   "Whether it may operate the broker and everybody's mailbox."},
};
// clang-format on

} // namespace

std::span<const setting<config>> settings() {
  return table;
}

std::span<const setting<topic_rule>> rule_settings() {
  return rule_table;
}

std::span<const setting<auth_key>> key_settings() {
  return key_table;
}

std::span<const setting<profile_rule>> profile_settings_table() {
  return profile_table;
}

std::span<const setting<schema_rule>> schema_settings() {
  return schema_table;
}

std::span<const setting<auth_api_key>> api_key_settings() {
  return api_key_table;
}

const setting<config>* find_setting(std::string_view key) {
  auto i =
    std::find_if(std::begin(table), std::end(table), [key](auto& x) { return x.key == key; });
  return i == std::end(table) ? nullptr : i;
}

std::string_view section_of(std::string_view key) {
  return key.substr(0, key.find('.'));
}

std::string_view name_of(std::string_view key) {
  return key.substr(key.find('.') + 1);
}

std::string table_key(std::string_view table, size_t index, std::string_view name) {
  std::string key{table};
  return key.append("[").append(std::to_string(index + 1)).append("].").append(name);
}

std::string environment_name(std::string_view key) {
  std::string result = "TIDINGS_";
  for (auto c : key)
    result += c == '.' || c == '-'   ? '_'
              : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A')
                                     : c;
  return result;
}

std::string type_name(value_kind kind, std::span<const std::string_view> choices) {
  if (kind == value_kind::text && !choices.empty()) {
    std::string result;
    for (auto x : choices)
      result.append(result.empty() ? "" : ", ").append(x);
    return result;
  }
  switch (kind) {
    case value_kind::text:
      return "text";
    case value_kind::number:
      return "number";
    case value_kind::duration:
      return "duration";
    case value_kind::size:
      return "size";
    case value_kind::boolean:
      return "switch";
    case value_kind::list:
      return "list";
    case value_kind::pattern:
      return "pattern";
    case value_kind::secret:
      return "secret";
  }
  return {};
}

std::string requirement(value_kind kind, std::span<const std::string_view> choices) {
  switch (kind) {
    case value_kind::text:
      return choices.empty() ? "a text without line breaks" : "one of " + type_name(kind, choices);
    case value_kind::number:
      return "a whole number";
    case value_kind::duration:
      return "a duration with its unit, such as 500ms, 30s, 5m, 12h or 7d";
    case value_kind::size:
      return choices.empty() ? "a size such as 64KiB or 1MiB"
                             : "a size such as 64KiB or 1MiB, or auto";
    case value_kind::boolean:
      return "true or false";
    case value_kind::list:
      return "a list of texts without commas";
    case value_kind::pattern:
      return "a topic (orders), or a pattern with * for one segment (order:*) or ** for any depth "
             "at its end (iot/**)";
    case value_kind::secret:
      return "a text without line breaks";
  }
  return {};
}

std::vector<std::string> split_list(std::string_view text) {
  constexpr auto blanks = " \t"sv;
  std::vector<std::string> result;
  if (text.find_first_not_of(blanks) == std::string_view::npos)
    return result;
  for (size_t begin = 0; begin <= text.size();) {
    auto end = std::min(text.find(',', begin), text.size());
    auto item = text.substr(begin, end - begin);
    item.remove_prefix(std::min(item.find_first_not_of(blanks), item.size()));
    item.remove_suffix(item.size() - (item.find_last_not_of(blanks) + 1));
    result.emplace_back(item);
    begin = end + 1;
  }
  return result;
}

} // namespace tidings
