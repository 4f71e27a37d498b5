#pragma once

#include <boost/asio/io_context.hpp>
#include <caf/execution_unit.hpp>

#include <mutex>
#include <vector>

namespace tidings::http {

/// Runs pinned actors on the thread of one io_context: their mailboxes are the thread's inbox. A
/// burst of messages costs one hand-over.
class io_unit : public caf::execution_unit {
public:
  io_unit(caf::actor_system& sys, boost::asio::io_context& ctx);

  /// Thread-safe.
  void exec_later(caf::resumable* job) override;

private:
  void drain();

  boost::asio::io_context& context_;
  std::mutex mutex_;
  std::vector<caf::resumable*> inbox_; // guarded by mutex_
  std::vector<caf::resumable*> work_;
};

} // namespace tidings::http
