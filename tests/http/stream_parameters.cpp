#define CAF_SUITE stream_parameters

#include "http/stream_parameters.hpp"

#include "support/make_request.hpp"

#include <caf/test/dsl.hpp>

#include <string>

namespace {

using namespace tidings;
using namespace tidings::http;
using namespace std::string_literals;
using test::make_request;

const limits_config limits;
constexpr int64_t now_ms = 1'795'242'000'000;

result<stream_parameters> stream(std::string target, test::field_list fields = {},
                                 representation form = representation::event_stream) {
  return parse_stream_parameters(**make_request(std::move(target), fields), form, limits, now_ms);
}

result<page_parameters> page_of(std::string target, test::field_list fields = {}) {
  return parse_page_parameters(**make_request(std::move(target), fields), limits, now_ms);
}

template <class T>
std::string code(const result<T>& x) {
  return x ? "ok" : to_string(x.error().code);
}

std::string shown(const start_point& x) {
  if (std::holds_alternative<from_now>(x))
    return "now";
  if (std::holds_alternative<from_earliest>(x))
    return "earliest";
  if (auto time = std::get_if<from_time>(&x))
    return std::to_string(time->unix_ms - now_ms);
  if (auto id = std::get_if<from_cursor>(&x))
    return "id:" + id->text;
  return "?";
}

// By value: the check macros keep references.

size_t limit_of(std::string target) {
  auto x = page_of(std::move(target));
  return x ? x->page.limit : 0;
}

std::string since_of(std::string target, test::field_list fields = {}) {
  auto x = page_of(std::move(target), fields);
  return x ? shown(x->page.since) : to_string(x.error().code);
}

std::string until_of(std::string target) {
  auto x = page_of(std::move(target));
  return x && x->page.until ? shown(*x->page.until) : "none";
}

std::string key(std::string target) {
  auto x = stream(std::move(target));
  return x ? x->who->key() : to_string(x.error().code);
}

std::string start(std::string query, test::field_list fields = {}) {
  auto x = stream("/events?" + query, fields);
  return x ? shown(x->start) : to_string(x.error().code);
}

CAF_TEST(topics may be given in many ways) {
  CAF_CHECK_EQUAL(key("/events"), "**");
  CAF_CHECK_EQUAL(key("/events?topics=b,a&topic=c&topics=d&topic=a"), "a,b,c,d");
  CAF_CHECK_EQUAL(key("/events?topic=order:*&topic=iot/**"), key("/events?topics=iot/**,order:*"));
  CAF_CHECK_EQUAL(key("/topics/orders"), "orders");
  CAF_CHECK_EQUAL(key("/topics/a%2Fb"), "a/b");
  CAF_CHECK_EQUAL(key("/topics/order:*"), "order:*");
  CAF_CHECK_EQUAL(key("/topics/orders?topic=more"), "more,orders");
  CAF_CHECK_EQUAL(key("/events?topics=a%2Cb"), "a,b"); // a topic holds no comma
}

CAF_TEST(an empty or bad topic is not everything) {
  for (auto x : {"/events?topics=", "/events?topic=", "/events?topics=a,,b", "/events?topics=a,",
                 "/events?topics=,", "/topics/", "/events?topic=a,b", "/events?topic=**/a",
                 "/topics/a%00", "/topics/%2e%2e"})
    CAF_CHECK_EQUAL(key(x), "invalid_topic");
  CAF_CHECK_EQUAL(key("/events?topcis=a"), "invalid_parameter");
}

CAF_TEST(a stream has a bounded number of topics) {
  auto query = "/events?topics=t0"s;
  for (int i = 1; i < 100; ++i)
    query += ",t" + std::to_string(i);
  CAF_CHECK_EQUAL(code(stream(query)), "ok");
  CAF_CHECK_EQUAL(code(stream(query + ",t100")), "invalid_parameter");
  CAF_CHECK_EQUAL(code(stream(query + "&topic=t100")), "invalid_parameter");
}

CAF_TEST(a stream starts where it is told) {
  CAF_CHECK_EQUAL(start(""), "now");
  CAF_CHECK_EQUAL(start("since=now"), "now");
  CAF_CHECK_EQUAL(start("since=earliest"), "earliest");
  CAF_CHECK_EQUAL(start("since=10m"), "-600000");
  CAF_CHECK_EQUAL(start("since=1h30m"), "-5400000");
  CAF_CHECK_EQUAL(start("since=0"), "0");
  CAF_CHECK_EQUAL(start("since=30000d"), std::to_string(-now_ms)); // not before 1970
  CAF_CHECK_EQUAL(start("since=2026-11-21T06:20:00Z"), "0");
  CAF_CHECK_EQUAL(start("since=2026-11-21T07:20:00%2B01:00"), "0");
  CAF_CHECK_EQUAL(start("since=2026-11-21T07:20:00+01:00"), "0"); // an unescaped plus sign
  CAF_CHECK_EQUAL(start("since=2026-11-21T05:20:00.5-01:00"), "500");
  CAF_CHECK_EQUAL(start("since=c1.AfQ_-x"), "id:c1.AfQ_-x");
  CAF_CHECK_EQUAL(start("since=e1.AfQ_-x"), "id:e1.AfQ_-x");
  CAF_CHECK_EQUAL(start("since="), "invalid_parameter");
  CAF_CHECK_EQUAL(start("since=1h&since=2h"), "invalid_parameter");
}

CAF_TEST(the header wins over the parameters) {
  CAF_CHECK_EQUAL(start("since=earliest&last_event_id=c1.b", {{"Last-Event-ID", "c1.a"}}),
                  "id:c1.a");
  CAF_CHECK_EQUAL(start("since=earliest&last_event_id=c1.b"), "id:c1.b");
  CAF_CHECK_EQUAL(start("since=earliest&lastEventId=c1.b"), "id:c1.b");
  CAF_CHECK_EQUAL(start("since=earliest&last_event_id=", {{"Last-Event-ID", ""}}), "earliest");
  CAF_CHECK_EQUAL(start("last_event_id=earliest"), "id:earliest"); // an id and nothing else
  CAF_CHECK_EQUAL(start("", {{"last-event-id", "now"}}), "id:now");
}

CAF_TEST(an id that is not ours is no error) {
  for (auto& id : {"garbage"s, "600"s, "c2.x"s, "-"s, std::string(512, 'a')})
    CAF_CHECK_EQUAL(start("", {{"Last-Event-ID", id}}), "id:" + id);
  // and what no id can be goes nowhere
  for (auto& id : {"a b"s, "a\"b"s, "\xff\xfe"s, "<script>"s, "\xe2\x80\xa8"s, "a\tb"s,
                   std::string(513, 'a'), std::string(16'000, 'a')})
    CAF_CHECK_EQUAL(start("", {{"Last-Event-ID", id}}), "id:");
}

CAF_TEST(a slip of the pen in since is an error) {
  for (auto x : {"2026-11-21", "tomorrow%20noon", "600", "Earliest", "10", "c2.a", "<script>"})
    CAF_CHECK_EQUAL(start("since="s + x), "invalid_parameter");
  CAF_CHECK_EQUAL(start("since=c1.%3Cscript%3E"), "id:");
  CAF_CHECK_EQUAL(until_of("/events?until=tomorrow"), "none");
}

CAF_TEST(the shape follows from Accept and envelope) {
  CAF_CHECK(stream("/events")->format == wire_format::sse);
  CAF_CHECK(stream("/events?envelope=false")->format == wire_format::sse);
  CAF_CHECK(stream("/events?envelope=true")->format == wire_format::sse_envelope);
  CAF_CHECK(stream("/events?envelope=1")->format == wire_format::sse_envelope);
  CAF_CHECK(stream("/events", {}, representation::ndjson)->format == wire_format::ndjson);
  CAF_CHECK(stream("/events?envelope=true", {}, representation::ndjson)->format
            == wire_format::ndjson);
  CAF_CHECK_EQUAL(code(stream("/events?envelope=maybe")), "invalid_parameter");
  CAF_CHECK_EQUAL(code(stream("/events?envelope")), "invalid_parameter");
}

CAF_TEST(heartbeats are within bounds) {
  CAF_CHECK(!stream("/events")->heartbeat);
  CAF_CHECK(!stream("/events")->shape);
  CAF_CHECK(stream("/events?heartbeat=1s")->heartbeat == milliseconds{1000});
  CAF_CHECK(stream("/events?heartbeat=5m")->heartbeat == milliseconds{300'000});
  for (auto x : {"999ms", "5m1ms", "0", "15", "", "x", "-1s"})
    CAF_CHECK_EQUAL(code(stream("/events?heartbeat="s + x)), "invalid_parameter");
  CAF_CHECK(stream("/events?heartbeat_shape=comment")->shape == heartbeat_shape::comment);
  CAF_CHECK(stream("/events?heartbeat_shape=event")->shape == heartbeat_shape::event);
  CAF_CHECK_EQUAL(code(stream("/events?heartbeat_shape=none")), "invalid_parameter");
}

CAF_TEST(overflow has four names) {
  CAF_CHECK(!stream("/events")->overflow);
  CAF_CHECK(stream("/events?overflow=catch_up")->overflow == overflow_policy::catch_up);
  CAF_CHECK(stream("/events?overflow=drop_oldest")->overflow == overflow_policy::drop_oldest);
  CAF_CHECK(stream("/events?overflow=drop_newest")->overflow == overflow_policy::drop_newest);
  CAF_CHECK(stream("/events?overflow=disconnect")->overflow == overflow_policy::disconnect);
  CAF_CHECK_EQUAL(code(stream("/events?overflow=drop")), "invalid_parameter");
  CAF_CHECK_EQUAL(code(stream("/events?overflow=")), "invalid_parameter");
}

CAF_TEST(parameters of pages do not fit streams and the other way round) {
  for (auto x : {"limit=1", "until=now", "reverse=true", "wait=1s"}) {
    CAF_CHECK_EQUAL(code(stream("/events?"s + x)), "invalid_parameter");
    CAF_CHECK_EQUAL(code(page_of("/events?"s + x)), "ok");
  }
  for (auto x : {"envelope=true", "heartbeat=1s", "heartbeat_shape=event", "overflow=catch_up"})
    CAF_CHECK_EQUAL(code(page_of("/events?"s + x)), "invalid_parameter");
}

CAF_TEST(a page begins with the earliest) {
  auto x = page_of("/topics/orders");
  CAF_REQUIRE(static_cast<bool>(x));
  CAF_CHECK_EQUAL(x->page.who->key(), "orders");
  CAF_CHECK_EQUAL(shown(x->page.since), "earliest");
  CAF_CHECK(!x->page.until);
  CAF_CHECK_EQUAL(x->page.limit, 100u);
  CAF_CHECK(!x->page.reverse);
  CAF_CHECK(x->wait == milliseconds{0});
}

CAF_TEST(a page ends where it is told) {
  CAF_CHECK_EQUAL(until_of("/events?until=c1.a"), "id:c1.a");
  CAF_CHECK_EQUAL(until_of("/events?until=10m"), "-600000");
  CAF_CHECK_EQUAL(until_of("/events?until=2026-11-21T06:20:00Z"), "0");
  CAF_CHECK_EQUAL(code(page_of("/events?until=")), "invalid_parameter");
  CAF_CHECK_EQUAL(since_of("/events?since=c1.a"), "id:c1.a");
  CAF_CHECK_EQUAL(since_of("/events", {{"Last-Event-ID", "c1.a"}}), "id:c1.a");
}

CAF_TEST(a page has a bounded length) {
  CAF_CHECK_EQUAL(limit_of("/events?limit=1"), 1u);
  CAF_CHECK_EQUAL(limit_of("/events?limit=1000"), 1000u);
  for (auto x : {"0", "1001", "-1", "1.5", "", "x", "99999999999999999999", "+1", "0x10"})
    CAF_CHECK_EQUAL(code(page_of("/events?limit="s + x)), "invalid_parameter");
  limits_config small;
  small.page_records = 10;
  auto x = parse_page_parameters(**make_request("/events"), small, now_ms);
  CAF_REQUIRE(static_cast<bool>(x));
  CAF_CHECK_EQUAL(x->page.limit, 10u);
}

CAF_TEST(a page can wait) {
  CAF_CHECK(page_of("/events?wait=30s")->wait == milliseconds{30'000});
  CAF_CHECK(page_of("/events?wait=0")->wait == milliseconds{0});
  for (auto x : {"wait=61s", "wait=30", "wait=", "wait=1s&reverse=true", "wait=1s&until=now"})
    CAF_CHECK_EQUAL(code(page_of("/events?"s + x)), "invalid_parameter");
  CAF_CHECK(page_of("/events?reverse=true")->page.reverse);
  CAF_CHECK_EQUAL(code(page_of("/events?reverse=yes")), "invalid_parameter");
}

} // namespace
