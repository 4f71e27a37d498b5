#include "tidings/clock.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace tidings {

namespace {

int64_t read_ms(clockid_t id) noexcept {
  timespec x{};
  clock_gettime(id, &x);
  return static_cast<int64_t>(x.tv_sec) * 1000 + x.tv_nsec / 1'000'000;
}

class system_clocks : public clock_source {
public:
  int64_t wall_ms() const override {
    return read_ms(CLOCK_REALTIME);
  }

  int64_t steady_ms() const override {
    return read_ms(CLOCK_BOOTTIME); // goes on while the machine sleeps, as the wall clock does
  }
};

} // namespace

const clock_source& system_clock_source() {
  static const system_clocks instance;
  return instance;
}

int64_t forward_clock::wall_ms() const {
  auto now = source_.wall_ms();
  auto shown = shown_ms_.load(std::memory_order_relaxed);
  while (now != shown) {
    if (now < shown && shown - now <= guarded_clock::tolerance_ms)
      return shown;
    if (shown_ms_.compare_exchange_weak(shown, now, std::memory_order_relaxed))
      return now;
  }
  return now;
}

guarded_clock::guarded_clock(const clock_source& source, int64_t last_known_ms) : source_(source) {
  auto now = read();
  trust(now);
  if (last_known_ms != 0) {
    base_wall_ms_ = last_known_ms;
    deleted_until_ms_ = last_known_ms;
  }
  read_floor_ms_ = deleted_until_ms_;
}

int64_t guarded_clock::read_now_ms() const {
  std::lock_guard guard{mutex_};
  auto now = settle();
  if (now.wall_ms < read_floor_ms_ - tolerance_ms) // what was ahead was wrong
    read_floor_ms_ = deleted_until_ms_;
  read_floor_ms_ = std::max(read_floor_ms_, now.wall_ms);
  return read_floor_ms_;
}

int64_t guarded_clock::delete_now_ms() const {
  std::lock_guard guard{mutex_};
  auto now = settle();
  auto x = std::min(now.wall_ms, expected(now) + tolerance_ms);
  deleted_until_ms_ = std::max(deleted_until_ms_, x);
  read_floor_ms_ = std::max(read_floor_ms_, deleted_until_ms_);
  return x;
}

bool guarded_clock::frozen() const {
  std::lock_guard guard{mutex_};
  return is_ahead(settle());
}

guarded_clock::doubts guarded_clock::doubt() const {
  std::lock_guard guard{mutex_};
  auto now = settle();
  if (is_ahead(now))
    return doubts::ahead;
  return now.wall_ms < expected(now) - tolerance_ms ? doubts::behind : doubts::none;
}

int64_t guarded_clock::trusted_ms() const {
  std::lock_guard guard{mutex_};
  auto now = settle();
  return is_ahead(now) ? expected(now) : std::max(expected(now), now.wall_ms);
}

void guarded_clock::confirm() {
  std::lock_guard guard{mutex_};
  trust(read());
}

guarded_clock::reading guarded_clock::read() const {
  return {source_.wall_ms(), source_.steady_ms()};
}

guarded_clock::reading guarded_clock::settle() const {
  auto now = read();
  auto offset = now.wall_ms - now.steady_ms;
  if (std::abs(offset - offset_ms_) > tolerance_ms) {
    offset_ms_ = offset;
    offset_since_ms_ = now.steady_ms;
  } else if (now.steady_ms - offset_since_ms_ >= settle_ms) {
    trust(now);
  }
  return now;
}

void guarded_clock::trust(reading now) const {
  base_wall_ms_ = now.wall_ms;
  base_steady_ms_ = now.steady_ms;
  offset_ms_ = now.wall_ms - now.steady_ms;
  offset_since_ms_ = now.steady_ms;
  if (deleted_until_ms_ - now.wall_ms > tolerance_ms) // time had been trusted that was wrong
    deleted_until_ms_ = now.wall_ms;
}

int64_t guarded_clock::expected(reading now) const {
  return base_wall_ms_ + now.steady_ms - base_steady_ms_;
}

bool guarded_clock::is_ahead(reading now) const {
  return now.wall_ms > expected(now) + tolerance_ms;
}

} // namespace tidings
