#include "http/gate.hpp"

#include "http/accept.hpp"
#include "http/cors.hpp"
#include "tidings/text.hpp"

#include <algorithm>

namespace tidings::http {

namespace {

/// Takes a parameter out of the query.
std::optional<std::string> take(request& x, std::string_view name, bool& ambiguous) {
  auto values = x.query.take(name);
  ambiguous = ambiguous || values.size() > 1;
  if (values.empty())
    return std::nullopt;
  return std::move(values.front());
}

std::optional<std::string_view> only(const request& x, std::string_view name, bool& ambiguous) {
  auto n = x.count(name);
  ambiguous = ambiguous || n > 1;
  if (n == 0)
    return std::nullopt;
  return x.field(name);
}

/// Whether the answer is a stream: native or a profile's, wherever that is mounted.
bool is_stream(const request& x) {
  auto path = x.raw_path;
  auto known = path == "/events" || path.starts_with("/topics/") || path.ends_with("/stream")
               || path.find("/sse/") != path.npos;
  if (x.method != bhttp::verb::get || !known)
    return false;
  auto shape = negotiate(x.all_of(bhttp::field::accept));
  return shape && *shape != representation::json;
}

bool is_open(const caller_ptr& who) {
  return !who || who->how == caller::way::open;
}

} // namespace

bool is_for_anybody(const request& x) {
  return x.method == bhttp::verb::options || x.raw_path == "/healthz" || x.raw_path == "/readyz";
}

result<caller_ptr> identify(const authenticator& by, request& x, std::string_view address,
                            int64_t now_ms) {
  credentials c;
  c.authorization = only(x, "Authorization", c.ambiguous);
  std::string cookies; // several lines are one list in HTTP/1.1, too
  if (x.count("Cookie") != 0) {
    cookies = x.all_of(bhttp::field::cookie, "; ");
    c.cookie = cookies;
  }
  auto token = take(x, token_parameter, c.ambiguous);
  if (token)
    c.query_token = *token;
  std::optional<std::string> user;
  if (by.is_open()) {
    user = take(x, user_parameter, c.ambiguous);
    if (user)
      c.user_parameter = *user;
  }
  c.user_header = only(x, by.user_header(), c.ambiguous);
  c.api_key = only(x, "X-API-Key", c.ambiguous);
  c.peer_address = address;
  c.is_stream = is_stream(x);
  if (by.is_open() && c.empty())
    return by.nobody(); // costs nothing, and a million such streams share it
  auto who = by.authenticate(c, now_ms);
  if (!who)
    return who.error();
  if (who->how == caller::way::open && who->user.empty())
    return by.nobody();
  return std::make_shared<const caller>(std::move(*who));
}

bool is_unwilled(const request& x, const std::vector<std::string>& allowed) {
  auto origin = x.field(bhttp::field::origin);
  auto host = x.field(bhttp::field::host);
  auto by_cookie = x.who && x.who->how == caller::way::cookie;
  auto by_proxy = x.who && x.who->how == caller::way::proxy; // which a cookie may have satisfied
  if (!by_cookie && !by_proxy)
    return is_forged_write(allowed, origin, host);
  if (origin.empty())
    return by_cookie && x.field("Sec-Fetch-Site") != "same-origin";
  // `*` is for those who come without credentials.
  auto listed = std::find(allowed.begin(), allowed.end(), origin) != allowed.end();
  return !listed && is_forged_write({}, origin, host);
}

result<std::string> user_of_path(const request& x) {
  constexpr auto prefix = std::string_view{"/users/"};
  auto rest = x.raw_path.substr(std::min(prefix.size(), x.raw_path.size()));
  auto name = percent_decode(rest.substr(0, rest.find('/')));
  if (!name)
    return failure{errc::invalid_parameter, "the user in the path holds a bad escape, a control "
                                            "character or something that is not UTF-8"};
  if (*name == "me") {
    if (!x.who || x.who->user.empty())
      return failure{errc::unauthorized, "`me` is nobody: sign in, or name the user"};
    return x.who->user;
  }
  if (auto why = validate_user(*name))
    return *why;
  return std::move(*name);
}

failure lacking(const caller_ptr& who, std::string detail) {
  auto nobody = who && who->how == caller::way::nobody;
  return {nobody ? errc::unauthorized : errc::forbidden, std::move(detail)};
}

bool is_user(const caller_ptr& who) {
  return who && !who->user.empty();
}

bool may_open(const caller_ptr& who, std::string_view user) {
  return is_open(who) || who->admin || who->user == user;
}

status check_publish(const caller_ptr& who, const event& x) {
  if (is_open(who))
    return std::nullopt;
  for (auto& topic : x.topics)
    if (!who->publish.permits(topic))
      return lacking(who, "you may not publish to '" + for_log(topic) + "'");
  return std::nullopt;
}

status check_still_good(const authenticator& by, const caller_ptr& who, int64_t now_ms) {
  if (!who || by.is_still_good(*who, now_ms))
    return std::nullopt;
  return failure{errc::unauthorized, "what you signed in with has ended or was revoked meanwhile"};
}

status check_admin(const caller_ptr& who) {
  if (is_open(who) || who->admin)
    return std::nullopt;
  return lacking(who, "this is for administrators");
}

} // namespace tidings::http
