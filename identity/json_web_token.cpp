#include "identity/json_web_token.hpp"

#include "identity/strict_json.hpp"
#include "tidings/mailbox.hpp"
#include "tidings/text.hpp"

#include <algorithm>
#include <cmath>

namespace tidings {

namespace {

using namespace std::literals;
using nlohmann::json;

// Times that a claim may name, in seconds: the years 0 to 9999 and nothing that overflows.
constexpr double seconds_max = 253'402'300'799.0;

constexpr size_t text_bytes_max = 512; // of `iss`, `aud`, `jti`, `kid`
constexpr size_t audiences_max = 100;

failure refuse(std::string why) {
  return {errc::unauthorized, std::move(why)};
}

/// The member, or nullptr.
const json* find(const json& x, const char* name) {
  auto i = x.find(name);
  return i == x.end() ? nullptr : &*i;
}

std::string lower(std::string_view text) {
  std::string x{text};
  for (auto& c : x)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return x;
}

// -- header --------------------------------------------------------------------------------------

/// Whether a token of this type is meant for us: no ID token, no logout token, nothing else that
/// the same key may have signed.
bool is_access_token(const json& type) {
  if (!type.is_string())
    return false;
  auto x = lower(type.get_ref<const std::string&>());
  constexpr std::string_view prefix = "application/";
  if (x.starts_with(prefix))
    x.erase(0, prefix.size());
  return x == "jwt" || x == "at+jwt";
}

status read_header(const json& x, json_web_token& to) {
  auto algorithm = find(x, "alg");
  if (algorithm == nullptr || !algorithm->is_string())
    return refuse("its header has no alg");
  auto known = parse_token_algorithm(algorithm->get_ref<const std::string&>());
  if (!known)
    return refuse("its alg is none of HS256, RS256, ES256 and EdDSA");
  to.algorithm = *known;
  if (find(x, "crit") != nullptr)
    return refuse("its header has crit, and no extension is understood here");
  if (find(x, "cty") != nullptr || find(x, "enc") != nullptr || find(x, "zip") != nullptr)
    return refuse("it is nested, encrypted or compressed");
  auto type = find(x, "typ");
  if (type == nullptr || !is_access_token(*type))
    return refuse("its typ is neither JWT nor at+jwt");
  if (auto id = find(x, "kid")) {
    if (!id->is_string() || id->get_ref<const std::string&>().size() > text_bytes_max)
      return refuse("its kid is not a text of at most 512 bytes");
    to.key_id = id->get<std::string>();
  }
  return std::nullopt;
}

// -- claims --------------------------------------------------------------------------------------

status read_text(const json& x, const char* name, std::string& to) {
  auto value = find(x, name);
  if (value == nullptr)
    return std::nullopt;
  if (!value->is_string())
    return refuse("its "s + name + " is not a text");
  auto& text = value->get_ref<const std::string&>();
  if (text.empty() || text.size() > text_bytes_max)
    return refuse("its "s + name + " does not have 1 to 512 bytes");
  to = text;
  return std::nullopt;
}

status read_user(const json& x, std::string& to) {
  auto value = find(x, "sub");
  if (value == nullptr)
    return std::nullopt;
  if (value->is_string())
    to = value->get<std::string>();
  else if (value->is_number_integer())
    to = value->dump();
  else
    return refuse("its sub is neither a text nor a whole number");
  if (auto why = validate_user(to))
    return refuse("its sub cannot be a user: " + why->detail);
  return std::nullopt;
}

status read_audience(const json& x, std::vector<std::string>& to) {
  auto value = find(x, "aud");
  if (value == nullptr)
    return std::nullopt;
  auto good = [](const json& item) {
    return item.is_string() && !item.get_ref<const std::string&>().empty()
           && item.get_ref<const std::string&>().size() <= text_bytes_max;
  };
  if (good(*value)) {
    to.push_back(value->get<std::string>());
    return std::nullopt;
  }
  if (!value->is_array() || value->size() > audiences_max
      || !std::all_of(value->begin(), value->end(), good))
    return refuse("its aud is neither a text nor a list of texts");
  to = value->get<std::vector<std::string>>();
  return std::nullopt;
}

status read_time(const json& x, const char* name, std::optional<int64_t>& to) {
  auto value = find(x, name);
  if (value == nullptr)
    return std::nullopt;
  if (!value->is_number())
    return refuse("its "s + name + " is not a number");
  auto seconds = value->get<double>();
  if (!std::isfinite(seconds) || seconds < 0 || seconds > seconds_max)
    return refuse("its "s + name + " is no time in the years 1970 to 9999");
  to = value->is_number_integer() ? value->get<int64_t>() * 1000
                                  : static_cast<int64_t>(seconds * 1000);
  return std::nullopt;
}

status read_rights(const json& x, const char* name, topic_rights& to) {
  auto value = find(x, name);
  if (value == nullptr)
    return std::nullopt;
  auto claim = "its tidings."s + name;
  if (!value->is_array()
      || !std::all_of(value->begin(), value->end(), [](auto& item) { return item.is_string(); }))
    return refuse(claim + " is not a list of texts");
  if (value->size() > token_patterns_max)
    return refuse(claim + " has more than " + std::to_string(token_patterns_max) + " patterns");
  auto rights = topic_rights::parse(value->get<std::vector<std::string>>());
  if (!rights)
    return refuse(claim + " holds no pattern: " + rights.error().detail);
  to = *std::move(rights);
  return std::nullopt;
}

status read_tidings(const json& x, token_claims& to) {
  auto value = find(x, "tidings");
  if (value == nullptr)
    return std::nullopt;
  if (!value->is_object())
    return refuse("its tidings is not an object");
  for (auto& [name, _] : value->items())
    if (name != "publish" && name != "subscribe" && name != "admin")
      return refuse("its tidings has a member beside publish, subscribe and admin");
  if (auto why = read_rights(*value, "publish", to.publish))
    return why;
  if (auto why = read_rights(*value, "subscribe", to.subscribe))
    return why;
  if (auto admin = find(*value, "admin")) {
    if (!admin->is_boolean())
      return refuse("its tidings.admin is neither true nor false");
    to.admin = admin->get<bool>();
  }
  return std::nullopt;
}

} // namespace

result<json_web_token> json_web_token::parse(std::string_view text) {
  if (text.size() > token_bytes_max)
    return refuse("it has more than 8 KiB");
  auto first = text.find('.');
  auto second = first == text.npos ? text.npos : text.find('.', first + 1);
  if (second == text.npos || text.find('.', second + 1) != text.npos)
    return refuse("it does not have three parts");
  json_web_token x;
  x.signed_text = text.substr(0, second);
  auto header = from_base64url(text.substr(0, first));
  auto claims = from_base64url(text.substr(first + 1, second - first - 1));
  auto signature = from_base64url(text.substr(second + 1));
  if (!header || !claims || !signature)
    return refuse("it is not strict base64url without padding");
  x.claims = *std::move(claims);
  x.signature = *std::move(signature);
  auto json = parse_strict_object(*header, errc::unauthorized, "its header");
  if (!json)
    return json.error();
  if (auto why = read_header(*json, x))
    return *why;
  return x;
}

result<token_claims> token_claims::parse(std::string_view text) {
  auto json = parse_strict_object(text, errc::unauthorized, "its body");
  if (!json)
    return json.error();
  token_claims x;
  std::optional<int64_t> expires;
  // The first that is wrong is told.
  status why = read_time(*json, "exp", expires);
  if (!why)
    why = read_time(*json, "nbf", x.not_before_ms);
  if (!why)
    why = read_time(*json, "iat", x.issued_at_ms);
  if (!why)
    why = read_text(*json, "iss", x.issuer);
  if (!why)
    why = read_text(*json, "jti", x.id);
  if (!why)
    why = read_user(*json, x.user);
  if (!why)
    why = read_audience(*json, x.audience);
  if (!why)
    why = read_tidings(*json, x);
  if (why)
    return *why;
  if (!expires)
    return refuse("it has no exp");
  x.expires_at_ms = *expires;
  return x;
}

} // namespace tidings
