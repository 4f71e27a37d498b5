#pragma once

#include "http/request.hpp"
#include "http/request_rules.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace tidings::test {

/// What became of bytes that a client sent.
struct outcome {
  bool accepted = false;
  std::string why;
  unsigned status = 0;
  std::string body;
  size_t left_over = 0;  // what would be read as the next request
  bool injected = false; // a handler sees the field `X-Late`
};

/// Takes bytes the way that a session takes them.
/// @param step how many bytes arrive at once
inline outcome receive(const std::string& bytes, size_t step) {
  limits_config limits;
  outcome x;
  size_t arrived = 0;
  size_t scanned = 0;
  std::optional<size_t> end;
  while (!end) {
    if (arrived == bytes.size())
      return x.why = "waits for more of the head", x;
    arrived = std::min(arrived + step, bytes.size());
    auto seen = std::string_view{bytes}.substr(0, arrived);
    end = http::find_head_end(seen, scanned);
    scanned = arrived;
    if (!end)
      if (auto bad = http::check_partial_head(seen, limits))
        return x.why = bad->detail, x.status = bad->status, x;
  }
  auto head = std::string_view{bytes}.substr(0, *end);
  if (auto bad = http::check_request_head(head, limits))
    return x.why = bad->detail, x.status = bad->status, x;
  http::request_reader reader;
  if (auto bad = reader.read_head(head))
    return x.why = bad->detail, x.status = 400, x;
  if (reader.content_length() > limits.body_bytes)
    return x.why = "the body is too long", x.status = 413, x;
  size_t used = *end;
  while (!reader.done()) {
    auto n = reader.read_body(std::string_view{bytes}.substr(used, arrived - used));
    if (!n)
      return x.why = n.error().detail, x.status = 400, x;
    used += *n;
    if (reader.body_bytes() > limits.body_bytes)
      return x.why = "the body is too long", x.status = 413, x;
    if (reader.done())
      break;
    if (*n == 0 && arrived == bytes.size())
      return x.why = "waits for more of the body", x;
    if (*n == 0 && arrived - used > limits.header_bytes)
      return x.why = "a chunk head is too long", x.status = 400, x;
    arrived = std::min(arrived + step, bytes.size());
  }
  x.accepted = true;
  x.body = reader.take_body();
  x.left_over = bytes.size() - used;
  x.injected = !reader.content().field("X-Late").empty();
  return x;
}

} // namespace tidings::test
