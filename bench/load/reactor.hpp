#pragma once

#include "clock.hpp"

#include <cstdint>
#include <sys/epoll.h>
#include <vector>

namespace bench {

/// Something that the reactor wakes. Must outlive its registration.
class handler {
public:
  handler() = default;
  handler(const handler&) = delete;
  handler& operator=(const handler&) = delete;
  virtual ~handler() = default;

  virtual void on_ready(uint32_t events) = 0;
};

/// Edge-triggered epoll. Sockets added as `late` are looked at only every so often, if an interval
/// is set: readers behind a network answer a segment after a round trip, not at once.
class reactor {
public:
  reactor();
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;
  ~reactor();

  void add(int fd, handler& on, uint32_t events = EPOLLIN | EPOLLRDHUP);
  void add_late(int fd, handler& on);
  void remove(int fd);

  /// 0: late ones are served like all others.
  void late_every(uint64_t ns) {
    late_ns_ = ns;
  }

  /// Serves until `done()` or `deadline_ns`; asks `done` after each batch of wake-ups, at least
  /// every 10 ms. Whether it was done.
  template <class Predicate>
  bool run_until(uint64_t deadline_ns, Predicate&& done) {
    while (!done()) {
      if (now_ns() >= deadline_ns)
        return false;
      turn(10);
    }
    return true;
  }

  void run_for(uint64_t ns) {
    run_until(now_ns() + ns, [] { return false; });
  }

private:
  void turn(int timeout_ms);
  void serve(int epoll, int timeout_ms, size_t count_max);

  int epoll_;
  int late_; // an epoll instance too
  uint64_t late_ns_ = 0;
  uint64_t late_next_ns_ = 0;
  std::vector<epoll_event> ready_;
};

} // namespace bench
