#include "storage/tail_check.hpp"

#include "storage/record_codec.hpp"

#include <string>
#include <utility>

namespace tidings::storage {

void tail_check::add(lsn position, std::string_view value) {
  auto at = std::to_string(to_integer(position));
  if (any_ && position != next(last_))
    report("the log jumps from position " + std::to_string(to_integer(last_)) + " to " + at);
  decoded_entry x;
  if (!decode_entry(value, x)) {
    report("the log entry at position " + at + " cannot be read");
    x = {};
    x.arrived_ms = arrived_ms_;
  } else {
    check_chain(at, x, value);
    if (is_taken_away(x)) // its chain is that of what was there
      heads_[x.slot] = {x.origin, 0};
    else if (x.origin.sequence != 0)
      heads_[x.slot] = {x.origin, x.chain};
  }
  if (expected_ && expected_->position == position && expected_->chain != x.chain)
    report("the log entry at position " + at + " is not the one that was synced");
  any_ = true;
  last_ = position;
  slot_ = x.slot;
  chain_ = x.chain;
  arrived_ms_ = x.arrived_ms;
}

void tail_check::check_chain(const std::string& position, const decoded_entry& x,
                             std::string_view value) {
  if (x.form != entry_form::record)
    return;
  auto& before = heads_[x.slot];
  auto previous = uint64_t{0};
  if (!x.is_chained) { // over the whole log
    if (!any_)
      return;
    previous = chain_;
  } else if (x.chain == 0) {
    return; // came from a store of an older version
  } else if (x.origin.sequence != 1) {
    auto goes_on =
      before.at.incarnation == x.origin.incarnation && before.at.sequence + 1 == x.origin.sequence;
    if (before.at.sequence != 0 && !goes_on)
      return report("the log entry at position " + position + " skips others of its node");
    if (!goes_on || before.chain == 0)
      return;
    previous = before.chain;
  }
  if (chain_of(x, value, nodes_[x.slot], previous) != x.chain)
    report("the log entry at position " + position + " does not follow from the one before it");
}

status tail_check::finish() const {
  auto problem = problem_;
  if (problem.empty() && expected_ && last_ < expected_->position)
    problem = "the log ends at position " + std::to_string(to_integer(last_))
              + ", but everything up to position " + std::to_string(to_integer(expected_->position))
              + " had been synced to disk";
  if (problem.empty())
    return std::nullopt;
  return failure{
    errc::storage_corrupt,
    "the store has lost records: " + problem
      + "; restore a backup, or start once with storage.recovery=salvage to go on with "
        "what is left (subscribers are told of the loss)"};
}

void tail_check::report(std::string what) {
  if (problem_.empty())
    problem_ = std::move(what);
}

} // namespace tidings::storage
