#include "cluster/replicator.hpp"

#include <algorithm>
#include <tuple>

// From whom the records of each node are taken.
namespace tidings::cluster {

void replicator::choose_source(uint64_t node, origin& x) {
  if (!may_take(node, x))
    return;
  auto direct = direct_link(node);
  if (!x.source) {
    if (auto source = direct ? direct : best_source(node, x))
      set_source(node, x, source);
    return;
  }
  if (stalled(node, x)) {
    // The node may have lost what superseded them, and got them back.
    x.intake.supersede({}, 0);
    set_source(node, x, best_source(node, x));
    return;
  }
  // The way over others was taken while there was no better one.
  if (direct && x.source != direct
      && (has_more(peers_.at(*direct), node, x) || !has_more(peers_.at(*x.source), node, x))
      && now_ms_ - x.chosen_ms >= settings_.stall_timeout_ms)
    set_source(node, x, direct);
}

bool replicator::may_take(uint64_t node, const origin& x) const {
  auto held = x.forked || x.after_join || now_ms_ < x.retry_ms;
  return !held && (node != self_ || !reused_);
}

std::optional<link_id> replicator::direct_link(uint64_t node) const {
  for (auto& [link, x] : peers_)
    if (x.node == node)
      return link;
  return std::nullopt;
}

bool replicator::has_more(const peer& from, uint64_t node, const origin& x) const {
  auto head = head_of(from, node);
  return head && head->at > x.intake.accepted().at;
}

std::optional<link_id> replicator::best_source(uint64_t node, const origin& x) const {
  // Another one than now, then the node itself, then who has most.
  using rank = std::tuple<bool, bool, origin_position>;
  std::optional<link_id> result;
  rank best;
  for (auto& [link, from] : peers_) {
    if (!has_more(from, node, x))
      continue;
    auto its = rank{x.source != link, from.node == node, from.heads.at(node).at};
    if (result && its <= best)
      continue;
    result = link;
    best = its;
  }
  return result;
}

bool replicator::stalled(uint64_t node, origin& x) {
  auto more = std::any_of(peers_.begin(), peers_.end(),
                          [&](auto& from) { return has_more(from.second, node, x); });
  // Without credit, or with records that wait for our disk, it is not the source who is slow.
  if (!more || x.intake.busy() || peers_.at(*x.source).allowed <= 0) {
    x.waiting_since_ms.reset();
    return false;
  }
  if (!x.waiting_since_ms)
    x.waiting_since_ms = now_ms_;
  return now_ms_ - *x.waiting_since_ms >= settings_.stall_timeout_ms;
}

void replicator::set_source(uint64_t node, origin& x, std::optional<link_id> source) {
  if (x.source && x.source != source)
    send(*x.source, stop{node});
  x.source = source;
  x.chosen_ms = now_ms_;
  x.asked_again = false;
  if (source)
    ask(node, x);
}

void replicator::ask(uint64_t node, origin& x) {
  x.waiting_since_ms.reset();
  send(*x.source, want{node, x.intake.accepted().at});
}

} // namespace tidings::cluster
