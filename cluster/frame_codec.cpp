#include "cluster/frame_codec.hpp"

#include "tidings/bytes.hpp"
#include "tidings/text.hpp"

#include <xxhash.h>

#include <algorithm>

namespace tidings::cluster {

namespace {

constexpr char magic[] = {'T', 'd'};
constexpr uint8_t frame_version = 1;
constexpr size_t type_at = 3;
constexpr size_t length_at = 4;
constexpr size_t checksum_at = 8;
constexpr size_t name_max = 255;

/// The least that one of them takes in a payload: more than so many cannot be in it.
constexpr size_t origin_head_bytes_min = 8 + 1 + 1 + 8;
constexpr size_t replica_bytes_min = 4 + 8 + 1;

bool is_line(std::string_view x, size_t bytes_max) noexcept {
  return x.size() <= bytes_max && is_utf8(x) && is_single_line(x);
}

bool is_name(std::string_view x) noexcept {
  return !x.empty() && is_line(x, name_max);
}

/// What can be said about a frame before it is written.
struct is_sound {
  bool operator()(const hello& x) const {
    return is_name(x.cluster) && is_name(x.member);
  }

  bool operator()(const goodbye& x) const {
    return is_line(x.text, goodbye::text_max);
  }

  bool operator()(const heads& x) const {
    return x.origins.size() <= origins_max;
  }

  bool operator()(const data& x) const {
    return x.records.size() <= records_max;
  }

  bool operator()(const message& x) const {
    return std::visit(*this, x);
  }

  template <class T>
  bool operator()(const T&) const {
    return true;
  }
};

// -- writing

class writer {
public:
  explicit writer(std::string& out) : out_(out) {
    // nop
  }

  frame_type operator()(const hello& x) {
    u16(x.version_min);
    u16(x.version_max);
    u32(x.abilities);
    text(x.cluster);
    bytes(x.node.bytes);
    text(x.member);
    u64(x.incarnation);
    u64(x.membership);
    bytes(x.nonce);
    return frame_type::hello;
  }

  frame_type operator()(const proof& x) {
    bytes(x.code);
    return frame_type::proof;
  }

  frame_type operator()(const ping&) {
    return frame_type::ping;
  }

  frame_type operator()(const goodbye& x) {
    u8(static_cast<uint8_t>(x.reason));
    text(x.text);
    return frame_type::goodbye;
  }

  frame_type operator()(const message& x) {
    return std::visit(*this, x);
  }

  frame_type operator()(const heads& x) {
    u8(x.complete ? 1 : 0);
    varint(x.origins.size());
    for (auto& y : x.origins)
      put(y);
    return frame_type::heads;
  }

  frame_type operator()(const want& x) {
    u64(x.node);
    put(x.after);
    return frame_type::want;
  }

  frame_type operator()(const stop& x) {
    u64(x.node);
    return frame_type::stop;
  }

  frame_type operator()(const credit& x) {
    u64(x.bytes);
    return frame_type::credit;
  }

  frame_type operator()(const data& x) {
    u64(x.node);
    varint(x.records.size());
    for (auto& y : x.records) {
      put(y.at);
      put(y.follows);
      u64(y.chain);
      text(y.bytes);
    }
    return frame_type::data;
  }

  frame_type operator()(const forgotten& x) {
    put(x.up_to);
    return frame_type::forgotten;
  }

  frame_type operator()(const request& x) {
    u64(x.id);
    u8(x.kind);
    text(x.body);
    return frame_type::request;
  }

  frame_type operator()(const response& x) {
    u64(x.id);
    text(x.body);
    return frame_type::response;
  }

private:
  void u8(uint8_t x) {
    out_.push_back(static_cast<char>(x));
  }

  void u16(uint16_t x) {
    char buffer[2];
    store_big_endian(buffer, x);
    out_.append(buffer, sizeof(buffer));
  }

  void u32(uint32_t x) {
    char buffer[4];
    store_big_endian(buffer, x);
    out_.append(buffer, sizeof(buffer));
  }

  void u64(uint64_t x) {
    append_u64(out_, x);
  }

  void varint(uint64_t x) {
    append_varint(out_, x);
  }

  void text(std::string_view x) {
    varint(x.size());
    out_.append(x);
  }

  template <size_t N>
  void bytes(const std::array<uint8_t, N>& x) {
    out_.append(reinterpret_cast<const char*>(x.data()), N);
  }

  void put(const origin_position& x) {
    varint(x.incarnation);
    varint(x.sequence);
  }

  void put(const origin_head& x) {
    u64(x.node);
    put(x.at);
    u64(x.chain);
  }

  std::string& out_;
};

/// Chained, because the checksum itself lies between the two parts.
uint64_t checksum_of(std::string_view whole) noexcept {
  auto payload = whole.substr(frame_head_bytes);
  return XXH3_64bits_withSeed(payload.data(), payload.size(),
                              XXH3_64bits(whole.data(), checksum_at));
}

template <class T>
bool append(std::string& out, const T& x) {
  if (!is_sound{}(x))
    return false;
  auto begin = out.size();
  out.append(frame_head_bytes, '\0');
  auto type = writer{out}(x);
  auto payload_bytes = out.size() - begin - frame_head_bytes;
  if (payload_bytes > frame_payload_max) {
    out.resize(begin);
    return false;
  }
  auto head = out.data() + begin;
  std::copy(std::begin(magic), std::end(magic), head);
  head[2] = static_cast<char>(frame_version);
  head[type_at] = static_cast<char>(type);
  store_big_endian(head + length_at, static_cast<uint32_t>(payload_bytes));
  set_frame_checksum(out, begin);
  return true;
}

// -- reading

/// Takes values from a payload. What is not as it should be makes it fail, and everything after it.
class reader : public byte_reader {
public:
  using byte_reader::byte_reader;

  uint16_t u16() noexcept {
    auto high = u8();
    return static_cast<uint16_t>(high << 8 | u8());
  }

  template <size_t N>
  void take(std::array<uint8_t, N>& out) noexcept {
    for (auto& x : out)
      x = u8();
  }

  void take(std::string& out) {
    out = text();
  }

  bool boolean() noexcept {
    auto x = u8();
    if (x > 1)
      fail();
    return x == 1;
  }

  /// How many follow, each of them at least so many bytes.
  size_t count(size_t most, size_t each_bytes) noexcept {
    auto x = varint();
    if (x > most || x * each_bytes > left())
      fail();
    return ok() ? static_cast<size_t>(x) : 0;
  }

  void take(origin_position& out) noexcept {
    out.incarnation = varint();
    out.sequence = varint();
  }

  void take(origin_head& out) noexcept {
    out.node = u64();
    take(out.at);
    out.chain = u64();
  }

  void take(close_reason& out) noexcept {
    auto x = u8();
    if (x == 0 || x > static_cast<uint8_t>(close_reason_last))
      fail();
    out = static_cast<close_reason>(x);
  }
};

void take(reader& in, hello& x) {
  x.version_min = in.u16();
  x.version_max = in.u16();
  x.abilities = in.u32();
  in.take(x.cluster);
  in.take(x.node.bytes);
  in.take(x.member);
  x.incarnation = in.u64();
  x.membership = in.u64();
  in.take(x.nonce);
}

void take(reader& in, proof& x) {
  in.take(x.code);
}

void take(reader&, ping&) {
  // nop
}

void take(reader& in, goodbye& x) {
  in.take(x.reason);
  in.take(x.text);
}

void take(reader& in, heads& x) {
  x.complete = in.boolean();
  x.origins.resize(in.count(origins_max, origin_head_bytes_min));
  for (auto& y : x.origins)
    in.take(y);
}

void take(reader& in, want& x) {
  x.node = in.u64();
  in.take(x.after);
}

void take(reader& in, stop& x) {
  x.node = in.u64();
}

void take(reader& in, credit& x) {
  x.bytes = in.u64();
}

void take(reader& in, data& x) {
  x.node = in.u64();
  x.records.resize(in.count(records_max, replica_bytes_min));
  for (auto& y : x.records) {
    in.take(y.at);
    in.take(y.follows);
    y.chain = in.u64();
    in.take(y.bytes);
  }
}

void take(reader& in, forgotten& x) {
  in.take(x.up_to);
}

void take(reader& in, request& x) {
  x.id = in.u64();
  x.kind = in.u8();
  in.take(x.body);
}

void take(reader& in, response& x) {
  x.id = in.u64();
  in.take(x.body);
}

template <class T>
bool read_as(std::string_view payload, frame& out) {
  T x;
  reader in{payload};
  take(in, x);
  if (!in.done() || !is_sound{}(x))
    return false;
  if constexpr (std::is_constructible_v<message, T>)
    out = message{std::move(x)};
  else
    out = std::move(x);
  return true;
}

bool is_known(frame_type x) noexcept {
  return (x >= frame_type::hello && x <= frame_type::goodbye)
         || (x >= frame_type::heads && x <= frame_type::response);
}

bool read_payload(frame_type type, std::string_view payload, frame& out) {
  switch (type) {
    case frame_type::hello:
      return read_as<hello>(payload, out);
    case frame_type::proof:
      return read_as<proof>(payload, out);
    case frame_type::ping:
      return read_as<ping>(payload, out);
    case frame_type::goodbye:
      return read_as<goodbye>(payload, out);
    case frame_type::heads:
      return read_as<heads>(payload, out);
    case frame_type::want:
      return read_as<want>(payload, out);
    case frame_type::stop:
      return read_as<stop>(payload, out);
    case frame_type::credit:
      return read_as<credit>(payload, out);
    case frame_type::data:
      return read_as<data>(payload, out);
    case frame_type::forgotten:
      return read_as<forgotten>(payload, out);
    case frame_type::request:
      return read_as<request>(payload, out);
    case frame_type::response:
      return read_as<response>(payload, out);
  }
  return false;
}

} // namespace

const char* to_string(close_reason x) noexcept {
  switch (x) {
    case close_reason::shutting_down:
      return "shutting_down";
    case close_reason::wrong_cluster:
      return "wrong_cluster";
    case close_reason::version_mismatch:
      return "version_mismatch";
    case close_reason::own_node:
      return "own_node";
    case close_reason::bad_proof:
      return "bad_proof";
    case close_reason::not_a_member:
      return "not_a_member";
    case close_reason::wrong_certificate:
      return "wrong_certificate";
    case close_reason::not_a_frame:
      return "not_a_frame";
    case close_reason::frame_too_long:
      return "frame_too_long";
    case close_reason::bad_checksum:
      return "bad_checksum";
    case close_reason::malformed_frame:
      return "malformed_frame";
    case close_reason::unexpected_frame:
      return "unexpected_frame";
    case close_reason::handshake_timeout:
      return "handshake_timeout";
    case close_reason::silent:
      return "silent";
    case close_reason::replaced:
      return "replaced";
    case close_reason::stalled:
      return "stalled";
    case close_reason::connection_lost:
      return "connection_lost";
    case close_reason::tls_failed:
      return "tls_failed";
  }
  return "unknown";
}

bool append_frame(std::string& out, const frame& x) {
  return std::visit([&out](auto& y) { return append(out, y); }, x);
}

bool append_frame(std::string& out, const message& x) {
  return append(out, x);
}

void set_frame_checksum(std::string& out, size_t begin) {
  auto whole = std::string_view{out}.substr(begin);
  store_big_endian(out.data() + begin + checksum_at, checksum_of(whole));
}

std::optional<close_reason> read_frame_head(std::string_view bytes, size_t payload_max,
                                            frame_head& out) noexcept {
  if (bytes.size() < frame_head_bytes
      || !std::equal(std::begin(magic), std::end(magic), bytes.data())
      || static_cast<uint8_t>(bytes[2]) != frame_version)
    return close_reason::not_a_frame;
  out.type = static_cast<frame_type>(bytes[type_at]);
  if (!is_known(out.type))
    return close_reason::malformed_frame;
  out.payload_bytes = load_big_endian<uint32_t>(bytes.data() + length_at);
  if (out.payload_bytes > payload_max)
    return close_reason::frame_too_long;
  return std::nullopt;
}

std::optional<close_reason> read_frame(std::string_view bytes, frame& out) {
  if (load_big_endian<uint64_t>(bytes.data() + checksum_at) != checksum_of(bytes))
    return close_reason::bad_checksum;
  auto type = static_cast<frame_type>(bytes[type_at]);
  if (!read_payload(type, bytes.substr(frame_head_bytes), out))
    return close_reason::malformed_frame;
  return std::nullopt;
}

} // namespace tidings::cluster
