#pragma once

#include "tidings/result.hpp"
#include "tidings/rights.hpp"
#include "tidings/token_algorithm.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// Longest token, in bytes. Checked before anything else is looked at.
inline constexpr size_t token_bytes_max = 8 * 1024;

/// Most patterns that a token may hold for publishing, and as many for subscribing.
inline constexpr size_t token_patterns_max = 100;

/// A token in compact form, taken apart. Nothing in it is to be believed before its signature has
/// been checked. What its header says about keys (`jku`, `x5u`, `jwk`, `x5c`) is not read.
struct json_web_token {
  token_algorithm algorithm{};
  std::optional<std::string> key_id; ///< `kid`
  std::string_view signed_text;      ///< points into the text of the token
  std::string claims;                ///< decoded, not yet parsed
  std::string signature;             ///< decoded

  /// Takes the text apart, strictly: three segments of unpadded base64url, a header that is one
  /// JSON object without repeated members, `typ` of a token that is to be used here, a known `alg`,
  /// no `crit`, nothing nested. Fails with errc::unauthorized; the detail holds nothing of the
  /// token.
  static result<json_web_token> parse(std::string_view text);
};

/// What a token says. Times are in Unix milliseconds.
struct token_claims {
  std::string issuer;                ///< `iss`; empty: none
  std::string user;                  ///< `sub`; empty: none
  std::vector<std::string> audience; ///< `aud`
  int64_t expires_at_ms = 0;         ///< `exp`
  std::optional<int64_t> not_before_ms;
  std::optional<int64_t> issued_at_ms;
  std::string id; ///< `jti`; empty: none
  topic_rights publish;
  topic_rights subscribe;
  bool admin = false;

  /// Reads one JSON object without repeated members; `exp` must be there, every known claim must
  /// have its type, a user must be valid. Fails like json_web_token::parse.
  static result<token_claims> parse(std::string_view json);
};

} // namespace tidings
