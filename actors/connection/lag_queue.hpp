#pragma once

#include "tidings/config.hpp"
#include "tidings/cursor.hpp"
#include "tidings/position.hpp"

#include <deque>

namespace tidings {

/// What a reader that cannot keep up is going to get and what not, by its overflow policy, until it
/// has caught up. Positions only: the events themselves are read from the log when the reader takes
/// bytes again.
class lag_queue {
public:
  struct place {
    lsn position{};
    cursor at; ///< where who has read it stands
  };

  /// Neighbouring events that are not going to be sent.
  struct hole {
    lsn after{}; ///< the last event that is going to be sent before it; 0: none
    place to;    ///< its last event
  };

  enum class verdict : uint8_t { kept, dropped, overflow };

  /// @param events_max at least 1: more are not kept
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
        drop(lsn{}, std::move(waiting_.front()));
        waiting_.pop_front();
        waiting_.push_back(std::move(x));
        return verdict::dropped;
      case overflow_policy::drop_newest:
        drop(waiting_.back().position, std::move(x));
        return verdict::dropped;
      case overflow_policy::catch_up:
        break;
    }
    return verdict::kept;
  }

  /// The reader has got, or been told of, everything up to `reached`.
  void pass(lsn reached) {
    while (!waiting_.empty() && waiting_.front().position <= reached)
      waiting_.pop_front();
    while (!holes_.empty() && holes_.front().to.position <= reached)
      holes_.pop_front();
  }

  /// The first hole that the reader has not passed; nullptr: there is none. Valid until the next
  /// call.
  const hole* next_hole() const noexcept {
    return holes_.empty() ? nullptr : &holes_.front();
  }

private:
  void drop(lsn after, place x) {
    if (holes_.empty() || holes_.back().after != after)
      holes_.push_back({after, std::move(x)});
    else
      holes_.back().to = std::move(x);
  }

  overflow_policy policy_;
  size_t events_max_;
  std::deque<place> waiting_;
  std::deque<hole> holes_; // at most one more than are waiting: something kept is between two
};

} // namespace tidings
