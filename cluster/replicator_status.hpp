#pragma once

#include "cluster/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

/// What a replicator shows to operators.
namespace tidings::cluster {

/// One member other than this node.
struct peer_status {
  uint64_t node = 0;
  bool linked = false;
  bool heard = false;             ///< its heads are known
  std::vector<origin_head> heads; ///< what it has on disk
  uint64_t lag = 0;               ///< records that this node has and it has not; at least
  uint64_t credit = 0;            ///< bytes that it takes from us now
  uint64_t bytes_sent = 0;        ///< of records, over this link
  uint64_t bytes_received = 0;    ///< of records, over this link
};

/// The records of one node.
struct origin_status {
  uint64_t node = 0;
  origin_head head;               ///< on disk here
  std::optional<uint64_t> source; ///< the peer they come from
  uint64_t lag = 0; ///< records that some linked peer has and this node has not; at least
  bool forked = false;
};

struct replicator_status {
  uint64_t node = 0;
  uint64_t incarnation = 0;
  bool joined = false;
  bool majority_linked = false; ///< this node and those it is linked with are a majority
  uint64_t members_version = 0;
  origin_position quorum; ///< of this node's records
  std::vector<peer_status> peers;
  std::vector<origin_status> origins;
};

/// How many records lie between two heads of one node: as far as the numbers tell, at least.
uint64_t records_between(const origin_position& from, const origin_position& to) noexcept;

} // namespace tidings::cluster
