#pragma once

#include "tidings/caller.hpp"
#include "tidings/config.hpp"
#include "tidings/result.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// Longest API key that is looked at, in bytes.
inline constexpr size_t api_key_bytes_max = 512;

/// SHA-256 as 64 lower-case hexadecimal digits: how the configuration knows an API key.
std::string api_key_hash(std::string_view key);

/// The keys that programs publish with. Immutable.
class api_keys {
public:
  api_keys() = default;

  /// Fails with errc::invalid_configuration.
  static result<api_keys> make(const std::vector<auth_api_key>& keys);

  /// Whose key this is. Every entry is compared, each in constant time. Fails with
  /// errc::unauthorized.
  result<caller> identify(std::string_view key) const;

  bool empty() const noexcept {
    return entries_.empty();
  }

  /// What `caller::basis` is of those who come with a key: one mark for each.
  std::vector<uint64_t> bases() const;

private:
  struct entry {
    std::array<uint8_t, 32> hash;
    caller who;
  };

  std::vector<entry> entries_;
};

} // namespace tidings
