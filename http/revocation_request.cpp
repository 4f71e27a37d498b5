#include "http/revocation_request.hpp"

#include "http/json_scan.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

namespace tidings::http {

result<revocation> parse_revocation_request(std::string_view body, int64_t now_ms) {
  auto members = scan_object(body);
  if (!members)
    return members.error();
  revocation x;
  auto dated = false;
  for (auto& member : *members) {
    if (member.kind != json_kind::string)
      return failure{errc::invalid_parameter, for_log(member.name) + " must be a string"};
    if (member.name == "user") {
      x.user = member.text();
    } else if (member.name == "jti") {
      x.token_id = member.text();
    } else if (member.name == "issued_before") {
      auto when = parse_rfc3339(member.text());
      if (!when)
        return failure{errc::invalid_parameter,
                       "issued_before must be a time such as 2026-11-21T10:00:00Z"};
      x.issued_before_ms = *when;
      dated = true;
    } else {
      return failure{errc::invalid_parameter, "there is no field '" + for_log(member.name)
                                                + "' here: user and issued_before, or jti"};
    }
  }
  if (dated && x.user.empty())
    return failure{errc::invalid_parameter, "issued_before goes with a user"};
  if (!dated && !x.user.empty())
    x.issued_before_ms = now_ms;
  if (auto why = validate(x))
    return *why;
  return x;
}

void append_revocation(std::string& out, const revocation& x) {
  if (x.user.empty()) {
    out += "{\"jti\":";
    append_json_string(out, x.token_id);
  } else {
    out += "{\"user\":";
    append_json_string(out, x.user);
    out += ",\"issued_before\":\"";
    append_rfc3339(out, x.issued_before_ms);
    out += '"';
  }
  out += ",\"until\":\"";
  append_rfc3339(out, x.dies_at_ms);
  out += "\"}";
}

} // namespace tidings::http
