#pragma once

#include "identity/json_web_token.hpp"
#include "tidings/result.hpp"
#include "tidings/token_algorithm.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace tidings {

/// Signs tokens with one key by one algorithm: for the command line and for tests. A broker needs
/// no private keys.
class private_key {
public:
  /// Reads a PEM private key without a passphrase, or for HS256 the secret as in a key file. Fails
  /// with errc::invalid_configuration; the detail begins with a verb.
  static result<private_key> parse(std::string_view content, token_algorithm algorithm);

  token_algorithm algorithm() const noexcept {
    return algorithm_;
  }

  /// The signature as it is in a token, before it is encoded. Fails with errc::internal_error.
  result<std::string> sign(std::string_view text) const;

  /// A whole token from two JSON objects, taken as they are.
  result<std::string> make_token(std::string_view header, std::string_view claims) const;

  /// A whole token with the given claims.
  /// @param key_id `kid`; empty: none
  result<std::string> make_token(const token_claims& claims, std::string_view key_id = {}) const;

private:
  struct material;

  token_algorithm algorithm_{};
  std::shared_ptr<const material> material_;
};

/// A `jti` that nobody can guess and that does not come twice.
std::string random_token_id();

} // namespace tidings
