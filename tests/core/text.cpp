#define CAF_SUITE text

#include "tidings/text.hpp"

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

#include <random>
#include <vector>

namespace {

using namespace tidings;
using namespace std::string_literals;

// -- UTF-8, by the definition: what an encoder can produce from scalar values
// ----------------------

std::string encode_scalar(uint32_t x) {
  auto byte = [](uint32_t b) { return static_cast<char>(b); };
  if (x < 0x80)
    return {byte(x)};
  if (x < 0x800)
    return {byte(0xc0 | x >> 6), byte(0x80 | (x & 63))};
  if (x < 0x10000)
    return {byte(0xe0 | x >> 12), byte(0x80 | (x >> 6 & 63)), byte(0x80 | (x & 63))};
  return {byte(0xf0 | x >> 18), byte(0x80 | (x >> 12 & 63)), byte(0x80 | (x >> 6 & 63)),
          byte(0x80 | (x & 63))};
}

/// Decodes without any check but shape, then asks whether that is the one spelling of a scalar
/// value.
bool reference_is_utf8(std::string_view x) {
  while (!x.empty()) {
    auto first = static_cast<uint8_t>(x[0]);
    size_t length = first < 0x80       ? 1
                    : first >> 5 == 6  ? 2
                    : first >> 4 == 14 ? 3
                    : first >> 3 == 30 ? 4
                                       : 0;
    if (length == 0 || x.size() < length)
      return false;
    uint32_t value = length == 1 ? first : first & (0x7f >> length);
    for (size_t i = 1; i < length; ++i) {
      if ((x[i] & 0xc0) != 0x80)
        return false;
      value = value << 6 | (x[i] & 63);
    }
    if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)
        || encode_scalar(value) != x.substr(0, length))
      return false;
    x.remove_prefix(length);
  }
  return true;
}

CAF_TEST(every scalar value is UTF - 8 and no surrogate is) {
  size_t wrong = 0;
  for (uint32_t x = 0; x < 0x110000; ++x)
    wrong += is_utf8(encode_scalar(x)) == (x >= 0xd800 && x < 0xe000);
  CAF_CHECK_EQUAL(wrong, 0u);
  for (uint32_t x = 0x110000; x < 0x200000; x += 0x1000)
    CAF_CHECK(!is_utf8(encode_scalar(x)));
}

CAF_TEST(all pairs of bytes are judged as the reference does) {
  size_t wrong = 0;
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      std::string x{static_cast<char>(a), static_cast<char>(b)};
      wrong += is_utf8(x) != reference_is_utf8(x);
    }
  CAF_CHECK_EQUAL(wrong, 0u);
}

CAF_TEST(all corners of table 3 - 7 are judged as the reference does) {
  const std::vector<int> corners{0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
                                 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xfe, 0xff};
  size_t wrong = 0;
  size_t sound = 0;
  for (auto a : corners)
    for (auto b : corners)
      for (auto c : corners)
        for (auto d : corners)
          for (auto lead : {0, 6, 17}) { // at the begin, across and behind whole words
            auto x = std::string(static_cast<size_t>(lead), 'x');
            for (auto byte : {a, b, c, d})
              x += static_cast<char>(byte);
            auto expected = reference_is_utf8(x);
            sound += expected;
            wrong += is_utf8(x) != expected;
          }
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK_GREATER(sound, 100u);
}

CAF_TEST(truncated and damaged text is not UTF - 8 wherever the damage is) {
  std::mt19937_64 random{20261121};
  for (int i = 0; i < 20'000; ++i) {
    std::string x;
    for (auto n = random() % 30; n != 0; --n)
      x += encode_scalar(random() % 3 ? 'a' + random() % 26 : random() % 0xd800);
    if (!is_utf8(x))
      CAF_FAIL("refused round " << i);
    auto damaged = x.substr(0, random() % (x.size() + 1));
    if (!damaged.empty() && random() % 2)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    if (is_utf8(damaged) != reference_is_utf8(damaged))
      CAF_FAIL("misjudged round " << i);
  }
}

CAF_TEST(a single line holds no control character and no line end) {
  for (uint32_t x = 0; x < 0x3000; ++x) {
    auto control = x < 0x20 || (x >= 0x7f && x < 0xa0) || x == 0x2028 || x == 0x2029;
    if (is_single_line("a" + encode_scalar(x)) == control
        || is_single_line(encode_scalar(x) + "b") == control)
      CAF_FAIL("misjudged " << x);
  }
  CAF_CHECK(is_single_line(""));
  CAF_CHECK(is_single_line("größe 北京 🙂 \xe2\x80\xa7\xe2\x80\xaa"));
}

// -- base64
// ----------------------------------------------------------------------------------------

CAF_TEST(the test vectors of RFC 4648) {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (auto& [bytes, text] : vectors) {
    CAF_CHECK_EQUAL(to_base64(bytes), text);
    CAF_CHECK(from_base64(text) == bytes);
    auto bare = text.substr(0, text.find('='));
    std::string url = "<";
    append_base64url(url, bytes);
    CAF_CHECK_EQUAL(url, "<" + bare);
    CAF_CHECK(from_base64url(bare) == bytes);
  }
  CAF_CHECK_EQUAL(to_base64("\xfb\xff\xbf"), "+/+/");
  CAF_CHECK(from_base64("+/+/") == "\xfb\xff\xbf");
  CAF_CHECK(from_base64url("-_-_") == "\xfb\xff\xbf");
}

CAF_TEST(any bytes survive base64) {
  std::mt19937_64 random{20261121};
  for (int i = 0; i < 5000; ++i) {
    std::string bytes;
    for (auto n = random() % 50; n != 0; --n)
      bytes += static_cast<char>(random());
    std::string url;
    append_base64url(url, bytes);
    if (from_base64(to_base64(bytes)) != bytes || from_base64url(url) != bytes)
      CAF_FAIL("round " << i);
  }
}

CAF_TEST(each text of up to four characters is refused or the one spelling) {
  constexpr std::string_view alphabet = "ABQgwz019+/-_= \n";
  std::string text;
  size_t accepted = 0;
  auto check = [&] {
    if (auto bytes = from_base64(text)) {
      ++accepted;
      if (to_base64(*bytes) != text)
        CAF_FAIL("a second spelling: " << text);
    }
    if (auto bytes = from_base64url(text)) {
      ++accepted;
      std::string again;
      append_base64url(again, *bytes);
      if (again != text)
        CAF_FAIL("a second spelling: " << text);
    }
  };
  for (size_t i = 0; i < 16 * 16 * 16 * 16; ++i)
    for (size_t length = 0; length <= 4; ++length) {
      text.clear();
      for (size_t j = 0; j < length; ++j)
        text += alphabet[i >> 4 * j & 15];
      check();
    }
  CAF_CHECK_GREATER(accepted, 1000u);
}

CAF_TEST(sloppy base64 is refused) {
  for (auto x : {"Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zm9vYg==\n",
                 " Zg==", "Zg==Zg==", "Zh==", "Zm9=", "Zm-_", "Z=g=", "Zm8=="})
    CAF_CHECK(!from_base64(x));
  for (auto x : {"Zg==", "Zm8=", "Z", "Zm9vY", "Zh", "Zm9", "Zm+/", "Zm 8"})
    CAF_CHECK(!from_base64url(x));
}

// -- JSON and logs
// ---------------------------------------------------------------------------------

std::string quote(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

CAF_TEST(JSON strings are escaped where they must be) {
  CAF_CHECK_EQUAL(quote(""), "\"\"");
  CAF_CHECK_EQUAL(quote("plain"), "\"plain\"");
  CAF_CHECK_EQUAL(quote("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
  CAF_CHECK_EQUAL(quote("\n\r\t\b\x1f\0"s), "\"\\n\\r\\t\\u0008\\u001f\\u0000\"");
  CAF_CHECK_EQUAL(quote("ü🙂\x7f"), "\"ü🙂\x7f\"");
}

CAF_TEST(any text survives the way through JSON) {
  std::mt19937_64 random{20261121};
  for (int i = 0; i < 5000; ++i) {
    std::string text;
    for (auto n = random() % 20; n != 0; --n)
      text += encode_scalar(random() % (random() % 2 ? 0x80 : 0xd800));
    if (nlohmann::json::parse(quote(text)).get<std::string>() != text)
      CAF_FAIL("does not survive: " << text);
  }
}

CAF_TEST(log text is one printable line) {
  CAF_CHECK_EQUAL(for_log("größe 🙂"), "größe 🙂");
  CAF_CHECK_EQUAL(for_log("a\"b\\c"), "a\\\"b\\\\c");
  CAF_CHECK_EQUAL(for_log("a\nb\x1b[31m\0"s), "a\\x0ab\\x1b[31m\\x00");
  CAF_CHECK_EQUAL(for_log("\xc2\x85\xe2\x80\xa8"), "\\xc2\\x85\\xe2\\x80\\xa8");
  CAF_CHECK_EQUAL(for_log("\xff\xc3"), "\\xff\\xc3");
}

CAF_TEST(log text is cut at 200 bytes between characters) {
  auto full = std::string(200, 'x');
  CAF_CHECK_EQUAL(for_log(full), full);
  CAF_CHECK_EQUAL(for_log(full + 'x'), full + "…");
  CAF_CHECK_EQUAL(for_log(std::string(199, 'x') + "ü"), std::string(199, 'x') + "…");
  CAF_CHECK_EQUAL(for_log(std::string(198, 'x') + "ü"), std::string(198, 'x') + "ü");
  CAF_CHECK_LESS(for_log(std::string(1'000'000, '\xff')).size(), 1000u);
}

CAF_TEST(whatever is logged is UTF - 8 on one line without bare quotes) {
  std::mt19937_64 random{20261121};
  for (int i = 0; i < 5000; ++i) {
    std::string bytes;
    for (auto n = random() % 300; n != 0; --n)
      bytes += static_cast<char>(random());
    auto safe = for_log(bytes);
    auto quotes = safe.find('"');
    if (!is_utf8(safe) || !is_single_line(safe)
        || (quotes != std::string::npos && (quotes == 0 || safe[quotes - 1] != '\\')))
      CAF_FAIL("round " << i);
  }
}

CAF_TEST(hexadecimal digits come in pairs) {
  CAF_CHECK_EQUAL(to_hex("\x00\x7f\xff"s), "007fff");
  CAF_CHECK_EQUAL(to_hex(""), "");
  CAF_CHECK_EQUAL(to_hex(uint64_t{0}), "0000000000000000");
  CAF_CHECK_EQUAL(to_hex(uint64_t{0xfedcba9876543210}), "fedcba9876543210");
  CAF_CHECK(from_hex("007FfF") == "\x00\x7f\xff"s);
  CAF_CHECK(from_hex("") == "");
  for (auto bad : {"0", "000", "0g", "g0", "0x", " 0", "0\n"})
    CAF_CHECK(!from_hex(bad));
}

} // namespace
