#include "tidings/text.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace tidings {

namespace {

constexpr auto hex_digits = "0123456789abcdef";

// -- UTF-8
// -----------------------------------------------------------------------------------------

constexpr bool is_between(uint8_t x, uint8_t low, uint8_t high) noexcept {
  return low <= x && x <= high;
}

/// Length of the well-formed sequence that `x` begins with; 0: none. `x` must not be empty.
size_t sequence_length(std::string_view x) noexcept {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(x[i]); };
  auto tail = [&](size_t length, uint8_t low, uint8_t high) -> size_t {
    if (x.size() < length || !is_between(byte(1), low, high))
      return 0;
    for (size_t i = 2; i < length; ++i)
      if (!is_between(byte(i), 0x80, 0xbf))
        return 0;
    return length;
  };
  auto first = byte(0);
  if (first < 0x80)
    return 1;
  if (first < 0xc2)
    return 0;
  if (first < 0xe0)
    return tail(2, 0x80, 0xbf);
  if (first < 0xf0)
    return tail(3, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
  if (first < 0xf5)
    return tail(4, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
  return 0;
}

/// Length of the ASCII text at the begin of `x`, or a bit less.
size_t ascii_length(std::string_view x) noexcept {
  size_t i = 0;
  for (uint64_t word; i + sizeof word <= x.size(); i += sizeof word) {
    std::memcpy(&word, x.data() + i, sizeof word);
    if (word & 0x8080808080808080)
      break;
  }
  return i;
}

// -- base64
// ----------------------------------------------------------------------------------------

constexpr std::string_view standard_alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using decoding_table = std::array<uint8_t, 256>;

constexpr uint8_t no_digit = 64;

constexpr decoding_table invert(std::string_view alphabet) {
  decoding_table table{};
  table.fill(no_digit);
  for (size_t i = 0; i < alphabet.size(); ++i)
    table[static_cast<uint8_t>(alphabet[i])] = static_cast<uint8_t>(i);
  return table;
}

constexpr auto standard_digits = invert(standard_alphabet);
constexpr auto url_digits = invert(url_alphabet);

/// Appends without padding.
void encode(std::string& out, std::string_view bytes, std::string_view alphabet) {
  auto begin = out.size();
  out.resize(begin + (bytes.size() * 4 + 2) / 3);
  auto to = out.data() + begin;
  auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    auto bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    *to++ = alphabet[bits >> 18];
    *to++ = alphabet[bits >> 12 & 63];
    *to++ = alphabet[bits >> 6 & 63];
    *to++ = alphabet[bits & 63];
  }
  if (auto left = bytes.size() - i; left == 1) {
    *to++ = alphabet[byte(i) >> 2];
    *to++ = alphabet[byte(i) << 4 & 63];
  } else if (left == 2) {
    auto bits = byte(i) << 8 | byte(i + 1);
    *to++ = alphabet[bits >> 10];
    *to++ = alphabet[bits >> 4 & 63];
    *to++ = alphabet[bits << 2 & 63];
  }
}

/// Reads what `encode` writes.
std::optional<std::string> decode(std::string_view text, const decoding_table& digits) {
  if (text.size() % 4 == 1)
    return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  uint32_t count = 0; // of the bits that wait
  for (auto c : text) {
    auto digit = digits[static_cast<uint8_t>(c)];
    if (digit == no_digit)
      return std::nullopt;
    bits = bits << 6 | digit;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count);
      bits &= (1u << count) - 1;
    }
  }
  if (bits != 0) // a second spelling of the same bytes
    return std::nullopt;
  return bytes;
}

// -- JSON
// ------------------------------------------------------------------------------------------

/// Whether a byte must not stand in a JSON string as it is.
constexpr auto json_escapes = [] {
  std::array<bool, 256> table{};
  for (size_t i = 0; i < 0x20; ++i)
    table[i] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

} // namespace

bool is_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    bytes.remove_prefix(ascii_length(bytes));
    // What ends the ASCII text, and a few more before the next attempt to go fast.
    for (int i = 0; i < 16 && !bytes.empty(); ++i) {
      auto length = sequence_length(bytes);
      if (length == 0)
        return false;
      bytes.remove_prefix(length);
    }
  }
  return true;
}

bool is_single_line(std::string_view utf8) noexcept {
  for (size_t i = 0; i < utf8.size(); ++i) {
    auto byte = static_cast<uint8_t>(utf8[i]);
    if (byte < 0x20 || byte == 0x7f)
      return false;
    if (byte == 0xc2 && utf8.substr(i + 1, 1) < "\xa0")
      return false;
    if (byte == 0xe2) {
      auto rest = utf8.substr(i + 1, 2);
      if (rest == "\x80\xa8" || rest == "\x80\xa9")
        return false;
    }
  }
  return true;
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  encode(text, bytes, standard_alphabet);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0)
    return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i)
    text.remove_suffix(1);
  return decode(text, standard_digits);
}

void append_base64url(std::string& out, std::string_view bytes) {
  encode(out, bytes, url_alphabet);
}

std::optional<std::string> from_base64url(std::string_view text) {
  return decode(text, url_digits);
}

std::string to_hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (auto c : bytes) {
    text += hex_digits[static_cast<uint8_t>(c) >> 4];
    text += hex_digits[c & 15];
  }
  return text;
}

std::string to_hex(uint64_t x) {
  std::string text(16, '0');
  for (auto i = text.rbegin(); i != text.rend(); ++i, x >>= 4)
    *i = hex_digits[x & 15];
  return text;
}

std::optional<std::string> from_hex(std::string_view text) {
  auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  if (text.size() % 2 != 0)
    return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    auto high = digit(text[i]);
    auto low = digit(text[i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  size_t begin = 0; // of what has not been appended
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = text[i];
    if (!json_escapes[static_cast<uint8_t>(c)])
      continue;
    out += text.substr(begin, i - begin);
    begin = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += hex_digits[c >> 4];
        out += hex_digits[c & 15];
    }
  }
  out += text.substr(begin);
  out += '"';
}

std::string for_log(std::string_view text) {
  constexpr size_t bytes_max = 200;
  std::string safe;
  auto rest = text;
  while (!rest.empty()) {
    auto length = sequence_length(rest);
    auto piece = rest.substr(0, length == 0 ? 1 : length);
    if (text.size() - rest.size() + piece.size() > bytes_max) {
      safe += "…";
      break;
    }
    if (piece == "\"" || piece == "\\") {
      safe += '\\';
      safe += piece;
    } else if (length != 0 && is_single_line(piece)) {
      safe += piece;
    } else {
      for (auto c : piece) {
        safe += "\\x";
        safe += hex_digits[static_cast<uint8_t>(c) >> 4];
        safe += hex_digits[c & 15];
      }
    }
    rest.remove_prefix(piece.size());
  }
  return safe;
}

} // namespace tidings
