#include "identity/authenticator.hpp"

#include "identity/cookie.hpp"
#include "identity/openssl.hpp"
#include "identity/own_topics.hpp"
#include "tidings/mailbox.hpp"

#include <algorithm>

namespace tidings {

namespace {

constexpr auto disagreement = "the request says that it is made by two different users";

failure refuse(std::string why) {
  return {errc::unauthorized, std::move(why)};
}

bool equal_ignoring_case(std::string_view x, std::string_view y) noexcept {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

/// An `Authorization` field.
struct authorization {
  enum class scheme : uint8_t { bearer, api_key, other };

  scheme what = scheme::other;
  std::string_view value;

  explicit authorization(std::string_view field) {
    auto blank = field.find(' ');
    if (blank == std::string_view::npos)
      return;
    value = field.substr(std::min(field.find_first_not_of(' ', blank), field.size()));
    auto name = field.substr(0, blank);
    if (equal_ignoring_case(name, "Bearer"))
      what = scheme::bearer;
    else if (equal_ignoring_case(name, "ApiKey"))
      what = scheme::api_key;
  }
};

/// Who the offers say that the caller is. Each has to be right, and all have to agree.
class agreement {
public:
  /// @param name of what was offered, for people
  status take(const char* name, result<caller> offer) {
    if (!offer)
      return refuse(std::string{name} + " was refused: " + offer.error().detail);
    if (!who_) {
      who_ = *std::move(offer);
      user_ = who_->user;
      return std::nullopt;
    }
    if (!offer->user.empty() && !user_.empty() && offer->user != user_)
      return refuse(disagreement);
    if (user_.empty())
      user_ = offer->user;
    return std::nullopt;
  }

  /// The first, which is the most trusted.
  std::optional<caller>& who() noexcept {
    return who_;
  }

private:
  std::optional<caller> who_;
  std::string user_; // that any of them named
};

} // namespace

authenticator::authenticator(const auth_config& x, key_ring keys, api_keys programs,
                             proxy_trust proxies)
  : tokens_(std::move(keys), token_rules_of(x)),
    programs_(std::move(programs)),
    proxies_(std::move(proxies)),
    cookie_(x.cookie),
    user_header_(x.proxy_header),
    open_(!has_sign_in(x)) {
  bases_ = tokens_.bases();
  auto programs_bases = programs_.bases();
  bases_.insert(bases_.end(), programs_bases.begin(), programs_bases.end());
  if (!proxies_.empty())
    bases_.push_back(proxies_.basis());
}

result<std::shared_ptr<const authenticator>>
authenticator::make(const auth_config& x, std::shared_ptr<const revocations> revoked) {
  auto keys = key_ring::load(x.keys);
  if (!keys)
    return keys.error();
  auto programs = api_keys::make(x.api_keys);
  if (!programs)
    return programs.error();
  auto proxies = proxy_trust::make(x);
  if (!proxies)
    return proxies.error();
  auto publish = topic_rights::parse(x.anonymous_publish);
  if (!publish)
    return failure{errc::invalid_configuration,
                   "auth.anonymous-publish: " + publish.error().detail};
  auto subscribe = topic_rights::parse(x.anonymous_subscribe);
  if (!subscribe)
    return failure{errc::invalid_configuration,
                   "auth.anonymous-subscribe: " + subscribe.error().detail};
  std::shared_ptr<authenticator> made{
    new authenticator{x, *std::move(keys), *std::move(programs), *std::move(proxies)}};
  made->revoked_ = std::move(revoked);
  auto& nobody = made->nobody_;
  if (made->open_) {
    nobody.how = caller::way::open;
    nobody.publish = topic_rights::all();
    nobody.subscribe = topic_rights::all();
    nobody.admin = true;
  } else {
    nobody.publish = *std::move(publish);
    nobody.subscribe = *std::move(subscribe);
  }
  nobody.basis = openssl::mark_of(std::string{to_string(nobody.how)} + '\n' + nobody.publish.key()
                                  + "\n\n" + nobody.subscribe.key());
  made->bases_.push_back(nobody.basis);
  made->shared_nobody_ = std::make_shared<const caller>(nobody);
  return std::shared_ptr<const authenticator>{std::move(made)};
}

result<caller> authenticator::authenticate(const credentials& x, int64_t now_ms) const {
  if (x.ambiguous)
    return refuse("a field or parameter that says who makes the request came more than once");
  agreement all;
  auto proxied =
    !open_ && x.user_header && !x.user_header->empty() && proxies_.trusts(x.peer_address);
  std::optional<std::string_view> program;
  if (x.authorization) {
    authorization field{*x.authorization};
    if (field.what == authorization::scheme::bearer) {
      if (auto why =
            all.take("the bearer token", check_token(field.value, caller::way::token, now_ms)))
        return *why;
    } else if (field.what == authorization::scheme::api_key) {
      program = field.value;
    } else if (!proxied) { // a trusted proxy has looked at what it understands
      return refuse("Authorization has to be `Bearer` and a token, or `ApiKey` and a key");
    }
  }
  // A cookie comes by itself: one of another broker on this host must not lock anybody out.
  if (x.cookie && !cookie_.empty() && tokens_.has_keys()) {
    auto value = find_cookie(*x.cookie, cookie_);
    auto offered = !value || value->has_value();
    if (offered)
      if (auto why = all.take("the token in the cookie",
                              value ? check_token(**value, caller::way::cookie, now_ms)
                                    : result<caller>{value.error()}))
        return *why;
  }
  if (x.query_token) {
    if (!x.is_stream)
      return refuse("a token in the URL counts only for streams");
    if (auto why =
          all.take("the token in the URL", check_token(*x.query_token, caller::way::query, now_ms)))
      return *why;
  }
  if (proxied)
    if (auto why = all.take("the user that the proxy named", proxies_.identify(*x.user_header)))
      return *why;
  if (program && x.api_key && *program != *x.api_key)
    return refuse("the request has two different API keys");
  if (!program)
    program = x.api_key;
  if (program)
    if (auto why = all.take("the API key", programs_.identify(*program)))
      return *why;
  if (all.who())
    return *std::move(all.who());
  return open_ ? open_caller(x) : nobody_;
}

result<caller> authenticator::check_token(std::string_view token, caller::way how,
                                          int64_t now_ms) const {
  auto who = tokens_.verify(token, how, now_ms);
  if (who && revoked_ && revoked_->is_revoked(*who))
    return refuse("it has been revoked");
  return who;
}

result<caller> authenticator::open_caller(const credentials& x) const {
  auto header = x.user_header.value_or(std::string_view{});
  auto parameter = x.user_parameter.value_or(std::string_view{});
  if (!header.empty() && !parameter.empty() && header != parameter)
    return refuse(disagreement);
  auto who = nobody_;
  who.user = header.empty() ? parameter : header;
  if (who.user.empty())
    return who;
  if (auto why = validate_user(who.user))
    return *why;
  permit_own_topics(who);
  return who;
}

bool authenticator::is_still_good(const caller& x, int64_t now_ms) const {
  auto expired = x.expires_at_ms != 0 && now_ms >= x.expires_at_ms;
  return !expired && std::find(bases_.begin(), bases_.end(), x.basis) != bases_.end()
         && !(revoked_ && revoked_->is_revoked(x));
}

} // namespace tidings
