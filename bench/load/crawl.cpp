// Mode crawl: many readers of one byte per second beside others that keep up.

#include "delivery.hpp"
#include "modes.hpp"
#include "net.hpp"

#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace bench {

namespace {

/// Streams of which one byte is read each second, spread over the second.
class crawlers final : public handler {
public:
  crawlers(reactor& loop, const target& to, const std::string& topic, uint64_t count)
    : loop_(loop), timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    for (uint64_t i = 0; i < count; ++i) {
      // Small, so that the server feels it soon.
      sockets_.push_back(connect_to(to.port, 50'000 + i, 4096));
      if (!send_request(sockets_.back(), to.subscribe_request(topic, {})))
        fail("could not send a subscribe request");
    }
    loop_.add(timer_, *this, EPOLLIN);
    itimerspec spec{};
    spec.it_interval.tv_nsec = static_cast<long>(ns_per_second / turns_per_second);
    spec.it_value = spec.it_interval;
    timerfd_settime(timer_, 0, &spec, nullptr);
  }

  ~crawlers() override {
    loop_.remove(timer_);
    close(timer_);
    for (int fd : sockets_)
      if (fd >= 0)
        reset_and_close(fd);
  }

  void on_ready(uint32_t) override {
    uint64_t turns = 0;
    if (read(timer_, &turns, sizeof(turns)) <= 0)
      return;
    for (size_t i = turn_++ % turns_per_second; i < sockets_.size(); i += turns_per_second)
      read_one(sockets_[i]);
  }

  uint64_t closed() const {
    return closed_;
  }

  uint64_t bytes() const {
    return bytes_;
  }

private:
  static constexpr uint64_t turns_per_second = 100;

  void read_one(int& fd) {
    char byte = 0;
    if (fd < 0)
      return;
    auto n = recv(fd, &byte, 1, 0);
    if (n == 1) {
      ++bytes_;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
      reset_and_close(fd);
      fd = -1;
      ++closed_;
    }
  }

  reactor& loop_;
  int timer_;
  std::vector<int> sockets_;
  uint64_t turn_ = 0;
  uint64_t bytes_ = 0;
  uint64_t closed_ = 0;
};

} // namespace

report run_crawl(run_context& x) {
  auto plan = publishers_from(x.opts, 4);
  auto subscribers = x.opts.number("subscribers", 50);
  auto slow = x.opts.number("slow", 1000);
  auto rate = x.opts.real("rate", 1000);
  auto settle_s = x.opts.number("settle-s", 5);
  auto fill_s = x.opts.number("fill-s", 60);
  auto hold_s = x.opts.number("hold-s", 60);
  x.opts.refuse_unknown();

  reactor loop;
  stream_set others{loop, x.to, {.topic = plan.topic, .publishers = plan.connections}};
  others.open(subscribers);
  publisher_set publishers{loop, x.to, plan};
  prime(loop, publishers, plan.connections, others);
  auto run_for = [&](uint64_t seconds) {
    return deliver(loop, publishers, others,
                   static_cast<uint64_t>(rate * static_cast<double>(seconds)), rate);
  };
  auto complete = run_for(settle_s);
  others.tally().latency.clear();

  const auto rss_begin = x.probe.rss_bytes();
  x.probe.reset_peak();
  cpu_window filling{x.probe};
  auto begin = now_ns();
  crawlers slow_ones{loop, x.to, plan.topic, slow};
  // Until the kernel takes no more for them: then the server holds what is left.
  uint64_t unsent = 0;
  uint64_t unchanged = 0;
  for (uint64_t second = 0; second < fill_s && unchanged < 3; ++second) {
    complete = run_for(1) && complete;
    auto now = unsent_bytes(x.to.port);
    unchanged = now < unsent + unsent / 100 + 4096 ? unchanged + 1 : 0;
    unsent = now;
  }
  auto filled_s = static_cast<double>(now_ns() - begin) * 1e-9;
  filling.stop();
  auto filled = x.probe.read();
  const auto fill_latency = others.tally().latency;

  others.tally().latency.clear();
  x.probe.reset_peak();
  cpu_window holding{x.probe};
  complete = run_for(hold_s) && complete;
  holding.stop();
  auto held = x.probe.read();

  report out;
  out.parameters.add("subscribers", subscribers).add("slow", slow).add("rate", rate);
  out.parameters.add("hold_s", hold_s).add("data_bytes", plan.data_bytes).add("ack", plan.ack);
  auto& r = out.results;
  r.add("complete",
        complete && others.tally().exact() && publishers.failed() == 0 && slow_ones.closed() == 0);
  r.add("slow_closed", slow_ones.closed()).add("slow_bytes_read", slow_ones.bytes());
  r.add("buffers_full", unchanged == 3 || slow == 0).add("fill_seconds", filled_s);
  r.add("kernel_bytes", unsent_bytes(x.to.port));
  add_percentiles(r, "fill", fill_latency);
  add_percentiles(r, "hold", others.tally().latency);
  r.add("fill_cpu_percent", 100 * filling.server_cpu_seconds() / filling.seconds());
  r.add("rss_begin_bytes", rss_begin).add("fill_peak_bytes", filled.peak_bytes);
  r.add("hold_peak_bytes", held.peak_bytes);
  r.add("growth_bytes", static_cast<int64_t>(std::max(filled.peak_bytes, held.peak_bytes))
                          - static_cast<int64_t>(rss_begin));
  holding.describe(r, "delivery", others.tally().latency.count());
  return out;
}

} // namespace bench
