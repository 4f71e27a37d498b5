#include "storage/keys.hpp"

#include "storage/bytes.hpp"

namespace tidings::storage {

namespace {

constexpr uint8_t topic_version = 1;
constexpr uint8_t key_version = 1;
constexpr size_t lsn_bytes = 8;

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
  out.assign(topic);
  out.push_back('\0');
  append_u64(out, to_integer(position));
}

std::optional<topic_key> parse_topic_key(std::string_view key) noexcept {
  if (key.size() < lsn_bytes + 1 || key[key.size() - lsn_bytes - 1] != '\0')
    return std::nullopt;
  auto size = key.size() - lsn_bytes - 1;
  return topic_key{key.substr(0, size), lsn{load_big_endian<uint64_t>(key.data() + size + 1)}};
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
}

std::optional<idempotency_entry> parse_idempotency(std::string_view value) noexcept {
  byte_reader in{value};
  if (in.u8() != key_version)
    return std::nullopt;
  idempotency_entry x;
  x.expires_at_ms = static_cast<int64_t>(in.u64());
  x.position = lsn{in.u64()};
  x.origin.incarnation = in.u64();
  x.origin.sequence = in.u64();
  x.time_ms = static_cast<int64_t>(in.u64());
  x.fingerprint = in.u64();
  if (!in.done())
    return std::nullopt;
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
