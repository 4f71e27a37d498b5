#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tidings::simulator {

/// Mistakes that can be switched on around the replicator, to see that the checks find them.
enum class bug : uint8_t {
  none,
  acknowledge_before_sync, ///< own records are called synced when they are only written
  heads_before_sync,       ///< records of others are called stored before they are on disk
  store_drops_record,      ///< the store leaves one record of a batch out
  forget_own_tail,         ///< a node does not listen to what the others know of it
  reuse_incarnation,       ///< a start does not count the incarnation up
  count_self_twice,        ///< a quorum with one node too few
  truncate_late_tail,      ///< a late tail is cut off and not published again
  copies_unsynced,         ///< a late tail is published again without a sync
  forget_unexpired,        ///< what has not expired is forgotten
  resume_by_position,      ///< a reader goes on at another node with the position of the first one
  grant_twice,             ///< more credit is granted than there is room
  send_without_credit,     ///< a source does not care for credit
};

struct bug_name {
  bug what;
  std::string_view name;
};

constexpr auto bug_names = std::array{
  bug_name{bug::acknowledge_before_sync, "acknowledge-before-sync"},
  bug_name{bug::heads_before_sync, "heads-before-sync"},
  bug_name{bug::store_drops_record, "store-drops-record"},
  bug_name{bug::forget_own_tail, "forget-own-tail"},
  bug_name{bug::reuse_incarnation, "reuse-incarnation"},
  bug_name{bug::count_self_twice, "count-self-twice"},
  bug_name{bug::truncate_late_tail, "truncate-late-tail"},
  bug_name{bug::copies_unsynced, "copies-unsynced"},
  bug_name{bug::forget_unexpired, "forget-unexpired"},
  bug_name{bug::resume_by_position, "resume-by-position"},
  bug_name{bug::grant_twice, "grant-twice"},
  bug_name{bug::send_without_credit, "send-without-credit"},
};

constexpr std::optional<bug> find_bug(std::string_view name) noexcept {
  for (auto& x : bug_names)
    if (x.name == name)
      return x.what;
  return std::nullopt;
}

} // namespace tidings::simulator
