#include "http/json_scan.hpp"

#include "tidings/text.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace tidings::http {

namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// The first quote, backslash or control character, eight bytes at a time.
const char* end_of_plain(const char* at, const char* end) noexcept {
  constexpr uint64_t ones = 0x0101010101010101;
  constexpr uint64_t highs = 0x8080808080808080;
  auto has_zero = [](uint64_t x) { return (x - ones) & ~x & highs; };
  while (end - at >= 8) {
    uint64_t x;
    std::memcpy(&x, at, sizeof x);
    auto control = (x - ones * 0x20) & ~x & highs;
    if ((has_zero(x ^ (ones * '"')) | has_zero(x ^ (ones * '\\')) | control) != 0)
      break;
    at += 8;
  }
  while (at != end && *at != '"' && *at != '\\' && static_cast<uint8_t>(*at) >= 0x20)
    ++at;
  return at;
}

/// Four hexadecimal digits; -1: something else.
int parse_hex4(const char* at, const char* end) noexcept {
  auto x = 0;
  if (end - at < 4)
    return -1;
  for (int i = 0; i < 4; ++i) {
    auto c = static_cast<char>(at[i] | 0x20);
    auto digit = is_digit(at[i]) ? at[i] - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0)
      return -1;
    x = x * 16 + digit;
  }
  return x;
}

void append_utf8(std::string& out, uint32_t x) {
  if (x < 0x80) {
    out += static_cast<char>(x);
    return;
  }
  if (x < 0x800) {
    out += static_cast<char>(0xc0 | (x >> 6));
  } else {
    if (x < 0x10000) {
      out += static_cast<char>(0xe0 | (x >> 12));
    } else {
      out += static_cast<char>(0xf0 | (x >> 18));
      out += static_cast<char>(0x80 | ((x >> 12) & 0x3f));
    }
    out += static_cast<char>(0x80 | ((x >> 6) & 0x3f));
  }
  out += static_cast<char>(0x80 | (x & 0x3f));
}

/// Decodes the inside of a string that has been checked.
std::string decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  auto at = text.data();
  auto end = at + text.size();
  while (true) {
    auto next = std::find(at, end, '\\');
    out.append(at, next);
    if (next == end)
      return out;
    at = next + 2;
    switch (next[1]) {
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u': {
        auto x = static_cast<uint32_t>(parse_hex4(at, end));
        at += 4;
        if (x >= 0xd800 && x < 0xdc00) { // the second half is there: it was checked
          x = 0x10000 + ((x - 0xd800) << 10) + static_cast<uint32_t>(parse_hex4(at + 2, end))
              - 0xdc00;
          at += 6;
        }
        append_utf8(out, x);
        break;
      }
      default:
        out += next[1];
    }
  }
}

/// Whether what looks like a number has become infinite.
bool is_too_large(const char* begin, const char* end) {
  auto x = 0.0;
  if (std::from_chars(begin, end, x).ec != std::errc::result_out_of_range)
    return false;
  return !std::isfinite(std::strtod(std::string{begin, end}.c_str(), nullptr)); // or too small
}

/// Goes through the text once, without recursion. Keeps the items of the outermost object or array.
class scanner {
public:
  scanner(std::string_view text, size_t depth_max, std::vector<json_item>* items)
    : begin_(text.data()),
      at_(begin_),
      end_(begin_ + text.size()),
      depth_max_(depth_max),
      items_(items) {
    // nop
  }

  status run() {
    if (!is_utf8({begin_, static_cast<size_t>(end_ - begin_)}))
      return failure{errc::invalid_json, "the JSON is not UTF-8"};
    if (scan())
      return std::nullopt;
    return failure{errc::invalid_json, why_          ? why_
                                       : at_ == end_ ? "the JSON ends too early"
                                                     : where()};
  }

  /// The value as a whole, without its name.
  json_item value() const {
    return outermost_;
  }

private:
  /// A value begins here.
  struct open_value {
    const char* from;
    size_t first_name; // of an object, in names_
    size_t blanks;     // before it
    bool object;
  };

  std::string where() const {
    return "the text is not valid JSON from byte " + std::to_string(at_ - begin_) + " on";
  }

  bool refuse(const char* why) {
    why_ = why;
    return false;
  }

  char peek() const noexcept {
    return at_ != end_ ? *at_ : '\0';
  }

  void skip_blanks() noexcept {
    while (at_ != end_ && is_blank(*at_)) {
      ++at_;
      ++blanks_;
    }
  }

  bool scan() {
    skip_blanks();
    while (true) {
      // a value is expected
      auto c = peek();
      if (c == '{' || c == '[') {
        if (!open(c == '{'))
          return false;
        skip_blanks();
        if (peek() != (c == '{' ? '}' : ']')) {
          if (c == '{' && !scan_name())
            return false;
          continue;
        }
        if (!close())
          return false;
      } else if (!scan_scalar(c)) {
        return false;
      }
      // what comes after a value
      while (true) {
        skip_blanks();
        if (depth_ == 0)
          return at_ == end_;
        auto& in = open_[depth_ - 1];
        c = peek();
        if (c == ',') {
          ++at_;
          skip_blanks();
          if (in.object && !scan_name())
            return false;
          break;
        }
        if (c != (in.object ? '}' : ']') || !close())
          return false;
      }
    }
  }

  bool open(bool object) {
    if (depth_ == depth_max_)
      return refuse("the JSON is nested more than 32 levels deep");
    open_[depth_++] = {at_, names_.size(), blanks_, object};
    ++at_;
    return true;
  }

  bool close() {
    auto& x = open_[--depth_];
    ++at_;
    if (x.object && !check_names(x.first_name))
      return false;
    found(x.object ? json_kind::object : json_kind::array, x.from, blanks_ == x.blanks);
    return true;
  }

  bool check_names(size_t first) {
    auto begin = names_.begin() + static_cast<ptrdiff_t>(first);
    if (names_.end() - begin > 1) {
      std::sort(begin, names_.end());
      if (std::adjacent_find(begin, names_.end()) != names_.end())
        return refuse("an object of the JSON holds a name twice");
    }
    names_.erase(begin, names_.end());
    return true;
  }

  /// A name and its colon.
  bool scan_name() {
    if (peek() != '"')
      return false;
    auto from = at_ + 1;
    auto plain = true;
    if (!scan_string(plain))
      return false;
    auto name = std::string_view{from, static_cast<size_t>(at_ - 1 - from)};
    std::string decoded;
    if (!plain) {
      decoded = decode(name);
      name = decoded;
    }
    names_.push_back(XXH3_64bits(name.data(), name.size()));
    if (depth_ == 1 && items_)
      name_ = name;
    skip_blanks();
    if (peek() != ':')
      return false;
    ++at_;
    skip_blanks();
    return true;
  }

  bool scan_scalar(char c) {
    auto from = at_;
    auto plain = true;
    switch (c) {
      case '"':
        if (!scan_string(plain))
          return false;
        found(json_kind::string, from, plain);
        return true;
      case 't':
        return scan_word("true", json_kind::boolean);
      case 'f':
        return scan_word("false", json_kind::boolean);
      case 'n':
        return scan_word("null", json_kind::null);
      default:
        if (!scan_number())
          return false;
        found(json_kind::number, from, true);
        return true;
    }
  }

  bool scan_word(std::string_view word, json_kind kind) {
    auto from = at_;
    for (auto c : word) {
      if (peek() != c)
        return false;
      ++at_;
    }
    found(kind, from, true);
    return true;
  }

  bool scan_digits() {
    if (!is_digit(peek()))
      return false;
    while (is_digit(peek()))
      ++at_;
    return true;
  }

  bool scan_number() {
    auto from = at_;
    if (peek() == '-')
      ++at_;
    if (peek() == '0')
      ++at_;
    else if (!scan_digits())
      return false;
    if (peek() == '.') {
      ++at_;
      if (!scan_digits())
        return false;
    }
    auto exponent = peek() == 'e' || peek() == 'E';
    if (exponent) {
      ++at_;
      if (peek() == '+' || peek() == '-')
        ++at_;
      if (!scan_digits())
        return false;
    }
    if ((exponent || at_ - from > 300) && is_too_large(from, at_))
      return refuse("a number in the JSON is too large");
    return true;
  }

  /// @param plain becomes false if there is an escape
  bool scan_string(bool& plain) {
    ++at_;
    while (true) {
      at_ = end_of_plain(at_, end_);
      auto c = peek();
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c != '\\')
        return false; // a control character, or the end
      plain = false;
      ++at_;
      if (!scan_escape())
        return false;
    }
  }

  bool scan_escape() {
    if (at_ == end_)
      return false;
    auto c = *at_++;
    if (c != 'u')
      return c != '\0' && std::strchr("\"\\/bfnrt", c);
    auto x = parse_hex4(at_, end_);
    if (x < 0 || (x >= 0xdc00 && x < 0xe000))
      return false;
    at_ += 4;
    if (x < 0xd800 || x >= 0xe000)
      return true;
    if (end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u')
      return false;
    auto y = parse_hex4(at_ + 2, end_);
    at_ += 6;
    return y >= 0xdc00 && y < 0xe000;
  }

  /// A value has ended here.
  void found(json_kind kind, const char* from, bool plain) {
    auto source = std::string_view{from, static_cast<size_t>(at_ - from)};
    if (depth_ == 0)
      outermost_ = {{}, kind, plain, source};
    else if (depth_ == 1 && items_)
      items_->push_back({std::move(name_), kind, plain, source});
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  size_t depth_max_;
  size_t depth_ = 0;
  size_t blanks_ = 0; // seen between tokens
  std::array<open_value, json_depth_max + 1> open_;
  std::vector<uint64_t> names_; // hashes of the names in all open objects
  std::string name_;
  json_item outermost_;
  std::vector<json_item>* items_;
  const char* why_ = nullptr;
};

result<std::vector<json_item>> scan_items(std::string_view json, json_kind kind, size_t depth_max,
                                          const char* expected) {
  std::vector<json_item> items;
  items.reserve(8);
  scanner x{json, depth_max, &items};
  if (auto why = x.run())
    return *why;
  if (x.value().kind != kind)
    return failure{errc::invalid_json, expected};
  return items;
}

} // namespace

std::string json_item::text() const {
  auto inside = source.substr(1, source.size() - 2);
  return plain ? std::string{inside} : decode(inside);
}

void json_item::append_compact(std::string& out) const {
  if (plain || kind == json_kind::string) {
    out += source;
    return;
  }
  auto at = source.data();
  auto end = at + source.size();
  auto kept = at; // from here on not yet appended
  while (at != end) {
    if (*at == '"') {
      for (++at; *(at = end_of_plain(at, end)) != '"';)
        at += 2; // an escape
      ++at;
    } else if (is_blank(*at)) {
      out.append(kept, at);
      kept = ++at;
    } else {
      ++at;
    }
  }
  out.append(kept, end);
}

result<std::vector<json_item>> scan_object(std::string_view json) {
  return scan_items(json, json_kind::object, json_depth_max, "the JSON must be an object");
}

result<std::vector<json_item>> scan_array(std::string_view json) {
  return scan_items(json, json_kind::array, json_depth_max + 1, "the JSON must be an array");
}

result<json_item> scan_value(std::string_view json) {
  scanner x{json, json_depth_max, nullptr};
  if (auto why = x.run())
    return *why;
  return x.value();
}

} // namespace tidings::http
