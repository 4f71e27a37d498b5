#pragma once

#include "tidings/result.hpp"
#include "tidings/token_algorithm.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tidings::openssl {

// Owners of what OpenSSL hands out, and what the files of this folder share.

template <auto Free>
struct deleter {
  template <class T>
  void operator()(T* x) const noexcept {
    Free(x);
  }
};

template <class T, auto Free>
using owned = std::unique_ptr<T, deleter<Free>>;

using bio = owned<BIO, BIO_free>;
using pkey = owned<EVP_PKEY, EVP_PKEY_free>;
using pkey_context = owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using digest_context = owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using certificate = owned<X509, X509_free>;
using number = owned<BIGNUM, BN_free>;
using ecdsa_signature = owned<ECDSA_SIG, ECDSA_SIG_free>;
using param_builder = owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using params = owned<OSSL_PARAM, OSSL_PARAM_free>;

inline const unsigned char* bytes_of(std::string_view x) noexcept {
  return reinterpret_cast<const unsigned char*>(x.data());
}

inline unsigned char* bytes_of(std::string& x) noexcept {
  return reinterpret_cast<unsigned char*>(x.data());
}

/// Bytes of one ES256 signature, r and s.
inline constexpr size_t es256_bytes = 64;

using sha256_digest = std::array<uint8_t, 32>;

sha256_digest sha256(std::string_view text);

sha256_digest hmac_sha256(std::string_view key, std::string_view text);

/// Part of the SHA-256 of a text, to tell texts apart.
uint64_t mark_of(std::string_view text);

/// Compares in a time that depends on the length only.
bool equal_in_constant_time(std::string_view x, std::string_view y) noexcept;

/// Reads PEM; never asks for a passphrase.
bio reader_of(std::string_view content);
int no_passphrase(char*, int, int, void*) noexcept;

/// Whether the key is one for the algorithm and strong enough. The failure has
/// errc::invalid_configuration and begins with a verb.
status check_key(const EVP_PKEY& key, token_algorithm algorithm);

/// A secret as it is in its file: without one line end, and decoded behind `base64:`. Fails like
/// check_key, also if it is too short.
result<std::string> parse_secret(std::string_view content);

} // namespace tidings::openssl
