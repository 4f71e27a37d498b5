#include "simulator/simulation.hpp"

#include <algorithm>

// Connections: in order or cut, half open, replaced, one way only.
namespace tidings::simulator {

namespace {

constexpr size_t congested_from = 24;

} // namespace

int64_t simulation::latency_us() {
  return dice_.chance(98) ? dice_.between(50, latency_max_us_) : dice_.between(50, 400'000);
}

void simulation::dial(size_t pair) {
  auto first = pairs_[pair].first;
  auto second = pairs_[pair].second;
  events_.add(now_us_ + dice_.between(50'000, 500'000), event_kind::dial,
              static_cast<uint32_t>(pair));
  auto& dialler = nodes_[first];
  if (!dialler.running() || !nodes_[second].running() || dialler.paused_until_us > now_us_
      || nodes_[second].paused_until_us > now_us_ || blocked(first, second)
      || blocked(second, first))
    return;
  auto linked = std::any_of(connections_.begin(), connections_.end(), [&](auto& x) {
    return x->sides[0].node == first && x->sides[1].node == second
           && x->sides[0].now != model_connection::phase::over;
  });
  // Now and then a second one, as if the first had been thought lost.
  if (!linked || (!healed_ && dice_.chance(2)))
    connect(first, second);
}

void simulation::connect(uint64_t first, uint64_t second) {
  auto x = std::make_unique<model_connection>();
  x->sides[0].node = first;
  x->sides[1].node = second;
  connections_.push_back(std::move(x));
  auto number = static_cast<uint32_t>(connections_.size() - 1);
  for (uint64_t side = 0; side < 2; ++side) {
    auto at = now_us_ + dice_.between(0, 20'000);
    connections_.back()->sides[side].last_arrival_us = at;
    events_.add(at, event_kind::link_begins, number, side);
  }
}

void simulation::deliver(size_t connection, size_t number) {
  auto& x = *connections_[connection];
  auto& to = x.sides[number];
  if (x.cut || to.inbox.empty() || to.now == model_connection::phase::over)
    return;
  auto from = x.sides[1 - number].node;
  if (blocked(from, to.node) || to.now == model_connection::phase::coming) {
    // Every message has its event: all of them are put off, and come in order.
    to.last_arrival_us = std::max(to.last_arrival_us, now_us_ + 100'000);
    events_.add(now_us_ + 100'000, event_kind::deliver, static_cast<uint32_t>(connection), number);
    return;
  }
  auto what = std::move(to.inbox.front());
  to.inbox.pop_front();
  auto node = to.node;
  auto link = cluster::link_id{connection * 2 + number + 1};
  if (auto heads = std::get_if<cluster::heads>(&what)) {
    to.heard = true;
    if (heads->complete)
      to.own_head = {};
    for (auto& head : heads->origins)
      if (head.node == node)
        to.own_head = head.at;
    if (bug_ == bug::forget_own_tail)
      std::erase_if(heads->origins, [&](auto& head) { return head.node == node; });
  } else if (auto credit = std::get_if<cluster::credit>(&what)) {
    to.credit += credit->bytes;
  } else if (auto want = std::get_if<cluster::want>(&what)) {
    to.wanted.insert(want->node);
  } else if (auto stop = std::get_if<cluster::stop>(&what)) {
    to.wanted.erase(stop->node);
  }
  auto& core = *nodes_[node].core;
  core.receive(link, std::move(what));
  auto& out = x.sides[1 - number].inbox;
  if (dice_.chance(5))
    core.set_congested(link, out.size() > congested_from);
  else if (out.size() <= congested_from)
    core.set_congested(link, false);
  perform(node);
}

void simulation::link_ends(size_t connection, size_t number) {
  auto& x = connections_[connection]->sides[number];
  if (x.now == model_connection::phase::up) {
    note([&] {
      return "node " + std::to_string(x.node) + ": link "
             + std::to_string(connection * 2 + number + 1) + " is down";
    });
    x.now = model_connection::phase::over;
    nodes_[x.node].core->link_down(cluster::link_id{connection * 2 + number + 1});
    perform(x.node);
  }
  x.now = model_connection::phase::over;
  cut(connection);
}

void simulation::cut(size_t connection) {
  auto& x = *connections_[connection];
  if (x.cut)
    return;
  x.cut = true;
  ++counted_.cuts;
  for (size_t number = 0; number < 2; ++number) {
    x.sides[number].inbox.clear();
    if (x.sides[number].now == model_connection::phase::over)
      continue;
    auto pause = dice_.chance(60) ? dice_.between(0, 5'000) : dice_.between(0, 5'000'000);
    events_.add(now_us_ + pause, event_kind::link_ends, static_cast<uint32_t>(connection), number);
  }
}

void simulation::check_sent(model_connection::side& from, const cluster::message& what) {
  auto data = std::get_if<cluster::data>(&what);
  if (!data)
    return;
  if (from.wanted.count(data->node) == 0)
    fail("node " + std::to_string(from.node) + " sends what is not wanted");
  from.bytes_sent += cluster::cost(data->records);
  if (from.bytes_sent - cluster::cost(data->records.back()) >= from.credit)
    fail("I10: node " + std::to_string(from.node) + " sends more than it has credit for");
}

} // namespace tidings::simulator
