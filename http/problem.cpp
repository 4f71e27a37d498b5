#include "http/problem.hpp"

#include "tidings/text.hpp"

#include <algorithm>

namespace tidings::http {

namespace {

struct description {
  unsigned status;
  std::string_view title;
  unsigned retry_seconds = 0; // 0: another try would not help
};

description describe(errc x) noexcept {
  switch (x) {
    case errc::invalid_request:
      return {400, "Invalid request"};
    case errc::invalid_topic:
      return {400, "Invalid topic"};
    case errc::invalid_event:
      return {400, "Invalid event"};
    case errc::invalid_parameter:
      return {400, "Invalid parameter"};
    case errc::invalid_json:
      return {400, "Invalid JSON"};
    case errc::invalid_text:
      return {400, "Invalid text"};
    case errc::not_found:
      return {404, "Not found"};
    case errc::method_not_allowed:
      return {405, "Method not allowed"};
    case errc::not_acceptable:
      return {406, "Not acceptable"};
    case errc::unsupported_media_type:
      return {415, "Unsupported media type"};
    case errc::payload_too_large:
      return {413, "Payload too large"};
    case errc::header_too_large:
      return {431, "Header too large"};
    case errc::uri_too_long:
      return {414, "URI too long"};
    case errc::idempotency_conflict:
      return {409, "Idempotency conflict"};
    case errc::level_too_low:
      return {400, "Level too low"};
    case errc::schema_violation:
      return {422, "Schema violation"};
    case errc::unauthorized:
      return {401, "Unauthorized"};
    case errc::forbidden:
      return {403, "Forbidden"};
    case errc::rate_limited:
      return {429, "Rate limited", 1};
    case errc::too_many_connections:
      return {503, "Too many connections", 5};
    case errc::overloaded:
      return {503, "Overloaded", 1};
    case errc::storage_full:
      return {507, "Storage full", 30};
    case errc::storage_unavailable:
      return {503, "Storage unavailable", 5};
    case errc::storage_corrupt:
      return {500, "Storage corrupt"};
    case errc::not_implemented:
      return {501, "Not implemented"};
    case errc::quorum_unavailable:
      return {503, "Quorum unavailable", 2};
    case errc::starting:
      return {503, "Starting", 1};
    case errc::owner_unreachable:
      return {503, "Owner unreachable", 2};
    case errc::members_missing:
      return {409, "Members missing"};
    case errc::change_under_way:
      return {409, "Change under way", 5};
    case errc::indeterminate:
      return {504, "Indeterminate"};
    case errc::shutting_down:
      return {503, "Shutting down", 5};
    case errc::internal_error:
    case errc::invalid_configuration:
      break;
  }
  return {500, x == errc::invalid_configuration ? "Invalid configuration" : "Internal error"};
}

response make(const failure& x, unsigned status) {
  auto what = describe(x.code);
  response y;
  y.status = status != 0 ? status : what.status;
  y.content_type = "application/problem+json";
  y.body.reserve(256);
  y.body += "{\"type\":\"urn:tidings:error:";
  y.body += to_string(x.code);
  y.body += "\",\"title\":\"";
  y.body += what.title;
  y.body += "\",\"status\":";
  y.body += std::to_string(y.status);
  y.body += ",\"code\":\"";
  y.body += to_string(x.code);
  y.body += "\",\"detail\":";
  append_json_string(y.body, is_utf8(x.detail) ? x.detail : for_log(x.detail));
  if (what.retry_seconds != 0)
    y.headers.emplace_back("Retry-After", std::to_string(what.retry_seconds));
  if (y.status == 401)
    y.headers.emplace_back("WWW-Authenticate", "Bearer");
  return y;
}

} // namespace

unsigned status_of(errc x) noexcept {
  return describe(x).status;
}

std::string_view title_of(errc x) noexcept {
  return describe(x).title;
}

response problem(const failure& x, unsigned status) {
  auto y = make(x, status);
  y.body += "}\n";
  return y;
}

response batch_problem(std::span<const item_failure> xs) {
  auto y = make(xs.front().why, 0);
  y.body += ",\"errors\":[";
  for (auto& x : xs.first(std::min(xs.size(), item_failures_max))) {
    if (y.body.back() != '[')
      y.body += ',';
    y.body += "{\"index\":";
    y.body += std::to_string(x.index);
    y.body += ",\"code\":\"";
    y.body += to_string(x.why.code);
    y.body += "\",\"detail\":";
    append_json_string(y.body, is_utf8(x.why.detail) ? x.why.detail : for_log(x.why.detail));
    y.body += '}';
  }
  y.body += "]}\n";
  return y;
}

} // namespace tidings::http
