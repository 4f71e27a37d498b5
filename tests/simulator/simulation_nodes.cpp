#include "simulator/simulation.hpp"

#include <algorithm>
#include <limits>

// Starting, crashing, and doing what the replicators want.
namespace tidings::simulator {

namespace {

constexpr int64_t never_ms = std::numeric_limits<int64_t>::max();

} // namespace

void simulation::start(uint64_t node) {
  auto& x = nodes_[node];
  ++x.life;
  ++counted_.starts;
  auto before = x.disk.incarnation;
  if (bug_ != bug::reuse_incarnation || before == 0)
    x.disk.incarnation = std::max<uint64_t>(before + 1, static_cast<uint64_t>(now_ms()) + 1);
  sync_disk(node);
  x.core = std::make_unique<cluster::replicator>(node, x.disk.incarnation, x.disk.synced_heads(), 1,
                                                 members_, settings_, now_ms());
  x.accepting = false;
  x.paused_until_us = 0;
  note([&] {
    std::string heads;
    for (auto& head : x.disk.synced_heads())
      heads += " " + to_string(head.node, head.at);
    return "node " + std::to_string(node) + ": starts incarnation "
           + std::to_string(x.disk.incarnation) + " with" + heads;
  });
  auto who = static_cast<uint32_t>(node);
  events_.add(now_us_ + dice_.between(1, 200'000), event_kind::tick, who, 0, x.life);
  events_.add(now_us_ + dice_.between(10'000, 100'000), event_kind::sync, who, 0, x.life);
  perform(node);
}

void simulation::crash(uint64_t node, bool power_cut) {
  auto& x = nodes_[node];
  if (!x.running())
    return;
  // What was being committed may be there or not; nobody has been told.
  if (x.committing > 0 && dice_.chance(50)) {
    auto synced = apply(node, x.committing).synced;
    if (synced)
      sync_disk(node);
  }
  if (power_cut) {
    x.disk.cut_power(dice_);
    x.power_cut_ms = now_ms();
  }
  note([&] {
    return "node " + std::to_string(node) + (power_cut ? ": loses its power" : ": is killed");
  });
  x.core.reset();
  ++x.life;
  x.accepting = false;
  x.queue.clear();
  x.queued_bytes = 0;
  x.committing = 0;
  x.reads.clear();
  x.waiting.clear();
  x.refused.fill(false);
  x.paused_until_us = 0;
  for (size_t i = 0; i < connections_.size(); ++i)
    for (auto& side : connections_[i]->sides)
      if (side.node == node && side.now != model_connection::phase::over) {
        side.now = model_connection::phase::over;
        cut(i);
      }
}

void simulation::perform(uint64_t node) {
  auto life = nodes_[node].life;
  while (nodes_[node].life == life && nodes_[node].running()) {
    auto actions = nodes_[node].core->take_actions();
    if (actions.empty())
      break;
    for (auto& x : actions) {
      std::visit([&](auto& y) { act(node, y); }, x);
      if (nodes_[node].life != life)
        return;
    }
  }
  if (bug_ != bug::count_self_twice || !nodes_[node].running())
    return;
  auto& waiting = nodes_[node].waiting;
  while (!waiting.empty()
         && (nodes_[node].core->copies(ledger_[waiting.front()].at) + 1) * 2 > nodes_count_) {
    acknowledge(waiting.front(), level::quorum);
    waiting.pop_front();
  }
}

void simulation::act(uint64_t node, cluster::action::send& x) {
  auto number = static_cast<uint64_t>(x.link) - 1;
  auto& connection = *connections_[number / 2];
  auto& from = connection.sides[number % 2];
  if (from.node != node || from.now != model_connection::phase::up) {
    fail("a message for a link that is not up");
    return;
  }
  check_sent(from, x.what);
  if (connection.cut)
    return;
  if (auto grant = std::get_if<cluster::credit>(&x.what); grant && bug_ == bug::grant_twice)
    grant->bytes *= 2;
  auto& to = connection.sides[1 - number % 2];
  to.inbox.push_back(std::move(x.what));
  to.last_arrival_us = std::max(to.last_arrival_us, now_us_ + latency_us());
  events_.add(to.last_arrival_us, event_kind::deliver, static_cast<uint32_t>(number / 2),
              1 - number % 2);
}

void simulation::act(uint64_t node, cluster::action::store& x) {
  if (bug_ == bug::heads_before_sync) {
    auto& last = x.records.back();
    nodes_[node].core->stored({{x.node, last.at, last.chain}}, {x.work});
  }
  nodes_[node].queued_bytes += cluster::cost(x.records);
  // Each peer may fill its window, and the last record may take more.
  auto bound = (nodes_count_ - 1) * (settings_.window_bytes + settings_.record_bytes_max);
  if (nodes_[node].queued_bytes > bound)
    fail("I10: more bytes wait for the store than were granted");
  enqueue(node, std::move(x));
}

void simulation::act(uint64_t node, cluster::action::store_forgotten& x) {
  enqueue(node, x);
}

void simulation::act(uint64_t node, cluster::action::reoriginate& x) {
  if (!nodes_[node].accepting && x.node != node)
    fail("published again before it had joined");
  // Where it matters what is on disk.
  if (!healed_ && dice_.chance(50))
    events_.add(now_us_ + dice_.between(0, 10'000), event_kind::power_cut,
                static_cast<uint32_t>(node));
  enqueue(node, x);
}

void simulation::act(uint64_t node, cluster::action::read& x) {
  auto& y = nodes_[node];
  y.reads.push_back(x);
  if (y.reads.size() > nodes_count_ * 2)
    fail("I10: more reads than one for each peer");
  events_.add(now_us_ + dice_.between(0, 2'000), event_kind::read_done, static_cast<uint32_t>(node),
              static_cast<uint64_t>(x.work), y.life);
}

void simulation::act(uint64_t node, cluster::action::quorum_reached& x) {
  if (bug_ != bug::count_self_twice)
    acknowledge_quorum(node, x.at);
}

void simulation::act(uint64_t node, cluster::action::joined&) {
  auto& x = nodes_[node];
  x.accepting = true;
  note([&] { return "node " + std::to_string(node) + ": has joined"; });
  auto mine = x.disk.synced_head(node).at;
  for (auto& connection : connections_)
    for (auto& side : connection->sides)
      if (side.node == node && side.now == model_connection::phase::up && side.heard
          && side.own_head > mine)
        fail("joined without " + to_string(node, side.own_head) + ", which a linked node has");
}

void simulation::act(uint64_t node, cluster::action::append_set_aside&) {
  enqueue(node, model_node::publish_aside{});
}

void simulation::act(uint64_t node, cluster::action::raise& x) {
  note([&] {
    return "node " + std::to_string(node) + ": alarm " + std::string(to_string(x.kind)) + " "
           + to_string(x.node, x.at);
  });
  if (x.kind == cluster::alarm::late_tail) {
    ++counted_.late_tails;
    return;
  }
  fail("alarm " + std::string(to_string(x.kind)) + " of node " + std::to_string(x.node)
       + " although everybody is honest");
}

void simulation::act(uint64_t node, cluster::action::close_link& x) {
  if (x.reason != cluster::link_fault::replaced)
    fail("link closed: " + std::string(to_string(x.reason)));
  auto number = static_cast<uint64_t>(x.link) - 1;
  connections_[number / 2]->sides[number % 2].now = model_connection::phase::over;
  note(
    [&] { return "node " + std::to_string(node) + ": closes link " + std::to_string(number + 1); });
  cut(number / 2);
}

void simulation::publish(uint64_t node) {
  auto& x = nodes_[node];
  if (!healed_)
    events_.add(now_us_ + dice_.between(1, 2 * publish_pause_ms_) * 1000, event_kind::publish,
                static_cast<uint32_t>(node));
  if (!x.accepting || x.paused_until_us > now_us_)
    return;
  for (auto left = dice_.chance(80) ? 1 : dice_.between(2, 8); left > 0; --left) {
    published y;
    y.node = node;
    y.asked = static_cast<level>(dice_.between(1, 3));
    y.expires_ms =
      dice_.chance(expiring_percent_) ? now_ms() + dice_.between(200, 4'000) : never_ms;
    ledger_.push_back(y);
    ++counted_.published;
    auto padding = dice_.chance(90) ? 0 : dice_.below(800);
    enqueue(node, model_node::publish{static_cast<uint32_t>(ledger_.size() - 1), padding});
  }
}

void simulation::acknowledge(uint32_t value, level reached) {
  auto& x = ledger_[value];
  x.acknowledged = reached;
  x.acknowledged_ms = now_ms();
  if (reached != level::quorum)
    return;
  ++counted_.quorum_acknowledged;
  auto copies = static_cast<size_t>(__builtin_popcount(x.synced_on));
  // Who has been told that it has expired need not have it.
  if (copies * 2 <= nodes_count_ && x.expires_ms > now_ms())
    fail("I4: " + to_string(x.node, x.at) + " acknowledged at quorum is on "
         + std::to_string(copies) + " disks");
}

void simulation::acknowledge_quorum(uint64_t node, const origin_position& upto) {
  auto& waiting = nodes_[node].waiting;
  while (!waiting.empty() && ledger_[waiting.front()].at <= upto) {
    acknowledge(waiting.front(), level::quorum);
    waiting.pop_front();
  }
}

} // namespace tidings::simulator
