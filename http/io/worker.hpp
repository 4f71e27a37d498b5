#pragma once

#include "actors/shard/shard.hpp"
#include "http/io/io_unit.hpp"
#include "tidings/timer_wheel.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

namespace tidings::http {

class session;

/// Has a deadline on a worker's wheel.
class timed : public timer_wheel<timed>::hook {
public:
  virtual ~timed() = default;
  virtual void on_deadline() = 0;
};

/// One I/O thread and all that lives on it: its io_context, the execution unit of its actors, its
/// shard, and the sessions of its sockets. A socket stays with its worker for life.
class worker {
public:
  explicit worker(caf::actor_system& sys);

  ~worker();

  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  boost::asio::io_context& context() noexcept {
    return context_;
  }

  caf::execution_unit* unit() noexcept {
    return &unit_;
  }

  /// Before `start`.
  void set_shard(std::shared_ptr<shard> x) {
    shard_ = std::move(x);
  }

  shard& home() noexcept {
    return *shard_;
  }

  void start();

  /// Lets the thread end when nothing is left to do, and waits for it. Sessions must be gone.
  void stop();

  // -- on the worker's thread
  // ------------------------------------------------------------------------

  /// Calls `x.on_deadline()` about `after` from now, unless it is moved or removed before.
  void set_deadline(timed& x, milliseconds after);

  void clear_deadline(timed& x) {
    wheel_.remove(x);
  }

  /// Now, as the value of a `Date` field; at most a tick late.
  const std::string& date() const noexcept {
    return date_;
  }

  /// Keeps a session alive until it is dismissed.
  void admit(std::shared_ptr<session> x);

  /// Lets a session go, but not within this call.
  void dismiss(session& x);

  /// Open sessions.
  std::vector<std::shared_ptr<session>> sessions() const;

private:
  void run_tick();
  void update_date();

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  io_unit unit_;
  std::shared_ptr<shard> shard_;
  timer_wheel<timed> wheel_;
  std::unordered_map<session*, std::shared_ptr<session>> sessions_;
  std::string date_;
  int64_t date_second_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace tidings::http
