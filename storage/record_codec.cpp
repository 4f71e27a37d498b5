#include "storage/record_codec.hpp"

#include "tidings/bytes.hpp"

#include <xxhash.h>

namespace tidings::storage {

namespace {

// -- flags of the body
constexpr uint8_t kind_mask = 0x03;
constexpr uint8_t mail_flag = 0x04;
constexpr uint8_t key_flag = 0x08;
constexpr uint8_t form_shift = 6;
constexpr uint8_t used_flags = kind_mask | mail_flag | key_flag | (0x03 << form_shift);

// -- the place
constexpr size_t slot_at = 1;
constexpr size_t released_at = 2;
constexpr size_t arrived_at = 6;
constexpr size_t others_at = 14;

// -- the body
constexpr size_t expiry_at = 1;
constexpr size_t chain_at = 9;
constexpr size_t time_at = 17;

// -- old versions
constexpr size_t old_flags_at = 1;
constexpr size_t old_expiry_at = 2;
constexpr size_t old_chain_at = 10;
constexpr size_t old_released_at = 18;
constexpr size_t old_time_at = 22;

void append_text(std::string& out, std::string_view x) {
  append_varint(out, x.size());
  out.append(x);
}

bool is_old(std::string_view value) noexcept {
  return value[0] == record_version || value[0] == item_version;
}

void append_body_head(std::string& out, const record_head& x) {
  char bytes[body_head_bytes];
  bytes[0] =
    static_cast<char>(static_cast<uint8_t>(x.kind) | (x.has_mail ? mail_flag : 0)
                      | (x.has_key ? key_flag : 0) | (static_cast<uint8_t>(x.form) << form_shift));
  store_big_endian(bytes + expiry_at, static_cast<uint64_t>(x.expires_at_ms));
  store_big_endian(bytes + chain_at, x.chain);
  store_big_endian(bytes + time_at, static_cast<uint64_t>(x.time_ms));
  out.append(bytes, sizeof(bytes));
}

template <class Topics>
void append_names(std::string& out, const origin_position& origin, const origin_position& follows,
                  const Topics& topics) {
  append_varint(out, origin.incarnation);
  append_varint(out, origin.sequence);
  if (origin.sequence == 1) {
    append_varint(out, follows.incarnation);
    append_varint(out, follows.sequence);
  }
  append_varint(out, topics.size());
  for (auto& topic : topics)
    append_text(out, topic);
}

bool read_flags(uint8_t flags, uint8_t allowed, record_head& out) noexcept {
  if ((flags & ~allowed) != 0 || (flags & kind_mask) > static_cast<uint8_t>(data_kind::base64))
    return false;
  out.kind = static_cast<data_kind>(flags & kind_mask);
  out.form = static_cast<entry_form>(flags >> form_shift);
  out.has_mail = (flags & mail_flag) != 0;
  out.has_key = (flags & key_flag) != 0;
  return out.form == entry_form::record || (!out.has_mail && !out.has_key);
}

bool read_body_head(std::string_view body, record_head& out) noexcept {
  if (body.size() < body_head_bytes || !read_flags(static_cast<uint8_t>(body[0]), used_flags, out))
    return false;
  out.expires_at_ms = static_cast<int64_t>(load_big_endian<uint64_t>(body.data() + expiry_at));
  out.chain = load_big_endian<uint64_t>(body.data() + chain_at);
  out.time_ms = static_cast<int64_t>(load_big_endian<uint64_t>(body.data() + time_at));
  return true;
}

bool read_old_head(std::string_view value, record_head& out) noexcept {
  constexpr uint8_t allowed = kind_mask | (0x03 << form_shift);
  if (value.size() < old_head_bytes
      || !read_flags(static_cast<uint8_t>(value[old_flags_at]), allowed, out))
    return false;
  out.has_mail = value[0] == item_version;
  if (out.has_mail && out.form != entry_form::record)
    return false;
  auto bytes = value.data();
  out.expires_at_ms = static_cast<int64_t>(load_big_endian<uint64_t>(bytes + old_expiry_at));
  out.chain = load_big_endian<uint64_t>(bytes + old_chain_at);
  out.released = load_big_endian<uint32_t>(bytes + old_released_at);
  out.time_ms = static_cast<int64_t>(load_big_endian<uint64_t>(bytes + old_time_at));
  out.arrived_ms = out.time_ms;
  out.slot = 0;
  return true;
}

/// Where the body begins; 0: nowhere.
/// @param out if set, receives what the place says of other nodes
size_t read_place(std::string_view value, record_head& head, decoded_entry* out) noexcept {
  if (value.size() <= others_at || value[0] != entry_version)
    return 0;
  head.slot = static_cast<uint8_t>(value[slot_at]);
  head.released = load_big_endian<uint32_t>(value.data() + released_at);
  head.arrived_ms = static_cast<int64_t>(load_big_endian<uint64_t>(value.data() + arrived_at));
  byte_reader in{value.substr(others_at)};
  size_t count = in.u8();
  if (head.slot >= slots_max || count >= slots_max)
    return 0;
  auto lowest = 0; // they ascend
  for (size_t i = 0; i < count; ++i) {
    slot_position x;
    x.slot = in.u8();
    x.at.incarnation = in.varint();
    x.at.sequence = in.varint();
    if (x.slot < lowest || x.slot >= slots_max || x.slot == head.slot)
      return 0;
    lowest = x.slot + 1;
    if (out)
      out->others[i] = x;
  }
  if (!in.ok())
    return 0;
  if (out)
    out->other_count = count;
  return value.size() - in.left();
}

/// Everything behind the head of a body or of an old entry.
bool read_rest(byte_reader& in, decoded_entry& out) noexcept {
  auto count = in.varint();
  if (!in.ok() || count > record_topics_max)
    return false;
  out.topic_count = static_cast<size_t>(count);
  for (size_t i = 0; i < out.topic_count; ++i)
    out.topics[i] = in.text();
  out.type = out.id = out.data = {};
  if (out.form == entry_form::record) {
    out.type = in.text();
    out.id = in.text();
    out.data = in.text();
  }
  if (out.has_mail) {
    auto level = in.u8();
    out.mail.title = in.text();
    out.mail.message = in.text();
    if (level > static_cast<uint8_t>(priority::critical))
      return false;
    out.mail.level = static_cast<priority>(level);
  }
  out.key = {};
  out.fingerprint = 0;
  if (out.has_key) {
    out.key = in.text();
    out.fingerprint = in.u64();
    if (out.key.empty())
      return false;
  }
  return in.done();
}

bool decode_old(std::string_view value, decoded_entry& out) noexcept {
  if (!read_old_head(value, out))
    return false;
  byte_reader in{value.substr(old_head_bytes)};
  auto slot = in.varint(); // those versions knew no other node
  out.origin.incarnation = in.varint();
  out.origin.sequence = in.varint();
  out.follows = {};
  out.other_count = 0;
  out.body = {};
  out.is_chained = false;
  return slot == 0 && out.origin.sequence != 0 && read_rest(in, out);
}

} // namespace

void encode_place(std::string& out, const entry_place& x) {
  out.clear();
  char bytes[others_at];
  bytes[0] = static_cast<char>(entry_version);
  bytes[slot_at] = static_cast<char>(x.slot);
  store_big_endian(bytes + released_at, uint32_t{0});
  store_big_endian(bytes + arrived_at, static_cast<uint64_t>(x.arrived_ms));
  out.append(bytes, sizeof(bytes));
  out.push_back(static_cast<char>(x.others.size()));
  for (auto& other : x.others) {
    out.push_back(static_cast<char>(other.slot));
    append_varint(out, other.at.incarnation);
    append_varint(out, other.at.sequence);
  }
}

void append_body(std::string& out, record& x, const record_extras& extras, uint64_t previous) {
  auto begin = out.size();
  record_head head;
  head.kind = x.content.kind;
  head.has_mail = x.content.mail != nullptr;
  head.has_key = !extras.key.empty();
  head.expires_at_ms = x.content.expires_at_ms;
  head.time_ms = x.time_ms;
  head.chain = previous;
  append_body_head(out, head);
  append_names(out, x.origin, extras.follows, x.content.topics);
  append_text(out, x.content.type);
  append_text(out, x.content.id);
  append_text(out, x.content.data);
  if (auto mail = x.content.mail.get()) {
    out.push_back(static_cast<char>(mail->level));
    append_text(out, mail->title);
    append_text(out, mail->message);
  }
  if (head.has_key) {
    append_text(out, extras.key);
    append_u64(out, extras.fingerprint);
  }
  // The chain before stands where the new one comes, so that one pass over the bytes covers both.
  x.chain = XXH3_64bits_withSeed(out.data() + begin, out.size() - begin, x.node);
  store_big_endian(out.data() + begin + chain_at, x.chain);
}

void encode_stub(std::string& out, entry_form form, int64_t gone_ms, const decoded_entry& of) {
  std::string stub;
  encode_place(stub, {of.slot, of.arrived_ms, of.other_span()});
  set_released(stub, of.released);
  record_head head = of;
  head.form = form;
  head.has_mail = false;
  head.has_key = false;
  head.expires_at_ms = gone_ms;
  append_body_head(stub, head);
  append_names(stub, of.origin, of.follows, of.topic_span());
  out = std::move(stub); // `of` may point into the old bytes
}

void set_released(std::string& value, uint32_t released) noexcept {
  store_big_endian(value.data() + (is_old(value) ? old_released_at : released_at), released);
}

void set_unchained(std::string& body) noexcept {
  store_big_endian(body.data() + chain_at, uint64_t{0});
}

bool decode_head(std::string_view value, record_head& out) noexcept {
  if (value.empty())
    return false;
  if (is_old(value))
    return read_old_head(value, out);
  auto begin = read_place(value, out, nullptr);
  return begin != 0 && read_body_head(value.substr(begin), out);
}

bool decode_body(std::string_view body, decoded_entry& out) noexcept {
  if (!read_body_head(body, out))
    return false;
  byte_reader in{body.substr(body_head_bytes)};
  out.origin.incarnation = in.varint();
  out.origin.sequence = in.varint();
  out.follows = {};
  if (out.origin.sequence == 1) {
    out.follows.incarnation = in.varint();
    out.follows.sequence = in.varint();
  }
  out.body = body;
  out.is_chained = true;
  // Where all records of a node were taken away, there is none to name.
  auto is_named = out.origin.sequence != 0 || out.form != entry_form::record;
  return is_named && read_rest(in, out);
}

bool decode_entry(std::string_view value, decoded_entry& out) noexcept {
  if (value.empty())
    return false;
  if (is_old(value))
    return decode_old(value, out);
  auto begin = read_place(value, out, &out);
  return begin != 0 && decode_body(value.substr(begin), out);
}

bool begins_incarnation(std::string_view value) noexcept {
  decoded_entry x;
  return decode_entry(value, x) && x.origin.sequence == 1 && !is_taken_away(x);
}

uint64_t chain_of(const decoded_entry& x, std::string_view value, uint64_t node,
                  uint64_t previous) {
  if (x.is_chained) {
    std::string copy{x.body};
    store_big_endian(copy.data() + chain_at, previous);
    return XXH3_64bits_withSeed(copy.data(), copy.size(), node);
  }
  std::string copy{value};
  store_big_endian(copy.data() + old_chain_at, previous);
  set_released(copy, 0);
  return XXH3_64bits(copy.data(), copy.size());
}

} // namespace tidings::storage
