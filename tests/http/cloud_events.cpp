#define CAF_SUITE cloud_events

#include "http/cloud_events.hpp"

#include "support/make_request.hpp"

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

#include <string>

namespace {

using namespace tidings;
using namespace tidings::http;
using namespace std::string_literals;
using nlohmann::json;
using test::make_request;

const limits_config limits;

const char* const simple =
  R"({"specversion":"1.0","id":"7","source":"/shop","type":"order.paid","data":{"total":12}})";

result<publication> structured(std::string body, std::string target = "/events",
                               test::field_list fields = {}) {
  auto x = make_request(std::move(target), fields, std::move(body));
  return parse_cloud_event(**x, limits);
}

result<publication> binary(test::field_list fields, std::string body = {},
                           std::string target = "/events") {
  auto x = make_request(std::move(target), fields, std::move(body));
  return parse_binary_cloud_event(**x, limits);
}

std::string code(const result<publication>& x) {
  return x ? "ok" : to_string(x.error().code);
}

publication made(result<publication> x) {
  if (!x)
    CAF_FAIL(x.error().detail);
  return *x;
}

json data_of(const publication& x) {
  CAF_CHECK(x.content.kind == data_kind::json);
  return json::parse(x.content.data);
}

std::string with(const std::string& member) {
  return R"({"specversion":"1.0","id":"7","source":"/s","type":"t",)" + member + "}";
}

CAF_TEST(subscribers get the event in structured form) {
  auto x = made(structured(" { \"specversion\" : \"1.0\", \"id\":\"7\", \"source\":\"/shop\", "
                           "\"type\":\"order.paid\",\n \"data\" : 1 } "));
  CAF_CHECK_EQUAL(
    x.content.data,
    R"({"specversion":"1.0","id":"7","source":"/shop","type":"order.paid","data":1})");
  CAF_CHECK(x.content.kind == data_kind::json);
  CAF_CHECK_EQUAL(x.content.type, "order.paid");
  CAF_CHECK_EQUAL(x.content.id, "7");
  CAF_CHECK_EQUAL(x.key, "c:/shop\0"
                         "7"s);
  CAF_CHECK(x.fingerprint != 0);
}

CAF_TEST(the topic comes from the query or an attribute or the type) {
  using list = std::vector<std::string>;
  auto topics = [](result<publication> x) { return made(std::move(x)).content.topics; };
  CAF_CHECK_EQUAL(topics(structured(simple)), list{"order.paid"});
  CAF_CHECK_EQUAL(topics(structured(with(R"("topic":"a:b")"))), list{"a:b"});
  CAF_CHECK_EQUAL(topics(structured(with(R"("topic":"a")"), "/events?topic=b&topics=c,d,b")),
                  (list{"b", "c", "d"}));
  CAF_CHECK_EQUAL(code(structured(simple, "/events?topic=")), "invalid_topic");
  CAF_CHECK_EQUAL(code(structured(simple, "/events?topics=a,,b")), "invalid_topic");
  CAF_CHECK_EQUAL(code(structured(with(R"("topic":"a*")"))), "invalid_topic");
  CAF_CHECK_EQUAL(code(structured(R"({"specversion":"1.0","id":"7","source":"/s","type":"a*"})")),
                  "invalid_topic");
}

CAF_TEST(query and headers say how it is published) {
  auto x = made(structured(simple, "/events?ttl=1h&ack=written"));
  CAF_CHECK(x.ttl == std::chrono::hours{1});
  CAF_CHECK(x.level == durability::written);
  x = made(structured(simple, "/events?ttl=1h", {{"X-Event-TTL", "2h"}, {"X-Ack", "none"}}));
  CAF_CHECK(x.ttl == std::chrono::hours{1});
  CAF_CHECK(x.level == durability::none);
  CAF_CHECK_EQUAL(code(structured(simple, "/events?type=x")), "invalid_parameter");
  CAF_CHECK_EQUAL(code(structured(simple, "/events?ttl=x")), "invalid_parameter");
}

CAF_TEST(the four required attributes are required) {
  for (auto name : {"specversion", "id", "source", "type"}) {
    auto x = json::parse(simple);
    x.erase(name);
    CAF_CHECK_EQUAL(code(structured(x.dump())), "invalid_event");
    for (auto& value :
         {json(""), json(nullptr), json(1), json(true), json::object(), json::array()}) {
      x[name] = value;
      CAF_CHECK_EQUAL(code(structured(x.dump())), "invalid_event");
    }
  }
  for (auto version : {"0.3", "1", "1.1", "2.0"}) {
    auto x = json::parse(simple);
    x["specversion"] = version;
    CAF_CHECK_EQUAL(code(structured(x.dump())), "invalid_event");
  }
}

CAF_TEST(extensions travel along) {
  auto x = made(structured(with(R"("traceparent":"00-a","sequence":5,"urgent":true,"gone":null)")));
  CAF_CHECK_EQUAL(data_of(x).value("sequence", 0), 5);
  for (auto bad : {R"("Upper":"a")", R"("with_underscore":"a")", R"("with-dash":"a")", R"("":"a")",
                   R"("x":{})", R"("x":[1])", R"("x":"")", R"("x":"a\nb")", R"("x":"a\u0000")",
                   R"("x":"\u2028")", R"("time":"yesterday")", R"("subject":1)"})
    CAF_CHECK_EQUAL(code(structured(with(bad))), "invalid_event");
  CAF_CHECK_EQUAL(code(structured(with(R"("time":"2026-11-21T06:19:28.123+01:00")"))), "ok");
}

CAF_TEST(data is anything or base64) {
  for (auto good : {R"("data":null)", R"("data":"text\nwith lines")", R"("data":[1,{"a":2}])",
                    R"("data_base64":"AP8=")", R"("data_base64":"")"})
    CAF_CHECK_EQUAL(code(structured(with(good))), "ok");
  for (auto bad :
       {R"("data_base64":"AP8")", R"("data_base64":1)", R"("data":1,"data_base64":"AP8=")"})
    CAF_CHECK_EQUAL(code(structured(with(bad))), "invalid_event");
}

CAF_TEST(refuses JSON that is none) {
  for (auto bad :
       {"", "[]", "1", "{", R"({"specversion":"1.0","id":"7","id":"8","source":"/s","type":"t"})"})
    CAF_CHECK_EQUAL(code(structured(bad)), "invalid_json");
}

CAF_TEST(nobody publishes in the name of the broker) {
  CAF_CHECK_EQUAL(
    code(structured(R"({"specversion":"1.0","id":"7","source":"/s","type":"tidings.gap"})")),
    "invalid_event");
}

CAF_TEST(a batch is an array of events) {
  auto parse = [](std::string body) {
    return parse_cloud_event_batch(**make_request("/events?topic=a", {}, std::move(body)), limits);
  };
  auto xs = parse("["s + simple + "," + with("\"data\":1") + "]");
  CAF_CHECK(xs.ok());
  CAF_REQUIRE_EQUAL(xs.items.size(), 2u);
  CAF_CHECK_EQUAL(xs.items[1].content.topics.front(), "a");
  CAF_CHECK_EQUAL(xs.items[0].key, "c:/shop\0"
                                   "7"s);
  xs = parse("["s + simple + ",{},1]");
  CAF_CHECK(!xs.ok());
  CAF_CHECK(xs.items.empty());
  CAF_CHECK_EQUAL(xs.errors.size(), 2u);
  CAF_CHECK(parse("[]").refused.has_value());
  CAF_CHECK(parse(simple).refused.has_value());
  CAF_CHECK(parse_cloud_event_batch(**make_request("/events?x=1", {}, "[]"), limits).refused->code
            == errc::invalid_parameter);
}

// -- binary mode
// ------------------------------------------------------------------------------------

CAF_TEST(headers carry the attributes) {
  auto x = made(binary({{"ce-specversion", "1.0"},
                        {"CE-Id", "7"},
                        {"ce-source", "/shop"},
                        {"ce-type", "order.paid"},
                        {"ce-traceparent", "00-a"},
                        {"Content-Type", "application/json"},
                        {"Cookie", "secret"}},
                       " { \"total\" : 12 } "));
  CAF_CHECK_EQUAL(
    data_of(x),
    json::parse(
      R"({"specversion":"1.0","id":"7","source":"/shop","type":"order.paid","traceparent":"00-a",
    "datacontenttype":"application/json","data":{"total":12}})"));
  CAF_CHECK_EQUAL(x.content.type, "order.paid");
  CAF_CHECK_EQUAL(x.key, "c:/shop\0"
                         "7"s);
  CAF_CHECK_EQUAL(x.content.topics, std::vector<std::string>{"order.paid"});
}

CAF_TEST(the order of headers does not matter) {
  auto x = made(
    binary({{"ce-id", "7"}, {"ce-type", "t"}, {"ce-source", "/s"}, {"ce-specversion", "1.0"}}));
  auto y = made(
    binary({{"ce-specversion", "1.0"}, {"ce-source", "/s"}, {"ce-type", "t"}, {"ce-id", "7"}}));
  CAF_CHECK_EQUAL(x.content.data, y.content.data);
  CAF_CHECK_EQUAL(x.fingerprint, y.fingerprint);
}

CAF_TEST(the body becomes data of the right shape) {
  auto data = [](std::string_view type, std::string body) {
    auto x = data_of(made(binary({{"ce-id", "7"},
                                  {"ce-type", "t"},
                                  {"ce-source", "/s"},
                                  {"ce-specversion", "1.0"},
                                  {"Content-Type", type}},
                                 std::move(body))));
    x.erase("id");
    x.erase("type");
    x.erase("source");
    x.erase("specversion");
    x.erase("datacontenttype");
    return x.dump();
  };
  CAF_CHECK_EQUAL(data("text/plain", "a\nb"), R"({"data":"a\nb"})");
  CAF_CHECK_EQUAL(data("application/vnd.x+json", "[1]"), R"({"data":[1]})");
  CAF_CHECK_EQUAL(data("image/png", "\0\xff"s), R"({"data_base64":"AP8="})");
  CAF_CHECK_EQUAL(data("text/plain;charset=latin1", "a"), R"({"data_base64":"YQ=="})");
  CAF_CHECK_EQUAL(data("text/plain", ""), "{}");
}

CAF_TEST(values of headers are decoded once) {
  auto x = made(binary(
    {{"ce-id", "%C3%A4%2525"}, {"ce-type", "t"}, {"ce-source", "/s"}, {"ce-specversion", "1.0"}}));
  CAF_CHECK_EQUAL(x.content.id, "\xc3\xa4%25");
}

CAF_TEST(refuses headers that are no attributes) {
  auto extra = [](std::string_view name, std::string_view value) {
    return code(binary({{"ce-id", "7"},
                        {"ce-type", "t"},
                        {"ce-source", "/s"},
                        {"ce-specversion", "1.0"},
                        {name, value}}));
  };
  CAF_CHECK_EQUAL(extra("ce-good", "x"), "ok");
  CAF_CHECK_EQUAL(extra("x-ce-good", "%"), "ok");
  for (auto name : {"ce-with-dash", "ce-", "ce-data", "ce-datacontenttype", "ce-id"})
    CAF_CHECK_EQUAL(extra(name, "x"), "invalid_event");
  for (auto value : {"%00", "%", "%0a", "\xff", ""})
    CAF_CHECK_EQUAL(extra("ce-x", value), "invalid_event");
  CAF_CHECK_EQUAL(code(binary({{"ce-id", "7"},
                               {"ce-type", "t"},
                               {"ce-source", "/s"},
                               {"ce-specversion", "1.0"},
                               {"Content-Type", "text/plain; x=\x82\xde"}})),
                  "unsupported_media_type");
  CAF_CHECK_EQUAL(code(binary({{"ce-id", "7"}, {"ce-type", "t"}, {"ce-source", "/s"}})),
                  "invalid_event");
  CAF_CHECK_EQUAL(code(binary({{"ce-specversion", "1.0"}, {"ce-type", "t"}, {"ce-source", "/s"}})),
                  "invalid_event");
  CAF_CHECK_EQUAL(code(binary({{"ce-id", "7"},
                               {"ce-type", "t"},
                               {"ce-source", "/s"},
                               {"ce-specversion", "1.0"},
                               {"Content-Type", "application/json"}},
                              "{")),
                  "invalid_json");
}

} // namespace
