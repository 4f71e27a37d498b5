#include "simulator/simulation.hpp"

#include <algorithm>

// What goes wrong, and that it is set right in the end.
namespace tidings::simulator {

void simulation::fault() {
  if (healed_)
    return;
  events_.add(now_us_ + dice_.between(1, 2 * fault_pause_ms_) * 1000, event_kind::fault, 0);
  if (dice_.chance(set_back_percent_)) {
    set_back();
    return;
  }
  auto node = 1 + dice_.below(nodes_count_);
  auto& x = nodes_[node];
  auto start_again = [&](uint64_t which) {
    events_.add(now_us_ + dice_.between(100, 4'000) * 1000, event_kind::start,
                static_cast<uint32_t>(which));
  };
  auto what = dice_.below(100);
  if (what < 20) {
    if (!connections_.empty())
      cut(connections_.size() - 1 - dice_.below(std::min<size_t>(connections_.size(), 8)));
  } else if (what < 35) {
    partition();
  } else if (what < 42) {
    if (isolated_until_us_ > now_us_)
      return;
    note([&] { return std::string("all nodes can talk again"); });
    blocked_ = {};
  } else if (what < 50) {
    if (x.running())
      start_again(node);
    crash(node, false);
  } else if (what < 62) {
    if (x.running())
      start_again(node);
    crash(node, true);
  } else if (what < 64) {
    for (auto i : members_) {
      if (nodes_[i].running())
        start_again(i);
      crash(i, true);
    }
  } else if (what < 71) {
    x.paused_until_us = now_us_ + dice_.between(50, 6'000) * 1000;
  } else if (what < 77) {
    x.disk_slow_until_us = now_us_ + dice_.between(200, 4'000) * 1000;
  } else if (what < 81) {
    x.disk_full_until_us = now_us_ + dice_.between(200, 3'000) * 1000;
  } else {
    for (auto i : members_)
      if (nodes_[i].running() && dice_.chance(60))
        nodes_[i].disk.trim(now_ms(), bug_ == bug::forget_unexpired);
  }
}

void simulation::set_back() {
  auto node = 1 + dice_.below(nodes_count_);
  while (!nodes_[node].may_be_rolled_back)
    node = 1 + node % nodes_count_;
  auto& x = nodes_[node];
  if (!x.backup || dice_.chance(20)) {
    x.backup = x.disk;
    // Others may be without what it publishes from here on, and will lose.
    if (dice_.chance(40))
      isolate(1 + dice_.below(nodes_count_));
    return;
  }
  if (x.running())
    events_.add(now_us_ + dice_.between(100, 1'000) * 1000, event_kind::start,
                static_cast<uint32_t>(node));
  crash(node, true);
  note([&] { return "node " + std::to_string(node) + ": its disk is set back"; });
  x.disk = dice_.chance(15) ? model_disk(node) : *x.backup;
  sync_disk(node);
  x.rolled_back_ms = now_ms();
  ++counted_.rollbacks;
  // Often so that it has to go on without those who know what it has lost.
  if (dice_.chance(70))
    isolate(node);
}

void simulation::isolate(uint64_t node) {
  if (isolated_until_us_ < now_us_)
    blocked_ = {};
  isolated_until_us_ = now_us_ + dice_.between(2'000, 7'000) * 1000;
  for (auto other : members_)
    if (other != node && dice_.chance(85))
      blocked_[node][other] = blocked_[other][node] = true;
  notice_silence();
}

void simulation::partition() {
  if (isolated_until_us_ > now_us_)
    return;
  blocked_ = {};
  auto block = [&](uint64_t from, uint64_t to) { blocked_[from][to] = true; };
  switch (dice_.below(3)) {
    case 0: { // two halves
      auto side = dice_.next();
      for (auto [first, second] : pairs_)
        if (((side >> first) & 1) != ((side >> second) & 1)) {
          block(first, second);
          block(second, first);
        }
      break;
    }
    case 1: { // one pair
      auto [first, second] = pairs_[dice_.below(pairs_.size())];
      block(first, second);
      block(second, first);
      break;
    }
    default: { // one way
      auto [first, second] = pairs_[dice_.below(pairs_.size())];
      if (dice_.chance(50))
        std::swap(first, second);
      block(first, second);
      break;
    }
  }
  note([&] {
    std::string text = "cannot talk:";
    for (auto [first, second] : pairs_) {
      if (blocked(first, second))
        text += " " + std::to_string(first) + ">" + std::to_string(second);
      if (blocked(second, first))
        text += " " + std::to_string(second) + ">" + std::to_string(first);
    }
    return text;
  });
  notice_silence();
}

void simulation::notice_silence() {
  // Each side finds out by itself that nothing comes any more.
  for (size_t i = 0; i < connections_.size(); ++i) {
    auto& x = *connections_[i];
    auto [first, second] = std::pair{x.sides[0].node, x.sides[1].node};
    if (!x.cut && (blocked(first, second) || blocked(second, first)))
      for (uint64_t side = 0; side < 2; ++side)
        events_.add(now_us_ + dice_.between(1'000, 6'000) * 1000, event_kind::link_ends,
                    static_cast<uint32_t>(i), side);
  }
}

void simulation::heal() {
  healed_ = true;
  note([&] { return std::string("healed"); });
  blocked_ = {};
  latency_max_us_ = 2'000;
  for (auto node : members_) {
    auto& x = nodes_[node];
    x.disk_slow_until_us = 0;
    x.disk_full_until_us = 0;
    x.paused_until_us = std::min(x.paused_until_us, now_us_ + 1'000'000);
    events_.add(now_us_ + dice_.between(0, 500'000), event_kind::start,
                static_cast<uint32_t>(node));
  }
}

} // namespace tidings::simulator
