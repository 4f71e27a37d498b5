#define CAF_SUITE json_scan

#include "http/json_scan.hpp"

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace {

using namespace tidings;
using namespace tidings::http;
using namespace std::string_literals;
using nlohmann::json;

bool valid(std::string_view x) {
  return static_cast<bool>(scan_value(x));
}

std::string why(std::string_view x) {
  auto y = scan_value(x);
  return y ? "" : y.error().detail;
}

std::string nested(size_t depth, std::string_view open, std::string_view inside,
                   std::string_view close) {
  std::string x;
  for (size_t i = 0; i < depth; ++i)
    x += open;
  x += inside;
  for (size_t i = 0; i < depth; ++i)
    x += close;
  return x;
}

std::string compacted(std::string_view x) {
  auto y = scan_value(x);
  CAF_REQUIRE(static_cast<bool>(y));
  std::string out;
  y->append_compact(out);
  return out;
}

// After the JSONTestSuite of Nicolas Seriot.

const std::vector<std::string> good{
  "[]",
  "{}",
  "0",
  "-0",
  "1",
  "-1",
  "12",
  "1.5",
  "0.1",
  "-0.0",
  "1e5",
  "1E5",
  "1e+5",
  "1e-5",
  "1.5e10",
  "0e0",
  "123456789012345678901234567890",
  "1e-999",
  "0.000000001",
  "1.7976931348623157e308",
  "true",
  "false",
  "null",
  "\"\"",
  "\"a\"",
  " [] ",
  "\t\r\n {} \t\r\n",
  "[1]",
  "[1,2]",
  "[ 1 , 2 ]",
  "[[],[]]",
  "[{}]",
  "{\"a\":1}",
  "{\"\":0}",
  "{ \"a\" : 1 , \"b\" : [ ] }",
  "{\"a\":{\"a\":{\"a\":1}}}",
  "[{\"a\":1},{\"a\":2}]",
  R"("\"\\\/\b\f\n\r\t")",
  R"("\u0041")",
  R"("\u00e4\u00C4")",
  R"("\uD83D\uDE00")",
  R"("\ud83d\ude00")",
  R"("\u0000")",
  R"("\u2028\u2029")",
  "\"\x7f\"",
  "\"\xc3\xa4\"",
  "\"\xe2\x82\xac\"",
  "\"\xf0\x9f\x98\x80\"",
  "\"\xf4\x8f\xbf\xbf\"",
  "\"\xef\xbf\xbf\"",
  "\"\xc2\x85\xe2\x80\xa8\"",
  R"("\uFFFF")",
  R"("/*no comment*/")",
  "[" + std::string(5000, ' ') + "]",
  "\"" + std::string(100'000, 'x') + "\"",
};

const std::vector<std::string> bad{
  "",
  " ",
  "\t",
  "[",
  "]",
  "{",
  "}",
  "[1",
  "[1,",
  "[,",
  "[,1]",
  "[1,]",
  "[1,,2]",
  "[1 2]",
  "[1;2]",
  "[}",
  "{]",
  "[[]",
  "[]]",
  "{}}",
  "{}{}",
  "[][]",
  "1 2",
  "{} x",
  "{},",
  "[],",
  "null,",
  "{}#",
  "{}/*c*/",
  "/*c*/{}",
  "//c\n{}",
  "{\"a\"}",
  "{\"a\":}",
  "{\"a\":1,}",
  "{,\"a\":1}",
  "{\"a\":1 \"b\":2}",
  "{\"a\":1,,\"b\":2}",
  "{\"a\"::1}",
  "{\"a\",1}",
  "{a:1}",
  "{'a':1}",
  "{1:1}",
  "{null:1}",
  "{[]:1}",
  "{\"a\":1",
  "{\"a\":",
  "{\"a\"",
  "{\"",
  "{\"a",
  "01",
  "-01",
  "00",
  "1.",
  ".1",
  "-.1",
  "-",
  "+1",
  "--1",
  "1e",
  "1e+",
  "1E-",
  "1.e1",
  "1.5.5",
  "0x1",
  "1f",
  "1_0",
  "1,5",
  "1e1.5",
  "Infinity",
  "-Infinity",
  "NaN",
  "nan",
  "inf",
  "\xef\xbc\x91",
  "1e999",
  "-1e999",
  "1e400",
  "True",
  "TRUE",
  "tru",
  "truee",
  "fals",
  "nul",
  "nulll",
  "nil",
  "undefined",
  "\"",
  "\"a",
  "'a'",
  "a",
  "\"a\"b",
  "\"\\\"",
  "\"\\",
  "\"\\x41\"",
  "\"\\a\"",
  "\"\\'\"",
  "\"\\0\"",
  "\"\\u\"",
  "\"\\u1\"",
  "\"\\u12\"",
  "\"\\u123\"",
  "\"\\u123g\"",
  "\"\\U0041\"",
  "\"\\u 041\"",
  "\"\\u-041\"",
  R"("\ud800")",
  R"("\udc00")",
  R"("\ud800x")",
  R"("\ud800\n")",
  R"("\ud800\ud800")",
  R"("\udc00\ud800")",
  R"("\ud800\u0041")",
  R"("\uDBFF\uE000")",
  R"("\ud83d\u")",
  R"("\ud83d)",
  R"("\ud83d\)",
  "\"\n\"",
  "\"\t\"",
  "\"\r\"",
  "\"\x01\"",
  "\"\x1f\"",
  "\"a\0b\""s,
  "\"\b\"",
  "\"\xff\"",
  "\"\xc0\xaf\"",
  "\"\xe0\x80\xaf\"",
  "\"\xf0\x80\x80\xaf\"",
  "\"\xed\xa0\x80\"",
  "\"\xf4\x90\x80\x80\"",
  "\"\x80\"",
  "\"\xc3\"",
  "\"\xe2\x82\"",
  "\"\xfc\x80\x80\x80\x80\x80\"",
  "[\xff]",
  "{\"\xff\":1}",
  "\xef\xbb\xbf{}",
  "\xfe\xff",
  "[\f]",
  "[\v1]",
  "[\xc2\xa0]",
  "[\xe2\x81\xa0]",
  "[1\0]"s,
  "{}\0"s,
  "{}\0garbage"s,
  "[]\0[]"s,
  "\0"s,
  "\0{}"s,
  "[\x1b]",
  "\xe5",
  "\\u0041",
  "[\\n]",
  "{\"a\":\"b\"}/",
  "<.>",
  "[<null>]",
  "*",
  "{\"a\":/*c*/1}",
};

CAF_TEST(takes what RFC 8259 takes) {
  for (auto& x : good) {
    if (!valid(x))
      CAF_MESSAGE(x << ": " << why(x));
    CAF_CHECK(valid(x));
    CAF_CHECK(json::accept(x)); // of the corpus itself
  }
}

CAF_TEST(refuses everything else) {
  for (auto& x : bad) {
    if (valid(x))
      CAF_MESSAGE(x);
    CAF_CHECK(!valid(x));
    CAF_CHECK(!why(x).empty());
  }
}

CAF_TEST(each beginning of a text is too short) {
  const std::string text = R"({"a":[1,-2.5e3,true,null,"\u00e4\\"],"b":{"c":false}})";
  CAF_CHECK(valid(text));
  for (size_t n = 0; n < text.size(); ++n)
    CAF_CHECK(!valid(std::string(text.data(), n)));
}

CAF_TEST(goes 32 levels deep) {
  CAF_CHECK(valid(nested(32, "[", "", "]")));
  CAF_CHECK(!valid(nested(33, "[", "", "]")));
  CAF_CHECK(valid(nested(32, "{\"a\":", "1", "}")));
  CAF_CHECK(!valid(nested(33, "{\"a\":", "1", "}")));
  CAF_CHECK(valid(nested(16, "[{\"a\":", "1", "}]")));
  CAF_CHECK(!valid(nested(17, "[{\"a\":", "1", "}]")));
  CAF_CHECK(!valid(nested(1'000'000, "[", "", "]")));
  CAF_CHECK(!valid(std::string(1'000'000, '[')));
  CAF_CHECK(!valid(nested(1'000'000, "{\"a\":", "1", "}")));
  CAF_CHECK(why(std::string(40, '[')).find("levels") != std::string::npos);
  // the elements of an array are as deep as they like
  CAF_CHECK(static_cast<bool>(scan_array("[" + nested(32, "[", "", "]") + "]")));
  CAF_CHECK(!scan_array("[" + nested(33, "[", "", "]") + "]"));
  CAF_CHECK(valid("[" + nested(31, "[", "", "]") + "," + nested(31, "[", "", "]") + "]"));
}

CAF_TEST(refuses repeated names wherever they are) {
  for (auto x : {R"({"a":1,"a":1})", R"({"a":1,"b":2,"a":3})", R"({"x":{"a":1,"a":2}})",
                 R"([{"a":1,"a":2}])", R"({"a":1,"\u0061":2})", R"({"":1,"":2})",
                 R"({"b":{"c":1},"a":1,"b":2})", R"({"\n":1,"\u000a":1})"}) {
    CAF_CHECK(!valid(x));
    CAF_CHECK(!scan_object(x));
  }
  for (auto x : {R"({"a":{"a":1},"b":{"a":1}})", R"([{"a":1},{"a":1}])", R"({"a":1,"A":2})",
                 R"({"a":{"a":{"a":1}}})", R"({"a":[{"b":1},{"b":2}],"b":3})"})
    CAF_CHECK(valid(x));
  std::string many = "{";
  for (int i = 0; i < 20'000; ++i)
    many += "\"" + std::to_string(i) + "\":0,";
  CAF_CHECK(valid(many + "\"x\":0}"));
  CAF_CHECK(!valid(many + "\"7\":0}"));
}

CAF_TEST(keeps the members of the outermost object) {
  auto xs = scan_object(
    R"( { "a" : "x\n" , "\u0062" : [ 1 , "]" ] , "c":{"d":"}"},"e":-1.50,"f":true,"g":null,"h":"y" } )");
  CAF_REQUIRE(static_cast<bool>(xs));
  CAF_REQUIRE_EQUAL(xs->size(), 7u);
  auto check = [&](size_t i, std::string_view name, json_kind kind, bool plain,
                   std::string_view source) {
    auto& x = (*xs)[i];
    CAF_CHECK_EQUAL(x.name, name);
    CAF_CHECK(x.kind == kind);
    CAF_CHECK_EQUAL(x.plain, plain);
    CAF_CHECK_EQUAL(x.source, source);
  };
  check(0, "a", json_kind::string, false, R"("x\n")");
  check(1, "b", json_kind::array, false, R"([ 1 , "]" ])");
  check(2, "c", json_kind::object, true, R"({"d":"}"})");
  check(3, "e", json_kind::number, true, "-1.50");
  check(4, "f", json_kind::boolean, true, "true");
  check(5, "g", json_kind::null, true, "null");
  check(6, "h", json_kind::string, true, R"("y")");
  CAF_CHECK_EQUAL((*xs)[0].text(), "x\n");
  CAF_CHECK_EQUAL((*xs)[6].text(), "y");
  CAF_CHECK(scan_object("{}")->empty());
}

CAF_TEST(keeps the elements of an array) {
  auto xs = scan_array(R"([1, {"a":[2]} ,"x",[]])");
  CAF_REQUIRE(static_cast<bool>(xs));
  CAF_REQUIRE_EQUAL(xs->size(), 4u);
  CAF_CHECK_EQUAL((*xs)[0].source, "1");
  CAF_CHECK_EQUAL((*xs)[1].source, R"({"a":[2]})");
  CAF_CHECK_EQUAL((*xs)[2].text(), "x");
  CAF_CHECK_EQUAL((*xs)[3].source, "[]");
  CAF_CHECK((*xs)[0].name.empty());
}

CAF_TEST(wants the right outermost value) {
  for (auto x : {"[]", "1", "\"a\"", "null", "[{}]"})
    CAF_CHECK(!scan_object(x));
  for (auto x : {"{}", "1", "\"a\"", "null", "{\"a\":[]}"})
    CAF_CHECK(!scan_array(x));
}

CAF_TEST(decodes strings) {
  auto text = [](std::string_view x) { return scan_value(x)->text(); };
  CAF_CHECK_EQUAL(text(R"("")"), "");
  CAF_CHECK_EQUAL(text(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  CAF_CHECK_EQUAL(text(R"("a\u0041\u00e4\u20ac\ud83d\ude00z")"),
                  "aA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z");
  CAF_CHECK_EQUAL(text(R"("\ud800\udc00\udbff\udfff")"), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
  CAF_CHECK_EQUAL(text(R"("\u0000")"), "\0"s);
  CAF_CHECK_EQUAL(text(R"("\u007f\u0080\u07ff\u0800\uffff")"),
                  "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf");
  CAF_CHECK_EQUAL(text(R"("\\u0041")"), "\\u0041");
}

CAF_TEST(removes blanks between tokens only) {
  CAF_CHECK_EQUAL(compacted(" [ 1 ,\t2\r\n] "), "[1,2]");
  CAF_CHECK_EQUAL(compacted(R"({ "a b" : " c \" } \\" , "d" : [ " " ] })"),
                  R"({"a b":" c \" } \\","d":[" "]})");
  CAF_CHECK_EQUAL(compacted(R"({"a":[1,2]})"), R"({"a":[1,2]})");
  CAF_CHECK_EQUAL(compacted(R"([ "\\" , "\u0022 " ])"), R"(["\\","\u0022 "])");
  CAF_CHECK_EQUAL(compacted(" \" x \" "), "\" x \"");
  CAF_CHECK_EQUAL(compacted(" -1.50E+3 "), "-1.50E+3");
}

// -- against nlohmann's parser
// ---------------------------------------------------------------------

size_t depth_of(const json& x) {
  size_t depth = 0;
  for (auto& y : x)
    if (y.is_structured())
      depth = std::max(depth, depth_of(y));
  return depth + 1;
}

/// Whether both readers agree about a text, apart from what ours is stricter about.
bool agree(const std::string& x) {
  auto ours = scan_value(x);
  auto names = true;
  std::vector<std::vector<std::string>> open;
  auto watch = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start)
      open.emplace_back();
    else if (event == json::parse_event_t::object_end)
      open.pop_back();
    else if (event == json::parse_event_t::key) {
      auto& seen = open.back();
      auto name = value.get<std::string>();
      names &= std::find(seen.begin(), seen.end(), name) == seen.end();
      seen.push_back(name);
    }
    return true;
  };
  auto theirs = json::parse(x, watch, false);
  auto stricter = x.find('\0') != std::string::npos || x.starts_with("\xef\xbb\xbf") || !names;
  if (theirs.is_discarded())
    return !ours;
  if (stricter)
    return true;
  if (theirs.is_structured() && depth_of(theirs) > json_depth_max)
    return !ours;
  if (!ours)
    return false;
  std::string compact;
  ours->append_compact(compact);
  if (json::parse(compact, nullptr, false) != theirs)
    return false;
  return !theirs.is_string() || ours->text() == theirs.get<std::string>();
}

CAF_TEST(agrees with another parser about changed texts) {
  uint64_t dice = 11;
  auto next = [&dice] {
    dice = dice * 6364136223846793005 + 1442695040888963407;
    return static_cast<uint32_t>(dice >> 33);
  };
  const std::string alphabet =
    "{}[]:,\"\\u0123456789abcdefDE+-.ntr \n\t/\xc3\xa4\xed\xa0\xf0\x9f\x80";
  std::vector<std::string> seeds;
  for (auto& x : good)
    if (x.size() < 100)
      seeds.push_back(x);
  seeds.push_back(
    R"({"topic":"t","topics":["a","b"],"data":{"x":[1,2.5e-3,"\u00e4\ud83d\ude00"],"y":null}})");
  seeds.push_back("{ \"a\" : [ true , false , { } ] , \"b\" : \"\\\\\" }");
  size_t disagreed = 0;
  size_t taken = 0;
  for (int i = 0; i < 300'000; ++i) {
    auto x = seeds[next() % seeds.size()];
    for (auto n = next() % 3; n != 0 && !x.empty(); --n) {
      auto at = next() % x.size();
      auto c = alphabet[next() % alphabet.size()];
      switch (next() % 4) {
        case 0:
          x[at] = c;
          break;
        case 1:
          x.insert(at, 1, c);
          break;
        case 2:
          x.erase(at, 1);
          break;
        default:
          x.insert(at, seeds[next() % seeds.size()]);
      }
    }
    taken += valid(x);
    if (!agree(x) && ++disagreed < 10)
      CAF_MESSAGE("they disagree: " << x);
  }
  CAF_CHECK_EQUAL(disagreed, 0u);
  CAF_CHECK(taken > 10'000);
}

} // namespace
