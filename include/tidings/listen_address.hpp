#pragma once

#include "tidings/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tidings {

/// Where a server waits for connections.
struct listen_address {
  std::string host;      ///< IPv4 or IPv6 literal, without brackets
  uint16_t port = 0;     ///< 0: any free one
  bool loopback = false; ///< only this machine can connect

  /// Reads `127.0.0.1:7300`, `[::1]:7300` and `localhost:7300`, which is 127.0.0.1. Names are not
  /// looked up. Fails with errc::invalid_configuration and says what would be right.
  static result<listen_address> parse(std::string_view text);
};

} // namespace tidings
