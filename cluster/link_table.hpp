#pragma once

#include "tidings/position.hpp"

#include <cstdint>
#include <map>
#include <optional>

namespace tidings::cluster {

/// Which link to a node is the one in use. Every node dials every other, so that there can be two
/// between the same nodes; both ends have to keep the same one without talking about it. The one
/// that the node with the lower id has dialled stays, unless the other end has started anew since.
/// A link is named by a number of the owner's.
class link_table {
public:
  struct entry {
    uint64_t link = 0;
    bool dialled = false;     ///< by this node
    uint64_t incarnation = 0; ///< of the peer
  };

  explicit link_table(const node_id& self) : self_(self) {
    // nop
  }

  /// A link to a peer has come up.
  /// @returns the link to close as replaced: one that was there before, the new one itself, or none
  std::optional<uint64_t> on_up(const node_id& peer, const entry& fresh) {
    auto [i, is_first] = links_.try_emplace(peer, fresh);
    if (is_first)
      return std::nullopt;
    auto& present = i->second;
    if (!replaces(peer, fresh, present))
      return fresh.link;
    auto old = present.link;
    present = fresh;
    return old;
  }

  /// A link has gone down.
  /// @returns whether it was in use: the peer cannot be reached any more
  bool on_down(const node_id& peer, uint64_t link) {
    auto i = links_.find(peer);
    if (i == links_.end() || i->second.link != link)
      return false;
    links_.erase(i);
    return true;
  }

  /// The link in use; nullptr: there is none.
  const entry* find(const node_id& peer) const {
    auto i = links_.find(peer);
    return i == links_.end() ? nullptr : &i->second;
  }

  size_t size() const noexcept {
    return links_.size();
  }

private:
  bool replaces(const node_id& peer, const entry& fresh, const entry& present) const {
    if (fresh.incarnation != present.incarnation)
      return fresh.incarnation > present.incarnation;
    // Who dials a second time has lost the first link, though it may seem whole from here.
    if (fresh.dialled == present.dialled)
      return true;
    return fresh.dialled == (self_ < peer);
  }

  node_id self_;
  std::map<node_id, entry> links_;
};

} // namespace tidings::cluster
