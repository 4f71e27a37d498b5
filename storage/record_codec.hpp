#pragma once

#include "tidings/event.hpp"
#include "tidings/event_store.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidings::storage {

// The value of a log entry: docs/storage-format.md has the bytes.

/// Topics that one record may have: one bit each in `released`.
inline constexpr size_t record_topics_max = 32;

inline constexpr uint8_t record_version = 1; ///< of stubs and of records that are no items
inline constexpr uint8_t item_version = 2;   ///< of records with `mail`
inline constexpr size_t record_head_bytes = 30;

/// What a log position holds.
enum class entry_form : uint8_t {
  record = 0,  ///< an event
  expired = 1, ///< the place of an event whose time to live ended
  evicted = 2, ///< the place of an event that no topic's retention holds any more
  lost = 3,    ///< after this node lost records: they would have been here
};

/// The part of an entry that can be read without looking at the rest.
struct record_head {
  entry_form form = entry_form::record;
  data_kind kind = data_kind::text;
  bool has_mail = false; ///< only a record

  /// Of a record: Unix time at which it expires, 0: never. Else: when the event went.
  int64_t expires_at_ms = 0;

  uint64_t chain = 0;
  uint32_t released = 0; ///< bit n: the retention of topic n does not hold the record any more
  int64_t time_ms = 0;
};

/// An entry as it lies in memory: all views point into the encoded bytes, `topics` into this
/// object.
struct decoded_entry : record_head {
  origin_position origin;
  size_t topic_count = 0;
  std::array<std::string_view, record_topics_max> topics;
  std::string_view type; ///< this and the rest: empty unless a record
  std::string_view id;
  std::string_view data;
  mail_view mail; ///< only if `has_mail`

  decoded_entry() noexcept {
    // not the topics: only the first `topic_count` are ever looked at
  }

  std::span<const std::string_view> topic_span() const noexcept {
    return {topics.data(), topic_count};
  }
};

/// Replaces `out` by the value of a record and sets the chain of `x`.
/// @param previous chain of the record before it
void encode_record(std::string& out, record& x, uint64_t previous);

/// Replaces `out` by the value of an entry that says that something is missing.
void encode_stub(std::string& out, entry_form form, int64_t gone_ms, const decoded_entry& of);

/// Sets the `released` bits in an encoded entry.
void set_released(std::string& value, uint32_t released) noexcept;

/// False for what this version does not understand or what is cut short.
bool decode_head(std::string_view value, record_head& out) noexcept;

/// Strict: every byte must be accounted for.
bool decode_entry(std::string_view value, decoded_entry& out) noexcept;

/// The chain that a record must carry if `previous` is right. Meaningless for stubs, whose content
/// is gone.
uint64_t chain_of(std::string_view value, uint64_t previous);

/// The payload bytes that retention counts.
inline uint64_t payload_bytes(const event& x) noexcept {
  auto bytes = x.data.size() + x.type.size() + x.id.size();
  return x.mail ? bytes + x.mail->title.size() + x.mail->message.size() : bytes;
}

} // namespace tidings::storage
