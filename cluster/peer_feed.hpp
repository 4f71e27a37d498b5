#pragma once

#include "cluster/replicator_action.hpp"

#include <cstdint>
#include <map>
#include <optional>

namespace tidings::cluster {

/// What one peer wants of us and may be sent. Keeps positions, never records: who does not read is
/// behind, and costs nothing.
class peer_feed {
public:
  void want(uint64_t node, const origin_position& after);

  void stop(uint64_t node);

  void add_credit(uint64_t bytes) noexcept;

  /// The peer has the records up to `at` from somewhere: it need not be sent them.
  void skip_to(uint64_t node, const origin_position& at);

  /// There may be more of this node to read than there was.
  void wake(uint64_t node);

  /// The next read, if there is something to send and credit for it; one at a time. Nodes take
  /// turns.
  /// @param heads what is on disk, by node; those that are not there are not sent
  template <class Heads>
  std::optional<action::read> next_read(const Heads& heads, ticket work, uint64_t bytes_max) {
    if (reading_ || credit_ <= 0)
      return std::nullopt;
    auto at = streams_.upper_bound(last_read_);
    for (auto left = streams_.size(); left > 0; --left, ++at) {
      if (at == streams_.end())
        at = streams_.begin();
      auto head = heads(at->first);
      if (!head || at->second.idle || *head <= at->second.position)
        continue;
      return begin(at->first, at->second.position, *head, work, bytes_max);
    }
    return std::nullopt;
  }

  /// Whether the answer to this read is awaited.
  bool awaits(ticket work) const noexcept {
    return reading_ && reading_->work == work;
  }

  /// The read has brought this.
  /// @returns what is to be sent: nothing if the peer does not want it any more
  std::optional<message> take(std::vector<replica> records,
                              const std::optional<origin_head>& forgotten);

  int64_t credit() const noexcept {
    return credit_;
  }

  uint64_t bytes_sent() const noexcept {
    return bytes_sent_;
  }

private:
  struct stream {
    origin_position position; ///< the last one sent
    bool idle = false;        ///< the log had nothing more, although it should have
  };

  void discard(uint64_t node) noexcept;

  action::read begin(uint64_t node, const origin_position& after, const origin_position& up_to,
                     ticket work, uint64_t bytes_max);

  std::map<uint64_t, stream> streams_;
  std::optional<action::read> reading_;
  bool stale_ = false;     ///< what is being read is not wanted any more
  uint64_t last_read_ = 0; ///< the node whose turn it was
  int64_t credit_ = 0;     ///< one record may take more than there is
  uint64_t bytes_sent_ = 0;
};

} // namespace tidings::cluster
