#pragma once

#include "http/exchange.hpp"

namespace tidings::http {

/// An exchange whose answer comes from other actors.
class asking : public exchange {
public:
  void on_deadline(session&) override {
    // nop: requests between actors have timeouts of their own
  }

protected:
  /// Wraps a continuation so that it runs only if the session still waits.
  template <class F>
  auto later(session& s, F f) {
    return [weak = s.weak_from_this(), me = shared_from_this(), f](auto x) {
      if (auto alive = weak.lock())
        f(*alive, std::move(x));
    };
  }
};

} // namespace tidings::http
