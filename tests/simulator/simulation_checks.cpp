#include "simulator/simulation.hpp"

#include <algorithm>

// Readers, and what must hold.
namespace tidings::simulator {

void simulation::register_record(uint64_t node, const replica& x, bool created) {
  auto& incarnations = chains_[node];
  auto& chains = incarnations[x.at.incarnation];
  if (!created) {
    if (x.at.sequence > chains.size() || chains[x.at.sequence - 1] != x.chain)
      fail("I2: " + to_string(node, x.at) + " is not what node " + std::to_string(node) + " wrote");
    return;
  }
  if (incarnations.rbegin()->first != x.at.incarnation)
    fail("I3: " + to_string(node, x.at) + " is written after a higher incarnation");
  if (chains.size() + 1 != x.at.sequence)
    fail("G3: the name " + to_string(node, x.at) + " is used twice");
  chains.push_back(x.chain);
}

// -- readers --------------------------------------------------------------------------------------

void simulation::connect_reader(reader& x, uint64_t node) {
  x.node = node;
  x.life = nodes_[node].life;
  if (bug_ != bug::resume_by_position)
    x.next = 0;
}

void simulation::read_on(size_t which) {
  auto& x = readers_[which];
  events_.add(now_us_ + dice_.between(20'000, 400'000), event_kind::read_on,
              static_cast<uint32_t>(which));
  auto& node = nodes_[x.node];
  if (!node.running() || node.life != x.life || dice_.chance(5)) {
    auto next = 1 + dice_.below(nodes_count_);
    if (!nodes_[next].running())
      return;
    connect_reader(x, next);
  }
  read_some(x, 1 + dice_.below(40));
}

void simulation::read_some(reader& x, size_t most) {
  auto& disk = nodes_[x.node].disk;
  x.seen.resize(ledger_.size());
  std::array<origin_position, nodes_max + 1> highest{};
  for (; x.next < disk.synced() && most > 0; ++x.next) {
    auto& entry = disk.log()[x.next];
    if (entry.removed || entry.record.at <= x.cursor[entry.node])
      continue;
    --most;
    if (entry.record.at <= highest[entry.node])
      fail("I5: a cursor goes back");
    highest[entry.node] = entry.record.at;
    x.cursor[entry.node] = entry.record.at;
    x.last[entry.node][entry.record.at.incarnation] = entry.record.at.sequence;
    x.seen[decode(entry.record.bytes).value] = true;
  }
}

void simulation::check_readers() {
  for (auto& x : readers_) {
    if (nodes_[x.node].life != x.life)
      connect_reader(x, x.node);
    read_some(x, SIZE_MAX);
    auto& disk = nodes_[x.node].disk;
    for (size_t i = 0; i < disk.synced(); ++i) {
      auto& entry = disk.log()[i];
      auto content = decode(entry.record.bytes);
      if (!entry.removed && content.expires_ms > now_ms() && !x.seen[content.value]
          && !told_of_gap(x, entry.node))
        fail("I6: a reader has not got " + to_string(entry.node, entry.record.at)
             + " and is past it");
    }
  }
}

// The node's disk was set back, and what the reader has got of it is not known any more. The node
// gives itself away with the first record of its next incarnation, which follows one before that:
// then a stream has to carry a gap.
bool simulation::told_of_gap(const reader& x, uint64_t node) const {
  return nodes_[node].rolled_back_ms >= 0
         && std::any_of(x.last[node].begin(), x.last[node].end(), [&](auto& last) {
              return !nodes_[x.node].disk.knows(node, {last.first, last.second});
            });
}

// -- the end --------------------------------------------------------------------------------------

bool simulation::converged() const {
  auto& first = nodes_[1];
  // Who has forgotten the record at its head does not know the chain.
  auto same = [](const cluster::origin_head& x, const cluster::origin_head& y) {
    return x.node == y.node && x.at == y.at && !cluster::forks(x, y);
  };
  return std::all_of(members_.begin(), members_.end(), [&](uint64_t node) {
    auto& x = nodes_[node];
    return x.running() && x.accepting && x.queue.empty() && x.disk.synced() == x.disk.log().size()
           && std::ranges::equal(x.disk.synced_heads(), first.disk.synced_heads(), same);
  });
}

void simulation::check_converged() {
  for (uint64_t origin = 1; origin <= nodes_count_; ++origin) {
    origin_position floor;
    for (auto node : members_)
      floor = std::max(floor, nodes_[node].disk.of(origin).floor.at);
    std::vector<uint64_t> expected;
    for (auto node : members_) {
      auto& disk = nodes_[node].disk;
      std::vector<uint64_t> chains;
      for (auto i : disk.of(origin).entries)
        if (disk.log()[i].record.at > floor)
          chains.push_back(disk.log()[i].record.chain);
      if (node == members_.front())
        expected = chains;
      else if (chains != expected)
        fail("I9: nodes hold different records of node " + std::to_string(origin));
    }
  }
  check_present();
  check_mailboxes();
  check_readers();
}

void simulation::check_present() {
  for (auto node : members_) {
    std::vector<bool> there(ledger_.size());
    auto& disk = nodes_[node].disk;
    for (auto& entry : disk.log())
      if (!entry.removed)
        there[decode(entry.record.bytes).value] = true;
    for (size_t value = 0; value < ledger_.size(); ++value) {
      auto& x = ledger_[value];
      if (there[value] || x.acknowledged == level::none || x.expires_ms <= now_ms())
        continue;
      auto& origin = nodes_[x.node];
      if (x.acknowledged < level::quorum && origin.rolled_back_ms >= x.acknowledged_ms)
        continue;
      if (x.acknowledged < level::fsync && origin.power_cut_ms >= x.acknowledged_ms)
        continue;
      fail("G2: " + to_string(x.node, x.at) + ", acknowledged at level "
           + std::to_string(static_cast<int>(x.acknowledged)) + " at "
           + std::to_string(x.acknowledged_ms) + " ms, is not on node " + std::to_string(node));
    }
  }
}

// Every seventh value dismisses the one that many before it, wherever that is or will be.
void simulation::check_mailboxes() {
  constexpr uint32_t dismissing = 7;
  std::vector<bool> expected;
  for (auto node : members_) {
    std::vector<bool> unread(ledger_.size());
    std::vector<bool> dismissed(ledger_.size());
    for (auto& entry : nodes_[node].disk.log()) {
      auto content = decode(entry.record.bytes);
      if (entry.removed || content.expires_ms <= now_ms())
        continue;
      auto value = content.value;
      if (value % dismissing == 0 && value >= dismissing) {
        dismissed[value - dismissing + 1] = true;
        unread[value - dismissing + 1] = false;
      } else {
        unread[value] = !dismissed[value];
      }
    }
    if (node == members_.front())
      expected = unread;
    else if (unread != expected)
      fail("I7: mailboxes differ on node " + std::to_string(node));
  }
}

} // namespace tidings::simulator
