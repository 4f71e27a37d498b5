#pragma once

#include "tidings/config.hpp"
#include "tidings/cursor.hpp"
#include "tidings/position.hpp"

#include <deque>
#include <optional>

namespace tidings {

/// What a reader that cannot keep up is going to get and what not, by its overflow policy.
/// Positions only: the events themselves are read from the log when the reader takes bytes again.
class lag_queue {
public:
  struct place {
    lsn position{};
    cursor at; ///< where who has read it stands
  };

  enum class verdict : uint8_t { kept, dropped, overflow };

  lag_queue(overflow_policy policy, size_t events_max) : policy_(policy), events_max_(events_max) {
    // nop
  }

  /// An event came that the reader cannot take now.
  verdict push(place x) {
    if (waiting_.size() < events_max_) {
      waiting_.push_back(std::move(x));
      return verdict::kept;
    }
    switch (policy_) {
      case overflow_policy::disconnect:
        return verdict::overflow;
      case overflow_policy::drop_oldest:
        last_dropped_ = std::move(waiting_.front());
        waiting_.pop_front();
        waiting_.push_back(std::move(x));
        return verdict::dropped;
      case overflow_policy::drop_newest:
        last_dropped_ = std::move(x);
        return verdict::dropped;
      case overflow_policy::catch_up:
        break;
    }
    return verdict::kept;
  }

  /// The last event that is not going to be sent; nullopt: none was dropped.
  const std::optional<place>& last_dropped() const noexcept {
    return last_dropped_;
  }

  /// The last event that is going to be sent before the hole, under `drop_newest`.
  std::optional<place> last_kept() const {
    return waiting_.empty() ? std::nullopt : std::optional{waiting_.back()};
  }

  bool drops_newest() const noexcept {
    return policy_ == overflow_policy::drop_newest;
  }

private:
  overflow_policy policy_;
  size_t events_max_;
  std::deque<place> waiting_;
  std::optional<place> last_dropped_;
};

} // namespace tidings
