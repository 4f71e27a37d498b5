#include "simulator/simulation.hpp"

#include <limits>

namespace tidings::simulator {

namespace {

constexpr size_t trace_lines_max = 400;
constexpr int64_t tick_us = 200'000;
constexpr int64_t look_us = 250'000;
constexpr int64_t converge_within_ms = 40'000;

} // namespace

simulation::simulation(uint64_t seed, bug which, bool tracing)
  : dice_(seed), bug_(which), tracing_(tracing) {
  nodes_count_ = dice_.chance(65) ? 3 : 5;
  fault_pause_ms_ = static_cast<unsigned>(dice_.between(150, 1500));
  publish_pause_ms_ = static_cast<unsigned>(dice_.between(60, 600) * (nodes_count_ == 5 ? 3 : 1));
  expiring_percent_ = dice_.chance(60) ? 25 : 97;
  set_back_percent_ = dice_.chance(75) ? 3 : 35;
  latency_max_us_ = dice_.chance(70) ? 2'000 : 60'000;
  faults_end_us_ = dice_.between(4'000, 14'000) * 1000;
  settings_.window_bytes = static_cast<uint64_t>(dice_.between(600, 6'000));
  settings_.read_bytes = static_cast<uint64_t>(dice_.between(100, 1'500));
  settings_.record_bytes_max = 1'000;
  nodes_.reserve(nodes_max + 1);
  for (uint64_t node = 0; node <= nodes_count_; ++node)
    nodes_.emplace_back(node);
  for (uint64_t node = 1; node <= nodes_count_; ++node) {
    members_.push_back(node);
    for (uint64_t other = node + 1; other <= nodes_count_; ++other)
      pairs_.emplace_back(node, other);
    events_.add(dice_.between(0, 300'000), event_kind::start, static_cast<uint32_t>(node));
    events_.add(dice_.between(0, 1'000'000), event_kind::publish, static_cast<uint32_t>(node));
  }
  // Disks of a minority may be set back.
  for (size_t left = (nodes_count_ - 1) / 2; left > 0;) {
    auto& x = nodes_[1 + dice_.below(nodes_count_)];
    left -= x.may_be_rolled_back ? 0 : 1;
    x.may_be_rolled_back = true;
  }
  for (size_t pair = 0; pair < pairs_.size(); ++pair)
    events_.add(dice_.between(0, 200'000), event_kind::dial, static_cast<uint32_t>(pair));
  readers_.resize(3);
  for (size_t i = 0; i < readers_.size(); ++i)
    events_.add(dice_.between(100'000, 500'000), event_kind::read_on, static_cast<uint32_t>(i));
  events_.add(dice_.between(500'000, 2'000'000), event_kind::fault, 0);
  events_.add(faults_end_us_, event_kind::look, 0);
}

void simulation::run() {
  while (!over_ && violation_.empty()) {
    auto next = events_.take();
    now_us_ = next.at_us;
    ++steps_;
    handle(next);
  }
}

bool simulation::put_off(const event& x, uint64_t node) {
  auto until = nodes_[node].paused_until_us;
  if (until <= now_us_)
    return false;
  events_.put_off(x, until);
  return true;
}

void simulation::handle(const event& x) {
  auto node = static_cast<uint64_t>(x.who);
  switch (x.kind) {
    case event_kind::tick:
      if (x.life != nodes_[node].life || put_off(x, node))
        return;
      nodes_[node].core->tick(now_ms());
      perform(node);
      events_.add(now_us_ + tick_us, x.kind, x.who, 0, x.life);
      return;
    case event_kind::publish:
      publish(node);
      return;
    case event_kind::commit:
      if (x.life == nodes_[node].life && !put_off(x, node))
        commit(node);
      return;
    case event_kind::sync:
      if (x.life == nodes_[node].life && !put_off(x, node))
        sync(node);
      return;
    case event_kind::read_done: {
      if (x.life != nodes_[node].life || put_off(x, node))
        return;
      auto& reads = nodes_[node].reads;
      for (auto i = reads.begin(); i != reads.end(); ++i)
        if (static_cast<uint64_t>(i->work) == x.number) {
          auto y = nodes_[node].disk.read(i->node, i->after, i->up_to, i->bytes_max);
          auto work = i->work;
          reads.erase(i);
          nodes_[node].core->read_done(work, std::move(y.records), y.forgotten);
          perform(node);
          return;
        }
      return;
    }
    case event_kind::start:
      if (!nodes_[node].running())
        start(node);
      return;
    case event_kind::dial:
      dial(x.who);
      return;
    case event_kind::link_begins: {
      auto& side = connections_[x.who]->sides[x.number];
      if (side.now != model_connection::phase::coming || put_off(x, side.node))
        return;
      side.now = model_connection::phase::up;
      auto other = connections_[x.who]->sides[1 - x.number].node;
      auto link = cluster::link_id{x.who * 2 + x.number + 1};
      note([&] {
        return "node " + std::to_string(side.node) + ": link "
               + std::to_string(static_cast<uint64_t>(link)) + " to " + std::to_string(other)
               + " is up";
      });
      nodes_[side.node].core->link_up(link, other);
      if (bug_ == bug::send_without_credit)
        nodes_[side.node].core->receive(link, cluster::credit{1'000'000});
      perform(side.node);
      return;
    }
    case event_kind::link_ends:
      if (!put_off(x, connections_[x.who]->sides[x.number].node))
        link_ends(x.who, x.number);
      return;
    case event_kind::deliver:
      if (!put_off(x, connections_[x.who]->sides[x.number].node))
        deliver(x.who, x.number);
      return;
    case event_kind::power_cut:
      if (!nodes_[node].running())
        return;
      crash(node, true);
      events_.add(now_us_ + dice_.between(100, 1'000) * 1000, event_kind::start, x.who);
      return;
    case event_kind::fault:
      fault();
      return;
    case event_kind::read_on:
      read_on(x.who);
      return;
    case event_kind::look:
      look();
      return;
  }
}

void simulation::look() {
  if (!healed_)
    heal();
  if (converged()) {
    check_converged();
    over_ = true;
  } else if (now_us_ > faults_end_us_ + converge_within_ms * 1000) {
    std::string heads;
    for (auto node : members_) {
      heads += " | " + std::to_string(node) + (nodes_[node].accepting ? "" : " (joining)") + ":";
      for (auto& x : nodes_[node].disk.synced_heads())
        heads += " " + to_string(x.node, x.at);
      heads += ", " + std::to_string(nodes_[node].queue.size()) + " waiting, synced "
               + std::to_string(nodes_[node].disk.synced()) + " of "
               + std::to_string(nodes_[node].disk.log().size());
    }
    note_states();
    fail("I9: not converged in time" + heads);
  }
  events_.add(now_us_ + look_us, event_kind::look, 0);
}

void simulation::note_states() {
  for (auto node : members_) {
    if (!nodes_[node].running())
      continue;
    auto status = nodes_[node].core->status();
    for (auto& x : status.peers)
      note([&] {
        return "node " + std::to_string(node) + ": peer " + std::to_string(x.node)
               + (x.linked ? ", linked" : "") + (x.heard ? ", heard" : "") + ", lag "
               + std::to_string(x.lag) + ", credit " + std::to_string(x.credit);
      });
    for (auto& x : status.origins)
      note([&] {
        return "node " + std::to_string(node) + ": origin " + to_string(x.node, x.head.at)
               + " from " + std::to_string(x.source.value_or(0)) + ", lag " + std::to_string(x.lag);
      });
  }
}

void simulation::fail(const std::string& what) {
  if (!violation_.empty())
    return;
  violation_ = what;
  note([&] { return "VIOLATION " + what; });
}

void simulation::keep(const std::string& text) {
  trace_.push_back(std::to_string(now_us_ / 1000) + "."
                   + std::to_string(1000 + now_us_ % 1000).substr(1) + "  " + text);
  if (trace_.size() > trace_lines_max)
    trace_.pop_front();
}

} // namespace tidings::simulator
