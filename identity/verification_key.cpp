#include "identity/verification_key.hpp"

#include "identity/json_web_key.hpp"
#include "identity/openssl.hpp"

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include <algorithm>

namespace tidings {

using namespace openssl;

namespace {

failure refuse(std::string why) {
  return {errc::invalid_configuration, std::move(why)};
}

result<pkey> parse_pem(std::string_view content) {
  if (content.find(" PRIVATE KEY-----") != std::string_view::npos)
    return refuse("holds a private key: the broker needs only the public one, which "
                  "`openssl pkey -pubout` prints");
  auto in = reader_of(content);
  pkey key;
  if (content.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos) {
    certificate x{PEM_read_bio_X509(in.get(), nullptr, no_passphrase, nullptr)};
    if (x)
      key.reset(X509_get_pubkey(x.get()));
  } else {
    key.reset(PEM_read_bio_PUBKEY(in.get(), nullptr, no_passphrase, nullptr));
  }
  ERR_clear_error();
  if (!key)
    return refuse("is neither a PEM public key or certificate nor a JWK or JWKS");
  return key;
}

/// The key as DER.
std::string public_bytes(EVP_PKEY* key) {
  auto length = i2d_PUBKEY(key, nullptr);
  std::string der(static_cast<size_t>(std::max(length, 0)), '\0');
  auto to = bytes_of(der);
  if (length > 0)
    i2d_PUBKEY(key, &to);
  return der;
}

/// The form that OpenSSL reads; empty if there is none.
std::string to_der(std::string_view signature) {
  constexpr int half = es256_bytes / 2;
  if (signature.size() != es256_bytes)
    return {};
  ecdsa_signature x{ECDSA_SIG_new()};
  number r{BN_bin2bn(bytes_of(signature), half, nullptr)};
  number s{BN_bin2bn(bytes_of(signature) + half, half, nullptr)};
  if (!x || !r || !s || ECDSA_SIG_set0(x.get(), r.get(), s.get()) != 1)
    return {};
  (void)r.release(); // belong to x now
  (void)s.release();
  auto length = i2d_ECDSA_SIG(x.get(), nullptr);
  if (length <= 0)
    return {};
  std::string der(static_cast<size_t>(length), '\0');
  auto to = bytes_of(der);
  i2d_ECDSA_SIG(x.get(), &to);
  return der;
}

bool verify_with(EVP_PKEY* key, const EVP_MD* digest, std::string_view text,
                 std::string_view signature) {
  digest_context context{EVP_MD_CTX_new()};
  auto good = context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1
              && EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                                  bytes_of(text), text.size())
                   == 1;
  ERR_clear_error(); // a bad signature leaves its reasons behind
  return good;
}

} // namespace

struct verification_key::material {
  pkey key;           // of an asymmetric algorithm
  std::string secret; // of HS256
  uint64_t mark = 0;

  material() = default;
  material(const material&) = delete;
  material& operator=(const material&) = delete;

  ~material() {
    OPENSSL_cleanse(secret.data(), secret.size());
  }
};

result<std::vector<verification_key>> verification_key::parse(std::string_view content,
                                                              token_algorithm algorithm,
                                                              const std::string& id,
                                                              const std::string& issuer) {
  std::vector<verification_key> keys;
  auto add = [&](const std::string& name, pkey key, std::string secret) {
    auto x = std::make_shared<material>();
    x->mark = mark_of(to_string(algorithm) + ('\n' + issuer + '\n')
                      + (key ? public_bytes(key.get()) : secret));
    x->key = std::move(key);
    x->secret = std::move(secret);
    verification_key made;
    made.algorithm_ = algorithm;
    made.id_ = name.empty() ? id : name;
    made.issuer_ = issuer;
    made.material_ = std::move(x);
    keys.push_back(std::move(made));
  };
  if (is_json_web_keys(content)) {
    auto parsed = parse_json_web_keys(content, algorithm);
    if (!parsed)
      return parsed.error();
    for (auto& x : *parsed)
      add(x.id, std::move(x.key), std::move(x.secret));
  } else if (algorithm == token_algorithm::hs256) {
    auto secret = parse_secret(content);
    if (!secret)
      return secret.error();
    add({}, nullptr, *std::move(secret));
  } else {
    auto key = parse_pem(content);
    if (!key)
      return key.error();
    if (auto why = check_key(**key, algorithm))
      return *why;
    add({}, *std::move(key), {});
  }
  return keys;
}

uint64_t verification_key::mark() const noexcept {
  return material_->mark;
}

bool verification_key::verify(std::string_view text, std::string_view signature) const noexcept {
  switch (algorithm_) {
    case token_algorithm::hs256: {
      auto expected = hmac_sha256(material_->secret, text);
      return equal_in_constant_time(
        signature, {reinterpret_cast<const char*>(expected.data()), expected.size()});
    }
    case token_algorithm::rs256:
      return verify_with(material_->key.get(), EVP_sha256(), text, signature);
    case token_algorithm::es256: {
      auto der = to_der(signature);
      return !der.empty() && verify_with(material_->key.get(), EVP_sha256(), text, der);
    }
    case token_algorithm::eddsa:
      return verify_with(material_->key.get(), nullptr, text, signature);
  }
  return false;
}

} // namespace tidings
