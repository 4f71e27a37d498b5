#include "cluster/membership_change.hpp"

#include "cluster/replicator_status.hpp"

#include <algorithm>
#include <utility>

namespace tidings::cluster {

namespace {

const origin_head* head_of(const std::vector<origin_head>& xs, uint64_t node) {
  auto i = std::find_if(xs.begin(), xs.end(), [&](auto& x) { return x.node == node; });
  return i != xs.end() ? &*i : nullptr;
}

} // namespace

uint64_t records_lacking(const std::vector<origin_head>& wanted,
                         const std::vector<origin_head>& there) {
  auto n = uint64_t{0};
  for (auto& x : wanted) {
    auto has = head_of(there, x.node);
    auto at = has ? has->at : origin_position{};
    if (at < x.at)
      n += std::max<uint64_t>(records_between(at, x.at), 1);
  }
  return n;
}

result<membership_change> membership_change::begin(const membership& present,
                                                   const change_request& what,
                                                   const std::vector<member_state>& others,
                                                   const std::vector<origin_head>& own,
                                                   int64_t deadline_ms) {
  auto list =
    what.is_removal ? without_member(present, what.member.name) : with_member(present, what.member);
  if (!list)
    return list.error();
  membership_change x;
  x.list_ = std::move(*list);
  x.member_ = what.member.name;
  x.deadline_ms_ = deadline_ms;
  if (what.force) {
    x.phase_ = phase::levelling; // with nothing to wait for
    return x;
  }
  x.await(own);
  for (auto& other : others) {
    if (!other.linked)
      return failure{errc::members_missing,
                     other.name == x.member_
                       ? "member " + other.name
                           + " is not linked: what it alone has would be lost; start it first, or "
                             "force it if its disk is gone"
                       : "member " + other.name
                           + " is not linked: change the list when all members are there"};
    x.await(other.heads);
  }
  if (!what.is_removal)
    x.phase_ = phase::levelling;
  return x;
}

membership_change::step membership_change::next(const std::vector<member_state>& others,
                                                const std::vector<origin_head>& own,
                                                int64_t now_ms) {
  auto is_late = now_ms >= deadline_ms_;
  switch (phase_) {
    case phase::fresh:
      phase_ = phase::draining;
      return step::drain;
    case phase::draining:
      return is_late ? refuse("member " + member_ + " did not come to rest in time") : step::wait;
    case phase::levelling: {
      // A member that was to leave may have gone on by now.
      if (is_late && drained_)
        return refuse("member " + member_ + " came to rest, but the rest took too long");
      auto behind = records_lacking(awaited_, own);
      std::string who = "this node";
      for (auto& x : others)
        if (auto n = x.name == member_ ? 0 : records_lacking(awaited_, x.heads); n > behind) {
          behind = n;
          who = "member " + x.name;
        }
      if (behind != 0)
        return is_late ? refuse(who + " lacks " + std::to_string(behind)
                                + " records or more: change the list when it has caught up")
                       : step::wait;
      phase_ = phase::telling;
      for (auto& x : others)
        if (list_.find(x.name))
          untold_.insert(x.name);
      return step::commit;
    }
    case phase::telling: {
      auto is_waited_for = [&](const member_state& x) { return x.linked && untold_.count(x.name); };
      if (!is_late && std::any_of(others.begin(), others.end(), is_waited_for))
        return step::wait;
      phase_ = phase::over;
      return step::finished;
    }
    case phase::over:
      break;
  }
  return step::finished;
}

void membership_change::drained(const std::vector<origin_head>& heads) {
  if (phase_ != phase::draining)
    return;
  await(heads);
  drained_ = true;
  phase_ = phase::levelling;
}

void membership_change::told(const std::string& member) {
  untold_.erase(member);
}

change_outcome membership_change::outcome() const {
  return {refused_, list_, {untold_.begin(), untold_.end()}};
}

void membership_change::await(const std::vector<origin_head>& heads) {
  for (auto& x : heads) {
    auto i = std::find_if(awaited_.begin(), awaited_.end(),
                          [&](const origin_head& known) { return known.node == x.node; });
    if (i == awaited_.end())
      awaited_.push_back(x);
    else if (i->at < x.at)
      *i = x;
  }
}

membership_change::step membership_change::refuse(std::string detail) {
  refused_ = failure{errc::members_missing, std::move(detail)};
  return step::finished;
}

} // namespace tidings::cluster
