#pragma once

#include "identity/key_ring.hpp"
#include "identity/verified_tokens.hpp"
#include "tidings/caller.hpp"
#include "tidings/config.hpp"
#include "tidings/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// What is demanded of tokens beside a good signature.
struct token_rules {
  std::string audience; ///< that `aud` must contain; empty: any
  milliseconds leeway{10'000};
  milliseconds lifetime_max{24 * 60 * 60 * 1000};
  milliseconds query_lifetime_max{10 * 60 * 1000};
};

/// The rules that a configuration asks for.
token_rules token_rules_of(const auth_config& x);

/// Says who a token is. Thread-safe; remembers the good tokens that it saw last.
class token_verifier {
public:
  /// How many good tokens are remembered.
  static constexpr size_t remembered_max = 4096;

  token_verifier(key_ring keys, token_rules rules, size_t remembered = remembered_max);

  /// Checks signature, times, issuer and audience. The caller's `expires_at_ms` is the moment from
  /// which the token is not accepted any more, leeway included. The user may subscribe to their own
  /// topics beside what the token says.
  ///
  /// Fails with errc::unauthorized; the detail says why and holds nothing of the token.
  ///
  /// @param how token, cookie or query: how the token came, which bounds its lifetime
  result<caller> verify(std::string_view token, caller::way how, int64_t now_ms) const;

  bool has_keys() const noexcept {
    return !keys_.empty();
  }

  /// How many tokens are remembered right now.
  size_t remembered() const {
    return remembered_.size();
  }

  /// What `caller::basis` is of those who sign in with a token: one mark for each key.
  std::vector<uint64_t> bases() const;

private:
  result<verified_token> check(std::string_view token) const;
  uint64_t basis_of(const verification_key& key) const;
  status check_times(const verified_token& x, caller::way how, int64_t now_ms) const;

  key_ring keys_;
  token_rules rules_;
  mutable verified_tokens remembered_;
};

} // namespace tidings
