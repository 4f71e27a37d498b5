#include "simulator/model_disk.hpp"

#include "cluster/replicator_action.hpp"

#include <algorithm>
#include <utility>

namespace tidings::simulator {

model_disk::model_disk(uint64_t self) : self_(self) {
  for (uint64_t node = 0; node <= nodes_max; ++node) {
    sequences_[node].floor.node = node;
    sequences_[node].head.node = node;
  }
}

origin_head model_disk::synced_head(uint64_t node) const {
  auto& x = sequences_[node];
  if (node != self_)
    return x.head;
  for (auto i = x.entries.rbegin(); i != x.entries.rend(); ++i)
    if (*i < synced_)
      return {node, log_[*i].record.at, log_[*i].record.chain};
  return x.floor;
}

std::vector<origin_head> model_disk::synced_heads() const {
  std::vector<origin_head> result;
  for (uint64_t node = 1; node <= nodes_max; ++node)
    if (auto x = synced_head(node); x.at != origin_position{})
      result.push_back(x);
  return result;
}

bool model_disk::continues(uint64_t node, const replica& x) const {
  auto& head = sequences_[node].head;
  if (x.at.incarnation == head.at.incarnation)
    return x.at.sequence == head.at.sequence + 1;
  return x.at.incarnation > head.at.incarnation && x.at.sequence == 1 && x.follows == head.at;
}

bool model_disk::knows(uint64_t node, const origin_position& at) const {
  auto& x = sequences_[node];
  auto next = first_after(x, at);
  return at <= x.floor.at || (next > 0 && log_[x.entries[next - 1]].record.at == at);
}

void model_disk::append(uint64_t node, replica x) {
  auto& to = sequences_[node];
  to.head = {node, x.at, x.chain};
  if (x.at.sequence == 1) {
    to.runs.push_back({x, to.head});
    to.runs.back().first.bytes.clear();
  }
  to.runs.back().last = to.head;
  if (x.bytes.empty()) {
    to.entries.clear();
    to.floor = to.head;
    return;
  }
  to.entries.push_back(static_cast<uint32_t>(log_.size()));
  log_.push_back(entry{node, std::move(x), false});
}

const replica& model_disk::append_own(std::string bytes) {
  auto& head = sequences_[self_].head;
  replica x;
  uint64_t before = 0;
  if (head.at.incarnation == incarnation) {
    x.at = {incarnation, head.at.sequence + 1};
    before = head.chain;
  } else {
    x.at = {incarnation, 1};
    x.follows = head.at;
  }
  x.bytes = std::move(bytes);
  x.chain = chain_after(before, self_, x);
  append(self_, std::move(x));
  return log_.back().record;
}

void model_disk::move_to(const origin_head& x) {
  auto& to = sequences_[x.node];
  to.entries.clear();
  to.floor = x;
  to.head = x;
  to.runs.back().last = x;
}

size_t model_disk::first_after(const sequence& x, const origin_position& at) const {
  auto i = std::partition_point(x.entries.begin(), x.entries.end(),
                                [&](uint32_t y) { return log_[y].record.at <= at; });
  return static_cast<size_t>(i - x.entries.begin());
}

void model_disk::correct_head(sequence& x) {
  if (x.entries.empty()) {
    x.head = x.floor;
  } else {
    auto& last = log_[x.entries.back()].record;
    x.head = {x.floor.node, last.at, last.chain};
  }
  while (!x.runs.empty() && x.runs.back().first.at > x.head.at)
    x.runs.pop_back();
  if (!x.runs.empty())
    x.runs.back().last = x.head;
}

std::vector<replica> model_disk::take_out(uint64_t node, const origin_position& after) {
  auto& from = sequences_[node];
  std::vector<replica> result;
  auto first = first_after(from, after);
  for (auto i = first; i < from.entries.size(); ++i) {
    auto& x = log_[from.entries[i]];
    x.removed = true;
    result.push_back(x.record);
  }
  from.entries.resize(first);
  if (after < from.floor.at)
    from.floor = {node, after, 0};
  correct_head(from);
  return result;
}

void model_disk::cut_power(random& dice) {
  if (synced_ == log_.size())
    return;
  auto left = synced_ + dice.below(log_.size() - synced_ + 1);
  while (log_.size() > left) {
    auto& x = sequences_[log_.back().node];
    if (!x.entries.empty() && x.entries.back() == log_.size() - 1) {
      x.entries.pop_back();
      correct_head(x);
    }
    log_.pop_back();
  }
  sync();
}

void model_disk::trim(int64_t now_ms, bool even_unexpired) {
  for (auto& x : sequences_)
    while (!x.entries.empty() && x.entries.front() < synced_) {
      auto& first = log_[x.entries.front()];
      if (decode(first.record.bytes).expires_ms > now_ms && !std::exchange(even_unexpired, false))
        break;
      x.floor = {first.node, first.record.at, first.record.chain};
      first.removed = true;
      x.entries.pop_front();
    }
}

model_disk::reading model_disk::read(uint64_t node, const origin_position& after,
                                     const origin_position& up_to, uint64_t bytes_max) const {
  reading result;
  auto& from = sequences_[node];
  if (after < from.floor.at)
    return read_forgotten(from, after);
  uint64_t bytes = 0;
  for (auto i = first_after(from, after); i < from.entries.size(); ++i) {
    auto& x = log_[from.entries[i]].record;
    bytes += cluster::cost(x);
    if (x.at > up_to || (bytes > bytes_max && !result.records.empty()))
      break;
    result.records.push_back(x);
  }
  return result;
}

model_disk::reading model_disk::read_forgotten(const sequence& from,
                                               const origin_position& after) const {
  reading result;
  for (auto& x : from.runs) {
    if (x.first.at > after) {
      result.records.push_back(x.first);
      break;
    }
    auto end = x.last.at < from.floor.at ? x.last : from.floor;
    if (x.first.at.incarnation == after.incarnation && after < end.at) {
      result.forgotten = end;
      break;
    }
  }
  return result;
}

void model_disk::lose_newest(uint64_t node) {
  auto& x = sequences_[node];
  if (x.entries.empty())
    return;
  log_[x.entries.back()].removed = true;
  x.entries.pop_back();
}

} // namespace tidings::simulator
