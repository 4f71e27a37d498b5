#pragma once

#include "cluster/replicator_status.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace tidings {

/// A member of the cluster, as this node sees it.
struct member_view {
  std::string name;
  std::string address;
  uint64_t node = 0; ///< short form; 0: it was not heard of since the start
  bool is_self = false;
  bool linked = false;
  bool silent = false;      ///< nothing was heard from it for a while
  std::string link_address; ///< of the other end
  uint64_t incarnation = 0;
  int64_t since_ms = 0; ///< Unix time since when it is, or is not, linked
  std::string trouble;  ///< why there is no link
};

/// Something that an operator has to look at.
struct alarm_view {
  std::string kind;
  std::string detail;
  int64_t time_ms = 0;
  uint64_t count = 0;
};

/// How the cluster looks from this node.
struct cluster_view {
  std::string name;
  uint64_t version = 0; ///< of the list of members
  bool draining = false;
  std::vector<member_view> members;
  cluster::replicator_status replication;
  std::vector<alarm_view> alarms; ///< one of each kind
  uint64_t waiting_publishes = 0; ///< for a quorum
  uint64_t links_up = 0;          ///< since the start
  uint64_t links_down = 0;
};

/// Where the replicator puts the view for everyone. Thread-safe.
class cluster_board {
public:
  void set(cluster_view x) {
    std::lock_guard guard{mutex_};
    view_ = std::move(x);
  }

  cluster_view get() const {
    std::lock_guard guard{mutex_};
    return view_;
  }

private:
  mutable std::mutex mutex_;
  cluster_view view_;
};

} // namespace tidings
