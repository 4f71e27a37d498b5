#define CAF_SUITE cursor

#include "tidings/cursor.hpp"

#include "tidings/text.hpp"

#include <caf/test/dsl.hpp>

#include <limits>
#include <map>
#include <random>
#include <stdexcept>

namespace {

using namespace tidings;

constexpr auto max64 = std::numeric_limits<uint64_t>::max();

/// The text around any bytes, sound or not.
std::string wrap(std::string_view binary) {
  std::string text = "c1.";
  append_base64url(text, binary);
  return text;
}

std::string unwrap(std::string_view text) {
  return *from_base64url(text.substr(3));
}

std::string node(uint64_t x) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes += static_cast<char>(x >> shift);
  return bytes;
}

struct fixture {
  std::mt19937_64 random{20261121};

  /// Small and large numbers alike.
  uint64_t number() {
    return random() >> random() % 64;
  }

  cursor make(size_t nodes) {
    cursor x;
    while (x.components().size() < nodes)
      x.set(number(), {number(), number()});
    return x;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(cursor_tests, fixture)

CAF_TEST(the wire form is fixed) {
  CAF_CHECK_EQUAL(cursor{}.to_string(), "c1.AA");
  CAF_CHECK_EQUAL((cursor{0x0102030405060708, {300, 5}}.to_string()), "c1.AQECAwQFBgcIrAIF");
  CAF_CHECK_EQUAL(unwrap((cursor{0x0102030405060708, {300, 5}}.to_string())),
                  std::string("\x01\x01\x02\x03\x04\x05\x06\x07\x08\xac\x02\x05", 12));
}

CAF_TEST(a cursor of one node is short) {
  cursor x{max64, {200'000'000, 1'000'000}};
  CAF_CHECK_LESS_OR_EQUAL(x.to_string().size(), 26u);
}

CAF_TEST(any cursor survives the way to text and back) {
  for (int i = 0; i < 20'000; ++i) {
    auto x = make(random() % (cursor::components_max + 1));
    auto text = x.to_string();
    auto y = cursor::parse(text);
    if (!y || *y != x || y->to_string() != text)
      CAF_FAIL("does not survive: " << text);
  }
}

CAF_TEST(the largest cursor fits) {
  cursor x;
  for (uint64_t i = 0; i < cursor::components_max; ++i)
    x.set(max64 - i, {max64, max64});
  auto text = x.to_string();
  CAF_CHECK_LESS_OR_EQUAL(text.size(), cursor::text_bytes_max);
  CAF_CHECK_EQUAL(
    text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"),
    std::string::npos);
  CAF_CHECK(cursor::parse(text) == x);
}

CAF_TEST(more nodes than fit are a bug) {
  auto x = make(cursor::components_max);
  auto thrown = false;
  try {
    x.set(x.components().back().node + 1, {1, 1});
  } catch (std::length_error&) {
    thrown = true;
  }
  CAF_CHECK(thrown);
  CAF_CHECK_EQUAL(x.components().size(), cursor::components_max);
  x.set(x.components().front().node, {7, 7}); // one that is there
}

CAF_TEST(append_to keeps what is there) {
  std::string out = "id: ";
  cursor{1, {1, 1}}.append_to(out);
  CAF_CHECK_EQUAL(out, "id: " + (cursor{1, {1, 1}}.to_string()));
}

CAF_TEST(components are found and replaced by node) {
  for (int i = 0; i < 1000; ++i) {
    cursor x;
    std::map<uint64_t, origin_position> reference;
    for (int j = 0; j < 10; ++j) {
      auto node = random() % cursor::components_max;
      origin_position at{number(), number()};
      x.set(node, at);
      reference[node] = at;
    }
    CAF_REQUIRE_EQUAL(x.components().size(), reference.size());
    auto component = x.components().begin();
    for (uint64_t node = 0; node <= cursor::components_max; ++node) {
      auto known = reference.find(node);
      if (known == reference.end()) {
        CAF_REQUIRE(!x.find(node));
      } else {
        CAF_REQUIRE(x.find(node) == known->second);
        CAF_REQUIRE_EQUAL((component++)->node, node);
      }
    }
  }
}

CAF_TEST(an empty cursor knows nothing) {
  CAF_CHECK(cursor{}.empty());
  CAF_CHECK(!cursor{}.find(0));
  CAF_CHECK(cursor::parse("c1.AA") == cursor{});
}

CAF_TEST(text that is not ours is refused) {
  for (auto text : {"", "c", "c1", "c1.", "c2.AA", "C1.AA", "c1:AA", " c1.AA", "c1.AA ", "c1.AA\n",
                    "c1.AA=", "c1.A A", "17", "earliest", "c1.c1.AA", "c1.AA,c1.AA"})
    CAF_CHECK(!cursor::parse(text));
  CAF_CHECK(!cursor::parse(std::string_view("c1.AA\0", 6)));
  CAF_CHECK(!cursor::parse(std::string_view("c1.A\xff", 5)));
}

CAF_TEST(two cursors in a row are refused) {
  for (int i = 0; i < 1000; ++i) {
    auto x = make(1 + random() % 5).to_string();
    auto y = make(1 + random() % 5).to_string();
    if (cursor::parse(x + y) || cursor::parse(x + y.substr(3)) || cursor::parse(x + ',' + y))
      CAF_FAIL("accepted: " << x << y);
    if (cursor::parse(wrap(unwrap(x) + unwrap(y))))
      CAF_FAIL("accepted in one text: " << x << y);
  }
}

CAF_TEST(a part of a cursor is refused) {
  for (int i = 0; i < 200; ++i) {
    auto text = make(1 + random() % 5).to_string();
    for (size_t length = 0; length < text.size(); ++length) {
      if (cursor::parse(text.substr(0, length)))
        CAF_FAIL("accepted: " << text.substr(0, length));
      if (length != 0 && cursor::parse(text.substr(length)))
        CAF_FAIL("accepted: " << text.substr(length));
    }
    auto binary = unwrap(text);
    for (size_t length = 0; length < binary.size(); ++length)
      if (cursor::parse(wrap(binary.substr(0, length))))
        CAF_FAIL("accepted " << length << " bytes of " << text);
    if (cursor::parse(wrap(binary + '\0')))
      CAF_FAIL("accepted a trailing byte after " << text);
  }
}

CAF_TEST(numbers have one spelling) {
  using namespace std::string_literals;
  auto parse = [](std::string_view incarnation, std::string_view sequence) {
    return cursor::parse(wrap("\x01" + node(9) + std::string{incarnation} + std::string{sequence}));
  };
  auto nine = std::string(9, '\xff');
  CAF_CHECK((parse("\x05", "\x7f") == cursor{9, {5, 127}}));
  CAF_CHECK((parse("\0"s, "\0"s) == cursor{9, {0, 0}}));
  CAF_CHECK(!parse("\x85\0"s, "\x01"));
  CAF_CHECK(!parse("\x05", "\x81\x80\0"s));
  CAF_CHECK(!parse("\x80\0"s, "\x01"));
  CAF_CHECK((parse(nine + "\x01", "\x01") == cursor{9, {max64, 1}}));
  CAF_CHECK(!parse(nine + "\x02", "\x01"));
  CAF_CHECK(!parse(nine + "\x7f", "\x01"));
  CAF_CHECK(!parse(nine + "\0"s, "\x01"));
  CAF_CHECK(!parse(nine + "\x81\x01", "\x01"));
  CAF_CHECK(!cursor::parse(wrap("\x81\0"s + node(9) + "\x01\x01")));
}

CAF_TEST(trailing bits must be zero) {
  auto text = cursor{1, {1, 1}}.to_string(); // eleven bytes: the last digit has two spare bits
  CAF_REQUIRE_EQUAL(unwrap(text).size() % 3, 2u);
  CAF_REQUIRE_EQUAL(text.back(), 'E');
  for (auto c : {'F', 'G', 'H'}) {
    text.back() = c;
    CAF_CHECK(!cursor::parse(text));
  }
  CAF_CHECK(!cursor::parse("c1.AB"));
}

CAF_TEST(nodes ascend) {
  auto one = [](uint64_t x) { return node(x) + "\x01\x01"; };
  CAF_CHECK(cursor::parse(wrap("\x02" + one(1) + one(2))));
  CAF_CHECK(!cursor::parse(wrap("\x02" + one(2) + one(1))));
  CAF_CHECK(!cursor::parse(wrap("\x02" + one(2) + one(2))));
  CAF_CHECK(cursor::parse(wrap("\x02" + one(max64 >> 1) + one(max64))));
}

CAF_TEST(the count must be true and bounded) {
  auto one = [](uint64_t x) { return node(x) + "\x01\x01"; };
  CAF_CHECK(!cursor::parse(wrap(std::string(1, '\0') + one(1))));
  CAF_CHECK(!cursor::parse(wrap("\x02" + one(1))));
  CAF_CHECK(!cursor::parse(wrap("\x7f")));
  CAF_CHECK(!cursor::parse(wrap("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")));
  auto many = std::string(1, static_cast<char>(cursor::components_max + 1));
  for (uint64_t i = 0; i <= cursor::components_max; ++i)
    many += one(i);
  CAF_CHECK(!cursor::parse(wrap(many)));
}

CAF_TEST(long text is refused without looking at it) {
  std::string text = "c1.";
  text.append(10'000'000, 'A');
  size_t accepted = 0;
  for (int i = 0; i < 100'000; ++i) // takes an hour if each is decoded
    accepted += cursor::parse(text).has_value();
  CAF_CHECK_EQUAL(accepted, 0u);
  CAF_CHECK(!cursor::parse(std::string_view{text}.substr(0, cursor::text_bytes_max)));
  CAF_CHECK(!cursor::parse(std::string_view{text}.substr(0, cursor::text_bytes_max + 1)));
}

CAF_TEST(whatever is accepted is what would be printed) {
  size_t accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    // One change to a sound cursor, in the text or below it.
    auto text = make(random() % 4).to_string();
    auto binary = unwrap(text);
    switch (random() % 4) {
      case 0:
        text[random() % text.size()] = static_cast<char>(random());
        break;
      case 1:
        binary[random() % binary.size()] = static_cast<char>(random());
        text = wrap(binary);
        break;
      case 2:
        binary.insert(random() % (binary.size() + 1), 1, static_cast<char>(random()));
        text = wrap(binary);
        break;
      default:
        binary.erase(random() % binary.size(), 1);
        text = wrap(binary);
        break;
    }
    if (auto x = cursor::parse(text)) {
      ++accepted;
      if (x->to_string() != text)
        CAF_FAIL("a second spelling: " << text);
    }
  }
  CAF_CHECK_GREATER(accepted, 1000u); // most changes of a number give another cursor
}

CAF_TEST(merging raises and never lowers) {
  cursor x{5, {2, 7}};
  x.set(9, {1, 1});
  cursor y{5, {2, 6}};
  y.set(7, {3, 3});
  y.set(9, {2, 0});
  x.merge(y);
  CAF_CHECK_EQUAL(x.components().size(), 3u);
  CAF_CHECK(x.find(5) == (origin_position{2, 7}));
  CAF_CHECK(x.find(7) == (origin_position{3, 3}));
  CAF_CHECK(x.find(9) == (origin_position{2, 0}));
}

CAF_TEST(what was merged is covered) {
  for (int i = 0; i < 1000; ++i) {
    auto x = make(random() % 5);
    auto y = make(random() % 5);
    auto both = x;
    both.merge(y);
    CAF_CHECK(both.covers(x) && both.covers(y));
    for (auto& at : x.components())
      CAF_CHECK(both.covers(at.node, at.at));
  }
  cursor x{5, {2, 7}};
  CAF_CHECK(x.covers(5, {2, 7}) && x.covers(5, {1, 99}));
  CAF_CHECK(!x.covers(5, {2, 8}) && !x.covers(5, {3, 1}) && !x.covers(6, {1, 1}));
  CAF_CHECK(x.covers(cursor{}) && x.covers(cursor{6, {9, 0}})); // which has seen nothing
  CAF_CHECK(!x.covers(cursor{6, {9, 1}}));
}

// -- names of events
// -------------------------------------------------------------------------------

CAF_TEST(the names of events are fixed) {
  event_id x{0x0102030405060708, {300, 5}};
  CAF_CHECK_EQUAL(x.to_string(true), "e1.AQIDBAUGBwisAgU");
  CAF_CHECK_EQUAL(x.to_string(false), (cursor{x.node, x.at}.to_string()));
}

CAF_TEST(any name of an event survives the way to text and back) {
  for (int i = 0; i < 1000; ++i) {
    event_id x{number(), {number(), number()}};
    CAF_CHECK(event_id::parse(x.to_string(true)) == x);
    CAF_CHECK(event_id::parse(x.to_string(false)) == x);
    CAF_CHECK(!cursor::parse(x.to_string(true)));
  }
}

CAF_TEST(text that names no event is refused) {
  event_id x{9, {300, 5}};
  auto text = x.to_string(true);
  for (size_t n = 0; n < text.size(); ++n)
    CAF_CHECK(!event_id::parse(text.substr(0, n)));
  for (auto& odd : {text + "A", text + "AA", text + ".", " " + text, "e2" + text.substr(2),
                    "E1" + text.substr(2), make(0).to_string(), make(2).to_string()})
    CAF_CHECK(!event_id::parse(odd));
  auto binary = unwrap(text);
  auto name = [](std::string_view bytes) { return "e1." + wrap(bytes).substr(3); };
  CAF_CHECK(event_id::parse(name(binary)) == x);
  CAF_CHECK(!event_id::parse(name(binary + '\0')));
  CAF_CHECK(!event_id::parse(
    name(node(9) + "\xac\x82" + std::string(1, '\0') + "\x05"))); // longer than needed
  CAF_CHECK(!event_id::parse("e1." + std::string(100'000, 'A')));
}

CAF_TEST_FIXTURE_SCOPE_END
()
