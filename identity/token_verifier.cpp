#include "identity/token_verifier.hpp"

#include "identity/openssl.hpp"
#include "identity/own_topics.hpp"
#include "tidings/units.hpp"

#include <algorithm>

namespace tidings {

namespace {

failure refuse(std::string why) {
  return {errc::unauthorized, std::move(why)};
}

} // namespace

token_rules token_rules_of(const auth_config& x) {
  return {x.audience, x.leeway, x.token_lifetime_max, x.query_token_lifetime_max};
}

token_verifier::token_verifier(key_ring keys, token_rules rules, size_t remembered)
  : keys_(std::move(keys)), rules_(std::move(rules)), remembered_(remembered) {
  // nop
}

result<caller> token_verifier::verify(std::string_view token, caller::way how,
                                      int64_t now_ms) const {
  if (keys_.empty())
    return refuse("no key to check it with is configured");
  if (token.size() > token_bytes_max) // before time is spent on its hash
    return refuse("it has more than 8 KiB");
  auto digest = verified_tokens::digest_of(token);
  auto known = remembered_.find(digest, now_ms);
  auto is_new = known == nullptr;
  if (is_new) {
    auto checked = check(token);
    if (!checked)
      return checked.error();
    known = std::make_shared<verified_token>(*std::move(checked));
  }
  if (auto why = check_times(*known, how, now_ms))
    return *why;
  if (is_new)
    remembered_.insert(digest, known);
  auto who = known->who;
  who.how = how;
  return who;
}

result<verified_token> token_verifier::check(std::string_view text) const {
  auto token = json_web_token::parse(text);
  if (!token)
    return token.error();
  auto candidates = keys_.candidates(*token);
  if (candidates.empty())
    return refuse("no key is configured for its alg and kid");
  // Claims are looked at only when the signature is good.
  std::erase_if(candidates,
                [&](auto* key) { return !key->verify(token->signed_text, token->signature); });
  if (candidates.empty())
    return refuse("its signature is not one of the keys that are configured for its alg and kid");
  auto claims = token_claims::parse(token->claims);
  if (!claims)
    return claims.error();
  auto key = std::find_if(candidates.begin(), candidates.end(), [&](auto* x) {
    return x->issuer().empty() || x->issuer() == claims->issuer;
  });
  if (key == candidates.end())
    return refuse("its iss is not the issuer that its key is for");
  auto& audience = claims->audience;
  if (!rules_.audience.empty()
      && std::find(audience.begin(), audience.end(), rules_.audience) == audience.end())
    return refuse("its aud does not name this broker");
  verified_token x;
  x.who.user = std::move(claims->user);
  x.who.publish = std::move(claims->publish);
  x.who.subscribe = std::move(claims->subscribe);
  x.who.admin = claims->admin;
  x.who.token_id = std::move(claims->id);
  x.who.key_name = (*key)->id();
  x.who.expires_at_ms = claims->expires_at_ms + rules_.leeway.count();
  x.who.issued_at_ms = claims->issued_at_ms.value_or(0);
  x.who.basis = basis_of(**key);
  permit_own_topics(x.who);
  x.until_ms = claims->expires_at_ms;
  x.not_before_ms = claims->not_before_ms;
  x.issued_at_ms = claims->issued_at_ms;
  return x;
}

status token_verifier::check_times(const verified_token& x, caller::way how, int64_t now_ms) const {
  auto leeway = rules_.leeway.count();
  auto left = x.until_ms - now_ms;
  if (now_ms >= x.who.expires_at_ms)
    return refuse("it has expired");
  if (x.not_before_ms && *x.not_before_ms > now_ms + leeway)
    return refuse("it is not valid yet, says its nbf");
  if (x.issued_at_ms && *x.issued_at_ms > now_ms + leeway)
    return refuse("it was issued in the future, says its iat");
  if (x.issued_at_ms && *x.issued_at_ms >= x.until_ms)
    return refuse("it expired before it was issued, say its exp and iat");
  // What is left looks longer to a clock that is behind the issuer's.
  auto too_long = x.issued_at_ms ? x.until_ms - *x.issued_at_ms > rules_.lifetime_max.count()
                                 : left > rules_.lifetime_max.count() + leeway;
  if (too_long)
    return refuse("it lives longer than the " + format_duration(rules_.lifetime_max)
                  + " that tokens may");
  if (how == caller::way::query && left > rules_.query_lifetime_max.count() + leeway)
    return refuse("it has more than " + format_duration(rules_.query_lifetime_max)
                  + " left, which is too much for a URL");
  return std::nullopt;
}

uint64_t token_verifier::basis_of(const verification_key& key) const {
  return openssl::mark_of(std::to_string(key.mark()) + ' ' + rules_.audience);
}

std::vector<uint64_t> token_verifier::bases() const {
  std::vector<uint64_t> all;
  for (auto& x : keys_.keys())
    all.push_back(basis_of(x));
  return all;
}

} // namespace tidings
