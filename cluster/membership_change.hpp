#pragma once

#include "cluster/message.hpp"
#include "tidings/membership.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tidings::cluster {

/// What an administrator asks for.
struct change_request {
  bool is_removal = false;
  cluster_member member; ///< of a removal the name is enough
  bool force = false;    ///< whoever is missing or behind

  bool operator==(const change_request&) const = default;
};

/// What became of it.
struct change_outcome {
  std::optional<failure> refused;  ///< then nothing has changed
  membership list;                 ///< the new one
  std::vector<std::string> untold; ///< members that hear of it when they are linked again
};

/// Another member, as this node sees it at a moment.
struct member_state {
  std::string name;
  bool linked = false;
  std::vector<origin_head> heads; ///< what it has on disk
};

/// How many of the wanted records are not there; at least.
uint64_t records_lacking(const std::vector<origin_head>& wanted,
                         const std::vector<origin_head>& there);

/// One change of the list of members on its way, on the node that makes it. Plain logic: its owner
/// asks what is to be done next, and tells what happened.
///
/// One member at a time, so that a majority of the old list and one of the new have a node in
/// common. What is acknowledged stays that way: before a member leaves, it takes nothing more, and
/// those that stay have everything that it had; before one is added, all are level. With `force`
/// nobody is waited for, and what only a missing disk holds may be gone.
class membership_change {
public:
  enum class step : uint8_t {
    wait,
    drain,   ///< ask the member that leaves to take nothing more, once
    commit,  ///< keep `list`, go by it, and tell all that are linked, once
    finished ///< see `outcome`
  };

  /// Fails like with_member and without_member, and with errc::members_missing if a member is not
  /// linked.
  /// @param others all members but this node
  static result<membership_change> begin(const membership& present, const change_request& what,
                                         const std::vector<member_state>& others,
                                         const std::vector<origin_head>& own, int64_t deadline_ms);

  step next(const std::vector<member_state>& others, const std::vector<origin_head>& own,
            int64_t now_ms);

  /// The member that leaves takes nothing more.
  /// @param heads what it has on disk
  void drained(const std::vector<origin_head>& heads);

  /// A member has the new list on disk.
  void told(const std::string& member);

  const membership& list() const noexcept {
    return list_;
  }

  const std::string& member() const noexcept {
    return member_;
  }

  change_outcome outcome() const;

private:
  enum class phase : uint8_t { fresh, draining, levelling, telling, over };

  membership_change() = default;

  void await(const std::vector<origin_head>& heads);
  step refuse(std::string detail);

  membership list_;
  std::string member_;
  int64_t deadline_ms_ = 0;
  phase phase_ = phase::fresh;
  bool drained_ = false;             // the member that leaves takes nothing more, for a while
  std::vector<origin_head> awaited_; // what all that stay must have
  std::set<std::string> untold_;
  std::optional<failure> refused_;
};

} // namespace tidings::cluster
