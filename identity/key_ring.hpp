#pragma once

#include "identity/json_web_token.hpp"
#include "identity/verification_key.hpp"
#include "tidings/config.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace tidings {

/// The keys that tokens are checked with; several at a time, so that keys can be changed without a
/// moment in which nobody can sign in. Immutable.
class key_ring {
public:
  key_ring() = default;

  explicit key_ring(std::vector<verification_key> keys);

  /// Reads the files. Fails with errc::invalid_configuration; the detail has one line per problem,
  /// each with the key's id and its file.
  static result<key_ring> load(const std::vector<auth_key>& keys);

  /// The keys that may have signed a token: those that its `kid` names, or all if it has none; of
  /// these only the ones for the token's algorithm.
  std::vector<const verification_key*> candidates(const json_web_token& x) const;

  bool empty() const noexcept {
    return keys_.empty();
  }

  const std::vector<verification_key>& keys() const noexcept {
    return keys_;
  }

private:
  std::vector<verification_key> keys_;
  std::unordered_map<std::string, std::vector<size_t>> by_id_; // indexes
};

} // namespace tidings
