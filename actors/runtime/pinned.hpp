#pragma once

#include <caf/execution_unit.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/resumable.hpp>

#include <utility>

namespace tidings {

/// Keeps an event-based actor on one execution unit, as CAF's own brokers keep to their
/// multiplexer: all its messages are handled on the thread behind that unit, so that it may share
/// plain objects with everything else there.
template <class Base>
class pinned : public Base {
public:
  template <class... Ts>
  pinned(caf::actor_config& cfg, caf::execution_unit* unit, Ts&&... xs)
    : Base(cfg, std::forward<Ts>(xs)...), unit_(unit) {
    // nop
  }

  using Base::enqueue;

  void enqueue(caf::mailbox_element_ptr ptr, caf::execution_unit*) override {
    Base::enqueue(std::move(ptr), unit_);
  }

  void launch(caf::execution_unit*, bool lazy, bool hide) override {
    Base::launch(unit_, lazy, hide);
  }

  caf::resumable::subtype_t subtype() const override {
    return caf::resumable::io_actor;
  }

  caf::execution_unit* unit() const noexcept {
    return unit_;
  }

private:
  caf::execution_unit* unit_;
};

} // namespace tidings
