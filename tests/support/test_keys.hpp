#pragma once

#include "identity/private_key.hpp"
#include "identity/verification_key.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tidings {

/// A key as its owner and as everybody else has it. For HS256 both are the secret.
struct test_key {
  token_algorithm algorithm;
  std::string secret_part;
  std::string public_part;

  /// A token made of two texts, whatever they are.
  std::string token(std::string_view header, std::string_view claims) const {
    return *private_key::parse(secret_part, algorithm)->make_token(header, claims);
  }

  verification_key verifier(const std::string& id = "test", const std::string& issuer = {}) const {
    auto keys = verification_key::parse(public_part, algorithm, id, issuer);
    if (!keys)
      throw std::logic_error{keys.error().detail};
    return keys->front();
  }
};

inline std::string pem_of(EVP_PKEY* key, bool whole) {
  std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), &BIO_free};
  if (whole)
    PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  else
    PEM_write_bio_PUBKEY(out.get(), key);
  char* bytes = nullptr;
  auto length = BIO_get_mem_data(out.get(), &bytes);
  return {bytes, static_cast<size_t>(length)};
}

/// Takes over what `EVP_PKEY_Q_keygen` made.
inline test_key make_test_key(token_algorithm algorithm, EVP_PKEY* made) {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{made, &EVP_PKEY_free};
  if (!key)
    throw std::logic_error{"no key was made"};
  return {algorithm, pem_of(key.get(), true), pem_of(key.get(), false)};
}

/// A fresh key.
inline test_key make_test_key(token_algorithm algorithm) {
  switch (algorithm) {
    case token_algorithm::hs256: {
      static int number = 0;
      auto secret = "a secret of this test with number " + std::to_string(++number);
      return {algorithm, secret, secret};
    }
    case token_algorithm::rs256:
      return make_test_key(algorithm,
                           EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<size_t>(2048)));
    case token_algorithm::es256:
      return make_test_key(algorithm, EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    case token_algorithm::eddsa:
      return make_test_key(algorithm, EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  }
  throw std::logic_error{"no such algorithm"};
}

inline constexpr token_algorithm all_token_algorithms[] = {
  token_algorithm::hs256, token_algorithm::rs256, token_algorithm::es256, token_algorithm::eddsa};

/// The same key each time.
inline const test_key& shared_test_key(token_algorithm algorithm) {
  static const test_key keys[] = {
    make_test_key(token_algorithm::hs256), make_test_key(token_algorithm::rs256),
    make_test_key(token_algorithm::es256), make_test_key(token_algorithm::eddsa)};
  return keys[static_cast<size_t>(algorithm)];
}

/// `{"alg":"...","typ":"JWT"}`.
inline std::string header_for(token_algorithm x) {
  return std::string{R"({"alg":")"} + to_string(x) + R"(","typ":"JWT"})";
}

} // namespace tidings
