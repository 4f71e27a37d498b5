#include "http/cors.hpp"

#include <algorithm>

namespace tidings::http {

namespace {

constexpr std::string_view methods = "GET, HEAD, POST, DELETE";
constexpr size_t wanted_bytes_max = 2048;

constexpr std::string_view headers[] = {
  "accept", "authorization", "cache-control", "content-type", "idempotency-key", "last-event-id",
  "x-ack",  "x-event-id",    "x-event-ttl",   "x-event-type", "x-request-id",    "x-requested-with",
};

enum class grant : uint8_t { none, anonymous, full };

grant grant_for(const std::vector<std::string>& allowed, std::string_view origin) {
  if (origin.empty() || allowed.empty())
    return grant::none;
  if (allowed.size() == 1 && allowed.front() == "*")
    return grant::anonymous;
  // Byte by byte: any looser comparison is somebody else's way in.
  return std::find(allowed.begin(), allowed.end(), origin) != allowed.end() ? grant::full
                                                                            : grant::none;
}

bool depends_on_origin(const std::vector<std::string>& allowed) {
  return !allowed.empty() && allowed.front() != "*";
}

/// `x-event-type, ce-id`, of those that were asked for.
std::string permitted(std::string_view wanted) {
  std::string out;
  if (wanted.size() > wanted_bytes_max)
    return out;
  while (!wanted.empty()) {
    auto end = std::min(wanted.find(','), wanted.size());
    auto piece = wanted.substr(0, end);
    wanted.remove_prefix(std::min(end + 1, wanted.size()));
    std::string name;
    for (auto c : piece)
      if (c != ' ' && c != '\t')
        name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    auto cloud_event =
      name.starts_with("ce-") && std::all_of(name.begin() + 3, name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      });
    if (!cloud_event
        && std::find(std::begin(headers), std::end(headers), name) == std::end(headers))
      continue;
    if (!out.empty())
      out += ", ";
    out += name;
  }
  return out;
}

} // namespace

header_list cors_headers(const std::vector<std::string>& allowed, std::string_view origin) {
  header_list xs;
  if (depends_on_origin(allowed))
    xs.emplace_back("Vary",
                    "Origin"); // also for those who get nothing: caches must not mix them up
  switch (grant_for(allowed, origin)) {
    case grant::none:
      return xs;
    case grant::anonymous:
      xs.emplace_back("Access-Control-Allow-Origin", "*");
      break;
    case grant::full:
      xs.emplace_back("Access-Control-Allow-Origin", std::string{origin});
      xs.emplace_back("Access-Control-Allow-Credentials", "true");
      break;
  }
  xs.emplace_back("Access-Control-Expose-Headers", "Retry-After");
  return xs;
}

response preflight(const std::vector<std::string>& allowed, std::string_view origin,
                   std::string_view wanted_headers) {
  response x;
  x.status = 204;
  if (grant_for(allowed, origin) == grant::none)
    return x;
  x.headers.emplace_back("Access-Control-Allow-Methods", methods);
  if (auto names = permitted(wanted_headers); !names.empty())
    x.headers.emplace_back("Access-Control-Allow-Headers", std::move(names));
  x.headers.emplace_back("Access-Control-Max-Age", "7200");
  return x;
}

bool is_forged_write(const std::vector<std::string>& allowed, std::string_view origin,
                     std::string_view host) {
  if (origin.empty() || grant_for(allowed, origin) != grant::none)
    return false;
  auto scheme = origin.find("://");
  return scheme == std::string_view::npos || host.empty() || origin.substr(scheme + 3) != host;
}

} // namespace tidings::http
