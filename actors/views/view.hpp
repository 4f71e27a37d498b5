#pragma once

#include "actors/messages.hpp"
#include "tidings/connection_name.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// What nodes say about the present: who is connected, what was counted. Each knows its own; whoever
// is asked for all of it asks the others.

namespace tidings {

struct numbers_query {};

/// Ends a stream.
struct close_order {
  uint64_t id = 0;
};

/// What can be asked of a node.
using view_question = std::variant<numbers_query, connection_query, close_order>;

/// What a node has counted since its start, and what it holds now.
struct node_numbers {
  using list = std::vector<std::pair<std::string, uint64_t>>;

  std::string version;
  uint64_t uptime_seconds = 0;
  list counts; ///< can be added to those of other nodes
  list sizes;  ///< of this node's log and disk alone

  bool operator==(const node_numbers&) const = default;
};

/// What a node answers, in the order of the questions; a close_order: whether there was such a
/// stream.
using view_answer = std::variant<node_numbers, connection_page, bool>;

/// What became of a question to a member.
enum class member_state : uint8_t {
  ok,
  unreachable, ///< no link, or it was lost meanwhile
  timeout,     ///< nothing came within `cluster.view-timeout`
  overloaded,  ///< it has not answered so many others yet, `cluster.view-requests`
  unreadable,  ///< its answer is none: it runs another version
};

/// As in answers over HTTP.
const char* to_string(member_state x) noexcept;

/// One member's part of a view.
struct view_part {
  std::string member; ///< empty: the node is alone
  member_state state = member_state::ok;
  view_answer answer; ///< if `ok`
};

/// Ascending by the member's name.
using view_parts = std::vector<view_part>;

/// Asks several members the same.
struct view_request {
  view_question what;
  connection_name after; ///< replaces that of a connection_query: a list goes on over members

  /// Asks this member alone; nullopt: all.
  std::optional<std::string> only;
};

/// A question on its way to another member, as it travels.
struct member_question {
  std::string member;
  std::string body;
};

struct member_answer {
  member_state state = member_state::ok;
  std::string body; ///< if `ok`
};

} // namespace tidings

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::view_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::view_parts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::member_question)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::member_answer)
