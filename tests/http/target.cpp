#define CAF_SUITE target

#include "http/target.hpp"

#include <caf/test/dsl.hpp>

#include <string>

namespace {

using namespace tidings;
using namespace tidings::http;
using namespace std::string_literals;

std::string decoded(std::string_view x) {
  return percent_decode(x).value_or("(refused)");
}

std::string topic(std::string_view path) {
  auto x = topic_of_path(path);
  return x ? *x : to_string(x.error().code);
}

std::string listed(const query_parameters& xs) {
  std::string out;
  for (auto& [name, value] : xs)
    out += name + "=" + value + ";";
  return out;
}

std::string query(std::string_view text) {
  auto xs = query_parameters::parse(text);
  return xs ? listed(*xs) : to_string(xs.error().code);
}

query_parameters parsed(std::string_view text) {
  auto xs = query_parameters::parse(text);
  CAF_REQUIRE(static_cast<bool>(xs));
  return *xs;
}

CAF_TEST(decodes escapes once) {
  CAF_CHECK_EQUAL(decoded(""), "");
  CAF_CHECK_EQUAL(decoded("orders"), "orders");
  CAF_CHECK_EQUAL(decoded("a%20b"), "a b");
  CAF_CHECK_EQUAL(decoded("a%2fb%2Fc"), "a/b/c");
  CAF_CHECK_EQUAL(decoded("%C3%A4"), "\xc3\xa4");
  CAF_CHECK_EQUAL(decoded("\xc3\xa4"), "\xc3\xa4");
  CAF_CHECK_EQUAL(decoded("%252f"), "%2f");
  CAF_CHECK_EQUAL(decoded("%25%32%66"), "%2f");
  CAF_CHECK_EQUAL(decoded("a+b"), "a+b");
}

CAF_TEST(refuses bad escapes and what hides in good ones) {
  for (auto x :
       {"%", "%2", "a%", "a%2", "%zz", "%2g", "%g2", "% 20", "%+2", "%-1", "%0x", "%u0041"})
    CAF_CHECK_EQUAL(decoded(x), "(refused)");
  for (auto x : {"%00", "a%00b", "%01", "%09", "%0a", "%0D", "%1f", "%7F", "%C2%80", "%C2%85",
                 "%C2%9f", "%E2%80%A8", "%E2%80%A9"})
    CAF_CHECK_EQUAL(decoded(x), "(refused)");
  // overlong, surrogate, beyond Unicode, stray and missing continuation
  for (auto x :
       {"%C0%AF", "%E0%80%AF", "%F0%80%80%AF", "%ED%A0%80", "%F4%90%80%80", "%80", "%C3", "%FF"})
    CAF_CHECK_EQUAL(decoded(x), "(refused)");
  CAF_CHECK_EQUAL(decoded("\xff"), "(refused)");
  CAF_CHECK_EQUAL(decoded(std::string("a\0b", 3)), "(refused)");
}

CAF_TEST(takes everything after the second slash as the topic) {
  CAF_CHECK_EQUAL(topic("/topics/orders"), "orders");
  CAF_CHECK_EQUAL(topic("/topics/a/b.c:d"), "a/b.c:d");
  CAF_CHECK_EQUAL(topic("/topics/a%2Fb"), "a/b");
  CAF_CHECK_EQUAL(topic("/topics/a%252Fb"), "a%2Fb");
  CAF_CHECK_EQUAL(topic("/topics/a+b"), "a+b");
  CAF_CHECK_EQUAL(topic("/topics/https%3A%2F%2Fexample.com%2Fbooks%2F1"),
                  "https://example.com/books/1");
  CAF_CHECK_EQUAL(topic("/topics/https://example.com/books/1"), "https://example.com/books/1");
  CAF_CHECK_EQUAL(topic("/topics//"), "/");
  CAF_CHECK_EQUAL(topic("/topics/../x"), "../x"); // left to the rules for topics
  CAF_CHECK_EQUAL(topic("/topics/%2e%2e/x"), "../x");
  CAF_CHECK_EQUAL(topic("/topics/Ä"), "Ä");
  CAF_CHECK_EQUAL(topic("/topics/"), "");
  CAF_CHECK_EQUAL(topic("/topics"), "not_found");
  CAF_CHECK_EQUAL(topic("/topic/x"), "not_found");
  CAF_CHECK_EQUAL(topic("/TOPICS/x"), "not_found");
  CAF_CHECK_EQUAL(topic("/%74opics/x"), "not_found");
  CAF_CHECK_EQUAL(topic("/topics/a%00"), "invalid_topic");
  CAF_CHECK_EQUAL(topic("/topics/a%0Ab"), "invalid_topic");
  CAF_CHECK_EQUAL(topic("/topics/a%"), "invalid_topic");
}

CAF_TEST(one spelling of a topic is one topic) {
  // Unicode is not normalised: composed and decomposed stay different, as they are byte by byte.
  CAF_CHECK(topic("/topics/%C3%A4") != topic("/topics/a%CC%88"));
  CAF_CHECK_EQUAL(topic("/topics/%41"), topic("/topics/A"));
  CAF_CHECK(topic("/topics/a") != topic("/topics/A"));
}

CAF_TEST(keeps the parameters of a query in order) {
  CAF_CHECK_EQUAL(query(""), "");
  CAF_CHECK_EQUAL(query("a=1"), "a=1;");
  CAF_CHECK_EQUAL(query("b=2&a=1&b=3"), "b=2;a=1;b=3;");
  CAF_CHECK_EQUAL(query("a"), "a=;");
  CAF_CHECK_EQUAL(query("a="), "a=;");
  CAF_CHECK_EQUAL(query("a=1=2"), "a=1=2;");
  CAF_CHECK_EQUAL(query("&&a=1&&b=2&"), "a=1;b=2;");
  CAF_CHECK_EQUAL(query("a=1;b=2"), "a=1;b=2;"); // one parameter
  CAF_CHECK_EQUAL(parsed("a=1;b=2").size(), 1u);
  CAF_CHECK_EQUAL(query("a+b=c+d%2B"), "a b=c d+;");
  CAF_CHECK_EQUAL(query("%61=%26%3D"), "a=&=;");
  CAF_CHECK_EQUAL(query("a=%2526"), "a=%26;");
  CAF_CHECK_EQUAL(query("t=https://x/?y"), "t=https://x/?y;");
}

CAF_TEST(refuses queries that hide something) {
  for (auto x :
       {"a=%", "a=%00", "a=%0d%0aX:1", "%00=1", "%0a=1", "=1", "&=", "a=%ff", "%c0%af=1", "a=\xff"})
    CAF_CHECK_EQUAL(query(x), "invalid_parameter");
  std::string many;
  for (size_t i = 0; i < query_parameters::parameters_max; ++i)
    many += "t=1&";
  CAF_CHECK_EQUAL(parsed(many).size(), query_parameters::parameters_max);
  CAF_CHECK_EQUAL(query(many + "t=1"), "invalid_parameter");
}

CAF_TEST(finds parameters by name) {
  auto xs = parsed("topic=a&since=now&topic=b&Since=x");
  CAF_CHECK_EQUAL(xs.first("topic").value_or(""), "a");
  auto topics = xs.all("topic");
  CAF_REQUIRE_EQUAL(topics.size(), 2u);
  CAF_CHECK_EQUAL(topics.back(), "b");
  CAF_CHECK_EQUAL(xs.first("since").value_or(""), "now");
  CAF_CHECK(!xs.first("until"));
  CAF_CHECK(xs.all("until").empty());
}

CAF_TEST(names unknown and repeated parameters) {
  auto why = [](std::string_view text) {
    auto x = parsed(text).check_names({"since", "limit"}, {"topic"});
    return x ? x->detail : "";
  };
  CAF_CHECK_EQUAL(why("since=1&limit=2&topic=a&topic=b"), "");
  CAF_CHECK_EQUAL(why("_=1690000000000&_=2&_x="), "");
  CAF_CHECK(why("topcis=a").find("'topcis'") != std::string::npos);
  CAF_CHECK(why("since=1&since=2").find("'since'") != std::string::npos);
  CAF_CHECK(why("Since=1").find("'Since'") != std::string::npos);
  CAF_CHECK(!why("x%22y=1").empty());
}

CAF_TEST(splits a target) {
  auto check = [](std::string_view text, std::string_view path, std::string_view parameters) {
    auto x = parse_target(text);
    CAF_REQUIRE(static_cast<bool>(x));
    CAF_CHECK_EQUAL(x->path, path);
    CAF_CHECK_EQUAL(listed(x->query), parameters);
  };
  check("/", "/", "");
  check("/a/b", "/a/b", "");
  check("/a?b=c", "/a", "b=c;");
  check("/a?", "/a", "");
  check("/a?b=?&c=/", "/a", "b=?;c=/;");
  check("/a%3Fb=c", "/a%3Fb=c", "");
  check("//a/b", "//a/b", "");
  check("*", "*", "");
  check("http://h/a?b=c", "/a", "b=c;");
  check("http://h", "/", "");
  check("http://h?b=c", "/", "b=c;");
  check("https://h:1/x", "/x", "");
  CAF_CHECK(!parse_target(""));
  CAF_CHECK(!parse_target("a"));
  CAF_CHECK(!parse_target("/a?b=%00"));
}

} // namespace
