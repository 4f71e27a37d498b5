#pragma once

#include "tidings/cursor.hpp"
#include "tidings/event.hpp"
#include "tidings/event_store.hpp"
#include "tidings/record_limits.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tidings::storage {

// The value of a log entry: docs/storage-format.md has the bytes. It begins with what concerns this
// node alone; the rest, the body, is the same on every node of a cluster and travels as it is.

/// Nodes whose records one log can hold: as many as a cursor.
inline constexpr size_t slots_max = cursor::components_max;

inline constexpr uint8_t record_version = 1; ///< of schemas 1 and 2; only read
inline constexpr uint8_t item_version = 2;   ///< the same, of records with `mail`
inline constexpr uint8_t entry_version = 3;
inline constexpr size_t old_head_bytes = 30; ///< of the first two
inline constexpr size_t body_head_bytes = 25;

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
  bool has_key = false;  ///< only a record

  /// Of a record: Unix time at which it expires, 0: never. Else: when the event went.
  int64_t expires_at_ms = 0;

  uint64_t chain = 0;
  uint32_t released = 0; ///< bit n: the retention of topic n does not hold the record any more
  int64_t time_ms = 0;
  int64_t arrived_ms = 0; ///< when it was committed here; never less than that of the entry before
  uint8_t slot = 0;       ///< whose it is: 0 this node, else see origin_slots
};

/// How far the records of another node had come.
struct slot_position {
  uint8_t slot = 0;
  origin_position at;
};

/// An entry as it lies in memory: all views point into the encoded bytes, `topics` into this
/// object.
struct decoded_entry : record_head {
  origin_position origin;
  origin_position follows; ///< of the first record of an incarnation: the one of this node before
  size_t other_count = 0;
  std::array<slot_position, slots_max> others; ///< of the nodes but its own, ascending by slot
  size_t topic_count = 0;
  std::array<std::string_view, record_topics_max> topics;
  std::string_view type; ///< this and the rest: empty unless a record
  std::string_view id;
  std::string_view data;
  mail_view mail;           ///< only if `has_mail`
  std::string_view key;     ///< only if `has_key`
  uint64_t fingerprint = 0; ///< only if `has_key`
  std::string_view body;    ///< what travels; empty of the old versions
  bool is_chained = true;   ///< false of the old versions, whose chain goes over the whole log

  decoded_entry() noexcept {
    // not the arrays: only the first so many are ever looked at
  }

  std::span<const std::string_view> topic_span() const noexcept {
    return {topics.data(), topic_count};
  }

  std::span<const slot_position> other_span() const noexcept {
    return {others.data(), other_count};
  }
};

/// What only this node knows of an entry.
struct entry_place {
  uint8_t slot = 0;
  int64_t arrived_ms = 0;
  std::span<const slot_position> others;
};

/// What a record has beside its event.
struct record_extras {
  origin_position follows; ///< of the first record of an incarnation
  std::string_view key;
  uint64_t fingerprint = 0;
};

/// Replaces `out` by what an entry begins with. A body follows it.
void encode_place(std::string& out, const entry_place& x);

/// Appends the body of a record and sets the chain of `x`.
/// @param previous chain of the record of its incarnation before it; 0: it is the first
void append_body(std::string& out, record& x, const record_extras& extras, uint64_t previous);

/// Replaces `out` by the value of an entry that says that something is missing. `of` may be in it.
void encode_stub(std::string& out, entry_form form, int64_t gone_ms, const decoded_entry& of);

/// Sets the `released` bits in an encoded entry.
void set_released(std::string& value, uint32_t released) noexcept;

/// Marks a body as one whose chain is not known.
void set_unchained(std::string& body) noexcept;

/// False for what this version does not understand or what is cut short.
bool decode_head(std::string_view value, record_head& out) noexcept;

/// Strict: every byte must be accounted for.
bool decode_entry(std::string_view value, decoded_entry& out) noexcept;

/// The same for a body that came from another node: `out` has no place.
bool decode_body(std::string_view body, decoded_entry& out) noexcept;

/// Whether an entry is the first of an incarnation. Its place is never forgotten: without what it
/// follows on nobody could tell whether a node that has been away for long has records that the
/// others know nothing of.
bool begins_incarnation(std::string_view value) noexcept;

/// Whether a record was taken away from this place because its node went on without it. The place
/// names the record of that node before it, and there is nothing to say to anybody.
inline bool is_taken_away(const decoded_entry& x) noexcept {
  return x.form == entry_form::evicted && x.topic_count == 0;
}

/// The chain that a record must carry if `previous` is right. Meaningless for stubs, whose content
/// is gone.
/// @param node short form of the node that accepted it; does not matter for old versions
/// @param previous of the same incarnation; of an old version: of the entry before it in the log
uint64_t chain_of(const decoded_entry& x, std::string_view value, uint64_t node, uint64_t previous);

/// The payload bytes that retention counts.
inline uint64_t payload_bytes(const event& x) noexcept {
  auto bytes = x.data.size() + x.type.size() + x.id.size();
  return x.mail ? bytes + x.mail->title.size() + x.mail->message.size() : bytes;
}

inline uint64_t payload_bytes(const decoded_entry& x) noexcept {
  auto bytes = x.data.size() + x.type.size() + x.id.size();
  return x.has_mail ? bytes + x.mail.title.size() + x.mail.message.size() : bytes;
}

} // namespace tidings::storage
