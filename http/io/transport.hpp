#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tidings::http {

using boost::system::error_code;
using tcp = boost::asio::ip::tcp;

/// One client's socket, plain or TLS. Everything happens on the thread of its io_context. At most
/// one read (or wait for the end) and one wait for room at a time.
class transport {
public:
  /// Whoever uses the transport now. Operations that are under way keep it alive.
  class user {
  public:
    virtual ~user() = default;

    /// A read ended, or the wait for the end of the connection.
    virtual void on_read(error_code ec, size_t n) = 0;

    /// There is room again.
    virtual void on_room(error_code ec) = 0;
  };

  virtual ~transport() = default;

  /// Completes at once for plain sockets; `on_read` tells the outcome of a TLS handshake with n =
  /// 0.
  virtual void handshake(std::shared_ptr<user> who) = 0;

  virtual void read(boost::asio::mutable_buffer into, std::shared_ptr<user> who) = 0;

  /// Reads and discards until the other side ends the connection; then `on_read` with an error.
  virtual void wait_for_end(std::shared_ptr<user> who) = 0;

  /// Hands over what there is room for, and returns how much that was. `ec` is set only by
  /// failures.
  virtual size_t write(std::span<const std::string_view> pieces, error_code& ec) = 0;

  /// Whether bytes that it took are still its own: closing now would lose them.
  virtual bool is_writing() const noexcept {
    return false;
  }

  /// See `byte_sink::prefetch`.
  virtual void prefetch() const noexcept {
    // nop
  }

  /// From now on the kernel takes no more than so many bytes beyond what it can send at once; there
  /// is room again when half of them are gone.
  virtual void limit_unsent(size_t bytes) = 0;

  virtual void wait_for_room(std::shared_ptr<user> who) = 0;

  /// Says that nothing more will be written: what was handed over is still sent.
  virtual void finish() = 0;

  /// Ends the connection now.
  virtual void close() = 0;

  /// Address and port of the other side.
  virtual const std::string& peer() const = 0;
};

std::unique_ptr<transport> make_plain_transport(tcp::socket socket);

/// @param tls is copied (it is a shared handle), so a reload does not disturb open connections
std::unique_ptr<transport> make_tls_transport(tcp::socket socket,
                                              std::shared_ptr<boost::asio::ssl::context> tls);

} // namespace tidings::http
