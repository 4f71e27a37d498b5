#define CAF_SUITE accept

#include "http/accept.hpp"

#include <caf/test/dsl.hpp>

#include <string>

namespace {

using namespace tidings::http;

std::string chosen(std::string_view accept) {
  auto x = negotiate(accept);
  if (!x)
    return "none";
  switch (*x) {
    case representation::event_stream:
      return "sse";
    case representation::json:
      return "json";
    default:
      return "ndjson";
  }
}

std::string parsed(std::string_view text) {
  auto x = parse_media_type(text);
  return x ? x->essence + "|" + x->charset : "(malformed)";
}

CAF_TEST(who does not care gets a stream) {
  for (auto x : {"", " ", "*/*", "*/*;q=0.1", "text/event-stream", "text/*", "TEXT/Event-Stream",
                 "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"})
    CAF_CHECK_EQUAL(chosen(x), "sse");
}

CAF_TEST(who asks for a shape gets it) {
  CAF_CHECK_EQUAL(chosen("application/json"), "json");
  CAF_CHECK_EQUAL(chosen("Application/JSON; charset=utf-8"), "json");
  CAF_CHECK_EQUAL(chosen("application/x-ndjson"), "ndjson");
  CAF_CHECK_EQUAL(chosen("application/*"), "json");
  CAF_CHECK_EQUAL(chosen("application/json, text/plain, */*"), "sse"); // equal wishes: ours first
  CAF_CHECK_EQUAL(chosen("application/json, */*;q=0.9"), "json");
  CAF_CHECK_EQUAL(chosen("application/x-ndjson;q=1.0, application/json;q=0.9"), "ndjson");
}

CAF_TEST(quality decides) {
  CAF_CHECK_EQUAL(chosen("text/event-stream;q=0.5, application/json;q=0.6"), "json");
  CAF_CHECK_EQUAL(chosen("text/event-stream;q=0.123, application/json;q=0.124"), "json");
  CAF_CHECK_EQUAL(chosen("text/event-stream;q=0, */*"), "json");
  CAF_CHECK_EQUAL(chosen("text/event-stream ; q=0.5 , application/json"), "json");
  CAF_CHECK_EQUAL(chosen("text/event-stream;Q=0.5,application/json;q=0.7"), "json");
}

CAF_TEST(the most exact range counts for a type) {
  CAF_CHECK_EQUAL(chosen("*/*, text/event-stream;q=0.2, application/json;q=0.3"), "ndjson");
  CAF_CHECK_EQUAL(chosen("application/*;q=0.9, application/json;q=0.1, text/event-stream;q=0.5"),
                  "ndjson");
  CAF_CHECK_EQUAL(chosen("*/*;q=0.1, text/*;q=0"), "json");
}

CAF_TEST(nothing fits) {
  for (auto x : {"text/html", "image/*", "application/xml", "*/*;q=0", "application/json;q=0",
                 "text/event-streams", "application/jsonx"})
    CAF_CHECK_EQUAL(chosen(x), "none");
}

CAF_TEST(nonsense is ignored) {
  CAF_CHECK_EQUAL(chosen(",,application/json,"), "json");
  CAF_CHECK_EQUAL(chosen("foo, application/json"), "json");
  CAF_CHECK_EQUAL(chosen("text/event-stream;q=2, application/json"), "json");
  CAF_CHECK_EQUAL(chosen("text/event-stream;q=0.1234, application/json"), "json");
  CAF_CHECK_EQUAL(chosen("text/event-stream;q=-1, application/json"), "json");
  CAF_CHECK_EQUAL(chosen("text/event-stream;q=.5, application/json"), "json");
  CAF_CHECK_EQUAL(chosen("text/html;x=\"a,application/json\""), "none");
  CAF_CHECK_EQUAL(chosen("text/html;x=\"a\\\",application/json\""), "none");
  CAF_CHECK_EQUAL(chosen("\"\\"), "none");
  CAF_CHECK_EQUAL(chosen(";;;"), "none");
  CAF_CHECK_EQUAL(chosen("*/json"), "none");
  CAF_CHECK_EQUAL(chosen("/"), "none");
}

CAF_TEST(parses a content type) {
  CAF_CHECK_EQUAL(parsed(""), "|");
  CAF_CHECK_EQUAL(parsed("text/plain"), "text/plain|");
  CAF_CHECK_EQUAL(parsed(" Text/Plain ; Charset=\"UTF-8\" "), "text/plain|utf-8");
  CAF_CHECK_EQUAL(parsed("text/plain;charset=utf-8;"), "text/plain|utf-8");
  CAF_CHECK_EQUAL(parsed("multipart/form-data; boundary=\"a;b\""), "multipart/form-data|");
  CAF_CHECK_EQUAL(parsed("application/cloudevents+json; charset=UTF-8"),
                  "application/cloudevents+json|utf-8");
  for (auto x :
       {"text", "text/", "/plain", "text/plain/x", "text plain", "a/b; charset",
        "a/b; charset=", "a/b; charset=a b", "a/b; charset=a; charset=b", "a/b, c/d", "\xff/b"})
    CAF_CHECK_EQUAL(parsed(x), "(malformed)");
}

CAF_TEST(knows JSON and UTF - 8) {
  auto is_json = [](std::string_view x) { return parse_media_type(x)->is_json(); };
  CAF_CHECK(is_json("application/json"));
  CAF_CHECK(is_json("application/json; charset=utf-8"));
  CAF_CHECK(is_json("application/vnd.api+json"));
  CAF_CHECK(!is_json("application/x-ndjson"));
  CAF_CHECK(!is_json("application/jsonp"));
  CAF_CHECK(!is_json("text/plain"));
  CAF_CHECK(!is_json(""));
  auto is_utf8 = [](std::string_view x) { return parse_media_type(x)->is_utf8(); };
  CAF_CHECK(is_utf8(""));
  CAF_CHECK(is_utf8("text/plain;charset=utf-8"));
  CAF_CHECK(is_utf8("text/plain;charset=US-ASCII"));
  CAF_CHECK(!is_utf8("text/plain;charset=iso-8859-1"));
  CAF_CHECK(!is_utf8("text/plain;charset=utf-16"));
}

} // namespace
