#include "tidings/gap.hpp"

#include "tidings/text.hpp"

namespace tidings {

const char* to_string(gap_reason x) noexcept {
  switch (x) {
    case gap_reason::expired:
      return "expired";
    case gap_reason::evicted:
      return "evicted";
    case gap_reason::lagged:
      return "lagged";
    case gap_reason::lost:
      return "lost";
    case gap_reason::unknown_cursor:
      return "unknown_cursor";
  }
  return "unknown";
}

std::string to_json(const gap& x) {
  std::string json = "{\"reason\":\"";
  json += to_string(x.reason);
  json += "\",\"topics\":[";
  for (auto& topic : x.topics) {
    if (&topic != &x.topics.front())
      json += ',';
    append_json_string(json, topic);
  }
  json += "],\"from\":";
  if (x.from.empty())
    json += "null";
  else
    append_json_string(json, x.from);
  json += ",\"to\":\"";
  x.to.append_to(json);
  json += "\"}";
  return json;
}

} // namespace tidings
