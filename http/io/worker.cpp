#include "http/io/worker.hpp"

#include "http/response.hpp"
#include "tidings/clock.hpp"

#include <boost/asio/post.hpp>

namespace tidings::http {

namespace {

/// More than anybody is given to hang up.
constexpr int last_ticks = 64;

} // namespace

worker::worker(caf::actor_system& sys)
  : work_(boost::asio::make_work_guard(context_)), timer_(context_), unit_(sys, context_) {
  // nop
}

worker::~worker() {
  stop();
}

void worker::start() {
  update_date();
  timer_.expires_after(shard::tick_interval);
  run_tick();
  thread_ = std::thread{[this] { context_.run(); }};
}

void worker::stop() {
  if (!thread_.joinable())
    return;
  boost::asio::post(context_, [this] {
    stopping_ = true; // a tick that is due already is not to be cancelled any more
    timer_.cancel();
    // Who still says goodbye to a client that does not hang up would wait for ticks for ever.
    for (int i = 0; i < last_ticks; ++i)
      wheel_.advance([](timed& x) { x.on_deadline(); });
    work_.reset();
  });
  thread_.join();
}

void worker::set_deadline(timed& x, milliseconds after) {
  wheel_.schedule(x, static_cast<uint64_t>((after + shard::tick_interval - milliseconds{1})
                                           / shard::tick_interval));
}

void worker::admit(std::shared_ptr<session> x) {
  auto* key = x.get();
  sessions_.emplace(key, std::move(x));
}

void worker::dismiss(session& x) {
  auto i = sessions_.find(&x);
  if (i == sessions_.end())
    return;
  boost::asio::post(context_, [last = std::move(i->second)] {});
  sessions_.erase(i);
}

std::vector<std::shared_ptr<session>> worker::sessions() const {
  std::vector<std::shared_ptr<session>> xs;
  for (auto& [key, x] : sessions_)
    xs.push_back(x);
  return xs;
}

void worker::update_date() {
  auto now = system_clock_source().wall_ms() / 1000;
  if (now != std::exchange(date_second_, now))
    date_ = http_date(now);
}

void worker::run_tick() {
  timer_.async_wait([this](boost::system::error_code ec) {
    if (ec || stopping_)
      return;
    // From the last expiry, so that late ticks do not add up; after a long pause from now.
    auto now = std::chrono::steady_clock::now();
    auto next = timer_.expiry() + shard::tick_interval;
    timer_.expires_at(std::max(next, now));
    update_date();
    shard_->tick();
    wheel_.advance([](timed& x) { x.on_deadline(); });
    run_tick();
  });
}

} // namespace tidings::http
