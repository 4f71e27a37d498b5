#include "storage/keys.hpp"

#include "tidings/bytes.hpp"

namespace tidings::storage {

namespace {

constexpr uint8_t topic_version = 1;
constexpr uint8_t key_version = 2;
constexpr uint8_t key_version_without_slot = 1;
constexpr uint8_t mailbox_version = 1;
constexpr uint8_t shared_flag = 0x01;
constexpr size_t lsn_bytes = 8;

struct name_and_position {
  std::string_view name;
  lsn position{};
};

/// Keys of one name sort by position; no name holds a zero byte.
void encode_pair(std::string& out, std::string_view name, lsn position) {
  out.assign(name);
  out.push_back('\0');
  append_u64(out, to_integer(position));
}

std::optional<name_and_position> parse_pair(std::string_view key) noexcept {
  if (key.size() < lsn_bytes + 1 || key[key.size() - lsn_bytes - 1] != '\0')
    return std::nullopt;
  auto size = key.size() - lsn_bytes - 1;
  return name_and_position{key.substr(0, size),
                           lsn{load_big_endian<uint64_t>(key.data() + size + 1)}};
}

} // namespace

log_key::log_key(lsn x) noexcept {
  store_big_endian(bytes_, to_integer(x));
}

std::optional<lsn> parse_log_key(std::string_view key) noexcept {
  if (key.size() != lsn_bytes)
    return std::nullopt;
  return lsn{load_big_endian<uint64_t>(key.data())};
}

void encode_topic_key(std::string& out, std::string_view topic, lsn position) {
  encode_pair(out, topic, position);
}

std::optional<topic_key> parse_topic_key(std::string_view key) noexcept {
  auto x = parse_pair(key);
  if (!x)
    return std::nullopt;
  return topic_key{x->name, x->position};
}

void encode_topic_entry(std::string& out, const topic_entry& x) {
  out.assign(1, static_cast<char>(topic_version));
  append_u64(out, static_cast<uint64_t>(x.expires_at_ms));
  out.push_back(x.released ? 1 : 0);
  append_varint(out, x.bytes);
}

std::optional<topic_entry> parse_topic_entry(std::string_view value) noexcept {
  byte_reader in{value};
  if (in.u8() != topic_version)
    return std::nullopt;
  topic_entry x;
  x.expires_at_ms = static_cast<int64_t>(in.u64());
  auto released = in.u8();
  x.released = released == 1;
  x.bytes = in.varint();
  if (!in.done() || released > 1)
    return std::nullopt;
  return x;
}

void encode_topic_floor(std::string& out, lsn x) {
  out.assign(1, static_cast<char>(topic_version));
  append_u64(out, to_integer(x));
}

std::optional<lsn> parse_topic_floor(std::string_view value) noexcept {
  byte_reader in{value};
  if (in.u8() != topic_version)
    return std::nullopt;
  auto x = in.u64();
  if (!in.done())
    return std::nullopt;
  return lsn{x};
}

std::string encode_origin_key(const origin_run& x) {
  std::string key;
  append_u64(key, x.node);
  append_u64(key, x.from.incarnation);
  append_u64(key, x.from.sequence);
  return key;
}

std::string encode_origin_value(const origin_run& x) {
  std::string value;
  append_u64(value, to_integer(x.position));
  return value;
}

std::optional<origin_run> parse_origin(std::string_view key, std::string_view value) noexcept {
  byte_reader in{key};
  origin_run x;
  x.node = in.u64();
  x.from.incarnation = in.u64();
  x.from.sequence = in.u64();
  byte_reader at{value};
  x.position = lsn{at.u64()};
  if (!in.done() || !at.done())
    return std::nullopt;
  return x;
}

void encode_idempotency(std::string& out, const idempotency_entry& x) {
  out.assign(1, static_cast<char>(key_version));
  append_u64(out, static_cast<uint64_t>(x.expires_at_ms));
  append_u64(out, to_integer(x.position));
  append_u64(out, x.origin.incarnation);
  append_u64(out, x.origin.sequence);
  append_u64(out, static_cast<uint64_t>(x.time_ms));
  append_u64(out, x.fingerprint);
  out.push_back(static_cast<char>(x.slot));
}

std::optional<idempotency_entry> parse_idempotency(std::string_view value) noexcept {
  byte_reader in{value};
  auto version = in.u8();
  if (version != key_version && version != key_version_without_slot)
    return std::nullopt;
  idempotency_entry x;
  x.expires_at_ms = static_cast<int64_t>(in.u64());
  x.position = lsn{in.u64()};
  x.origin.incarnation = in.u64();
  x.origin.sequence = in.u64();
  x.time_ms = static_cast<int64_t>(in.u64());
  x.fingerprint = in.u64();
  if (version == key_version)
    x.slot = in.u8();
  if (!in.done())
    return std::nullopt;
  return x;
}

void encode_mailbox_key(std::string& out, std::string_view user, lsn item) {
  encode_pair(out, user, item);
}

std::optional<mailbox_key> parse_mailbox_key(std::string_view key) noexcept {
  auto x = parse_pair(key);
  if (!x)
    return std::nullopt;
  return mailbox_key{x->name, x->position};
}

void encode_mailbox_entry(std::string& out, const mailbox_entry& x) {
  out.assign(1, static_cast<char>(mailbox_version));
  out.push_back(static_cast<char>(x.state));
  out.push_back(static_cast<char>(x.level));
  out.push_back(static_cast<char>(x.shared ? shared_flag : 0));
  append_u64(out, static_cast<uint64_t>(x.created_ms));
  append_u64(out, static_cast<uint64_t>(x.expires_at_ms));
  append_u64(out, static_cast<uint64_t>(x.changed_ms));
  append_varint(out, x.type.size());
  out += x.type;
}

std::optional<mailbox_entry> parse_mailbox_entry(lsn item, std::string_view value) {
  byte_reader in{value};
  if (in.u8() != mailbox_version)
    return std::nullopt;
  auto state = in.u8();
  auto level = in.u8();
  auto flags = in.u8();
  mailbox_entry x;
  x.item = item;
  x.created_ms = static_cast<int64_t>(in.u64());
  x.expires_at_ms = static_cast<int64_t>(in.u64());
  x.changed_ms = static_cast<int64_t>(in.u64());
  auto type = in.text();
  if (!in.done() || state >= item_state_count || level > static_cast<uint8_t>(priority::critical)
      || (flags & ~shared_flag) != 0)
    return std::nullopt;
  x.state = static_cast<item_state>(state);
  x.level = static_cast<priority>(level);
  x.shared = flags != 0;
  x.type = type;
  return x;
}

std::string encode_number(uint64_t x) {
  std::string value;
  append_u64(value, x);
  return value;
}

std::optional<uint64_t> parse_number(std::string_view value) noexcept {
  if (value.size() != 8)
    return std::nullopt;
  return load_big_endian<uint64_t>(value.data());
}

} // namespace tidings::storage
