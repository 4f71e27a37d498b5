#include "identity/private_key.hpp"

#include "identity/openssl.hpp"
#include "tidings/text.hpp"

#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <cstdlib>

namespace tidings {

using namespace openssl;

namespace {

constexpr auto no_signature = "the signature could not be made";

failure refuse(std::string why) {
  return {errc::invalid_configuration, std::move(why)};
}

/// r and s behind each other, from the form that OpenSSL writes; empty if that is not what it is.
std::string to_raw(std::string_view der) {
  constexpr int half = es256_bytes / 2;
  auto from = bytes_of(der);
  ecdsa_signature x{d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(der.size()))};
  std::string raw(es256_bytes, '\0');
  auto to = bytes_of(raw);
  if (!x || BN_bn2binpad(ECDSA_SIG_get0_r(x.get()), to, half) != half
      || BN_bn2binpad(ECDSA_SIG_get0_s(x.get()), to + half, half) != half)
    return {};
  return raw;
}

std::string sign_with(EVP_PKEY* key, const EVP_MD* digest, std::string_view text) {
  digest_context context{EVP_MD_CTX_new()};
  size_t length = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key) != 1
      || EVP_DigestSign(context.get(), nullptr, &length, bytes_of(text), text.size()) != 1)
    return {};
  std::string signature(length, '\0');
  if (EVP_DigestSign(context.get(), bytes_of(signature), &length, bytes_of(text), text.size()) != 1)
    return {};
  signature.resize(length); // the first answer is an upper bound
  return signature;
}

/// Whole seconds as a whole number, which every reader takes.
nlohmann::json seconds(int64_t ms) {
  if (ms % 1000 == 0)
    return ms / 1000;
  return static_cast<double>(ms) / 1000;
}

std::vector<std::string> texts_of(const topic_rights& x) {
  std::vector<std::string> all;
  for (auto& pattern : x.patterns())
    all.push_back(pattern.text());
  return all;
}

} // namespace

std::string random_token_id() {
  std::string bytes(16, '\0');
  if (RAND_bytes(bytes_of(bytes), static_cast<int>(bytes.size())) != 1)
    std::abort(); // a machine without randomness makes no tokens
  return to_hex(bytes);
}

struct private_key::material {
  pkey key;           // of an asymmetric algorithm
  std::string secret; // of HS256

  material() = default;
  material(const material&) = delete;
  material& operator=(const material&) = delete;

  ~material() {
    OPENSSL_cleanse(secret.data(), secret.size());
  }
};

result<private_key> private_key::parse(std::string_view content, token_algorithm algorithm) {
  auto made = std::make_shared<material>();
  if (algorithm == token_algorithm::hs256) {
    auto secret = parse_secret(content);
    if (!secret)
      return secret.error();
    made->secret = *std::move(secret);
  } else {
    auto in = reader_of(content);
    made->key.reset(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    if (!made->key)
      return refuse("is not a PEM private key without a passphrase");
    if (auto why = check_key(*made->key, algorithm))
      return *why;
  }
  private_key x;
  x.algorithm_ = algorithm;
  x.material_ = std::move(made);
  return x;
}

result<std::string> private_key::sign(std::string_view text) const {
  std::string signature;
  switch (algorithm_) {
    case token_algorithm::hs256: {
      auto digest = hmac_sha256(material_->secret, text);
      signature.assign(digest.begin(), digest.end());
      break;
    }
    case token_algorithm::rs256:
      signature = sign_with(material_->key.get(), EVP_sha256(), text);
      break;
    case token_algorithm::es256:
      signature = to_raw(sign_with(material_->key.get(), EVP_sha256(), text));
      break;
    case token_algorithm::eddsa:
      signature = sign_with(material_->key.get(), nullptr, text);
      break;
  }
  ERR_clear_error();
  if (signature.empty())
    return failure{errc::internal_error, no_signature};
  return signature;
}

result<std::string> private_key::make_token(std::string_view header,
                                            std::string_view claims) const {
  std::string token;
  append_base64url(token, header);
  token += '.';
  append_base64url(token, claims);
  auto signature = sign(token);
  if (!signature)
    return signature.error();
  token += '.';
  append_base64url(token, *signature);
  return token;
}

result<std::string> private_key::make_token(const token_claims& claims,
                                            std::string_view key_id) const {
  nlohmann::ordered_json header{{"alg", to_string(algorithm_)}, {"typ", "JWT"}};
  if (!key_id.empty())
    header["kid"] = key_id;
  nlohmann::ordered_json body;
  if (!claims.issuer.empty())
    body["iss"] = claims.issuer;
  if (!claims.user.empty())
    body["sub"] = claims.user;
  if (claims.audience.size() == 1)
    body["aud"] = claims.audience.front();
  else if (!claims.audience.empty())
    body["aud"] = claims.audience;
  body["exp"] = seconds(claims.expires_at_ms);
  if (claims.not_before_ms)
    body["nbf"] = seconds(*claims.not_before_ms);
  if (claims.issued_at_ms)
    body["iat"] = seconds(*claims.issued_at_ms);
  if (!claims.id.empty())
    body["jti"] = claims.id;
  nlohmann::ordered_json rights;
  if (auto patterns = texts_of(claims.publish); !patterns.empty())
    rights["publish"] = patterns;
  if (auto patterns = texts_of(claims.subscribe); !patterns.empty())
    rights["subscribe"] = patterns;
  if (claims.admin)
    rights["admin"] = true;
  if (!rights.is_null())
    body["tidings"] = rights;
  return make_token(header.dump(), body.dump());
}

} // namespace tidings
