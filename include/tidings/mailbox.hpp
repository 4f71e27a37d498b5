#pragma once

#include "tidings/cursor.hpp"
#include "tidings/position.hpp"
#include "tidings/result.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// How urgent an item is; the order in which a profile may recover items.
enum class priority : uint8_t { low, normal, high, critical };

/// `LOW`, `NORMAL`, `HIGH` or `CRITICAL`.
const char* to_string(priority x) noexcept;

/// By name, in any case.
std::optional<priority> parse_priority(std::string_view x) noexcept;

/// What a user has done with an item. A state only ever rises: changes commute and can be repeated.
enum class item_state : uint8_t { unread, seen, read, archived, dismissed };

inline constexpr size_t item_state_count = 5;

/// `unread`, `seen`, `read`, `archived` or `dismissed`.
const char* to_string(item_state x) noexcept;

std::optional<item_state> parse_item_state(std::string_view x) noexcept;

/// What makes an event an item of mailboxes. Its users are those of its `user:` topics, and
/// everybody if it has the topic `everyone`.
struct mail {
  std::string title;
  std::string message;
  priority level = priority::normal;

  bool operator==(const mail&) const = default;
};

/// `mail` as a reader sees it.
struct mail_view {
  std::string_view title;
  std::string_view message;
  priority level = priority::normal;
};

/// Longest user id, in bytes.
inline constexpr size_t user_bytes_max = 128;

/// Checks a user id: opaque to the broker, 1 to 128 bytes that may stand in a topic; `me` is not an
/// id.
status validate_user(std::string_view x);

/// The topic of what is sent to one user.
std::string user_topic(std::string_view user);

/// The user whose topic this is; nullopt: nobody's.
std::optional<std::string_view> user_of_topic(std::string_view topic) noexcept;

/// The topic of what is sent to everyone.
inline constexpr std::string_view everyone_topic = "everyone";

/// The broker's own topic of the changes in one user's mailbox.
std::string mailbox_topic(std::string_view user);

/// Event name of a change in a mailbox.
inline constexpr std::string_view mailbox_event = "tidings.mailbox";

/// One item of one user, without its content.
struct mailbox_entry {
  lsn item{}; ///< position of its record
  item_state state = item_state::unread;
  priority level = priority::normal;
  bool shared = false; ///< sent to everyone: its content belongs to nobody's entry
  int64_t created_ms = 0;
  int64_t expires_at_ms = 0; ///< 0: never
  int64_t changed_ms = 0;    ///< when the state rose last; 0: never
  std::string type;

  bool operator==(const mailbox_entry&) const = default;
};

/// Sets an entry of a user, in the batch of the record that tells of it. An entry that is dismissed
/// is removed, or, if it is shared, kept to say so until the item expires.
struct mailbox_change {
  std::string user;
  mailbox_entry entry;
};

/// What a user did with an item, as another node tells it: raises the state of the entry, whether
/// the item has come yet or not.
struct mailbox_raise {
  std::string user;
  event_id item;
  item_state to = item_state::read;
  int64_t at_ms = 0;
};

/// How many items are in each state.
struct mailbox_counts {
  std::array<uint64_t, item_state_count> in{}; ///< by item_state; none is dismissed

  uint64_t of(item_state x) const noexcept {
    return in[static_cast<size_t>(x)];
  }

  uint64_t total() const noexcept {
    uint64_t sum = 0;
    for (auto x : in)
      sum += x;
    return sum;
  }

  bool operator==(const mailbox_counts&) const = default;
};

} // namespace tidings
