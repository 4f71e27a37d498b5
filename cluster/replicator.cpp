#include "cluster/replicator.hpp"

#include "cluster/majority.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace tidings::cluster {

replicator::replicator(uint64_t self, uint64_t incarnation, const std::vector<origin_head>& on_disk,
                       uint64_t members_version, const std::vector<uint64_t>& members,
                       replicator_settings settings, int64_t now_ms)
  : self_(self),
    incarnation_(incarnation),
    settings_(settings),
    members_version_(members_version),
    members_(members.begin(), members.end()),
    now_ms_(now_ms),
    started_ms_(now_ms) {
  for (auto& x : on_disk)
    origins_.emplace(x.node, x);
  find_or_add_origin(self_);
  check_quorum();
  check_joined();
}

std::vector<replicator_action> replicator::take_actions() {
  return std::exchange(actions_, {});
}

// -- links ----------------------------------------------------------------------------------------

void replicator::link_up(link_id link, uint64_t node) {
  if (node == self_ || members_.count(node) == 0) {
    actions_.emplace_back(action::close_link{link, link_fault::not_a_member});
    return;
  }
  for (auto& [old, x] : peers_)
    if (x.node == node) {
      close(old, link_fault::replaced);
      break;
    }
  auto& to = peers_[link];
  to.node = node;
  // What came over an older link and waits for the disk still takes its room.
  to.grant_later =
    static_cast<int64_t>(settings_.window_bytes) - static_cast<int64_t>(under_way_from(node));
  grant(link, to);
  send_heads(link, to);
  if (auto x = find_or_add_origin(node); x && may_take(node, *x))
    set_source(node, *x, link);
}

void replicator::link_down(link_id link) {
  if (peers_.erase(link) == 0)
    return;
  for (auto& [node, x] : origins_)
    if (x.source == link) {
      x.source.reset();
      choose_source(node, x);
    }
  check_joined();
}

void replicator::close(link_id link, link_fault reason) {
  actions_.emplace_back(action::close_link{link, reason});
  link_down(link);
}

void replicator::set_congested(link_id link, bool congested) {
  auto i = peers_.find(link);
  if (i == peers_.end())
    return;
  i->second.congested = congested;
  grant(link, i->second);
  feed(link, i->second);
}

void replicator::set_members(uint64_t version, const std::vector<uint64_t>& members) {
  if (version <= members_version_)
    return;
  members_version_ = version;
  members_ = {members.begin(), members.end()};
  std::vector<link_id> strangers;
  for (auto& [link, x] : peers_)
    if (members_.count(x.node) == 0)
      strangers.push_back(link);
  for (auto link : strangers)
    close(link, link_fault::not_a_member);
  check_quorum();
  check_joined();
}

void replicator::tick(int64_t now_ms) {
  now_ms_ = now_ms;
  for (auto& [node, x] : origins_)
    choose_source(node, x);
  for (auto& [link, x] : peers_) {
    if (now_ms_ >= x.next_heads_ms && !x.congested)
      send_heads(link, x);
    feed(link, x);
  }
  check_joined();
}

// -- messages -------------------------------------------------------------------------------------

void replicator::receive(link_id link, message what) {
  if (peers_.count(link) > 0)
    std::visit([&](auto& x) { handle(link, x); }, what);
}

void replicator::handle(link_id link, heads& x) {
  auto& from = peers_.at(link);
  if (x.complete) {
    from.heads.clear();
    from.heard = true;
    heard_.insert(from.node);
  }
  for (auto& head : x.origins)
    learn_head(from, head);
  for (auto& head : x.origins)
    if (auto to = find_or_add_origin(head.node))
      choose_source(head.node, *to);
  check_quorum();
  check_joined();
  feed(link, from);
}

void replicator::learn_head(peer& from, const origin_head& x) {
  auto to = find_or_add_origin(x.node);
  if (!to)
    return;
  from.heads.insert_or_assign(x.node, x);
  from.feed.skip_to(x.node, x.at);
  check_fork(x, *to, from.node);
  check_reuse(x.node, x.at, from.node);
}

void replicator::handle(link_id link, want& x) {
  if (!find_or_add_origin(x.node))
    return;
  auto& from = peers_.at(link);
  from.feed.want(x.node, x.after);
  feed(link, from);
}

void replicator::handle(link_id link, stop& x) {
  peers_.at(link).feed.stop(x.node);
}

void replicator::handle(link_id link, credit& x) {
  auto& from = peers_.at(link);
  from.feed.add_credit(x.bytes);
  feed(link, from);
}

void replicator::handle(link_id link, data& x) {
  auto& from = peers_.at(link);
  auto bytes = cost(x.records);
  from.bytes_received += bytes;
  from.allowed -= static_cast<int64_t>(bytes);
  // The last record may take more than there was left.
  if (from.allowed <= -static_cast<int64_t>(settings_.record_bytes_max)) {
    close(link, link_fault::credit_exceeded);
    return;
  }
  auto to = find_or_add_origin(x.node);
  auto taken = to ? accept(link, x, *to) : 0;
  from.grant_later += static_cast<int64_t>(bytes - taken);
  grant(link, from);
}

uint64_t replicator::accept(link_id link, data& x, origin& to) {
  if (to.forked || to.after_join || !to.intake.open())
    return 0;
  auto peer = peers_.at(link).node;
  std::vector<replica> next;
  const replica* obstacle = nullptr;
  auto how = fit::known;
  for (auto& record : x.records) {
    how = to.intake.judge(record);
    if (how == fit::known)
      continue;
    if (how != fit::next || check_reuse(x.node, record.at, peer)) {
      obstacle = &record;
      break;
    }
    to.intake.accept(origin_head{x.node, record.at, record.chain});
    next.push_back(std::move(record));
  }
  auto taken = cost(next);
  if (!next.empty()) {
    to.waiting_since_ms.reset();
    to.asked_again = false;
    auto work = begin_work(to, {x.node, peer, taken});
    actions_.emplace_back(action::store{work, x.node, std::move(next)});
  }
  if (obstacle)
    meet(*obstacle, how, peer, x.node, to);
  return taken;
}

void replicator::meet(const replica& x, fit how, uint64_t peer, uint64_t node, origin& to) {
  switch (how) {
    case fit::fork:
      set_fork(node, to, x.at, peer);
      break;
    case fit::hole:
      if (!to.asked_again && to.source) {
        to.asked_again = true;
        ask(node, to);
      }
      break;
    case fit::late_tail:
      raise({alarm::late_tail, node, to.intake.accepted().at, x.follows, peer});
      if (node != self_ && !joined_) {
        // What we published now would come before what we have not yet got back of our own.
        to.after_join = true;
        set_source(node, to, std::nullopt);
      } else {
        has_aside_ = has_aside_ || node == self_;
        auto work = begin_work(to, {node, 0, 0}, true);
        to.intake.supersede(x.follows, x.at.incarnation);
        actions_.emplace_back(action::reoriginate{work, node, x.follows, to.intake.accepted().at});
      }
      break;
    default:
      break;
  }
}

void replicator::handle(link_id link, forgotten& x) {
  auto& head = x.up_to;
  auto to = find_or_add_origin(head.node);
  if (!to || to->forked || !to->intake.open() || head.at <= to->intake.accepted().at)
    return;
  if (check_reuse(head.node, head.at, peers_.at(link).node))
    return;
  if (head.at.incarnation != to->intake.accepted().at.incarnation) {
    meet({}, fit::hole, peers_.at(link).node, head.node, *to);
    return;
  }
  to->waiting_since_ms.reset();
  auto after = to->intake.accepted().at;
  to->intake.accept(head);
  auto work = begin_work(*to, {head.node, 0, 0});
  actions_.emplace_back(action::store_forgotten{work, head, after});
}

void replicator::handle(link_id, request&) {
  // not about records
}

void replicator::handle(link_id, response&) {
  // not about records
}

// -- the store ------------------------------------------------------------------------------------

ticket replicator::begin_work(origin& to, const work& x, bool takes_away) {
  to.intake.begin(takes_away);
  auto result = ticket{++last_ticket_};
  works_.emplace(result, x);
  return result;
}

void replicator::stored(const std::vector<origin_head>& changed, const std::vector<ticket>& done) {
  for (auto& x : changed) {
    auto to = find_or_add_origin(x.node);
    if (!to)
      continue;
    to->intake.set_head(x);
    for (auto& [link, peer] : peers_) {
      peer.unsent.insert(x.node);
      peer.feed.wake(x.node);
      if (auto theirs = head_of(peer, x.node))
        check_fork(*theirs, *to, peer.node);
    }
  }
  for (auto x : done)
    settle(x, false);
  for (auto& [link, x] : peers_) {
    grant(link, x);
    feed(link, x);
  }
  check_quorum();
  check_joined();
}

void replicator::refused(ticket work, refusal reason) {
  auto i = works_.find(work);
  if (i == works_.end())
    return;
  auto node = i->second.node;
  auto& to = origins_.at(node);
  if (reason == refusal::fork) {
    set_fork(node, to, to.intake.head().at, 0);
  } else {
    set_source(node, to, std::nullopt);
    to.retry_ms = now_ms_ + settings_.stall_timeout_ms;
  }
  settle(work, true);
  for (auto& [link, x] : peers_)
    grant(link, x);
}

uint64_t replicator::under_way_from(uint64_t peer) const {
  uint64_t result = 0;
  for (auto& [work, x] : works_)
    if (x.from == peer)
      result += x.bytes;
  return result;
}

void replicator::settle(ticket done, bool refused) {
  auto i = works_.find(done);
  if (i == works_.end())
    return;
  auto x = i->second;
  works_.erase(i);
  if (auto link = direct_link(x.from))
    peers_.at(*link).grant_later += static_cast<int64_t>(x.bytes);
  auto& to = origins_.at(x.node);
  if (to.intake.end(refused) && to.source)
    ask(x.node, to);
  choose_source(x.node, to);
}

void replicator::read_done(ticket work, std::vector<replica> records,
                           const std::optional<origin_head>& forgotten) {
  for (auto& [link, x] : peers_)
    if (x.feed.awaits(work)) {
      if (auto answer = x.feed.take(std::move(records), forgotten))
        send(link, std::move(*answer));
      feed(link, x);
      return;
    }
}

// -- what goes out --------------------------------------------------------------------------------

void replicator::send(link_id link, message what) {
  actions_.emplace_back(action::send{link, std::move(what)});
}

void replicator::send_heads(link_id link, peer& to) {
  heads all{true, {}};
  for (auto& [node, x] : origins_)
    if (x.intake.head().at != origin_position{})
      all.origins.push_back(x.intake.head());
  to.unsent.clear();
  to.next_heads_ms = now_ms_ + settings_.heads_interval_ms;
  send(link, std::move(all));
}

void replicator::grant(link_id link, peer& to) {
  // Not for every record: when an eighth of the window is free again, or all of it.
  auto window = static_cast<int64_t>(settings_.window_bytes);
  auto all = to.allowed + to.grant_later >= window;
  if (to.congested || to.grant_later <= 0 || (to.grant_later < window / 8 && !all))
    return;
  to.allowed += to.grant_later;
  send(link, credit{static_cast<uint64_t>(std::exchange(to.grant_later, 0))});
}

void replicator::feed(link_id link, peer& to) {
  if (to.congested)
    return;
  if (!to.unsent.empty()) {
    heads news;
    for (auto node : to.unsent)
      news.origins.push_back(origins_.at(node).intake.head());
    to.unsent.clear();
    send(link, std::move(news));
  }
  auto on_disk = [this](uint64_t node) -> std::optional<origin_position> {
    auto i = origins_.find(node);
    if (i == origins_.end() || i->second.forked)
      return std::nullopt;
    return i->second.intake.head().at;
  };
  auto next = to.feed.next_read(on_disk, ticket{last_ticket_ + 1}, settings_.read_bytes);
  if (!next)
    return;
  ++last_ticket_;
  actions_.emplace_back(*next);
}

// -- what follows ---------------------------------------------------------------------------------

void replicator::raise(const action::raise& x) {
  ++alarms_[static_cast<size_t>(x.kind)];
  actions_.emplace_back(x);
}

void replicator::check_fork(const origin_head& theirs, origin& to, uint64_t peer) {
  if (forks(to.intake.head(), theirs))
    set_fork(theirs.node, to, theirs.at, peer);
}

void replicator::set_fork(uint64_t node, origin& x, const origin_position& at, uint64_t peer) {
  if (x.forked)
    return;
  x.forked = true;
  set_source(node, x, std::nullopt);
  raise({alarm::fork_detected, node, at, {}, peer});
}

bool replicator::check_reuse(uint64_t node, const origin_position& at, uint64_t peer) {
  if (node != self_ || at.incarnation < incarnation_ || at <= origins_.at(self_).intake.head().at)
    return false;
  if (!std::exchange(reused_, true))
    raise({alarm::incarnation_reused, node, at, {}, peer});
  return true;
}

void replicator::check_joined() {
  if (reused_ || (joined_ && !has_aside_))
    return;
  auto everybody = std::all_of(members_.begin(), members_.end(),
                               [this](uint64_t x) { return x == self_ || heard_.count(x) > 0; });
  if (!everybody && now_ms_ - started_ms_ < settings_.join_timeout_ms)
    return;
  auto& own = origins_.at(self_);
  if (!own.forked)
    for (auto& [link, x] : peers_)
      if (auto head = head_of(x, self_); head && head->at > own.intake.head().at)
        return;
  if (std::exchange(has_aside_, false))
    actions_.emplace_back(action::append_set_aside{});
  if (std::exchange(joined_, true))
    return;
  actions_.emplace_back(action::joined{});
  for (auto& [node, x] : origins_)
    if (std::exchange(x.after_join, false))
      choose_source(node, x);
}

void replicator::check_quorum() {
  auto& own = origins_.at(self_).intake.head().at;
  std::vector<origin_position> positions;
  if (members_.count(self_) > 0)
    positions.push_back(own);
  for (auto& [link, x] : peers_)
    if (auto head = head_of(x, self_))
      positions.push_back(std::min(own, head->at));
  auto needed = majority(members_.size());
  if (positions.size() < needed)
    return;
  auto nth = positions.begin() + static_cast<std::ptrdiff_t>(needed - 1);
  std::nth_element(positions.begin(), nth, positions.end(), std::greater<>{});
  if (*nth <= quorum_)
    return;
  quorum_ = *nth;
  actions_.emplace_back(action::quorum_reached{quorum_, copies(quorum_)});
}

// -- what is known --------------------------------------------------------------------------------

replicator::origin* replicator::find_or_add_origin(uint64_t node) {
  auto i = origins_.find(node);
  if (i != origins_.end())
    return &i->second;
  if (origins_.size() >= settings_.origins_max) {
    if (!std::exchange(origins_full_, true))
      raise({alarm::too_many_origins, node, {}, {}, 0});
    return nullptr;
  }
  return &origins_.emplace(node, origin_head{node, {}, 0}).first->second;
}

const origin_head* replicator::head_of(const peer& x, uint64_t node) {
  auto i = x.heads.find(node);
  return i == x.heads.end() ? nullptr : &i->second;
}

bool replicator::majority_linked() const noexcept {
  return peers_.size() + members_.count(self_) >= majority(members_.size());
}

size_t replicator::copies(const origin_position& x) const noexcept {
  size_t result = members_.count(self_) > 0 && origins_.at(self_).intake.head().at >= x ? 1 : 0;
  for (auto& [link, peer] : peers_)
    if (auto head = head_of(peer, self_); head && head->at >= x)
      ++result;
  return result;
}

replicator_status replicator::status() const {
  replicator_status result;
  result.node = self_;
  result.incarnation = incarnation_;
  result.joined = joined_;
  result.majority_linked = majority_linked();
  result.members_version = members_version_;
  result.quorum = quorum_;
  for (auto node : members_)
    if (node != self_)
      result.peers.push_back(status_of(node));
  for (auto& [node, x] : origins_) {
    origin_status y;
    y.node = node;
    y.head = x.intake.head();
    y.forked = x.forked;
    if (x.source)
      y.source = peers_.at(*x.source).node;
    for (auto& [link, peer] : peers_)
      if (auto head = head_of(peer, node))
        y.lag = std::max(y.lag, records_between(y.head.at, head->at));
    result.origins.push_back(y);
  }
  return result;
}

peer_status replicator::status_of(uint64_t node) const {
  peer_status result;
  result.node = node;
  for (auto& [link, x] : peers_) {
    if (x.node != node)
      continue;
    result.linked = true;
    result.heard = x.heard;
    result.credit = static_cast<uint64_t>(std::max<int64_t>(x.feed.credit(), 0));
    result.bytes_sent = x.feed.bytes_sent();
    result.bytes_received = x.bytes_received;
    for (auto& [origin, head] : x.heads)
      result.heads.push_back(head);
    for (auto& [origin, mine] : origins_) {
      auto theirs = head_of(x, origin);
      result.lag += records_between(theirs ? theirs->at : origin_position{}, mine.intake.head().at);
    }
  }
  return result;
}

} // namespace tidings::cluster
