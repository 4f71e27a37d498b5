#pragma once

#include "http/broker_context.hpp"
#include "http/io/worker.hpp"
#include "tidings/result.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tidings::http {

/// Accepts connections on the first worker's thread and deals them out over all workers.
class listener {
public:
  /// @param workers outlive the listener; at least one
  listener(std::vector<worker*> workers, broker_context& broker);

  /// Binds and listens. Before the workers start.
  status open(const std::string& host_and_port);

  /// Encrypts connections that are accepted from now on; thread-safe.
  void set_tls(std::shared_ptr<boost::asio::ssl::context> tls);

  /// Begins to accept. Before the workers start.
  void start();

  /// Accepts no more; on the first worker's thread.
  void close();

  /// `127.0.0.1:7300`, with the port that was taken.
  std::string address() const;

private:
  void accept();
  void take(boost::asio::ip::tcp::socket socket, worker& home);

  std::vector<worker*> workers_;
  broker_context& broker_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::chrono::steady_clock::time_point warned_; // of a failure to accept
  boost::asio::steady_timer pause_;
  std::mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> tls_; // guarded by mutex_
  size_t next_ = 0;
};

} // namespace tidings::http
