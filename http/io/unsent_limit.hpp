#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <netinet/tcp.h>

namespace tidings::http {

/// See `transport::limit_unsent`. Unlike a smaller send buffer it leaves what is under way alone,
/// so that a distant reader is as fast as before.
inline void limit_unsent(boost::asio::ip::tcp::socket& socket, size_t bytes) {
  auto most = static_cast<int>(bytes);
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
}

} // namespace tidings::http
