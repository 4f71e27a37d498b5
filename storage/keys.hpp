#pragma once

#include "tidings/mailbox.hpp"
#include "tidings/position.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidings::storage {

// Keys and the small values of the families other than `log`: docs/storage-format.md.

// -- log
// -------------------------------------------------------------------------------------------

/// Key of a log entry, without allocation.
class log_key {
public:
  explicit log_key(lsn x) noexcept;

  std::string_view view() const noexcept {
    return {bytes_, sizeof(bytes_)};
  }

private:
  char bytes_[8];
};

std::optional<lsn> parse_log_key(std::string_view key) noexcept;

// -- topic
// -----------------------------------------------------------------------------------------

/// Index of what concerns every topic.
inline constexpr std::string_view everyone = "";

struct topic_key {
  std::string_view topic;
  lsn position{}; ///< 0: the topic's floor
};

void encode_topic_key(std::string& out, std::string_view topic, lsn position);

std::optional<topic_key> parse_topic_key(std::string_view key) noexcept;

struct topic_entry {
  int64_t expires_at_ms = 0;
  uint64_t bytes = 0;    ///< payload
  bool released = false; ///< evicted from this topic, still held by another of the record's topics
};

void encode_topic_entry(std::string& out, const topic_entry& x);

std::optional<topic_entry> parse_topic_entry(std::string_view value) noexcept;

/// Highest position that the topic has evicted and that nothing is left of.
void encode_topic_floor(std::string& out, lsn x);

std::optional<lsn> parse_topic_floor(std::string_view value) noexcept;

// -- origin
// ----------------------------------------------------------------------------------------

/// From `from` on, and up to the next entry, sequence and position grow together.
struct origin_run {
  uint64_t node = 0; ///< node_id::short_form
  origin_position from;
  lsn position{};
};

std::string encode_origin_key(const origin_run& x);

std::string encode_origin_value(const origin_run& x);

std::optional<origin_run> parse_origin(std::string_view key, std::string_view value) noexcept;

// -- key
// -------------------------------------------------------------------------------------------

struct idempotency_entry {
  int64_t expires_at_ms = 0;
  uint8_t slot = 0; ///< whose record it is: see origin_heads
  lsn position{};
  origin_position origin;
  int64_t time_ms = 0;
  uint64_t fingerprint = 0;
};

void encode_idempotency(std::string& out, const idempotency_entry& x);

std::optional<idempotency_entry> parse_idempotency(std::string_view value) noexcept;

// -- mailbox
// ---------------------------------------------------------------------------------------

/// In the place of a user: what went to everyone.
inline constexpr std::string_view all_users = "";

/// The user in whose mailbox items of a topic are.
/// @param topic `everyone`, or that of a user
inline std::string_view mailbox_of_topic(std::string_view topic) {
  return user_of_topic(topic).value_or(all_users);
}

struct mailbox_key {
  std::string_view user;
  lsn item{};
};

void encode_mailbox_key(std::string& out, std::string_view user, lsn item);

std::optional<mailbox_key> parse_mailbox_key(std::string_view key) noexcept;

/// All but the item, which the key names.
void encode_mailbox_entry(std::string& out, const mailbox_entry& x);

std::optional<mailbox_entry> parse_mailbox_entry(lsn item, std::string_view value);

// -- meta
// ------------------------------------------------------------------------------------------

std::string encode_number(uint64_t x);

std::optional<uint64_t> parse_number(std::string_view value) noexcept;

} // namespace tidings::storage
