#pragma once

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>

#include <memory>
#include <mutex>
#include <unordered_set>

namespace tidings::cluster {

/// The links of a node and their acceptor, as long as they live: they end with their owner. Not by
/// monitors: when a node stops, CAF does not wait for brokers, and the message of a monitor that is
/// left in a mailbox keeps the owner, for which CAF does wait. Nor by something attached to the
/// owner for each link, which stays for as long as the owner. Thread-safe.
class live_links : public std::enable_shared_from_this<live_links> {
public:
  /// @param owner the same in every call
  void add(const caf::actor& owner, const caf::actor_addr& x);

  void remove(const caf::actor_addr& x);

private:
  void end_all();

  std::mutex mutex_;
  std::unordered_set<caf::actor_addr> links_;
  bool attached_ = false; // to the owner
  bool ended_ = false;    // the owner
};

} // namespace tidings::cluster
