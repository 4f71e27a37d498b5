#define CAF_SUITE response_reader

#include "load/response_reader.hpp"

#include <caf/test/dsl.hpp>

namespace {

using bench::response_reader;
using phase = response_reader::phase;

struct outcome {
  std::string body;
  size_t taken = 0;
  response_reader reader;
};

outcome read(std::string_view text, size_t piece) {
  outcome x;
  while (x.taken < text.size()) {
    auto n = x.reader.feed(text.substr(x.taken, piece), [&](std::string_view b) { x.body += b; });
    if (n == 0)
      break;
    x.taken += n;
  }
  return x;
}

constexpr std::string_view with_length =
  "HTTP/1.1 201 Created\r\ncontent-LENGTH:  5\r\nX: y\r\n\r\nhello";
constexpr std::string_view chunked =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
  "3\r\nhel\r\n00b;x=1\r\nlo\r\n2\r\nworl\r\n0\r\nTrailer: x\r\n\r\n";

CAF_TEST(ends with the content length in pieces of any size) {
  for (size_t piece = 1; piece <= with_length.size(); ++piece) {
    auto x = read(with_length, piece);
    CAF_CHECK_EQUAL(x.body, "hello");
    CAF_CHECK_EQUAL(x.reader.status(), 201);
    CAF_CHECK(x.reader.where() == phase::done);
  }
}

CAF_TEST(takes chunks apart in pieces of any size) {
  for (size_t piece = 1; piece <= chunked.size(); ++piece) {
    auto x = read(chunked, piece);
    CAF_CHECK_EQUAL(x.body, "hello\r\n2\r\nworl");
    CAF_CHECK(x.reader.where() == phase::done);
    CAF_CHECK_EQUAL(x.taken, chunked.size());
  }
}

CAF_TEST(leaves what follows an answer) {
  std::string two{with_length};
  two += with_length;
  auto x = read(two, two.size());
  CAF_CHECK_EQUAL(x.taken, with_length.size());
  x.reader.next();
  CAF_CHECK(x.reader.where() == phase::head);
}

CAF_TEST(knows answers without an end or without a body) {
  auto stream = read("HTTP/1.1 200 OK\r\n\r\n: hi\n\n", 3);
  CAF_CHECK_EQUAL(stream.body, ": hi\n\n");
  CAF_CHECK(stream.reader.where() == phase::body);
  CAF_CHECK(read("HTTP/1.1 204 No Content\r\n\r\n", 99).reader.where() == phase::done);
  CAF_CHECK(read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 99).reader.where() == phase::done);
  auto after_continue = read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx", 7);
  CAF_CHECK_EQUAL(after_continue.reader.status(), 200);
  CAF_CHECK_EQUAL(after_continue.body, "x");
}

CAF_TEST(notices what is not HTTP) {
  CAF_CHECK(read("SSH-2.0-x\r\n\r\n", 99).reader.where() == phase::broken);
  CAF_CHECK(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 99).reader.where()
            == phase::broken);
}

} // namespace
