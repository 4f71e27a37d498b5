#include "http/handlers/views.hpp"

#include "tidings/text.hpp"
#include "tidings/units.hpp"

namespace tidings::http {

result<size_t> parse_list_limit(const request& x, size_t least) {
  constexpr size_t limit_default = 100;
  constexpr size_t limit_max = 1000;
  auto text = x.query.first("limit");
  if (!text)
    return limit_default;
  auto n = parse_unsigned(*text);
  if (!n || *n < least || *n > limit_max)
    return failure{errc::invalid_parameter, "limit: a number from " + std::to_string(least) + " to "
                                              + std::to_string(limit_max)};
  return static_cast<size_t>(*n);
}

result<std::optional<std::string>> parse_scope(const request& x, const std::string& self) {
  auto scope = x.query.first("scope").value_or("cluster");
  if (scope == "node")
    return std::optional{self};
  if (scope == "cluster")
    return std::optional<std::string>{};
  return failure{errc::invalid_parameter, "scope: `cluster` or `node`"};
}

void append_members(std::string& out, const view_parts& parts) {
  auto separator = ",\"members\":{";
  for (auto& x : parts) {
    if (x.member.empty())
      return;
    out += std::exchange(separator, ",");
    append_json_string(out, x.member);
    out += ":\"";
    out += to_string(x.state);
    out += '"';
  }
  out += '}';
}

} // namespace tidings::http
