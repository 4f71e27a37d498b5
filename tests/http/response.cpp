#define CAF_SUITE response

#include "http/response.hpp"

#include <caf/test/dsl.hpp>

#include <string>

namespace {

using namespace tidings::http;
using namespace std::string_literals;

std::string written(const response& x, bool keep_alive = true, bool head_only = false) {
  std::string out;
  append_response(out, x, http_date(784111777), keep_alive, head_only);
  return out;
}

CAF_TEST(writes a whole answer) {
  response x;
  x.status = 201;
  x.content_type = "application/json";
  x.body = "{}\n";
  x.headers.emplace_back("X-One", "1");
  CAF_CHECK_EQUAL(written(x), "HTTP/1.1 201 Created\r\n"
                              "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                              "Content-Type: application/json\r\n"
                              "Content-Length: 3\r\n"
                              "X-One: 1\r\n"
                              "Cache-Control: no-store\r\n"
                              "X-Content-Type-Options: nosniff\r\n"
                              "\r\n"
                              "{}\n");
}

CAF_TEST(a date is written as HTTP writes it) {
  CAF_CHECK_EQUAL(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  CAF_CHECK_EQUAL(http_date(951'782'400), "Tue, 29 Feb 2000 00:00:00 GMT");
  CAF_CHECK_EQUAL(http_date(1'798'761'599), "Thu, 31 Dec 2026 23:59:59 GMT");
}

CAF_TEST(appends) {
  std::string out = "before";
  append_response(out, {}, "now", true, false);
  CAF_CHECK(out.starts_with("beforeHTTP/1.1 200 OK\r\n"));
}

CAF_TEST(says when the connection ends) {
  CAF_CHECK_EQUAL(written({}).find("Connection"), std::string::npos);
  CAF_CHECK(written({}, false).find("\r\nConnection: close\r\n") != std::string::npos);
}

CAF_TEST(tells HEAD the length and nothing else) {
  response x;
  x.body = "12345";
  auto out = written(x, true, true);
  CAF_CHECK(out.find("\r\nContent-Length: 5\r\n") != std::string::npos);
  CAF_CHECK(out.ends_with("\r\n\r\n"));
}

CAF_TEST(an empty body has a length too) {
  CAF_CHECK(written({}).find("\r\nContent-Length: 0\r\n") != std::string::npos);
}

CAF_TEST(204 and 304 have no body) {
  for (auto status : {204u, 304u}) {
    response x;
    x.status = status;
    x.body = "lost";
    auto out = written(x);
    CAF_CHECK_EQUAL(out.find("Content-Length"), std::string::npos);
    CAF_CHECK(out.ends_with("\r\n\r\n"));
  }
}

CAF_TEST(nothing in a value begins another line) {
  response x;
  x.content_type = "text/plain\r\nX-Evil: 1";
  for (auto value : {"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1"})
    x.headers.emplace_back("X-Good", value);
  x.headers.emplace_back("X-Good", "a\0b\x7f\x01"s);
  auto out = written(x);
  CAF_CHECK_EQUAL(out.find("\r\nX-Evil"), std::string::npos);
  CAF_CHECK_EQUAL(out.find("\nX-Evil"), std::string::npos);
  CAF_CHECK_EQUAL(out.find("\rX-Evil"), std::string::npos);
  CAF_CHECK(out.find("X-Good: a b  \r\n") != std::string::npos);
  size_t lines = 0;
  for (auto i = out.find('\n'); i != std::string::npos; i = out.find('\n', i + 1)) {
    CAF_CHECK_EQUAL(out[i - 1], '\r');
    ++lines;
  }
  CAF_CHECK_EQUAL(lines, 11u);
}

CAF_TEST(drops fields whose name is no name) {
  response x;
  for (auto name : {"", "a b", "a:b", "a\r\nb", "\xc3\xa4"})
    x.headers.emplace_back(name, "lost");
  CAF_CHECK_EQUAL(written(x).find("lost"), std::string::npos);
}

CAF_TEST(one may say how an answer is cached) {
  response x;
  x.headers.emplace_back("cache-control", "max-age=5");
  auto out = written(x);
  CAF_CHECK_EQUAL(out.find("no-store"), std::string::npos);
  CAF_CHECK(out.find("cache-control: max-age=5\r\n") != std::string::npos);
}

CAF_TEST(every status that is sent has a reason) {
  for (auto status : {200u, 201u, 202u, 204u, 400u, 401u, 403u, 404u, 405u, 406u, 408u, 409u,
                      413u, 414u, 415u, 417u, 429u, 431u, 500u, 501u, 503u, 504u, 505u, 507u})
    CAF_CHECK(reason_of(status) != "Unknown");
  CAF_CHECK_EQUAL(reason_of(299), "Unknown");
}

} // namespace
