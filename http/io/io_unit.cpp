#include "http/io/io_unit.hpp"

#include <boost/asio/post.hpp>
#include <caf/actor_system.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

namespace tidings::http {

namespace {

/// Messages an actor handles before others of the thread get their turn.
constexpr size_t throughput = 256;

} // namespace

io_unit::io_unit(caf::actor_system& sys, boost::asio::io_context& ctx)
  : caf::execution_unit(&sys), context_(ctx) {
  // nop
}

void io_unit::exec_later(caf::resumable* job) {
  // A pinned actor that messages an ordinary one names this unit as the host: hand those back.
  if (job->subtype() != caf::resumable::io_actor) {
    system().scheduler().enqueue(job);
    return;
  }
  auto first = false;
  {
    std::lock_guard guard{mutex_};
    first = inbox_.empty();
    inbox_.push_back(job);
  }
  if (first)
    boost::asio::post(context_, [this] { drain(); });
}

void io_unit::drain() {
  {
    std::lock_guard guard{mutex_};
    work_.swap(inbox_);
  }
  for (auto* job : work_) {
    switch (job->resume(this, throughput)) {
      case caf::resumable::resume_later:
        exec_later(job); // keeps its reference
        break;
      case caf::resumable::shutdown_execution_unit:
        break;
      default:
        caf::intrusive_ptr_release(job);
    }
  }
  work_.clear();
}

} // namespace tidings::http
