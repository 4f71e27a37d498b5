#include "storage/origin_runs.hpp"

#include <algorithm>
#include <mutex>

namespace tidings::storage {

void origin_runs::add(const origin_run& x) {
  if (x.node != node_)
    return;
  std::unique_lock guard{mutex_};
  runs_.push_back(x);
}

origin_position origin_runs::at(lsn x) const {
  std::shared_lock guard{mutex_};
  auto after = std::upper_bound(runs_.begin(), runs_.end(), x,
                                [](lsn pos, const origin_run& run) { return pos < run.position; });
  if (after == runs_.begin())
    return {};
  auto& run = *(after - 1);
  return {run.from.incarnation, run.from.sequence + (to_integer(x) - to_integer(run.position))};
}

resolved_cursor origin_runs::resolve(const cursor& x, uint64_t current, lsn last) const {
  auto wanted = x.find(node_);
  if (!wanted || wanted->incarnation > current)
    return {last, gap_reason::unknown_cursor};
  std::shared_lock guard{mutex_};
  // The run that the wanted position is in, or would have been in.
  auto after = std::upper_bound(
    runs_.begin(), runs_.end(), *wanted,
    [](const origin_position& pos, const origin_run& run) { return pos < run.from; });
  auto end = after == runs_.end() ? last : lsn{to_integer(after->position) - 1};
  auto missing = [&]() -> resolved_cursor {
    // A sequence that this very process has not given out is no id of ours.
    if (wanted->incarnation == current)
      return {last, gap_reason::unknown_cursor};
    return {end, gap_reason::lost};
  };
  if (wanted->sequence == 0) // nothing of that incarnation seen yet
    return {end, std::nullopt};
  if (after == runs_.begin() || (after - 1)->from.incarnation != wanted->incarnation)
    return missing();
  auto& run = *(after - 1);
  auto offset = wanted->sequence - run.from.sequence;
  if (offset > to_integer(end) - to_integer(run.position))
    return missing();
  return {lsn{to_integer(run.position) + offset}, std::nullopt};
}

} // namespace tidings::storage
