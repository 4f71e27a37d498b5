#include "http/listener.hpp"

#include "http/session.hpp"
#include "tidings/listen_address.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <netinet/tcp.h>

namespace tidings::http {

namespace net = boost::asio;
using tcp = net::ip::tcp;

namespace {

/// After a failure such as too many open files: the streams that are open matter more than new
/// ones.
constexpr auto pause_after_failure = std::chrono::milliseconds{100};

/// So that what fails ten times a second does not fill a disk with log lines.
constexpr auto pause_between_warnings = std::chrono::seconds{30};

/// A client whose packets are lost on the way looks like a quiet one. The system ends its
/// connection when what was sent stays unacknowledged for so long: a heartbeat, or where there is
/// none, a question of its own (see `ask_after_silence`).
void end_if_unacknowledged(tcp::socket& socket, milliseconds patience) {
  using longest = std::numeric_limits<int>;
  auto ms = static_cast<int>(std::min<int64_t>(patience.count(), longest::max()));
  net::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT> option{ms};
  boost::system::error_code ignored; // without it, the system's own patience counts
  socket.set_option(option, ignored);
}

/// The system asks a silent client after a minute whether it is still there. Accepted sockets have
/// this from the one that listens.
void ask_after_silence(tcp::acceptor& acceptor) {
  net::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE> silence_s{60};
  net::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL> interval_s{10};
  boost::system::error_code ignored; // as above
  acceptor.set_option(net::socket_base::keep_alive{true}, ignored);
  acceptor.set_option(silence_s, ignored);
  acceptor.set_option(interval_s, ignored);
}

} // namespace

listener::listener(std::vector<worker*> workers, broker_context& broker)
  : workers_(std::move(workers)),
    broker_(broker),
    acceptor_(workers_.front()->context()),
    pause_(workers_.front()->context()) {
  // nop
}

status listener::open(const std::string& host_and_port) {
  auto address = listen_address::parse(host_and_port);
  if (!address)
    return address.error();
  boost::system::error_code ec;
  tcp::endpoint where{net::ip::make_address(address->host, ec), address->port};
  acceptor_.open(where.protocol(), ec);
  if (!ec)
    acceptor_.set_option(net::socket_base::reuse_address(true), ec);
  if (!ec)
    acceptor_.bind(where, ec);
  if (!ec)
    acceptor_.listen(4096, ec);
  ask_after_silence(acceptor_);
  if (ec)
    return failure{errc::invalid_configuration,
                   "server.listen: cannot listen on " + host_and_port + ": " + ec.message()};
  return std::nullopt;
}

void listener::set_tls(std::shared_ptr<net::ssl::context> tls) {
  std::lock_guard guard{mutex_};
  tls_ = std::move(tls);
}

void listener::start() {
  accept();
}

void listener::close() {
  boost::system::error_code ignored;
  pause_.cancel();
  acceptor_.close(ignored);
}

std::string listener::address() const {
  boost::system::error_code ec;
  auto x = acceptor_.local_endpoint(ec);
  auto host = x.address().to_string();
  return (x.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(x.port());
}

void listener::accept() {
  auto& home = *workers_[next_++ % workers_.size()];
  acceptor_.async_accept(home.context(),
                         [this, &home](boost::system::error_code ec, tcp::socket socket) {
                           if (ec == net::error::operation_aborted || !acceptor_.is_open())
                             return;
                           if (!ec) {
                             take(std::move(socket), home);
                             return accept();
                           }
                           auto now = std::chrono::steady_clock::now();
                           if (now - warned_ >= pause_between_warnings) {
                             warned_ = now;
                             spdlog::warn("accept failed err=\"{}\" retry_ms={}", ec.message(),
                                          pause_after_failure.count());
                           }
                           pause_.expires_after(pause_after_failure);
                           pause_.async_wait([this](boost::system::error_code stopped) {
                             if (!stopped)
                               accept();
                           });
                         });
}

void listener::take(tcp::socket socket, worker& home) {
  auto& stats = *broker_.stats;
  add(stats.connections_total);
  if (value(stats.connections_open) >= broker_.connections_max) {
    add(stats.connections_refused);
    return; // closing is the answer: an EventSource comes back
  }
  add(stats.connections_open);
  std::shared_ptr<net::ssl::context> tls;
  {
    std::lock_guard guard{mutex_};
    tls = tls_;
  }
  net::post(home.context(), [this, &home, tls, s = std::move(socket)]() mutable {
    end_if_unacknowledged(s, home.home().settings().limits.write_timeout);
    auto io = tls ? make_tls_transport(std::move(s), tls) : make_plain_transport(std::move(s));
    std::make_shared<session>(home, broker_, std::move(io))->start();
  });
}

} // namespace tidings::http
