#include "reactor.hpp"

#include "options.hpp"

#include <unistd.h>

namespace bench {

namespace {

void register_with(int epoll, int fd, handler& on, uint32_t events) {
  epoll_event event{};
  event.events = events | EPOLLET;
  event.data.ptr = &on;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
    fail("epoll_ctl refused a socket");
}

} // namespace

reactor::reactor()
  : epoll_(epoll_create1(EPOLL_CLOEXEC)), late_(epoll_create1(EPOLL_CLOEXEC)), ready_(16'384) {
  if (epoll_ < 0 || late_ < 0)
    fail("no epoll");
}

reactor::~reactor() {
  close(late_);
  close(epoll_);
}

void reactor::add(int fd, handler& on, uint32_t events) {
  register_with(epoll_, fd, on, events);
}

void reactor::add_late(int fd, handler& on) {
  register_with(late_ns_ != 0 ? late_ : epoll_, fd, on, EPOLLIN | EPOLLRDHUP);
}

void reactor::remove(int fd) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  epoll_ctl(late_, EPOLL_CTL_DEL, fd, nullptr);
}

void reactor::turn(int timeout_ms) {
  if (late_ns_ != 0) {
    auto now = now_ns();
    if (now >= late_next_ns_) {
      // One look at each: what comes in meanwhile is for the next time.
      late_next_ns_ = now + late_ns_;
      serve(late_, 0, ready_.size());
    }
    timeout_ms = 1;
  }
  serve(epoll_, timeout_ms, 512);
}

void reactor::serve(int epoll, int timeout_ms, size_t count_max) {
  int n = epoll_wait(epoll, ready_.data(), static_cast<int>(count_max), timeout_ms);
  for (int i = 0; i < n; ++i) {
    const auto& event = ready_[static_cast<size_t>(i)];
    static_cast<handler*>(event.data.ptr)->on_ready(event.events);
  }
}

} // namespace bench
