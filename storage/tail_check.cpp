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
    x.chain = 0;
    x.time_ms = time_ms_;
  } else if (any_ && x.form == entry_form::record && chain_of(value, chain_) != x.chain) {
    report("the log entry at position " + at + " does not follow from the one before it");
  }
  if (expected_ && expected_->position == position && expected_->chain != x.chain)
    report("the log entry at position " + at + " is not the one that was synced");
  any_ = true;
  last_ = position;
  chain_ = x.chain;
  time_ms_ = x.time_ms;
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
