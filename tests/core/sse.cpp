#define CAF_SUITE sse

#include "tidings/sse.hpp"

#include "support/sse_parser.hpp"

#include <caf/test/dsl.hpp>

#include <random>

namespace {

using namespace tidings;
using namespace std::literals;

std::string encode(std::string_view id, std::string_view type, std::string_view data) {
  std::string out;
  sse::append_event(out, id, type, data);
  return out;
}

/// What a client makes of the line ends of a payload.
std::string with_lf(std::string_view data) {
  std::string out;
  for (size_t i = 0; i < data.size(); ++i) {
    if (data[i] != '\r')
      out += data[i];
    else if (i + 1 == data.size() || data[i + 1] != '\n')
      out += '\n';
  }
  return out;
}

} // namespace

CAF_TEST(an event has its fields in order and ends with an empty line) {
  CAF_CHECK_EQUAL(encode("7", "note", "hi"), "id: 7\nevent: note\ndata: hi\n\n");
  CAF_CHECK_EQUAL(encode("", "note", "hi"), "event: note\ndata: hi\n\n");
  CAF_CHECK_EQUAL(encode("7", "", "hi"), "id: 7\ndata: hi\n\n");
  CAF_CHECK_EQUAL(encode("", "", ""), "data: \n\n");
}

CAF_TEST(every kind of line end starts a new data field) {
  CAF_CHECK_EQUAL(encode("", "", "a\nb\rc\r\nd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
  CAF_CHECK_EQUAL(encode("", "", "\n"), "data: \ndata: \n\n");
  CAF_CHECK_EQUAL(encode("", "", "\r"), "data: \ndata: \n\n");
  CAF_CHECK_EQUAL(encode("", "", "\r\n"), "data: \ndata: \n\n");
  CAF_CHECK_EQUAL(encode("", "", "\n\r"), "data: \ndata: \ndata: \n\n");
  CAF_CHECK_EQUAL(encode("", "", "\r\r\n\n"), "data: \ndata: \ndata: \ndata: \n\n");
  CAF_CHECK_EQUAL(encode("", "", "a\n"), "data: a\ndata: \n\n");
  CAF_CHECK_EQUAL(encode("", "", "a\rb\nc\rd\ne"),
                  "data: a\ndata: b\ndata: c\ndata: d\ndata: e\n\n");
}

CAF_TEST(leading spaces colons and field names in a payload are only data) {
  sse_parser client;
  client.push(encode("1", "", " two\n: no comment\nid: 9\nretry: 1\n\nevent: x"));
  CAF_REQUIRE_EQUAL(client.events.size(), 1u);
  CAF_CHECK_EQUAL(client.events[0].data, " two\n: no comment\nid: 9\nretry: 1\n\nevent: x");
  CAF_CHECK_EQUAL(client.events[0].type, "message");
  CAF_CHECK_EQUAL(client.last_event_id, "1");
  CAF_CHECK(!client.retry_ms);
  CAF_CHECK(client.comments.empty());
}

CAF_TEST(a stream of any events arrives as it was sent) {
  std::mt19937_64 random{20261121};
  auto text = [&](size_t length, std::string_view alphabet) {
    std::string x;
    for (auto n = random() % length; n != 0; --n)
      x += alphabet[random() % alphabet.size()];
    return x;
  };
  for (int round = 0; round < 300; ++round) {
    sse_parser client;
    std::string stream;
    std::vector<sse_parser::event> sent;
    std::string last_id;
    for (int i = 0; i < 40; ++i) {
      auto id = text(3, "abc: ");
      auto type = text(3, "xyz: ");
      switch (random() % 8) {
        case 0:
          sse::append_position(stream, id);
          break;
        case 1:
          sse::append_comment(stream, text(6, "a\r\n:"));
          id.clear();
          break;
        case 2:
          sse::append_retry(stream, 1234ms);
          id.clear();
          break;
        default: {
          auto data = text(12, "\r\n\r\n: adei");
          sse::append_event(stream, id, type, data);
          sent.push_back(
            {id.empty() ? last_id : id, type.empty() ? "message" : type, with_lf(data)});
        }
      }
      if (!id.empty())
        last_id = id;
      CAF_REQUIRE(stream.empty() || stream.ends_with("\n\n"));
    }
    while (!stream.empty()) {
      auto n = std::min<size_t>(1 + random() % 30, stream.size());
      client.push(stream.substr(0, n));
      stream.erase(0, n);
    }
    CAF_REQUIRE(client.idle());
    CAF_REQUIRE_EQUAL(client.last_event_id, last_id);
    if (client.events != sent)
      CAF_FAIL("round " << round << " differs");
  }
}

CAF_TEST(a position moves the client without an event) {
  std::string out;
  sse::append_position(out, "c1.AA");
  CAF_CHECK_EQUAL(out, "id: c1.AA\n\n");
  sse_parser client;
  client.push(out);
  CAF_CHECK_EQUAL(client.last_event_id, "c1.AA");
  CAF_CHECK(client.events.empty());
}

CAF_TEST(an empty position does not reset the client) {
  std::string out;
  sse::append_position(out, "");
  CAF_CHECK(out.empty());
}

CAF_TEST(retry is digits only) {
  std::string out;
  sse::append_retry(out, 3127ms);
  CAF_CHECK_EQUAL(out, "retry: 3127\n\n");
  sse_parser client;
  client.push(out);
  CAF_CHECK_EQUAL(client.retry_ms.value(), 3127u);
}

CAF_TEST(a comment stays one comment) {
  std::string out;
  sse::append_comment(out, "");
  CAF_CHECK_EQUAL(out, ":\n\n");
  out = "data: before\n\n";
  sse::append_comment(out, "a\rb\nc\r\ndata: d");
  CAF_CHECK_EQUAL(out, "data: before\n\n: a b c  data: d\n\n");
}

// -- the reference parser itself
// -------------------------------------------------------------------

CAF_TEST(the reference parser follows the examples of the standard) {
  sse_parser client;
  client.push("data: YHOO\ndata: +2\ndata: 10\n\n");
  auto events = client.take();
  CAF_REQUIRE_EQUAL(events.size(), 1u);
  CAF_CHECK_EQUAL(events[0].data, "YHOO\n+2\n10");
  client.push(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third "
              "event\n");
  CAF_CHECK(!client.idle());
  client.push("\n");
  events = client.take();
  CAF_REQUIRE_EQUAL(events.size(), 3u);
  CAF_CHECK((events[0] == sse_parser::event{"1", "message", "first event"}));
  CAF_CHECK((events[1] == sse_parser::event{"", "message", "second event"}));
  CAF_CHECK((events[2] == sse_parser::event{"", "message", " third event"}));
  client.push("data\n\ndata\ndata\n\ndata:");
  events = client.take();
  CAF_REQUIRE_EQUAL(events.size(), 2u);
  CAF_CHECK_EQUAL(events[0].data, "");
  CAF_CHECK_EQUAL(events[1].data, "\n");
}

CAF_TEST(the reference parser ignores what the standard ignores) {
  sse_parser client;
  client.push("\xef\xbb\xbf"
              "data: a\r\rretry: 1x\r\nretry: \r\nid: 5\r\n\r\n");
  client.push("id: a\0b\nother: x\nevent: lost\n\ndata: b\n\n"sv);
  CAF_CHECK(!client.retry_ms);
  CAF_REQUIRE_EQUAL(client.events.size(), 2u);
  CAF_CHECK((client.events[0] == sse_parser::event{"", "message", "a"}));
  CAF_CHECK((client.events[1] == sse_parser::event{"5", "message", "b"}));
}
