#include "simulator/simulation.hpp"

#include <algorithm>

// The store of a node: one queue, one writer, commits in groups.
namespace tidings::simulator {

void simulation::enqueue(uint64_t node, model_node::work x) {
  nodes_[node].queue.push_back(std::move(x));
  begin_commit(node);
}

void simulation::begin_commit(uint64_t node) {
  auto& x = nodes_[node];
  if (x.committing > 0 || x.queue.empty())
    return;
  x.committing = x.queue.size();
  auto slow = x.disk_slow_until_us > now_us_;
  auto pause = slow ? dice_.between(50'000, 700'000) : dice_.between(100, 4'000);
  events_.add(now_us_ + pause, event_kind::commit, static_cast<uint32_t>(node), 0, x.life);
}

void simulation::commit(uint64_t node) {
  auto& x = nodes_[node];
  auto synced_before = x.disk.synced();
  auto result = apply(node, x.committing);
  x.queue.erase(x.queue.begin(), x.queue.begin() + static_cast<std::ptrdiff_t>(x.committing));
  x.committing = 0;
  if (result.synced)
    sync_disk(node);
  for (auto value : result.written) {
    auto& y = ledger_[value];
    acknowledge(value, result.synced ? level::fsync : level::written);
    if (y.asked == level::quorum)
      x.waiting.push_back(value);
  }
  std::vector<origin_head> changed;
  if (x.disk.synced() != synced_before)
    result.changed.insert(node);
  for (auto origin : result.changed)
    changed.push_back(bug_ == bug::acknowledge_before_sync ? x.disk.of(origin).head
                                                           : x.disk.synced_head(origin));
  x.core->stored(changed, result.done);
  for (auto work : result.refused) {
    ++counted_.refused;
    x.core->refused(work, cluster::refusal::not_now);
  }
  // What is in the queue continues what was refused, and is refused too; what comes later does not.
  std::array<bool, nodes_max + 1> waiting{};
  for (auto& y : x.queue)
    if (auto store = std::get_if<cluster::action::store>(&y))
      waiting[store->node] = true;
    else if (auto forgotten = std::get_if<cluster::action::store_forgotten>(&y))
      waiting[forgotten->up_to.node] = true;
  for (size_t origin = 1; origin <= nodes_max; ++origin)
    x.refused[origin] = x.refused[origin] && waiting[origin];
  perform(node);
  if (x.running())
    begin_commit(node);
}

simulation::outcome simulation::apply(uint64_t node, size_t works) {
  outcome result;
  auto& x = nodes_[node];
  for (size_t i = 0; i < works; ++i)
    std::visit([&](auto& y) { apply(node, y, result); }, x.queue[i]);
  return result;
}

void simulation::apply(uint64_t node, cluster::action::store& x, outcome& out) {
  auto& y = nodes_[node];
  y.queued_bytes -= cluster::cost(x.records);
  auto& refused = y.refused[x.node];
  auto full = y.disk_full_until_us > now_us_ && dice_.chance(50);
  if (full || refused || !y.disk.continues(x.node, x.records.front())) {
    // Own records that come back may be overtaken by new ones.
    if (!full && !refused && x.node != node)
      fail("I1: " + to_string(x.node, x.records.front().at) + " does not continue "
           + to_string(x.node, y.disk.of(x.node).head.at) + " on node " + std::to_string(node));
    refused = true;
    out.refused.push_back(x.work);
    return;
  }
  for (auto& record : x.records) {
    if (!y.disk.continues(x.node, record)) {
      fail("I1: a hole inside of what node " + std::to_string(node) + " was to store");
      return;
    }
    auto& head = y.disk.of(x.node).head;
    auto before = head.at.incarnation == record.at.incarnation ? head.chain : 0;
    auto known = before != 0 || record.at.sequence == 1;
    if (known && !record.bytes.empty() && chain_after(before, x.node, record) != record.chain)
      fail("I2: the chain of " + to_string(x.node, record.at) + " does not fit");
    register_record(x.node, record, false);
    y.disk.append(x.node, std::move(record));
  }
  if (bug_ == bug::store_drops_record && dice_.chance(1))
    y.disk.lose_newest(x.node);
  note([&] {
    return "node " + std::to_string(node) + ": stores up to "
           + to_string(x.node, y.disk.of(x.node).head.at);
  });
  out.changed.insert(x.node);
  out.done.push_back(x.work);
  out.synced = true;
}

void simulation::apply(uint64_t node, cluster::action::store_forgotten& x, outcome& out) {
  auto& y = nodes_[node];
  auto& head = y.disk.of(x.up_to.node).head;
  if (y.refused[x.up_to.node] || head.at >= x.up_to.at) {
    y.refused[x.up_to.node] = true;
    out.refused.push_back(x.work);
    return;
  }
  if (head.at.incarnation != x.up_to.at.incarnation) {
    fail("I1: forgotten beyond the end of an incarnation");
    return;
  }
  ++counted_.forgotten;
  note([&] {
    return "node " + std::to_string(node) + ": forgets up to " + to_string(x.up_to.node, x.up_to.at)
           + ", was at " + to_string(x.up_to.node, head.at);
  });
  y.disk.move_to(x.up_to);
  out.changed.insert(x.up_to.node);
  out.done.push_back(x.work);
  out.synced = true;
}

void simulation::apply(uint64_t node, cluster::action::reoriginate& x, outcome& out) {
  auto& disk = nodes_[node].disk;
  if (disk.of(x.node).head.at != x.up_to) {
    out.refused.push_back(x.work);
    return;
  }
  auto records = disk.take_out(x.node, x.after);
  note([&] {
    return "node " + std::to_string(node) + ": publishes again " + std::to_string(records.size())
           + " records after " + to_string(x.node, x.after);
  });
  for (auto& record : records) {
    auto content = decode(record.bytes);
    if (content.expires_ms <= now_ms() || bug_ == bug::truncate_late_tail)
      continue;
    auto padding = record.bytes.size() - encode(content, 0).size();
    content.copy = true;
    ++counted_.copies;
    auto copy = encode(content, padding);
    if (x.node == node)
      disk.aside.push_back(std::move(copy));
    else
      create(node, std::move(copy));
  }
  out.changed.insert(x.node);
  out.done.push_back(x.work);
  out.synced = out.synced || bug_ != bug::copies_unsynced;
}

void simulation::apply(uint64_t node, model_node::publish& x, outcome& out) {
  auto& y = ledger_[x.value];
  create(node, encode({x.value, y.expires_ms, false}, x.padding));
  y.at = nodes_[node].disk.of(node).head.at;
  note([&] { return "node " + std::to_string(node) + ": publishes " + to_string(node, y.at); });
  out.written.push_back(x.value);
  if (y.asked != level::written && bug_ != bug::acknowledge_before_sync)
    out.synced = true;
  if (bug_ == bug::acknowledge_before_sync)
    out.changed.insert(node);
}

void simulation::apply(uint64_t node, model_node::publish_aside&, outcome& out) {
  for (auto& bytes : nodes_[node].disk.aside)
    create(node, std::move(bytes));
  nodes_[node].disk.aside.clear();
  out.synced = true;
}

void simulation::create(uint64_t node, std::string bytes) {
  auto& disk = nodes_[node].disk;
  register_record(node, disk.append_own(std::move(bytes)), true);
}

void simulation::sync(uint64_t node) {
  auto& x = nodes_[node];
  if (x.disk.synced() != x.disk.log().size() && x.committing == 0) {
    sync_disk(node);
    x.core->stored({x.disk.synced_head(node)});
    perform(node);
  }
  events_.add(now_us_ + dice_.between(20'000, 300'000), event_kind::sync,
              static_cast<uint32_t>(node), 0, x.life);
}

void simulation::sync_disk(uint64_t node) {
  auto& disk = nodes_[node].disk;
  for (auto i = disk.synced(); i < disk.log().size(); ++i)
    ledger_[decode(disk.log()[i].record.bytes).value].synced_on |= static_cast<uint8_t>(1U << node);
  disk.sync();
}

} // namespace tidings::simulator
