// Tokens: taken apart, verified, and their claims as if they had been signed. Parts: a token, and
// claims.

#include "fuzz/fuzz.hpp"
#include "identity/json_web_token.hpp"
#include "identity/private_key.hpp"
#include "identity/token_verifier.hpp"
#include "identity/verification_key.hpp"

namespace {

using namespace tidings;

constexpr auto secret = "a secret that nobody else has, of more than 32 bytes";
constexpr int64_t now_ms = 1'795'242'000'000;

const token_verifier& verifier() {
  static const token_verifier x{
    key_ring{*verification_key::parse(secret, token_algorithm::hs256, "k", "")}, token_rules{}, 16};
  return x;
}

} // namespace

void tidings::fuzz::run(std::string_view input) {
  parts all{input};
  auto text = all.next();
  auto claims = all.rest();
  if (auto x = json_web_token::parse(text))
    require(text.starts_with(x->signed_text), "what was signed is part of the token");
  static const auto signer = *private_key::parse(secret, token_algorithm::hs256);
  // Nobody else can sign: a token is taken only if we would have signed the same.
  if (verifier().verify(text, caller::way::token, now_ms)) {
    auto body = text.substr(0, text.rfind('.'));
    auto again = signer.sign(body);
    require(again && json_web_token::parse(text)->signature == *again, "a forged token is taken");
  }
  auto alone = token_claims::parse(claims);
  auto made = signer.make_token(R"({"alg":"HS256","typ":"JWT"})", claims);
  if (!made || made->size() > token_bytes_max)
    return;
  auto who = verifier().verify(*made, caller::way::token, now_ms);
  if (!who)
    return;
  require(static_cast<bool>(alone), "claims are taken that cannot be read");
  require(who->user == alone->user, "the user is `sub`");
  require(who->admin == alone->admin, "an administrator says so");
  require(who->expires_at_ms > now_ms, "a token that has ended is taken");
}
