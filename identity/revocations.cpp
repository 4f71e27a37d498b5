#include "identity/revocations.hpp"

#include "identity/strict_json.hpp"
#include "tidings/mailbox.hpp"
#include "tidings/text.hpp"

#include <algorithm>
#include <mutex>

namespace tidings {

namespace {

constexpr size_t token_id_bytes_max = 512; // as of `jti`

failure refuse(std::string why) {
  return {errc::invalid_parameter, std::move(why)};
}

} // namespace

status validate(const revocation& x) {
  if (x.user.empty() == x.token_id.empty())
    return refuse("either a user or a token is revoked");
  if (!x.user.empty())
    return validate_user(x.user);
  if (x.token_id.size() > token_id_bytes_max || !is_utf8(x.token_id))
    return refuse("a token id has 1 to 512 bytes of UTF-8");
  return std::nullopt;
}

// -- lines ---------------------------------------------------------------------------------------

std::string to_json_line(const revocation& x) {
  nlohmann::ordered_json json;
  if (!x.user.empty())
    json = {{"user", x.user}, {"issued-before-ms", x.issued_before_ms}};
  else
    json["token-id"] = x.token_id;
  json["dies-at-ms"] = x.dies_at_ms;
  return json.dump();
}

result<revocation> parse_revocation(std::string_view line) {
  auto json = parse_strict_object(line, errc::invalid_json, "the revocation");
  if (!json)
    return json.error();
  revocation x;
  auto text = [&](const char* name, std::string& to) {
    auto i = json->find(name);
    if (i != json->end() && i->is_string())
      to = i->get<std::string>();
    return i == json->end() || i->is_string();
  };
  auto number = [&](const char* name, int64_t& to) {
    auto i = json->find(name);
    if (i != json->end() && i->is_number_integer())
      to = i->get<int64_t>();
    return i == json->end() || i->is_number_integer();
  };
  auto typed = text("user", x.user) && text("token-id", x.token_id)
               && number("issued-before-ms", x.issued_before_ms)
               && number("dies-at-ms", x.dies_at_ms) && json->contains("dies-at-ms");
  if (!typed || validate(x))
    return failure{errc::invalid_json, "the revocation is not as it was written"};
  return x;
}

// -- the set -------------------------------------------------------------------------------------

revocations::revocations(milliseconds token_lifetime_max, size_t entries_max)
  : lifetime_ms_(token_lifetime_max.count()), entries_max_(entries_max) {
  // nop
}

result<revocation> revocations::revoke(revocation x, int64_t now_ms, int64_t past_ms) {
  // A token that was issued before a moment in the future may live on from then.
  auto last_issued_ms = x.user.empty() ? now_ms : std::max(x.issued_before_ms, now_ms);
  x.dies_at_ms = last_issued_ms + lifetime_ms_;
  if (auto why = add(x, past_ms))
    return *why;
  return x;
}

status revocations::add(revocation x, int64_t past_ms) {
  if (auto why = validate(x))
    return why;
  std::unique_lock guard{mutex_};
  forget_dead(past_ms);
  if (x.dies_at_ms <= past_ms)
    return std::nullopt;
  auto& in = x.user.empty() ? tokens_ : users_;
  auto& name = x.user.empty() ? x.token_id : x.user;
  auto i = in.find(name);
  if (i == in.end()) {
    if (users_.size() + tokens_.size() >= entries_max_)
      return failure{errc::overloaded,
                     "more than " + std::to_string(entries_max_) + " revocations cannot be kept"};
    in.emplace(std::move(name), bound{x.issued_before_ms, x.dies_at_ms});
  } else {
    i->second.issued_before_ms = std::max(i->second.issued_before_ms, x.issued_before_ms);
    i->second.dies_at_ms = std::max(i->second.dies_at_ms, x.dies_at_ms);
  }
  count_ = users_.size() + tokens_.size();
  return std::nullopt;
}

bool revocations::is_revoked(const caller& x) const {
  auto came_with_token =
    x.how == caller::way::token || x.how == caller::way::cookie || x.how == caller::way::query;
  if (!came_with_token || count_ == 0)
    return false;
  std::shared_lock guard{mutex_};
  if (!x.token_id.empty() && tokens_.count(x.token_id) != 0)
    return true;
  auto i = users_.find(x.user);
  return i != users_.end() && x.issued_at_ms < i->second.issued_before_ms;
}

std::vector<revocation> revocations::list(int64_t now_ms) const {
  std::vector<revocation> all;
  std::shared_lock guard{mutex_};
  for (auto& [user, x] : users_)
    if (x.dies_at_ms > now_ms)
      all.push_back({user, {}, x.issued_before_ms, x.dies_at_ms});
  for (auto& [id, x] : tokens_)
    if (x.dies_at_ms > now_ms)
      all.push_back({{}, id, 0, x.dies_at_ms});
  return all;
}

void revocations::forget_dead(int64_t past_ms) {
  auto is_dead = [past_ms](auto& x) { return x.second.dies_at_ms <= past_ms; };
  std::erase_if(users_, is_dead);
  std::erase_if(tokens_, is_dead);
  count_ = users_.size() + tokens_.size();
}

} // namespace tidings
