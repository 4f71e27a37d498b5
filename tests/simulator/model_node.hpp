#pragma once

#include "cluster/replicator.hpp"
#include "simulator/model_disk.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace tidings::simulator {

/// A process with a disk.
struct model_node {
  struct publish {
    uint32_t value = 0;
    size_t padding = 0;
  };

  struct publish_aside {};

  using work = std::variant<cluster::action::store, cluster::action::store_forgotten,
                            cluster::action::reoriginate, publish, publish_aside>;

  explicit model_node(uint64_t id) : disk(id) {
    // nop
  }

  model_disk disk;
  std::optional<model_disk> backup;
  bool may_be_rolled_back = false; ///< one of a fixed minority
  int64_t rolled_back_ms = -1;
  int64_t power_cut_ms = -1;

  // Of the process.
  std::unique_ptr<cluster::replicator> core;
  uint32_t life = 0;
  int64_t paused_until_us = 0;
  bool accepting = false;
  int64_t disk_slow_until_us = 0;
  int64_t disk_full_until_us = 0;
  std::deque<work> queue;
  uint64_t queued_bytes = 0;
  size_t committing = 0; ///< how many of the queue
  std::vector<cluster::action::read> reads;
  std::deque<uint32_t> waiting;              ///< values that wait for a quorum, in order
  std::array<bool, nodes_max + 1> refused{}; ///< something of this node, and what follows it too

  bool running() const noexcept {
    return core != nullptr;
  }
};

} // namespace tidings::simulator
