#pragma once

#include "tidings/position.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

/// What nodes of a cluster tell each other once they know who they are. A node is named by the
/// short form of its id.
namespace tidings::cluster {

/// How far somebody has the records of one node.
struct origin_head {
  uint64_t node = 0;
  origin_position at; ///< of the last record; everything before it is there, or known to be gone

  /// Hash over that record and all before it of the same incarnation. 0: not known, because that
  /// record is gone.
  uint64_t chain = 0;

  bool operator==(const origin_head&) const = default;
};

/// What the sender has on disk: at the beginning all of it, then what changed, and from time to
/// time all of it again.
struct heads {
  bool complete = false;
  std::vector<origin_head> origins;

  bool operator==(const heads&) const = default;
};

/// Send me the records of this node after a position, and those to come, until told otherwise. A
/// second one for the same node replaces the first.
struct want {
  uint64_t node = 0;
  origin_position after;

  bool operator==(const want&) const = default;
};

/// Send no more records of this node.
struct stop {
  uint64_t node = 0;

  bool operator==(const stop&) const = default;
};

/// So many more bytes of records may come.
struct credit {
  uint64_t bytes = 0;

  bool operator==(const credit&) const = default;
};

/// One record as it travels. `bytes` are the same on every node.
struct replica {
  origin_position at;

  /// Of the first record of an incarnation: the last one of the node before it. Else (0, 0).
  origin_position follows;

  uint64_t chain = 0;

  /// Empty: the record has expired, and only its place is left. The place of the first record of an
  /// incarnation is never forgotten, because it tells who has more than its node went on from.
  std::string bytes;

  bool operator==(const replica&) const = default;
};

/// Records of one node, in order and without a hole.
struct data {
  uint64_t node = 0;
  std::vector<replica> records;

  bool operator==(const data&) const = default;
};

/// The sender has forgotten the records of a node up to and including `at`, which it would have had
/// to send: they have expired. All of one incarnation.
struct forgotten {
  origin_head up_to;

  bool operator==(const forgotten&) const = default;
};

/// A question to the node at the other end, or about it. What is in it is not the link's business.
struct request {
  uint64_t id = 0; ///< chosen by who asks
  uint8_t kind = 0;
  std::string body;

  bool operator==(const request&) const = default;
};

struct response {
  uint64_t id = 0;
  std::string body;

  bool operator==(const response&) const = default;
};

using message = std::variant<heads, want, stop, credit, data, forgotten, request, response>;

} // namespace tidings::cluster
