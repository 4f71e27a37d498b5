#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace tidings {

/// Deadlines of very many objects without a timer for each: setting, moving and removing one is a
/// few instructions, and objects far from their deadline cost nothing. Not thread-safe.
///
/// @tparam T derives from `timer_wheel<T>::hook`; must be removed before it is destroyed
template <class T, size_t SlotCount = 1024>
class timer_wheel {
public:
  class hook {
  public:
    bool scheduled() const noexcept {
      return slot_ != none;
    }

    uint64_t due_tick() const noexcept {
      return due_;
    }

  private:
    friend timer_wheel;
    static constexpr uint32_t none = std::numeric_limits<uint32_t>::max();
    uint64_t due_ = 0;
    uint32_t slot_ = none;
    uint32_t index_ = 0;
  };

  /// Sets or moves the deadline of `x` to `ticks` from now, at least one.
  void schedule(T& x, uint64_t ticks) {
    hook& h = x;
    remove(x);
    h.due_ = now_ + (ticks == 0 ? 1 : ticks);
    h.slot_ = static_cast<uint32_t>(h.due_ % SlotCount);
    auto& slot = slots_[h.slot_];
    h.index_ = static_cast<uint32_t>(slot.size());
    slot.push_back(&x);
  }

  /// Forgets `x`; harmless if it has no deadline.
  void remove(T& x) noexcept {
    hook& h = x;
    if (!h.scheduled())
      return;
    auto& slot = slots_[h.slot_];
    auto* last = slot.back();
    slot[h.index_] = last;
    static_cast<hook&>(*last).index_ = h.index_;
    slot.pop_back();
    h.slot_ = hook::none;
  }

  /// One tick has passed: calls `f(x)` for everything that is due, each without a deadline then.
  /// `f` may schedule and remove anything.
  template <class F>
  void advance(F f) {
    ++now_;
    auto& slot = slots_[now_ % SlotCount];
    for (size_t i = 0; i < slot.size();) {
      if (static_cast<hook&>(*slot[i]).due_ > now_) {
        ++i; // a later round
        continue;
      }
      auto* x = slot[i];
      remove(*x); // puts the last one in its place
      f(*x);
    }
  }

  uint64_t now() const noexcept {
    return now_;
  }

private:
  uint64_t now_ = 0;
  std::array<std::vector<T*>, SlotCount> slots_;
};

} // namespace tidings
