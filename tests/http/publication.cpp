#define CAF_SUITE publication

#include "http/publication.hpp"

#include "http/publication_draft.hpp"
#include "support/make_request.hpp"

#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

#include <string>

namespace {

using namespace tidings;
using namespace tidings::http;
using namespace std::string_literals;
using std::chrono::hours;
using test::make_request;

const limits_config limits;

result<publication> raw(std::string target, test::field_list fields = {}, std::string body = "data",
                        const limits_config& within = limits) {
  auto x = make_request(std::move(target), fields, std::move(body));
  return parse_raw(**x, within);
}

std::string code(const result<publication>& x) {
  return x ? "ok" : to_string(x.error().code);
}

std::string code(std::string_view json) {
  return code(parse_object(json, limits));
}

std::string detail(std::string_view json) {
  auto x = parse_object(json, limits);
  return x ? "" : x.error().detail;
}

publication made(std::string_view json) {
  auto x = parse_object(json, limits);
  if (!x)
    CAF_FAIL(json << ": " << x.error().detail);
  return *x;
}

publication made(result<publication> x) {
  if (!x)
    CAF_FAIL(x.error().detail);
  return *x;
}

std::string first_topic(result<publication> x) {
  return made(std::move(x)).content.topics.front();
}

/// What would break a line of a stream, a header or a log.
const std::vector<std::string> line_breakers{
  "a\nb",  "a\rb",        "a\r\nb",   "a\0b"s,         "b\tb",        "a\x1b[0m",
  "a\x7f", "a\xc2\x85 b", "\xc2\x9b", "a\xe2\x80\xa8", "\xe2\x80\xa9"};

std::string quoted(const std::string& x) {
  return nlohmann::json(x).dump();
}

// -- POST /topics/{topic} -------------------------------------------------------------------------

CAF_TEST(the body is the data) {
  auto x = made(raw("/topics/orders"));
  CAF_CHECK_EQUAL(x.content.topics, std::vector<std::string>{"orders"});
  CAF_CHECK_EQUAL(x.content.data, "data");
  CAF_CHECK(x.content.kind == data_kind::text);
  CAF_CHECK_EQUAL(x.content.type, "");
  CAF_CHECK_EQUAL(x.content.id, "");
  CAF_CHECK_EQUAL(x.key, "");
  CAF_CHECK(!x.ttl);
  CAF_CHECK(!x.level);
  CAF_CHECK_EQUAL(made(raw("/topics/t", {}, "")).content.data, "");
  CAF_CHECK_EQUAL(made(raw("/topics/t", {}, "a\nb\r\tc\x1b")).content.data, "a\nb\r\tc\x1b");
}

CAF_TEST(the topic comes from the path) {
  CAF_CHECK_EQUAL(first_topic(raw("/topics/a:b/c.d")), "a:b/c.d");
  CAF_CHECK_EQUAL(first_topic(raw("/topics/https%3A%2F%2Fx%2F1")), "https://x/1");
  CAF_CHECK_EQUAL(first_topic(raw("/topics/%25")), "%");
  for (auto x : {"/topics/", "/topics/a%00", "/topics/a%0a", "/topics/%", "/topics/a*",
                 "/topics/../x", "/topics/a/%2e%2e/b", "/topics/a,b", "/topics/%20a", "/topics/%ff",
                 "/topics/%C2%85", "/topics/%E2%80%A8"})
    CAF_CHECK_EQUAL(code(raw(x)), "invalid_topic");
  CAF_CHECK_EQUAL(code(raw("/topics/" + std::string(257, 'a'))), "invalid_topic");
}

CAF_TEST(parameters and headers say how it is published) {
  auto x = made(raw("/topics/t", {{"X-Event-Type", "paid"},
                                  {"X-Event-Id", "a-1"},
                                  {"X-Event-TTL", "1h"},
                                  {"X-Ack", "written"}}));
  CAF_CHECK_EQUAL(x.content.type, "paid");
  CAF_CHECK_EQUAL(x.content.id, "a-1");
  CAF_CHECK(x.ttl == hours{1});
  CAF_CHECK(x.level == durability::written);
  x = made(raw("/topics/t?type=q&id=i&ttl=2h&ack=none&_=1", {{"X-Event-Type", "paid"},
                                                             {"X-Event-Id", "a-1"},
                                                             {"X-Event-TTL", "1h"},
                                                             {"X-Ack", "written"}}));
  CAF_CHECK_EQUAL(x.content.type, "q");
  CAF_CHECK_EQUAL(x.content.id, "i");
  CAF_CHECK(x.ttl == hours{2});
  CAF_CHECK(x.level == durability::none);
  CAF_CHECK(made(raw("/topics/t?ttl=0")).ttl == milliseconds{0});
  CAF_CHECK_EQUAL(made(raw("/topics/t?type=%C3%A4+b")).content.type, "\xc3\xa4 b");
}

CAF_TEST(refuses parameters that make no sense) {
  for (auto x : {"ttl=1", "ttl=-1h", "ttl=soon", "ttl=1e3s", "ack=all", "ack=FSYNC", "encoding=hex",
                 "encoding=", "tpye=a", "type=a&type=b"})
    CAF_CHECK_EQUAL(code(raw("/topics/t?"s + x)), "invalid_parameter");
}

CAF_TEST(no text of a publisher breaks a line) {
  for (auto& x : line_breakers) {
    for (auto header : {"X-Event-Type", "X-Event-Id", "Idempotency-Key"})
      CAF_CHECK_EQUAL(code(raw("/topics/t", {{header, x}})), "invalid_event");
    for (auto field : {"type", "id", "key"})
      CAF_CHECK_EQUAL(code("{\"topic\":\"t\",\""s + field + "\":" + quoted(x) + "}"),
                      "invalid_event");
    CAF_CHECK_EQUAL(code("{\"topic\":" + quoted(x) + "}"), "invalid_topic");
    CAF_CHECK_EQUAL(code("{\"topics\":[\"t\"," + quoted(x) + "]}"), "invalid_topic");
  }
  for (auto header : {"X-Event-Type", "X-Event-Id", "Idempotency-Key"}) {
    CAF_CHECK_EQUAL(code(raw("/topics/t", {{header, "a\xff"}})), "invalid_event");
    CAF_CHECK_EQUAL(code(raw("/topics/t", {{header, std::string(256, 'a')}})), "ok");
    CAF_CHECK_EQUAL(code(raw("/topics/t", {{header, std::string(257, 'a')}})), "invalid_event");
  }
}

CAF_TEST(nobody publishes in the name of the broker) {
  CAF_CHECK_EQUAL(code(raw("/topics/t?type=tidings.gap")), "invalid_event");
  CAF_CHECK_EQUAL(code(raw("/topics/t", {{"X-Event-Type", "tidings."}})), "invalid_event");
  CAF_CHECK_EQUAL(code(R"({"topic":"t","type":"tidings.closing"})"), "invalid_event");
  CAF_CHECK_EQUAL(code(R"({"topic":"t","type":"tidings"})"), "ok");
}

CAF_TEST(the media type decides what the data is) {
  auto kind = [](std::string_view type, std::string body) {
    auto x = raw("/topics/t", {{"Content-Type", type}}, std::move(body));
    return x ? std::to_string(static_cast<int>(x->content.kind)) : to_string(x.error().code);
  };
  const auto text = std::to_string(static_cast<int>(data_kind::text));
  const auto json = std::to_string(static_cast<int>(data_kind::json));
  CAF_CHECK_EQUAL(kind("text/plain", "{"), text);
  CAF_CHECK_EQUAL(kind("application/x-www-form-urlencoded", "{\"a\":1}"), text);
  CAF_CHECK_EQUAL(kind("application/octet-stream", "a"), text);
  CAF_CHECK_EQUAL(kind("application/json", " {\"a\": 1}\n"), json);
  CAF_CHECK_EQUAL(kind("application/vnd.x+json;charset=UTF-8", "1"), json);
  CAF_CHECK_EQUAL(kind("application/json", "{"), "invalid_json");
  CAF_CHECK_EQUAL(kind("application/json", ""), "invalid_json");
  CAF_CHECK_EQUAL(kind("application/json", "{\"a\":1,\"a\":2}"), "invalid_json");
  CAF_CHECK_EQUAL(kind("application/json", std::string(40, '[') + std::string(40, ']')),
                  "invalid_json");
  CAF_CHECK_EQUAL(kind("application/json", "[1e999]"), "invalid_json");
  CAF_CHECK_EQUAL(kind("application/json", "{} x"), "invalid_json");
  CAF_CHECK_EQUAL(kind("text/plain; charset=latin1", "a"), "unsupported_media_type");
  CAF_CHECK_EQUAL(kind("nonsense", "a"), "unsupported_media_type");
  CAF_CHECK_EQUAL(kind("text/plain", "a\0"s), "invalid_text");
  CAF_CHECK_EQUAL(kind("text/plain", "\xff"), "invalid_text");
  CAF_CHECK_EQUAL(kind("text/plain", "\xed\xa0\x80"), "invalid_text");
  CAF_CHECK_EQUAL(kind("text/plain", "\xc0\xaf"), "invalid_text");
  CAF_CHECK_EQUAL(
    made(raw("/topics/t", {{"Content-Type", "application/json"}}, " {\"a\": 1}\n")).content.data,
    " {\"a\": 1}\n"); // as it came
}

CAF_TEST(binary data travels as base64) {
  auto x =
    made(raw("/topics/t?encoding=base64", {{"Content-Type", "image/png"}}, "\x89PNG\0\xff"s));
  CAF_CHECK(x.content.kind == data_kind::base64);
  CAF_CHECK_EQUAL(x.content.data, "iVBORwD/");
}

CAF_TEST(large data is refused) {
  limits_config small;
  small.event_bytes = 8;
  CAF_CHECK_EQUAL(code(raw("/topics/t", {}, "12345678", small)), "ok");
  CAF_CHECK_EQUAL(code(raw("/topics/t", {}, "123456789", small)), "payload_too_large");
  CAF_CHECK_EQUAL(code(raw("/topics/t?encoding=base64", {}, "123456", small)), "ok");
  CAF_CHECK_EQUAL(code(raw("/topics/t?encoding=base64", {}, "1234567", small)),
                  "payload_too_large");
  CAF_CHECK_EQUAL(code(parse_object(R"({"topic":"t","data":"123456789"})", small)),
                  "payload_too_large");
  CAF_CHECK_EQUAL(code(parse_object(R"({"topic":"t","data":[1, 2,   3 ]})", small)),
                  "ok"); // as it is stored
  CAF_CHECK_EQUAL(code("{\"topic\":\"t\",\"data\":\"" + std::string(5'000'000, 'x') + "\"}"),
                  "payload_too_large");
}

// -- keys -----------------------------------------------------------------------------------------

CAF_TEST(keys of different kinds cannot meet) {
  CAF_CHECK_EQUAL(made(raw("/topics/t", {{"Idempotency-Key", "x"}})).key, "k:x");
  CAF_CHECK_EQUAL(made(raw("/topics/t?id=x")).key, "i:t\0x"s);
  CAF_CHECK_EQUAL(made(raw("/topics/t?id=y", {{"Idempotency-Key", "x"}})).key, "k:x");
  CAF_CHECK_EQUAL(made(R"({"topic":"t","key":"x"})").key, "k:x");
  CAF_CHECK_EQUAL(made(R"({"topics":["a","b"],"id":"x"})").key, "i:a\0x"s);
  CAF_CHECK_EQUAL(made(R"({"topic":"t","id":"y","key":"x"})").key, "k:x");
  CAF_CHECK_EQUAL(made(R"({"topic":"t"})").key, "");
}

CAF_TEST(a header gives keys to events without) {
  std::vector<publication> one{made(R"({"topic":"t"})")};
  CAF_CHECK(!apply_idempotency_key(one, ""));
  CAF_CHECK_EQUAL(one[0].key, "");
  CAF_CHECK(!apply_idempotency_key(one, "x"));
  CAF_CHECK_EQUAL(one[0].key, "k:x");
  CAF_CHECK(!apply_idempotency_key(one, "y"));
  CAF_CHECK_EQUAL(one[0].key, "k:x");
  std::vector<publication> several{made(R"({"topic":"t"})"), made(R"({"topic":"t","key":"own"})"),
                                   made(R"({"topic":"t"})")};
  CAF_CHECK(!apply_idempotency_key(several, "x"));
  CAF_CHECK_EQUAL(several[0].key, "b:x\0"
                                  "0"s);
  CAF_CHECK_EQUAL(several[1].key, "k:own");
  CAF_CHECK_EQUAL(several[2].key, "b:x\0"
                                  "2"s);
  CAF_CHECK(apply_idempotency_key(several, "a\nb"));
  CAF_CHECK(apply_idempotency_key(several, std::string(257, 'x')));
}

CAF_TEST(the fingerprint tells contents apart and nothing else) {
  auto print = [](std::string_view json) { return made(json).fingerprint; };
  auto base = print(R"({"topic":"t","type":"a","data":"x"})");
  CAF_CHECK_EQUAL(
    base,
    print(
      R"({ "data" : "\u0078", "type":"a", "topics":["t"], "ttl":"1h","ack":"none","key":"k","id":"i"})"));
  CAF_CHECK(base != print(R"({"topic":"u","type":"a","data":"x"})"));
  CAF_CHECK(base != print(R"({"topic":"t","type":"b","data":"x"})"));
  CAF_CHECK(base != print(R"({"topic":"t","type":"a","data":"y"})"));
  CAF_CHECK(base != print(R"({"topic":"t","data":"ax"})"));
  CAF_CHECK(base != print(R"({"topic":"ta","data":"x"})"));
  CAF_CHECK(print(R"({"topics":["a","b"]})") != print(R"({"topics":["b","a"]})"));
  CAF_CHECK(print(R"({"topics":["a","b"]})") != print(R"({"topic":"ab"})"));
  CAF_CHECK(print(R"({"topic":"t","data":"1"})") != print(R"({"topic":"t","data":1})"));
  CAF_CHECK_EQUAL(print(R"({"topic":"t","data":{"a":1}})"),
                  print(R"({"topic":"t","data": { "a" : 1 } })"));
  // What repeats are recognised by after an update must not change.
  CAF_CHECK_EQUAL(base, 16'681'522'757'774'103'966u);
}

// -- envelopes ------------------------------------------------------------------------------------

CAF_TEST(reads an envelope) {
  auto x =
    made(R"({"topic":"orders","topics":["orders","order:17"],"type":"paid","data":{"total":12},
                    "id":"a-1","ttl":"1h","ack":"fsync","key":"k-1"})");
  CAF_CHECK_EQUAL(x.content.topics, (std::vector<std::string>{"orders", "order:17"}));
  CAF_CHECK_EQUAL(x.content.type, "paid");
  CAF_CHECK_EQUAL(x.content.data, R"({"total":12})");
  CAF_CHECK(x.content.kind == data_kind::json);
  CAF_CHECK_EQUAL(x.content.id, "a-1");
  CAF_CHECK(x.ttl == hours{1});
  CAF_CHECK(x.level == durability::fsync);
  CAF_CHECK_EQUAL(x.key, "k:k-1");
}

CAF_TEST(data is text or compact JSON) {
  auto data = [](std::string_view json) {
    auto x = made("{\"topic\":\"t\",\"data\":" + std::string{json} + "}").content;
    return std::to_string(static_cast<int>(x.kind)) + x.data;
  };
  CAF_CHECK_EQUAL(data(R"("text")"), "0text");
  CAF_CHECK_EQUAL(data(R"("a\r\nb\u00e4\ud83d\ude00")"), "0a\r\nb\xc3\xa4\xf0\x9f\x98\x80");
  CAF_CHECK_EQUAL(data(R"("")"), "0");
  CAF_CHECK_EQUAL(data("{ \"a\" : [ 1.50 , -0 , 1E2 ] }"), "1{\"a\":[1.50,-0,1E2]}");
  CAF_CHECK_EQUAL(data("123456789012345678901234567890"), "1123456789012345678901234567890");
  CAF_CHECK_EQUAL(data("null"), "1null");
  CAF_CHECK_EQUAL(data("true"), "1true");
  CAF_CHECK_EQUAL(data("[]"), "1[]");
  CAF_CHECK_EQUAL(made(R"({"topic":"t"})").content.data, "");
  CAF_CHECK(made(R"({"topic":"t"})").content.kind == data_kind::text);
}

CAF_TEST(data can be base64) {
  auto x = made(R"({"topic":"t","encoding":"base64","data":"iVBORwD/"})");
  CAF_CHECK(x.content.kind == data_kind::base64);
  CAF_CHECK_EQUAL(x.content.data, "iVBORwD/");
  for (auto bad :
       {R"({"topic":"t","encoding":"base64","data":"iVBORwD"})",
        R"({"topic":"t","encoding":"base64","data":1})", R"({"topic":"t","encoding":"base64"})",
        R"({"topic":"t","encoding":"hex","data":"00"})",
        R"({"topic":"t","encoding":null,"data":"00"})"})
    CAF_CHECK_EQUAL(code(bad), "invalid_event");
}

CAF_TEST(topics are distinct and in order) {
  auto topics = [](std::string_view json) { return made(json).content.topics; };
  using list = std::vector<std::string>;
  CAF_CHECK_EQUAL(topics(R"({"topics":["b","a","b"]})"), (list{"b", "a"}));
  CAF_CHECK_EQUAL(topics(R"({"topics":["b"],"topic":"a"})"), (list{"a", "b"}));
  CAF_CHECK_EQUAL(topics(R"({"topic":"\u0061","topics":[]})"), (list{"a"}));
  for (auto bad : {R"({})", R"({"topics":[]})", R"({"topic":""})", R"({"topic":"a*"})",
                   R"({"topics":["a",""]})", R"({"topic":"a,b"})"})
    CAF_CHECK_EQUAL(code(bad), "invalid_topic");
  for (auto bad : {R"({"topic":1})", R"({"topic":null})", R"({"topic":["a"]})", R"({"topics":"a"})",
                   R"({"topics":[1]})", R"({"topics":[["a"]]})", R"({"topics":{"a":1}})",
                   R"({"topics":null})"})
    CAF_CHECK_EQUAL(code(bad), "invalid_event");
  std::string many = "{\"topics\":[\"0\"";
  for (int i = 1; i < 16; ++i)
    many += ",\"" + std::to_string(i) + "\"";
  CAF_CHECK_EQUAL(code(many + "]}"), "ok");
  CAF_CHECK_EQUAL(code(many + ",\"16\"]}"), "invalid_topic");
  CAF_CHECK_EQUAL(code(many + ",\"15\"]}"), "ok"); // a repeat
}

CAF_TEST(names what it does not know) {
  CAF_CHECK(detail(R"({"topic":"t","payload":1})").find("'payload'") != std::string::npos);
  CAF_CHECK(detail(R"({"topic":"t","Type":"a"})").find("'Type'") != std::string::npos);
  CAF_CHECK(detail(R"({"topic":"t","":1})").find("''") != std::string::npos);
  CAF_CHECK_EQUAL(detail("{\"topic\":\"t\",\"a\\nb\":1}").find('\n'), std::string::npos);
  CAF_CHECK(detail("{\"topic\":\"t\",\"" + std::string(100'000, 'x') + "\":1}").size() < 400);
}

CAF_TEST(refuses fields of the wrong kind) {
  for (auto field : {"type", "id", "ttl", "ack", "key"}) {
    for (auto value : {"1", "true", "[]", "{}", "[\"a\"]"})
      CAF_CHECK_EQUAL(code("{\"topic\":\"t\",\""s + field + "\":" + value + "}"), "invalid_event");
    CAF_CHECK_EQUAL(code("{\"topic\":\"t\",\""s + field + "\":null}"),
                    "ok"); // as if it were not there
  }
  CAF_CHECK_EQUAL(code(R"({"topic":"t","id":""})"), "invalid_event");
  CAF_CHECK_EQUAL(code(R"({"topic":"t","key":""})"), "invalid_event");
  CAF_CHECK_EQUAL(code(R"({"topic":"t","type":""})"), "ok");
  CAF_CHECK_EQUAL(code(R"({"topic":"t","ttl":"5"})"), "invalid_parameter");
  CAF_CHECK_EQUAL(code(R"({"topic":"t","ttl":""})"), "invalid_parameter");
  CAF_CHECK_EQUAL(code(R"({"topic":"t","ack":"disk"})"), "invalid_parameter");
  CAF_CHECK(made(R"({"topic":"t","ttl":0})").ttl == milliseconds{0});
  CAF_CHECK(made(R"({"topic":"t","ttl":"0"})").ttl == milliseconds{0});
}

CAF_TEST(refuses JSON that is none) {
  for (auto& x : {R"()"s, R"(null)"s, R"([])"s, R"("a")"s, R"({"topic":"t"} x)"s,
                  R"({"topic":"t",})"s, R"({"topic":"t","topic":"u"})"s,
                  R"({"topic":"t","data":{"a":1,"a":2}})"s, R"({"topic":"t","data":1e999})"s,
                  R"({"topic":"t","data":"\ud800"})"s, "{\"topic\":\"t\",\"data\":\"\xff\"}"s,
                  "{\"topic\":\"t\"}\0"s, "\xef\xbb\xbf{\"topic\":\"t\"}"s,
                  "{\"topic\":\"t\",\"data\":" + std::string(32, '[') + std::string(32, ']') + "}",
                  "{\"topic\":\"t\",\"data\":" + std::string(1'000'000, '[')})
    CAF_CHECK_EQUAL(code(x), "invalid_json");
  CAF_CHECK_EQUAL(
    code("{\"topic\":\"t\",\"data\":" + std::string(31, '[') + std::string(31, ']') + "}"), "ok");
  CAF_CHECK_EQUAL(code(R"({"topic":"t","data":"a\u0000"})"), "invalid_text");
}

// -- arrays ---------------------------------------------------------------------------------------

CAF_TEST(reads an array in order) {
  auto xs = parse_array(R"( [ {"topic":"a"} , {"topic":"b","data":1}, {"topic":"c"} ] )", limits);
  CAF_CHECK(xs.ok());
  CAF_REQUIRE_EQUAL(xs.items.size(), 3u);
  CAF_CHECK_EQUAL(xs.items[1].content.topics.front(), "b");
  CAF_CHECK_EQUAL(xs.items[1].content.data, "1");
}

CAF_TEST(names all bad items of an array and keeps none) {
  auto xs =
    parse_array(R"([{"topic":"a"},{"topic":""},7,{"topic":"b","x":1},{"topic":"c"}])", limits);
  CAF_CHECK(!xs.ok());
  CAF_CHECK(xs.items.empty());
  CAF_REQUIRE_EQUAL(xs.errors.size(), 3u);
  CAF_CHECK_EQUAL(xs.errors[0].index, 1u);
  CAF_CHECK(xs.errors[0].why.code == errc::invalid_topic);
  CAF_CHECK_EQUAL(xs.errors[1].index, 2u);
  CAF_CHECK(xs.errors[1].why.code == errc::invalid_json);
  CAF_CHECK_EQUAL(xs.errors[2].index, 3u);
  auto problem = nlohmann::json::parse(xs.to_problem().body);
  CAF_CHECK_EQUAL(problem["code"], "invalid_topic");
  CAF_CHECK_EQUAL(problem["errors"].size(), 3u);
}

CAF_TEST(names at most a hundred bad items) {
  std::string json = "[0";
  for (int i = 0; i < 1000; ++i)
    json += ",0";
  auto xs = parse_array(json + "]", limits);
  CAF_CHECK_EQUAL(xs.errors.size(), 100u);
}

CAF_TEST(an array that is none is refused as a whole) {
  for (auto x : {"", "[", "{}", "[{]", "[{\"topic\":\"t\"},]", "[{\"topic\":\"t\"}] x", "[[[[", "1",
                 "[{\"topic\":\"t\"}\xff]"}) {
    auto xs = parse_array(x, limits);
    CAF_REQUIRE(xs.refused.has_value());
    CAF_CHECK(xs.refused->code == errc::invalid_json);
    CAF_CHECK(xs.items.empty());
    CAF_CHECK_EQUAL(xs.to_problem().status, 400u);
  }
  CAF_CHECK(parse_array("[]", limits).refused->code == errc::invalid_event);
  CAF_CHECK_EQUAL(parse_array("[{\"topic\":\"t\",\"topic\":\"u\"}]", limits).ok(), false);
}

CAF_TEST(a batch has a limit) {
  limits_config small;
  small.batch_events = 2;
  CAF_CHECK(parse_array(R"([{"topic":"a"},{"topic":"a"}])", small).ok());
  auto xs = parse_array(R"([{"topic":"a"},{"topic":"a"},{"topic":"a"}])", small);
  CAF_CHECK(xs.refused->code == errc::payload_too_large);
}

// -- forms ----------------------------------------------------------------------------------------

CAF_TEST(the content type says what POST carries) {
  auto form = [](test::field_list fields) {
    auto x = publish_form_of(**make_request("/events", fields));
    return x ? static_cast<int>(*x) : -static_cast<int>(status_of(x.error().code));
  };
  CAF_CHECK_EQUAL(form({{"Content-Type", "application/json"}}),
                  static_cast<int>(publish_form::json));
  CAF_CHECK_EQUAL(form({{"Content-Type", "application/vnd.x+json; charset=utf-8"}}),
                  static_cast<int>(publish_form::json));
  CAF_CHECK_EQUAL(form({{"Content-Type", "application/x-ndjson"}}),
                  static_cast<int>(publish_form::ndjson));
  CAF_CHECK_EQUAL(form({{"Content-Type", "application/cloudevents+json"}}),
                  static_cast<int>(publish_form::cloud_event));
  CAF_CHECK_EQUAL(form({{"Content-Type", "Application/CloudEvents-Batch+JSON"}}),
                  static_cast<int>(publish_form::cloud_event_batch));
  CAF_CHECK_EQUAL(form({{"ce-specversion", "1.0"}}),
                  static_cast<int>(publish_form::cloud_event_binary));
  CAF_CHECK_EQUAL(form({{"CE-SpecVersion", "1.0"}, {"Content-Type", "application/json"}}),
                  static_cast<int>(publish_form::cloud_event_binary));
  for (auto x :
       {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "nonsense", "application/json; charset=utf-16", "application/xml"})
    CAF_CHECK_EQUAL(form({{"Content-Type", x}}), -415);
  CAF_CHECK(is_json_array(" \n[1]"));
  CAF_CHECK(!is_json_array("{\"a\":[]}"));
  CAF_CHECK(!is_json_array(""));
}

} // namespace
