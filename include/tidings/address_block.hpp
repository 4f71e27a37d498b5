#pragma once

#include "tidings/result.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tidings {

/// An IP address as 128 bits; IPv4 stands where IPv6 maps it, so that one peer has one spelling.
struct ip_address {
  std::array<uint8_t, 16> bytes{};

  /// Reads `192.0.2.1`, `2001:db8::1` and `::ffff:192.0.2.1`, which is the first. A zone behind `%`
  /// is left out. Names are not looked up.
  static std::optional<ip_address> parse(std::string_view text) noexcept;

  /// Whether it is an IPv4 address.
  bool is_v4() const noexcept;

  bool operator==(const ip_address&) const = default;
};

/// All addresses with the same beginning.
class address_block {
public:
  /// Reads one address, or a block such as `10.0.0.0/8` and `2001:db8::/32`, whose bits behind the
  /// prefix must be zero. Fails with errc::invalid_configuration and says what would be right.
  static result<address_block> parse(std::string_view text);

  bool contains(const ip_address& x) const noexcept;

private:
  ip_address first_;
  uint32_t bits_ = 0; // of the prefix, of 128
};

} // namespace tidings
