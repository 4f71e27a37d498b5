#pragma once

#include "actors/messages.hpp"
#include "cluster/membership_change.hpp"
#include "tidings/batch.hpp"
#include "tidings/event_store.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// What the storage actor and the replicator actor tell each other.

namespace tidings {

/// What the cluster allows right now. The replicator writes, everyone may read.
struct cluster_gate {
  std::atomic<bool> joined{false};          ///< publishes may be accepted
  std::atomic<bool> majority_linked{false}; ///< the level quorum can be reached
  std::atomic<uint32_t> majority{1};        ///< how many nodes it takes
  std::atomic<bool> resting{false};         ///< no new work is taken
};

/// Records of another node, or of an earlier incarnation of this one, to be appended.
struct replica_work {
  uint64_t ticket = 0; ///< comes back in the report
  uint64_t node = 0;
  std::vector<std::string> bodies;

  /// Instead of records: these are not known any more.
  std::optional<log_head> forgotten;
  origin_position forgotten_after; ///< what the last one before them must be

  /// Instead of records: those after the first position, up to the second, which must be the last
  /// there is, are published again, by this node.
  std::optional<std::pair<origin_position, origin_position>> reoriginate;

  /// Instead of records: what was set aside of this node's own is published.
  bool set_aside = false;
};

/// Events of another node for the streams of this one: not stored.
using delivery_ptr = std::shared_ptr<const std::vector<record>>;

using replica_work_ptr = std::shared_ptr<const replica_work>;

/// What a commit did to the log.
struct commit_report {
  bool synced = false;         ///< whether `heads` says anything
  std::vector<log_head> heads; ///< on disk
  std::vector<uint64_t> done;  ///< tickets

  struct refusal {
    uint64_t ticket = 0;
    bool is_fork = false; ///< the records are of another history; else: not now
  };

  std::vector<refusal> refused;
};

using commit_report_ptr = std::shared_ptr<const commit_report>;

/// What an administrator asks for.
using change_order_ptr = std::shared_ptr<const cluster::change_request>;

/// A publish of another member has its outcome.
struct forwarded_outcome {
  uint64_t link = 0;
  uint64_t request = 0;
  publish_ptr what;
};

} // namespace tidings

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::forwarded_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::change_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::cluster::change_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::replica_work_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::commit_report_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::delivery_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::batch_ptr)
