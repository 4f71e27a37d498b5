#pragma once

#include "tidings/address_block.hpp"
#include "tidings/caller.hpp"
#include "tidings/config.hpp"
#include "tidings/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// The proxies that are believed when they name a user, and what such a user may do. Immutable.
class proxy_trust {
public:
  proxy_trust() = default;

  /// Fails with errc::invalid_configuration.
  static result<proxy_trust> make(const auth_config& x);

  /// Whether a user header from this address is believed.
  bool trusts(std::string_view peer_address) const noexcept;

  /// The user that a trusted proxy names. Fails with errc::unauthorized if it cannot be a user.
  result<caller> identify(std::string_view user) const;

  bool empty() const noexcept {
    return blocks_.empty();
  }

  /// What `caller::basis` is of those whom a proxy names.
  uint64_t basis() const noexcept {
    return basis_;
  }

private:
  std::vector<address_block> blocks_;
  std::vector<std::string> admins_; // ascending
  topic_rights publish_;
  topic_rights subscribe_;
  uint64_t basis_ = 0;
};

} // namespace tidings
