#pragma once

#include "tidings/durability.hpp"
#include "tidings/event_store.hpp"
#include "tidings/result.hpp"
#include "tidings/token_algorithm.hpp"
#include "tidings/topic.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tidings {

using std::chrono::milliseconds;

// One struct per part of the broker, defaults beside the fields. Each key of the configuration file
// is `section.field` with hyphens, for instance `stream.heartbeat-interval`.

struct server_config {
  std::string listen = "127.0.0.1:7300"; ///< HOST:PORT; port 0 takes a free one
  bool allow_open = false;               ///< listen beyond loopback although nobody has to sign in
  uint32_t io_threads = 0;               ///< 0: one per core
  milliseconds drain_timeout{10'000};    ///< how long SIGTERM waits for publishes and streams
  std::vector<std::string> cors_origins; ///< exact origins, or `*` alone
};

struct tls_config {
  std::string certificate; ///< PEM file, chain included; empty: plain HTTP
  std::string key;         ///< PEM file
};

/// A key that tokens are checked with, bound to one algorithm and one issuer.
struct auth_key {
  std::string id; ///< names the key in logs; a token's `kid` may name it
  token_algorithm algorithm = token_algorithm::eddsa;
  std::string file;   ///< PEM, JWK, JWKS, or the secret of HS256
  std::string secret; ///< of HS256, in place of a file
  std::string issuer; ///< `iss` of the tokens; empty: any
};

/// A key that a program publishes with. Only its hash is known.
struct auth_api_key {
  std::string name;
  std::string sha256; ///< of the key, 64 hexadecimal digits
  std::vector<std::string> publish;
  std::vector<std::string> subscribe;
  bool admin = false;
};

/// Who may do what.
struct auth_config {
  std::string audience;                                  ///< `aud` of tokens; empty: any
  milliseconds leeway{10'000};                           ///< between the issuer's clock and ours
  milliseconds token_lifetime_max{24 * 60 * 60 * 1000};  ///< from issue to expiry
  milliseconds query_token_lifetime_max{10 * 60 * 1000}; ///< what is left of a token in a URL
  std::string cookie = "tidings";         ///< that holds a token; empty: cookies are not read
  std::string proxy_header = "X-User-Id"; ///< in which a trusted proxy names the user
  std::vector<std::string> proxies;       ///< addresses and blocks that are trusted to
  std::vector<std::string> proxy_publish; ///< what users may whom a proxy names
  std::vector<std::string> proxy_subscribe;
  std::vector<std::string> proxy_admins;      ///< users whom a proxy names
  std::vector<std::string> anonymous_publish; ///< what nobody may, if others have to sign in
  std::vector<std::string> anonymous_subscribe;
  std::vector<auth_key> keys;         ///< `[[auth.key]]` tables
  std::vector<auth_api_key> api_keys; ///< `[[auth.api-key]]` tables
};

/// Whether there is any way to sign in. If not, the broker is open: everybody may do everything.
bool has_sign_in(const auth_config& x) noexcept;

/// What one client, or all of them together, may use up.
struct limits_config {
  uint64_t header_bytes = 16 * 1024;
  uint32_t header_fields = 100;
  uint64_t body_bytes = 1024 * 1024; ///< one request, but for streamed NDJSON
  uint64_t event_bytes = 256 * 1024; ///< data of one event
  uint32_t batch_events = 4096;      ///< events in one JSON array
  uint32_t topics_per_event = 16;
  uint32_t topics_per_stream = 100;
  uint32_t connections = 18'000;     ///< all sockets
  uint32_t streams_per_user = 0;     ///< of one user; 0: no bound
  uint32_t streams_per_address = 0;  ///< from one IP address; 0: no bound
  bool replace_oldest = true;        ///< the oldest stream makes room, or 429 for the new
  uint32_t publishes_per_caller = 0; ///< per second, of one user, key or address; 0: no bound
  uint64_t publish_bytes = 64 * 1024 * 1024;   ///< accepted and not yet answered, all together
  uint64_t transfer_bytes = 256 * 1024 * 1024; ///< of requests under way, and of answers
  uint64_t transfer_rate_min = 1024;           ///< bytes per second of these; 0: no bound
  milliseconds header_timeout{10'000};
  milliseconds body_timeout{30'000};    ///< without progress
  milliseconds idle_timeout{60'000};    ///< keep-alive connection without a request
  milliseconds write_timeout{30'000};   ///< a reader that takes no byte
  milliseconds publish_timeout{10'000}; ///< then 504 `indeterminate`
  uint32_t page_records = 1000;         ///< largest `limit` of a page
  milliseconds wait_max{60'000};        ///< longest long poll
};

enum class heartbeat_shape : uint8_t { comment, event };
enum class overflow_policy : uint8_t { catch_up, drop_oldest, drop_newest, disconnect };

enum class heartbeat_timing : uint8_t {
  idle,  ///< after so much silence
  fixed, ///< at a fixed interval, whatever else is sent
};

struct stream_config {
  heartbeat_shape heartbeat = heartbeat_shape::comment;
  std::string heartbeat_event = "heartbeat"; ///< name, if the shape is `event`
  std::string heartbeat_data = "{}";         ///< data, if the shape is `event`
  milliseconds heartbeat_interval{15'000};   ///< of silence; 0: none
  milliseconds retry_min{1'000};             ///< `retry:` is drawn between these two
  milliseconds retry_max{5'000};
  milliseconds max_age{12 * 60 * 60 * 1000}; ///< then the stream is ended, jittered; 0: never
  uint64_t chunk_bytes = 64 * 1024;          ///< replay buffer of one stream
  uint64_t unsent_bytes = 128 * 1024;        ///< what the kernel may hold that it cannot send yet
  uint32_t queue_events =
    1000; ///< what a lagging stream may be behind before its overflow policy acts
  uint64_t recent_bytes = 16 * 1024 * 1024; ///< committed events kept in memory per I/O thread
};

struct topics_config {
  milliseconds ttl{7LL * 24 * 60 * 60 * 1000}; ///< of an event that names none; 0: kept for ever
  milliseconds ttl_max{0};                     ///< longer wishes are cut to it; 0: no bound
  std::optional<durability> level;             ///< of publishes; unset: see level_of_topics
  uint32_t active_max = 10'000;                ///< topic actors in memory
  milliseconds idle_timeout{60'000};           ///< then a topic actor leaves
};

/// Settings of the topics that match a pattern; the first match in the file wins.
/// What a cluster promises about the order of a topic's events.
enum class publish_order : uint8_t {
  available, ///< every node takes publishes: events of one node are in order
  strict,    ///< one node takes them, the others pass them on to it: one order everywhere
};

struct topic_rule {
  topic_pattern pattern;
  std::optional<milliseconds> ttl;
  std::optional<milliseconds> ttl_max;
  std::optional<durability> level;
  topic_retention retention;
  bool ephemeral = false;       ///< events are delivered to who listens, never stored
  uint32_t rate_per_second = 0; ///< publishes; 0: no bound
  publish_order order = publish_order::available;
};

enum class recovery_mode : uint8_t {
  strict,  ///< refuse to start when acknowledged records are missing
  salvage, ///< keep what can be read; streams are told of the loss
};

struct storage_config {
  std::string directory = "tidings-data";
  milliseconds idempotency_window{24 * 60 * 60 * 1000};
  milliseconds gap_memory{7LL * 24 * 60 * 60 * 1000}; ///< how long it is known what expired
  milliseconds compaction_interval{60 * 60 * 1000};   ///< a quiet store shrinks at least this often
  std::optional<uint64_t> reserve; ///< free bytes below which publishes get 507; unset: derived
  uint64_t write_buffer_bytes = 64 * 1024 * 1024;
  uint64_t cache_bytes = 64 * 1024 * 1024;
  uint32_t readers = 2; ///< threads that read the log
  uint32_t group_events = 4096;
  uint64_t group_bytes = 1024 * 1024;
  recovery_mode recovery = recovery_mode::strict;
  bool is_member = false; ///< follows from `[cluster]`: what event ids look like
};

struct mailbox_config {
  milliseconds ttl{30LL * 24 * 60 * 60 * 1000}; ///< of an item that names none; 0: kept for ever
  uint32_t items_max = 10'000;                  ///< of one user; the oldest leave
  milliseconds keep_read{30LL * 24 * 60 * 60 * 1000};  ///< then a read item leaves; 0: with its ttl
  milliseconds changes_ttl{7LL * 24 * 60 * 60 * 1000}; ///< of the events that tell of changes
  uint32_t active_max = 10'000;                        ///< mailbox actors in memory
  milliseconds idle_timeout{60'000};                   ///< then a mailbox actor leaves
  uint32_t page_items = 200;                           ///< largest `limit` of a page
};

/// A `[[schema]]` table: what the data of events of one type must be like.
struct schema_rule {
  std::string type;
  std::string file;               ///< a JSON Schema
  uint64_t bytes_max = 64 * 1024; ///< of the data
};

enum class log_format : uint8_t { text, json };

struct log_config {
  std::string level = "info"; ///< trace, debug, info, warn, error, off
  log_format format = log_format::text;
};

/// A system that the broker stands in for: its clients work unchanged.
enum class profile_kind : uint8_t { notifications, topics, broadcast, dashboard };

inline constexpr size_t profile_count = 4;

/// How one of them behaves.
struct profile_settings {
  bool enabled = true;
  std::string mount;    ///< before the paths of the profile; empty: where the system had them
  bool sign_in = false; ///< whether nobody is refused
  heartbeat_shape heartbeat = heartbeat_shape::comment;
  std::string heartbeat_event = "heartbeat";
  std::string heartbeat_data; ///< or the text of the comment
  milliseconds heartbeat_interval{15'000};
  heartbeat_timing timing = heartbeat_timing::idle;
  overflow_policy overflow = overflow_policy::catch_up;
  uint32_t queue_events = 1000;
  std::string first_event;       ///< sent when a stream opens, with the client's id; empty: none
  uint32_t streams_per_user = 0; ///< 0: no bound
  bool replace_oldest = true;
  bool envelope = false;  ///< items with their fields around them, rather than the data alone
  bool test_aids = false; ///< whether what the system had for trying it out is there
};

/// A `[[profile]]` table: what differs from the profile's own defaults.
struct profile_rule {
  profile_kind kind = profile_kind::notifications;
  std::optional<bool> enabled;
  std::optional<std::string> mount;
  std::optional<bool> sign_in;
  std::optional<heartbeat_shape> heartbeat;
  std::optional<std::string> heartbeat_event;
  std::optional<std::string> heartbeat_data;
  std::optional<milliseconds> heartbeat_interval;
  std::optional<heartbeat_timing> timing;
  std::optional<overflow_policy> overflow;
  std::optional<uint32_t> queue_events;
  std::optional<std::string> first_event;
  std::optional<uint32_t> streams_per_user;
  std::optional<bool> replace_oldest;
  std::optional<bool> envelope;
  std::optional<bool> test_aids;
};

/// A node of the cluster, as the configuration names it.
struct cluster_member {
  std::string name;
  std::string address; ///< HOST:PORT, where the others reach it

  bool operator==(const cluster_member&) const = default;
};

/// The members of a cluster keep the same events: each of them takes publishes and serves streams.
struct cluster_config {
  std::string node;                 ///< name of this member; empty: the node is alone
  std::string name = "tidings";     ///< of the cluster: nodes of another are turned away
  std::vector<std::string> members; ///< all of them, as NAME=HOST:PORT
  std::string listen;               ///< address of the links; empty: that of this member
  std::string secret;               ///< that members prove to each other
  std::string secret_file;          ///< the same, in a file
  std::string certificate;          ///< links that leave this machine speak TLS
  std::string key;
  std::string authority;                   ///< who signs the certificates of members
  milliseconds join_timeout{2'000};        ///< how long a start waits for the others
  milliseconds quorum_timeout{5'000};      ///< then a publish at `quorum` is answered indeterminate
  milliseconds change_timeout{30'000};     ///< how long a change of the members waits for them
  uint64_t window_bytes = 4 * 1024 * 1024; ///< of records under way from one other node
  milliseconds view_timeout{1'000};        ///< how long `/stats` and such wait for other members
  uint32_t view_requests = 8;              ///< such questions that one member has not answered

  bool enabled() const noexcept {
    return !node.empty();
  }

  bool operator==(const cluster_config&) const = default;
};

/// Reads `NAME=HOST:PORT`.
std::optional<cluster_member> parse_member(std::string_view text);

struct config {
  server_config server;
  tls_config tls;
  auth_config auth;
  limits_config limits;
  stream_config stream;
  topics_config topics;
  storage_config storage;
  mailbox_config mailbox;
  cluster_config cluster;
  log_config log;
  std::vector<topic_rule> topic;     ///< `[[topic]]` tables
  std::vector<schema_rule> schema;   ///< `[[schema]]` tables
  std::vector<profile_rule> profile; ///< `[[profile]]` tables
};

/// The defaults of a profile, and over them what the configuration says.
profile_settings settings_of(const config& x, profile_kind kind);

/// The level of publishes that name none, to topics that no rule says anything about: unless it is
/// set, `quorum` in a cluster and `fsync` on one node.
durability level_of_topics(const config& x) noexcept;

/// The least level that a publish to such a topic may ask for: the same if it is set, else `fsync`.
durability least_level_of_topics(const config& x) noexcept;

/// All that is wrong with a configuration, at once. Fails with errc::invalid_configuration.
status validate(const config& x);

} // namespace tidings
