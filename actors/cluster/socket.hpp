#pragma once

#include "tidings/listen_address.hpp"
#include "tidings/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace tidings::cluster {

/// Owns a socket until somebody takes it.
class socket_handle {
public:
  explicit socket_handle(int fd) noexcept : fd_(fd) {
    // nop
  }

  socket_handle(socket_handle&& x) noexcept : fd_(std::exchange(x.fd_, -1)) {
    // nop
  }

  socket_handle& operator=(socket_handle&& x) noexcept {
    std::swap(fd_, x.fd_);
    return *this;
  }

  ~socket_handle();

  int get() const noexcept {
    return fd_;
  }

  int release() noexcept {
    return std::exchange(fd_, -1);
  }

private:
  int fd_;
};

struct listening_socket {
  socket_handle socket;
  uint16_t port = 0;
};

/// Fails with errc::invalid_configuration.
result<listening_socket> listen_on(const listen_address& where);

/// Looks the name up, which the system bounds, and tries all its addresses until the time is over.
/// Blocks. Fails with errc::internal_error and says why.
/// @param host name, or address without brackets
result<socket_handle> connect_to(const std::string& host, uint16_t port,
                                 std::chrono::milliseconds time_max);

} // namespace tidings::cluster
