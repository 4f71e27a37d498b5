#define CAF_SUITE view_codec

#include "actors/views/view_codec.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;

namespace {

connection_info connection(uint64_t id, std::string topics = "a,b:*") {
  connection_info x;
  x.id = id;
  x.address = "127.0.0.1:4000";
  x.user = "o'neil \"the\" \xe2\x82\xac";
  x.topics = std::move(topics);
  x.types = "paid";
  x.since_ms = 1'700'000'000'123;
  x.state = "live";
  x.cursor = "c1.AfQ";
  x.events = 7;
  x.bytes = 1'000'000'000'000;
  x.dropped = 3;
  return x;
}

connection_page page_of(uint64_t count) {
  connection_page x;
  for (uint64_t id = 1; id <= count; ++id)
    x.found.push_back(connection(id));
  x.total = count;
  return x;
}

template <class T>
T travel(const T& x, const view_question& asked) {
  auto y = decode_answer(encode_answer(x), asked);
  CAF_REQUIRE(y);
  CAF_REQUIRE(std::holds_alternative<T>(*y));
  return std::get<T>(*y);
}

} // namespace

CAF_TEST(questions arrive as they were asked) {
  auto numbers = decode_question(encode_question(numbers_query{}));
  CAF_REQUIRE(numbers);
  CAF_CHECK(std::holds_alternative<numbers_query>(*numbers));
  auto closing = decode_question(encode_question(close_order{0xffff'ffff'ffff'fffe}));
  CAF_REQUIRE(closing);
  CAF_CHECK_EQUAL(std::get<close_order>(*closing).id, 0xffff'ffff'ffff'fffeu);
  auto listing = decode_question(encode_question(connection_query{17, 1000, "order:\"1\"", "42"}));
  CAF_REQUIRE(listing);
  auto& x = std::get<connection_query>(*listing);
  CAF_CHECK_EQUAL(x.after, 17u);
  CAF_CHECK_EQUAL(x.limit, 1000u);
  CAF_CHECK_EQUAL(x.topic, "order:\"1\"");
  CAF_CHECK_EQUAL(x.user, "42");
}

CAF_TEST(what is no question is none) {
  for (auto text : {"", "x", "[]", "{}", "7", "null", R"({"ask":"everything"})", R"({"ask":1})",
                    R"({"ask":"close"})", R"({"ask":"close","id":"x"})", R"({"ask":"connections"})",
                    R"({"ask":"connections","after":0,"limit":1,"topic":7,"user":""})"})
    CAF_CHECK(!decode_question(text));
}

CAF_TEST(numbers arrive in their order) {
  node_numbers x{"0.1", 17, {{"z", 1}, {"a", 0xffff'ffff'ffff'ffff}}, {{"free", 3}}};
  CAF_CHECK(travel(x, numbers_query{}) == x);
}

CAF_TEST(whether a stream was closed arrives) {
  CAF_CHECK(travel(true, close_order{}));
  CAF_CHECK(!travel(false, close_order{}));
}

CAF_TEST(connections arrive as they were) {
  auto x = page_of(2);
  x.more = true;
  x.total = 9;
  auto y = travel(x, connection_query{});
  CAF_CHECK(y.more);
  CAF_CHECK_EQUAL(y.total, 9u);
  CAF_REQUIRE_EQUAL(y.found.size(), 2u);
  auto& one = y.found[1];
  auto sent = connection(2);
  CAF_CHECK_EQUAL(one.id, 2u);
  CAF_CHECK_EQUAL(one.address, sent.address);
  CAF_CHECK_EQUAL(one.user, sent.user);
  CAF_CHECK_EQUAL(one.topics, sent.topics);
  CAF_CHECK_EQUAL(one.types, sent.types);
  CAF_CHECK_EQUAL(one.since_ms, sent.since_ms);
  CAF_CHECK_EQUAL(one.state, sent.state);
  CAF_CHECK_EQUAL(one.cursor, sent.cursor);
  CAF_CHECK_EQUAL(one.events, sent.events);
  CAF_CHECK_EQUAL(one.bytes, sent.bytes);
  CAF_CHECK_EQUAL(one.dropped, sent.dropped);
  CAF_CHECK(!one.truncated);
}

CAF_TEST(a list that is too long ends before that and says so) {
  auto x = page_of(1000);
  for (size_t bytes_max : {1'000, 10'000, 100'000}) {
    auto text = encode_answer(x, bytes_max);
    CAF_CHECK_LESS_OR_EQUAL(text.size(), bytes_max + 100);
    auto y = std::get<connection_page>(*decode_answer(text, connection_query{}));
    CAF_CHECK(y.more);
    CAF_CHECK_EQUAL(y.total, 1000u);
    CAF_REQUIRE(!y.found.empty());
    CAF_CHECK_LESS(y.found.size(), 1000u);
    CAF_CHECK_EQUAL(y.found.back().id, y.found.size());
  }
  CAF_CHECK(!travel(page_of(500), connection_query{}).more);
}

CAF_TEST(a stream of very many topics is listed with some of them) {
  std::string topics;
  for (int i = 0; i < 100'000; ++i)
    topics += (i == 0 ? "topic/" : ",topic/") + std::to_string(i);
  connection_page x;
  x.found = {connection(1, topics), connection(2, std::string(300'000, 'x')), connection(3)};
  x.total = 3;
  auto text = encode_answer(x);
  CAF_CHECK_LESS_OR_EQUAL(text.size(), view_bytes_max + 100);
  auto y = std::get<connection_page>(*decode_answer(text, connection_query{}));
  CAF_REQUIRE_EQUAL(y.found.size(), 3u);
  CAF_CHECK(y.found[0].truncated);
  CAF_CHECK(topics.starts_with(y.found[0].topics + ','));
  CAF_CHECK_GREATER(y.found[0].topics.size(), 10'000u);
  CAF_CHECK(y.found[1].truncated);
  CAF_CHECK_EQUAL(y.found[1].topics, "");
  CAF_CHECK(!y.found[2].truncated);
  CAF_CHECK(!y.more);
}

CAF_TEST(what is no text does not harm) {
  connection_page x;
  x.found = {connection(1, "\xff\xfe")};
  CAF_CHECK_EQUAL(travel(x, connection_query{}).found.size(), 1u);
}

CAF_TEST(an answer has to be one to the question) {
  auto closed = encode_answer(true);
  auto numbers = encode_answer(node_numbers{});
  auto page = encode_answer(page_of(1));
  CAF_CHECK(!decode_answer(closed, numbers_query{}));
  CAF_CHECK(!decode_answer(closed, connection_query{}));
  CAF_CHECK(!decode_answer(numbers, connection_query{}));
  CAF_CHECK(!decode_answer(numbers, close_order{}));
  CAF_CHECK(!decode_answer(page, numbers_query{}));
  CAF_CHECK(!decode_answer(page, close_order{}));
  for (auto text :
       {"", "x", "[]", "{}", "null", R"({"closed":1})", R"({"connections":{},"more":1,"total":0})",
        R"({"connections":[{"id":1}],"more":false,"total":1})"}) {
    CAF_CHECK(!decode_answer(text, close_order{}));
    CAF_CHECK(!decode_answer(text, connection_query{}));
    CAF_CHECK(!decode_answer(text, numbers_query{}));
  }
  for (size_t n = 0; n < page.size(); ++n)
    CAF_CHECK(!decode_answer(page.substr(0, n), connection_query{}));
}
