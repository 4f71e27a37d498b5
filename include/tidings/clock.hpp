#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace tidings {

/// Where time comes from: replaceable in tests.
class clock_source {
public:
  virtual ~clock_source() = default;

  /// Unix time in milliseconds; may jump.
  virtual int64_t wall_ms() const = 0;

  /// Milliseconds that only grow, from an arbitrary start.
  virtual int64_t steady_ms() const = 0;
};

/// The system's clocks. Thread-safe.
const clock_source& system_clock_source();

/// A wall clock that is not followed back by small steps, so that what had expired a moment ago has
/// not come to life again: a token, an event in memory. A step of more than
/// `guarded_clock::tolerance_ms` is followed, for the clock had been wrong before. Thread-safe.
class forward_clock : public clock_source {
public:
  /// @param source must outlive it
  explicit forward_clock(const clock_source& source) : source_(source) {
    // nop
  }

  int64_t wall_ms() const override;

  int64_t steady_ms() const override {
    return source_.steady_ms();
  }

private:
  const clock_source& source_;
  mutable std::atomic<int64_t> shown_ms_{0};
};

/// Decides what has expired although the wall clock may be wrong. Thread-safe.
///
/// `delete_now_ms` destroys: it never runs further ahead than five minutes past what the steady
/// clock says has passed since the last wall time known to be good, so that a clock that jumps
/// forward deletes nothing. A long downtime looks like such a jump: physical deletion then catches
/// up after the wall clock has kept pace with the steady clock for 24 hours, or when an operator
/// confirms the time.
///
/// `read_now_ms` hides, and is what new expiry times count from: it follows the wall clock forward
/// at once, but does not follow it back, so that what has been hidden stays hidden. Only when the
/// wall clock goes back by more than five minutes it had been wrong before, and what was hidden by
/// mistake is shown again; what may have been destroyed by then stays hidden, until the wall clock
/// has settled or is confirmed as above.
class guarded_clock {
public:
  static constexpr int64_t tolerance_ms = 5 * 60 * 1000;
  static constexpr int64_t settle_ms = 24LL * 60 * 60 * 1000;

  /// @param last_known_ms the wall time persisted by the previous run; 0: a new store
  guarded_clock(const clock_source& source, int64_t last_known_ms);

  int64_t read_now_ms() const;

  int64_t delete_now_ms() const;

  /// Whether physical deletion is held back because the wall clock is ahead of what it should be.
  bool frozen() const;

  enum class doubts : uint8_t { none, ahead, behind };

  /// Whether the wall clock is not what it should be, by more than the tolerance.
  doubts doubt() const;

  /// The wall time to persist: what the next run may trust.
  int64_t trusted_ms() const;

  /// An operator says that the wall clock is right.
  void confirm();

private:
  struct reading {
    int64_t wall_ms;
    int64_t steady_ms;
  };

  reading read() const;

  /// Reads the clocks and learns from what they say.
  reading settle() const;

  /// Takes the wall clock for right.
  void trust(reading now) const;

  /// What the wall clock should show.
  int64_t expected(reading now) const;

  bool is_ahead(reading now) const;

  const clock_source& source_;
  mutable std::mutex mutex_;
  mutable int64_t base_wall_ms_ = 0; // trusted wall time at base_steady_ms_
  mutable int64_t base_steady_ms_ = 0;
  mutable int64_t deleted_until_ms_ = 0; // see read_now_ms
  mutable int64_t read_floor_ms_ = 0;
  mutable int64_t offset_ms_ = 0; // wall - steady when the wall clock was last seen to jump
  mutable int64_t offset_since_ms_ = 0;
};

} // namespace tidings
