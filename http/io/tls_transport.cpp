#include "http/io/transport.hpp"
#include "http/io/unsent_limit.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace tidings::http {

namespace {

/// Bytes taken over while an earlier write is still under way.
constexpr size_t buffer_bytes = 64 * 1024;

/// TLS needs its input to stay in place until a record is out, so writes go through a buffer: when
/// one is under way there is no room.
class tls_transport : public transport, public std::enable_shared_from_this<tls_transport> {
public:
  tls_transport(tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> tls)
    : context_(std::move(tls)), stream_(std::move(socket), *context_) {
    error_code ec;
    auto remote = stream_.next_layer().remote_endpoint(ec);
    if (!ec)
      peer_ = remote.address().to_string() + ':' + std::to_string(remote.port());
    stream_.next_layer().set_option(tcp::no_delay(true), ec);
  }

  void handshake(std::shared_ptr<user> who) override {
    stream_.async_handshake(
      boost::asio::ssl::stream_base::server,
      [me = shared_from_this(), who = std::move(who)](error_code ec) { who->on_read(ec, 0); });
  }

  void read(boost::asio::mutable_buffer into, std::shared_ptr<user> who) override {
    stream_.async_read_some(into, [me = shared_from_this(), who = std::move(who)](
                                    error_code ec, size_t n) { who->on_read(ec, n); });
  }

  void wait_for_end(std::shared_ptr<user> who) override {
    stream_.async_read_some(
      boost::asio::buffer(noise_),
      [me = shared_from_this(), who = std::move(who)](error_code ec, size_t) mutable {
        if (ec)
          who->on_read(ec, 0);
        else
          me->wait_for_end(std::move(who));
      });
  }

  size_t write(std::span<const std::string_view> pieces, error_code& ec) override {
    ec = failed_;
    if (ec || writing_)
      return 0;
    for (auto x : pieces) {
      auto n = std::min(x.size(), buffer_bytes - buffer_.size());
      buffer_.append(x.substr(0, n));
      if (n < x.size())
        break;
    }
    auto taken = buffer_.size();
    if (taken == 0)
      return 0;
    writing_ = true;
    boost::asio::async_write(
      stream_, boost::asio::buffer(buffer_),
      [me = shared_from_this()](error_code ec2, size_t) { me->on_written(ec2); });
    return taken;
  }

  bool is_writing() const noexcept override {
    return writing_;
  }

  void limit_unsent(size_t bytes) override {
    http::limit_unsent(stream_.next_layer(), bytes);
  }

  void wait_for_room(std::shared_ptr<user> who) override {
    waiting_ = std::move(who);
    if (!writing_)
      boost::asio::post(stream_.get_executor(), [me = shared_from_this()] { me->tell(); });
  }

  void finish() override {
    finishing_ = true;
    if (!writing_)
      shut_down();
  }

  void close() override {
    error_code ignored;
    stream_.next_layer().close(ignored);
  }

  const std::string& peer() const override {
    return peer_;
  }

private:
  void on_written(error_code ec) {
    writing_ = false;
    failed_ = ec;
    buffer_.clear();
    if (buffer_.capacity() > 4096)
      buffer_.shrink_to_fit();
    if (finishing_ && !ec)
      shut_down();
    tell();
  }

  void tell() {
    if (auto who = std::exchange(waiting_, nullptr))
      who->on_room(failed_);
  }

  /// Tells the other side that the end is meant (close_notify), and half-closes.
  void shut_down() {
    if (std::exchange(shut_, true))
      return;
    stream_.async_shutdown([me = shared_from_this()](error_code) {
      error_code ignored;
      me->stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  std::shared_ptr<boost::asio::ssl::context> context_;
  boost::asio::ssl::stream<tcp::socket> stream_;
  std::string peer_;
  std::string buffer_;
  std::array<char, 512> noise_;
  std::shared_ptr<user> waiting_;
  error_code failed_;
  bool writing_ = false;
  bool finishing_ = false;
  bool shut_ = false;
};

/// The stream's operations refer to it, so it lives as long as the last of them.
class tls_handle : public transport {
public:
  explicit tls_handle(std::shared_ptr<tls_transport> x) : x_(std::move(x)) {
    // nop
  }

  ~tls_handle() override {
    x_->close();
  }

  void handshake(std::shared_ptr<user> who) override {
    x_->handshake(std::move(who));
  }

  void read(boost::asio::mutable_buffer into, std::shared_ptr<user> who) override {
    x_->read(into, std::move(who));
  }

  void wait_for_end(std::shared_ptr<user> who) override {
    x_->wait_for_end(std::move(who));
  }

  size_t write(std::span<const std::string_view> pieces, error_code& ec) override {
    return x_->write(pieces, ec);
  }

  bool is_writing() const noexcept override {
    return x_->is_writing();
  }

  void limit_unsent(size_t bytes) override {
    x_->limit_unsent(bytes);
  }

  void wait_for_room(std::shared_ptr<user> who) override {
    x_->wait_for_room(std::move(who));
  }

  void finish() override {
    x_->finish();
  }

  void close() override {
    x_->close();
  }

  const std::string& peer() const override {
    return x_->peer();
  }

private:
  std::shared_ptr<tls_transport> x_;
};

} // namespace

std::unique_ptr<transport> make_tls_transport(tcp::socket socket,
                                              std::shared_ptr<boost::asio::ssl::context> tls) {
  return std::make_unique<tls_handle>(
    std::make_shared<tls_transport>(std::move(socket), std::move(tls)));
}

} // namespace tidings::http
