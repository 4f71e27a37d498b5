#include "storage/record_codec.hpp"

#include "tidings/bytes.hpp"

#include <xxhash.h>

namespace tidings::storage {

namespace {

constexpr uint8_t kind_mask = 0x03;
constexpr uint8_t form_shift = 6;
constexpr uint8_t used_flags = kind_mask | (0x03 << form_shift);

constexpr size_t expiry_at = 2;
constexpr size_t chain_at = 10;
constexpr size_t released_at = 18;
constexpr size_t time_at = 22;

/// All records are of this node until there are others.
constexpr uint64_t origin_slot = 0;

void append_head(std::string& out, const record_head& x) {
  char bytes[record_head_bytes];
  bytes[0] = static_cast<char>(x.has_mail ? item_version : record_version);
  bytes[1] =
    static_cast<char>(static_cast<uint8_t>(x.kind) | (static_cast<uint8_t>(x.form) << form_shift));
  store_big_endian(bytes + expiry_at, static_cast<uint64_t>(x.expires_at_ms));
  store_big_endian(bytes + chain_at, x.chain);
  store_big_endian(bytes + released_at, x.released);
  store_big_endian(bytes + time_at, static_cast<uint64_t>(x.time_ms));
  out.append(bytes, sizeof(bytes));
}

void append_text(std::string& out, std::string_view x) {
  append_varint(out, x.size());
  out.append(x);
}

template <class Topics>
void append_names(std::string& out, const origin_position& origin, const Topics& topics) {
  append_varint(out, origin_slot);
  append_varint(out, origin.incarnation);
  append_varint(out, origin.sequence);
  append_varint(out, topics.size());
  for (auto& topic : topics)
    append_text(out, topic);
}

} // namespace

void encode_record(std::string& out, record& x, uint64_t previous) {
  out.clear();
  record_head head;
  head.kind = x.content.kind;
  head.has_mail = x.content.mail != nullptr;
  head.expires_at_ms = x.content.expires_at_ms;
  head.time_ms = x.time_ms;
  head.chain = previous;
  append_head(out, head);
  append_names(out, x.origin, x.content.topics);
  append_text(out, x.content.type);
  append_text(out, x.content.id);
  append_text(out, x.content.data);
  if (auto mail = x.content.mail.get()) {
    out.push_back(static_cast<char>(mail->level));
    append_text(out, mail->title);
    append_text(out, mail->message);
  }
  // The chain before stands where the new one comes, so that one pass over the bytes covers both.
  x.chain = XXH3_64bits(out.data(), out.size());
  store_big_endian(out.data() + chain_at, x.chain);
}

void encode_stub(std::string& out, entry_form form, int64_t gone_ms, const decoded_entry& of) {
  std::string stub;
  record_head head = of;
  head.form = form;
  head.has_mail = false;
  head.expires_at_ms = gone_ms;
  append_head(stub, head);
  append_names(stub, of.origin, of.topic_span());
  out = std::move(stub); // `of` may point into the old bytes
}

void set_released(std::string& value, uint32_t released) noexcept {
  store_big_endian(value.data() + released_at, released);
}

bool decode_head(std::string_view value, record_head& out) noexcept {
  if (value.size() < record_head_bytes)
    return false;
  auto bytes = value.data();
  auto version = static_cast<uint8_t>(bytes[0]);
  if (version != record_version && version != item_version)
    return false;
  auto flags = static_cast<uint8_t>(bytes[1]);
  if ((flags & ~used_flags) != 0 || (flags & kind_mask) > static_cast<uint8_t>(data_kind::base64))
    return false;
  out.kind = static_cast<data_kind>(flags & kind_mask);
  out.form = static_cast<entry_form>(flags >> form_shift);
  out.has_mail = version == item_version;
  if (out.has_mail && out.form != entry_form::record)
    return false;
  out.expires_at_ms = static_cast<int64_t>(load_big_endian<uint64_t>(bytes + expiry_at));
  out.chain = load_big_endian<uint64_t>(bytes + chain_at);
  out.released = load_big_endian<uint32_t>(bytes + released_at);
  out.time_ms = static_cast<int64_t>(load_big_endian<uint64_t>(bytes + time_at));
  return true;
}

bool decode_entry(std::string_view value, decoded_entry& out) noexcept {
  if (!decode_head(value, out))
    return false;
  byte_reader in{value.substr(record_head_bytes)};
  auto slot = in.varint();
  out.origin.incarnation = in.varint();
  out.origin.sequence = in.varint();
  auto count = in.varint();
  if (!in.ok() || slot != origin_slot || count > record_topics_max)
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
  return in.done();
}

uint64_t chain_of(std::string_view value, uint64_t previous) {
  std::string copy{value};
  store_big_endian(copy.data() + chain_at, previous);
  set_released(copy, 0);
  return XXH3_64bits(copy.data(), copy.size());
}

} // namespace tidings::storage
