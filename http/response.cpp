#include "http/response.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>

namespace tidings::http {

namespace {

bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_token(std::string_view x) noexcept {
  return !x.empty() && std::all_of(x.begin(), x.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-'
           || c == '_' || c == '.';
  });
}

void append_number(std::string& out, uint64_t x) {
  char digits[20];
  auto end = std::to_chars(digits, digits + sizeof digits, x).ptr;
  out.append(digits, end);
}

bool equals(std::string_view x, std::string_view lower) noexcept {
  return std::equal(x.begin(), x.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

} // namespace

response json_response(std::string body, unsigned status) {
  response x;
  x.status = status;
  x.content_type = "application/json";
  x.body = std::move(body);
  return x;
}

std::string_view reason_of(unsigned status) noexcept {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  if (!is_token(name))
    return;
  out += name;
  out += ": ";
  auto begin = out.size();
  out += value;
  std::replace_if(out.begin() + static_cast<ptrdiff_t>(begin), out.end(), is_control, ' ');
  out += "\r\n";
}

std::string http_date(int64_t unix_seconds) {
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto seconds = static_cast<time_t>(unix_seconds);
  tm x{};
  gmtime_r(&seconds, &x);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                days[static_cast<size_t>(x.tm_wday)], x.tm_mday,
                months[static_cast<size_t>(x.tm_mon)], x.tm_year + 1900, x.tm_hour, x.tm_min,
                x.tm_sec);
  return text;
}

void append_response(std::string& out, const response& x, std::string_view date, bool keep_alive,
                     bool head_only) {
  auto has_body = x.status >= 200 && x.status != 204 && x.status != 304;
  out.reserve(out.size() + 256 + (head_only ? 0 : x.body.size()));
  out += "HTTP/1.1 ";
  append_number(out, x.status);
  out += ' ';
  out += reason_of(x.status);
  out += "\r\nDate: ";
  out += date;
  out += "\r\n";
  if (!x.content_type.empty())
    append_header(out, "Content-Type", x.content_type);
  if (has_body) {
    out += "Content-Length: ";
    append_number(out, x.body.size());
    out += "\r\n";
  }
  auto cached = false;
  for (auto& [name, value] : x.headers) {
    append_header(out, name, value);
    cached |= equals(name, "cache-control");
  }
  if (!cached)
    out += "Cache-Control: no-store\r\n";
  out += "X-Content-Type-Options: nosniff\r\n";
  if (!keep_alive)
    out += "Connection: close\r\n";
  out += "\r\n";
  if (has_body && !head_only)
    out += x.body;
}

} // namespace tidings::http
