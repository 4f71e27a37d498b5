#include "http/io/transport.hpp"
#include "http/io/unsent_limit.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <sys/socket.h>
#include <sys/uio.h>

namespace tidings::http {

namespace {

class plain_transport : public transport {
public:
  explicit plain_transport(tcp::socket socket) : socket_(std::move(socket)) {
    error_code ec;
    auto remote = socket_.remote_endpoint(ec);
    if (!ec)
      peer_ = remote.address().to_string() + ':' + std::to_string(remote.port());
    socket_.set_option(tcp::no_delay(true), ec);
    socket_.non_blocking(true, ec);
  }

  void handshake(std::shared_ptr<user> who) override {
    boost::asio::post(socket_.get_executor(), [who = std::move(who)] { who->on_read({}, 0); });
  }

  void read(boost::asio::mutable_buffer into, std::shared_ptr<user> who) override {
    socket_.async_read_some(
      into, [who = std::move(who)](error_code ec, size_t n) { who->on_read(ec, n); });
  }

  void wait_for_end(std::shared_ptr<user> who) override {
    socket_.async_wait(tcp::socket::wait_read, [this, who = std::move(who)](error_code ec) mutable {
      std::array<char, 512> noise;
      if (!ec && socket_.read_some(boost::asio::buffer(noise), ec) > 0)
        return wait_for_end(std::move(who));
      if (!ec || ec == boost::asio::error::would_block)
        return wait_for_end(std::move(who));
      who->on_read(ec, 0);
    });
  }

  size_t write(std::span<const std::string_view> pieces, error_code& ec) override {
    auto fd = socket_.native_handle();
    if (pieces.size() == 1)
      return sent(::send(fd, pieces[0].data(), pieces[0].size(), MSG_NOSIGNAL | MSG_DONTWAIT), ec);
    size_t total = 0;
    while (!pieces.empty()) {
      std::array<iovec, 64> list;
      auto count = std::min(pieces.size(), list.size());
      size_t bytes = 0;
      for (size_t i = 0; i < count; ++i) {
        list[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
        bytes += pieces[i].size();
      }
      msghdr message{};
      message.msg_iov = list.data();
      message.msg_iovlen = count;
      auto n = sent(::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT), ec);
      total += n;
      if (n < bytes)
        break;
      pieces = pieces.subspan(count);
    }
    return total;
  }

  void prefetch() const noexcept override {
    __builtin_prefetch(&socket_);
  }

  void limit_unsent(size_t bytes) override {
    http::limit_unsent(socket_, bytes);
  }

  void wait_for_room(std::shared_ptr<user> who) override {
    socket_.async_wait(tcp::socket::wait_write,
                       [who = std::move(who)](error_code ec) { who->on_room(ec); });
  }

  void finish() override {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }

  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }

  const std::string& peer() const override {
    return peer_;
  }

private:
  static size_t sent(ssize_t n, error_code& ec) {
    if (n >= 0)
      return static_cast<size_t>(n);
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
      ec = error_code{errno, boost::system::system_category()};
    return 0;
  }

  tcp::socket socket_;
  std::string peer_;
};

} // namespace

std::unique_ptr<transport> make_plain_transport(tcp::socket socket) {
  return std::make_unique<plain_transport>(std::move(socket));
}

} // namespace tidings::http
