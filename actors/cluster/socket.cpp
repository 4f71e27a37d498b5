#include "actors/cluster/socket.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace tidings::cluster {

namespace {

struct free_addresses {
  void operator()(addrinfo* x) const noexcept {
    ::freeaddrinfo(x);
  }
};

using addresses = std::unique_ptr<addrinfo, free_addresses>;

std::string text_of(int error) {
  return std::generic_category().message(error);
}

/// @param flags for getaddrinfo
result<addresses> look_up(const std::string& host, uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  auto code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0)
    return failure{errc::internal_error, std::string{"no address: "} + ::gai_strerror(code)};
  return addresses{found};
}

socket_handle open_socket(const addrinfo& x) {
  return socket_handle{
    ::socket(x.ai_family, x.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, x.ai_protocol)};
}

/// 0 when the connection is there, else the error.
int finish_connecting(int socket, std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      return ETIMEDOUT;
    pollfd x{socket, POLLOUT, 0};
    auto n = ::poll(&x, 1, static_cast<int>(left.count()));
    if (n < 0 && errno != EINTR)
      return errno;
    if (n > 0)
      break;
  }
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

} // namespace

socket_handle::~socket_handle() {
  if (fd_ >= 0)
    ::close(fd_);
}

result<listening_socket> listen_on(const listen_address& where) {
  auto refuse = [&where](int error) {
    return failure{errc::invalid_configuration, "cannot listen on " + where.host + " port "
                                                  + std::to_string(where.port) + ": "
                                                  + text_of(error)};
  };
  auto found = look_up(where.host, where.port, AI_NUMERICHOST | AI_PASSIVE);
  if (!found)
    return refuse(EINVAL);
  auto& address = **found;
  listening_socket x{open_socket(address)};
  auto fd = x.socket.get();
  int on = 1;
  if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0
      || ::bind(fd, address.ai_addr, address.ai_addrlen) != 0 || ::listen(fd, SOMAXCONN) != 0)
    return refuse(errno);
  sockaddr_in6 bound{}; // long enough for both families, with the port at the same place
  socklen_t size = sizeof(bound);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return refuse(errno);
  x.port = ntohs(bound.sin6_port);
  return x;
}

result<socket_handle> connect_to(const std::string& host, uint16_t port,
                                 std::chrono::milliseconds time_max) {
  auto found = look_up(host, port, 0);
  if (!found)
    return found.error();
  auto left = 0;
  for (auto x = found->get(); x != nullptr; x = x->ai_next)
    ++left;
  const auto end = std::chrono::steady_clock::now() + time_max;
  int error = EHOSTUNREACH;
  for (auto x = found->get(); x != nullptr; x = x->ai_next) {
    // One that swallows everything leaves time for those behind it.
    const auto now = std::chrono::steady_clock::now();
    const auto deadline = now + (end - now) / left--;
    auto socket = open_socket(*x);
    if (::connect(socket.get(), x->ai_addr, x->ai_addrlen) == 0)
      return socket;
    error = errno;
    if (error == EINPROGRESS)
      error = finish_connecting(socket.get(), deadline);
    if (error == 0)
      return socket;
  }
  return failure{errc::internal_error, text_of(error)};
}

} // namespace tidings::cluster
