#include "tidings/cursor.hpp"

#include "tidings/text.hpp"

#include <algorithm>
#include <stdexcept>

namespace tidings {

namespace {

constexpr std::string_view prefix = "c1.";
constexpr std::string_view event_prefix = "e1.";
constexpr size_t node_bytes = 8;
constexpr size_t varint_bytes_max = 10;
constexpr size_t binary_bytes_max =
  1 + cursor::components_max * (node_bytes + 2 * varint_bytes_max);

static_assert(cursor::components_max < 0x80, "the count takes one byte");
static_assert(prefix.size() + (binary_bytes_max * 4 + 2) / 3 <= cursor::text_bytes_max,
              "every cursor fits, whatever its numbers");

char* put_node(char* to, uint64_t x) noexcept {
  for (int shift = 56; shift >= 0; shift -= 8)
    *to++ = static_cast<char>(x >> shift);
  return to;
}

char* put_varint(char* to, uint64_t x) noexcept {
  for (; x >= 0x80; x >>= 7)
    *to++ = static_cast<char>(x | 0x80);
  *to++ = static_cast<char>(x);
  return to;
}

bool take_node(std::string_view& from, uint64_t& x) noexcept {
  if (from.size() < node_bytes)
    return false;
  x = 0;
  for (size_t i = 0; i < node_bytes; ++i)
    x = x << 8 | static_cast<uint8_t>(from[i]);
  from.remove_prefix(node_bytes);
  return true;
}

/// Takes the shortest form only: a number has one spelling.
bool take_varint(std::string_view& from, uint64_t& x) noexcept {
  x = 0;
  for (size_t i = 0; i < from.size() && i < varint_bytes_max; ++i) {
    auto byte = static_cast<uint8_t>(from[i]);
    x |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      auto padded = byte == 0 && i != 0;
      auto overflows = i == varint_bytes_max - 1 && byte > 1;
      from.remove_prefix(i + 1);
      return !padded && !overflows;
    }
  }
  return false;
}

bool before(const cursor::component& x, uint64_t node) noexcept {
  return x.node < node;
}

} // namespace

cursor::cursor(uint64_t node, origin_position at) : components_{{node, at}} {
  // nop
}

std::optional<cursor> cursor::parse(std::string_view text) {
  if (text.size() > text_bytes_max || !text.starts_with(prefix))
    return std::nullopt;
  auto binary = from_base64url(text.substr(prefix.size()));
  if (!binary)
    return std::nullopt;
  std::string_view rest = *binary;
  uint64_t count = 0;
  if (!take_varint(rest, count) || count > components_max)
    return std::nullopt;
  cursor result;
  result.components_.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    component x;
    if (!take_node(rest, x.node) || !take_varint(rest, x.at.incarnation)
        || !take_varint(rest, x.at.sequence))
      return std::nullopt;
    if (i != 0 && x.node <= result.components_.back().node)
      return std::nullopt;
    result.components_.push_back(x);
  }
  if (!rest.empty())
    return std::nullopt;
  return result;
}

std::string cursor::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

void cursor::append_to(std::string& out) const {
  char binary[binary_bytes_max];
  auto end = put_varint(binary, components_.size());
  for (auto& x : components_) {
    end = put_node(end, x.node);
    end = put_varint(end, x.at.incarnation);
    end = put_varint(end, x.at.sequence);
  }
  out += prefix;
  append_base64url(out, {binary, static_cast<size_t>(end - binary)});
}

std::optional<origin_position> cursor::find(uint64_t node) const noexcept {
  auto i = std::lower_bound(components_.begin(), components_.end(), node, before);
  if (i == components_.end() || i->node != node)
    return std::nullopt;
  return i->at;
}

void cursor::set(uint64_t node, origin_position at) {
  auto i = std::lower_bound(components_.begin(), components_.end(), node, before);
  if (i != components_.end() && i->node == node) {
    i->at = at;
    return;
  }
  if (components_.size() == components_max)
    throw std::length_error("a cursor holds at most 13 nodes");
  components_.insert(i, {node, at});
}

void cursor::merge(const cursor& x) {
  for (auto& other : x.components_) {
    auto mine = find(other.node);
    if (mine ? *mine < other.at : components_.size() < components_max)
      set(other.node, other.at);
  }
}

bool cursor::covers(uint64_t node, origin_position at) const noexcept {
  auto mine = find(node);
  return mine && at <= *mine;
}

bool cursor::covers(const cursor& x) const noexcept {
  return std::all_of(x.components_.begin(), x.components_.end(), [this](const component& other) {
    return other.at.sequence == 0 || covers(other.node, other.at);
  });
}

void event_id::append_to(std::string& out, bool is_member) const {
  if (!is_member) {
    cursor{node, at}.append_to(out);
    return;
  }
  char binary[node_bytes + 2 * varint_bytes_max];
  auto end = put_varint(put_varint(put_node(binary, node), at.incarnation), at.sequence);
  out += event_prefix;
  append_base64url(out, {binary, static_cast<size_t>(end - binary)});
}

std::string event_id::to_string(bool is_member) const {
  std::string text;
  append_to(text, is_member);
  return text;
}

std::optional<event_id> event_id::parse(std::string_view text) {
  if (!text.starts_with(event_prefix)) {
    auto x = cursor::parse(text);
    if (!x || x->components().size() != 1)
      return std::nullopt;
    return event_id{x->components().front().node, x->components().front().at};
  }
  if (text.size() > cursor::text_bytes_max)
    return std::nullopt;
  auto binary = from_base64url(text.substr(event_prefix.size()));
  if (!binary)
    return std::nullopt;
  std::string_view rest = *binary;
  event_id x;
  if (!take_node(rest, x.node) || !take_varint(rest, x.at.incarnation)
      || !take_varint(rest, x.at.sequence) || !rest.empty())
    return std::nullopt;
  return x;
}

} // namespace tidings
