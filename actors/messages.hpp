#pragma once

#include "tidings/batch.hpp"
#include "tidings/caller.hpp"
#include "tidings/config.hpp"
#include "tidings/event_store.hpp"
#include "tidings/mailbox.hpp"
#include "tidings/publication.hpp"
#include "tidings/result.hpp"
#include "tidings/statistics.hpp"
#include "tidings/subscription.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/type_id.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// The alphabet of the actors. No message leaves the process: links between nodes have their own
// codec.

namespace tidings {

using config_ptr = std::shared_ptr<const config>;
using subscription_ptr = std::shared_ptr<const subscription>;
using caller_ptr = std::shared_ptr<const caller>;

// -- publishing
// --------------------------------------------------------------------------------------

class publish_request;
using publish_ptr = std::shared_ptr<publish_request>;

/// Who asked for a publish and waits for its outcome.
class publish_listener {
public:
  virtual ~publish_listener() = default;

  /// Called once, on the thread of the shard that the request names.
  virtual void on_published(const publish_ptr& x) = 0;
};

/// What became of one publication.
struct publish_outcome {
  std::optional<failure> refused;
  lsn position{};
  uint64_t node = 0;      ///< short form of the node that accepted it
  origin_position origin; ///< sequence 0: it has none (ephemeral, or not waited for)
  int64_t time_ms = 0;
  durability level = durability::none; ///< reached
  uint32_t nodes = 1;                  ///< that have it on disk, at least
  bool duplicate = false;
};

/// One publication on its way, with what its topics decided about it.
struct publish_item {
  publication what;
  std::string topic; ///< the first: for the answer, when the event itself has moved on
  std::optional<milliseconds> ttl_max;
  durability level = durability::none;    ///< to reach before anybody hears of it
  bool ephemeral = true;                  ///< until a topic says otherwise
  std::vector<topic_retention> retention; ///< empty, or one for each topic
  std::vector<mailbox_change> changes;    ///< what it does to mailboxes beside its own entries
  uint32_t subscribers = 0;               ///< streams open when it was routed
  publish_outcome outcome;
};

/// Keeps the bytes of accepted and unanswered publishes counted for as long as it lives.
class publish_budget {
public:
  publish_budget() = default;

  publish_budget(std::shared_ptr<statistics> counted_in, uint64_t bytes)
    : statistics_(std::move(counted_in)), bytes_(bytes) {
    add(statistics_->publish_bytes, bytes_);
  }

  publish_budget(publish_budget&& x) noexcept
    : statistics_(std::move(x.statistics_)), bytes_(std::exchange(x.bytes_, 0)) {
    // nop
  }

  publish_budget& operator=(publish_budget&& x) noexcept {
    std::swap(statistics_, x.statistics_);
    std::swap(bytes_, x.bytes_);
    return *this;
  }

  ~publish_budget() {
    if (statistics_)
      subtract(statistics_->publish_bytes, bytes_);
  }

private:
  std::shared_ptr<statistics> statistics_;
  uint64_t bytes_ = 0;
};

/// Publications that travel together: distributor, each of their topics, storage, and back to the
/// shard. Belongs to whoever received it last; nobody else touches it meanwhile.
class publish_request {
public:
  /// A topic on the way, and the items that name it.
  struct hop {
    std::string topic;
    std::vector<uint32_t> items;
  };

  std::vector<publish_item> items;
  bool atomic = false; ///< store all or none
  uint32_t shard = 0;  ///< where the listener lives
  std::weak_ptr<publish_listener> listener;
  uint64_t ticket = 0; ///< the listener's own mark
  publish_budget budget;
  std::vector<hop> route;
  size_t next_hop = 0;
  std::string owner;         ///< the member that has to take it; empty: this node
  bool is_forwarded = false; ///< it came from another node

  /// Whether admission to the queue is all that is waited for; known after the last hop.
  bool unattended() const {
    for (auto& x : items)
      if (x.level != durability::none || x.ephemeral)
        return false;
    return true;
  }
};

/// What a commit means for one shard.
struct commit_notice {
  batch_ptr batch; ///< nullptr: nothing to deliver, only answers
  std::vector<publish_ptr> answers;
};

// -- reading
// -----------------------------------------------------------------------------------------

struct from_earliest {};
struct from_now {};
struct from_time {
  int64_t unix_ms;
};
struct from_cursor {
  std::string text;
};

/// Where a reader starts: a place it names, or a position that an earlier chunk ended at.
using start_point = std::variant<from_now, from_earliest, from_time, from_cursor, lsn>;

/// Asks for the next piece of a stream's replay.
struct replay_request {
  subscription_ptr who;
  start_point start;
  wire_format format = wire_format::sse;
  bool chunked = true; ///< wrap the bytes as one HTTP/1.1 chunk
  bool quiet =
    false; ///< nothing has been sent yet and nothing was promised: no gap before the first event
  std::string mailbox_of; ///< a user whose dismissed items are left out; empty: nobody

  /// What the reader has seen on another node and is not sent again; nullptr: nothing.
  std::shared_ptr<const cursor> seen;

  lsn until{std::numeric_limits<uint64_t>::max()};
  size_t bytes_max = 64 * 1024;
};

/// A piece of replay, ready for the socket.
struct replay_chunk {
  lsn after{};           ///< where the read began
  std::string after_id;  ///< the same as a cursor; only for the first piece
  bool recovered = true; ///< nothing is missing before the first event; only for the first piece
  lsn covered{};         ///< where to go on
  bool end_reached = false;
  bool quiet = false; ///< still nothing sent

  /// Goes into the next request, and as long as it is set the reader may not go live: this node has
  /// yet to receive what the reader has seen.
  std::shared_ptr<const cursor> seen;

  std::string bytes;
  uint32_t events = 0;
  uint32_t gaps = 0;
};

using replay_chunk_ptr = std::shared_ptr<replay_chunk>;

/// Asks for a page of history.
struct page_request {
  subscription_ptr who;
  start_point since = from_earliest{};
  std::optional<start_point> until;
  std::string mailbox_of; ///< see replay_request
  size_t limit = 100;
  bool reverse = false;

  /// Of a page that goes on where one ended that was not answered: see `page`. What is missing
  /// behind that place is told of.
  bool goes_on = false;
  std::shared_ptr<const cursor> seen;
};

/// A page as JSON.
struct page {
  std::string json;
  size_t events = 0;
  bool more = false;    ///< it ends before what it was to cover
  bool has_gap = false; ///< it tells of something that is missing
  lsn covered{};

  /// What the reader has seen on another node and this one does not have yet; nullptr: nothing.
  std::shared_ptr<const cursor> seen;
};

struct topics_request {
  std::string after;
  std::string prefix;
  size_t limit = 100;
};

using topic_summaries = std::vector<topic_summary>;

// -- mailboxes
// ---------------------------------------------------------------------------------------

/// Which items of a mailbox are meant.
struct item_filter {
  std::array<bool, item_state_count> states{true, true, true, true, false}; ///< by item_state
  std::string type;                                                         ///< empty: of any

  bool admits(const mailbox_entry& x) const noexcept {
    return states[static_cast<size_t>(x.state)]
           && (type.empty() || type == (x.type.empty() ? "message" : x.type));
  }
};

/// In which order a page shows items; `urgent`: by falling priority, then the oldest first.
enum class item_order : uint8_t { newest, oldest, urgent };

/// What a page of a mailbox looks like.
enum class page_form : uint8_t {
  items,         ///< a JSON object with items, counts and the next cursor
  notifications, ///< a JSON array as in the profile of that name
  frames,        ///< the same objects as events of a stream that is about to begin
};

/// Asks for a page of a user's items.
struct mailbox_query {
  std::string user;
  item_filter filter;
  item_order order = item_order::newest;
  page_form form = page_form::items;
  std::string after; ///< id of the last item of the page before; empty: from the beginning
  size_t limit = 50;
  size_t bytes_max = 8 * 1024 * 1024; ///< about: the item that reaches it is the last
  size_t entries_max = 10'000;        ///< as many are looked at
};

/// A page in the form that was asked for.
struct mailbox_page {
  std::string text;
  lsn covered{}; ///< it shows the mailbox as of this position
};

/// Asks for what a change of a mailbox is decided by.
struct mailbox_lookup {
  std::string user;
  std::vector<std::string> ids;
  size_t entries_max = 10'000;
};

struct mailbox_listing {
  std::vector<mailbox_entry> entries; ///< ascending by item
  std::vector<lsn> named;             ///< positions of the ids, ascending; without unknown ones
};

using mailbox_listing_ptr = std::shared_ptr<mailbox_listing>;

/// Raises the state of items: of those that are named, or of those that the filter admits.
struct mailbox_order {
  std::string user;
  item_state to = item_state::read;
  std::optional<std::vector<std::string>> ids; ///< nullopt: the filter decides
  item_filter filter;
};

using mailbox_order_ptr = std::shared_ptr<const mailbox_order>;

struct mailbox_outcome {
  std::vector<std::string> changed; ///< ids of the items whose state rose
  mailbox_counts counts;            ///< afterwards
};

// -- operating
// ---------------------------------------------------------------------------------------

/// Why a stream ended.
enum class end_reason : uint8_t {
  client_gone,
  connection_lost, ///< the socket failed
  shutdown,
  max_age,
  closed,
  slow_reader,
  token_expired,
  revoked,
  replaced,       ///< by a newer stream of the same user
  storage_failed, ///< the log cannot be read at its place
};

const char* to_string(end_reason x) noexcept;

/// One stream, for operators.
struct connection_info {
  uint64_t id = 0;
  std::string address;
  std::string user;       ///< empty: nobody signed in
  std::string topics;     ///< separated by commas
  std::string types;      ///< separated by commas; empty: all
  bool truncated = false; ///< there are more topics or types than these
  int64_t since_ms = 0;   ///< Unix time
  std::string state;
  lsn position{};
  std::string cursor; ///< of the position; set by who answers for the node
  uint64_t events = 0;
  uint64_t bytes = 0;
  uint64_t dropped = 0;
};

using connection_list = std::vector<connection_info>;

/// Which streams of a node are meant.
struct connection_query {
  uint64_t after = 0; ///< lists those with ids behind it
  size_t limit = 100; ///< at most as many; 0: only counts
  std::string topic;  ///< only those that get its events; empty: all
  std::string user;   ///< only those of this user; empty: of everybody
};

struct connection_page {
  connection_list found; ///< ascending by id
  bool more = false;     ///< there are others behind these
  uint64_t total = 0;    ///< how many there are, before and behind `after`
};

/// Says who may go on reading. Any thread may ask.
using caller_judge = std::shared_ptr<const std::function<bool(const caller&)>>;

} // namespace tidings

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::config_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::subscription_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::publish_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::commit_notice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::replay_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::replay_chunk_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::page_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::topics_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::topic_summaries)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::mailbox_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::mailbox_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::mailbox_lookup)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::mailbox_listing_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::mailbox_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::mailbox_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::end_reason)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::connection_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::connection_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::caller_judge)

CAF_BEGIN_TYPE_ID_BLOCK(tidings, first_custom_type_id)
  CAF_ADD_ATOM(tidings, tidings, commit_atom, "commit")
  CAF_ADD_ATOM(tidings, tidings, sync_atom, "sync")
  CAF_ADD_ATOM(tidings, tidings, list_atom, "list")
  CAF_ADD_ATOM(tidings, tidings, drain_atom, "drain")
  CAF_ADD_ATOM(tidings, tidings, idle_atom, "idle")
  CAF_ADD_ATOM(tidings, tidings, settled_atom, "settled")
  CAF_ADD_ATOM(tidings, tidings, deliver_atom, "deliver")
CAF_END_TYPE_ID_BLOCK(tidings)
