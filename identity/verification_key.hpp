#pragma once

#include "tidings/result.hpp"
#include "tidings/token_algorithm.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// Least length of an HS256 secret, in bytes.
inline constexpr size_t secret_bytes_min = 32;

/// Least length of an RSA key, in bits.
inline constexpr int rsa_bits_min = 2048;

/// Checks signatures made with one key by one algorithm, for one issuer. Immutable and cheap to
/// copy; any number of threads may use it at once.
class verification_key {
public:
  /// Reads the content of a key file: a PEM public key or certificate, a JWK, a JWKS, or for HS256
  /// the secret itself (one line end at its end is removed; behind `base64:` it is encoded). Keys
  /// of a set that are for another algorithm or use are left out; one at least must remain.
  ///
  /// Fails with errc::invalid_configuration if a key is of the wrong kind, too weak, private, or
  /// not readable. The detail begins with a verb, for instance `is an RSA key of 1024 bits ...`,
  /// and never holds the key.
  ///
  /// @param id names a key that has no `kid` of its own
  /// @param issuer of the tokens; empty: any
  static result<std::vector<verification_key>> parse(std::string_view content,
                                                     token_algorithm algorithm,
                                                     const std::string& id,
                                                     const std::string& issuer);

  /// Whether the signature, as it is in a token, is one of this key for the text.
  bool verify(std::string_view text, std::string_view signature) const noexcept;

  token_algorithm algorithm() const noexcept {
    return algorithm_;
  }

  const std::string& id() const noexcept {
    return id_;
  }

  const std::string& issuer() const noexcept {
    return issuer_;
  }

  /// Differs between keys, algorithms and issuers; says nothing about the key.
  uint64_t mark() const noexcept;

private:
  struct material;

  token_algorithm algorithm_{};
  std::string id_;
  std::string issuer_;
  std::shared_ptr<const material> material_;
};

} // namespace tidings
