#pragma once

#include "storage/dismissals.hpp"
#include "storage/record_codec.hpp"
#include "tidings/event_store.hpp"

#include <string_view>

namespace tidings::storage {

/// A record as readers see it; valid as long as `x` and what it points into.
record_view to_view(lsn position, const decoded_entry& x) noexcept;

failure unreadable_entry(lsn position);

/// Decides what a reader is shown of a log entry. Every way of reading for a subscription goes
/// through here, so that all of them give the same answers.
class entry_presenter {
public:
  enum class outcome : uint8_t { go_on, stop, failed };

  /// @param forgotten nothing is said about what is missing up to here
  entry_presenter(const read_request& what, lsn forgotten, dismissals& hidden, record_visitor& to)
    : who_(*what.who), now_ms_(what.now_ms), forgotten_(forgotten), hidden_(hidden), to_(to) {
    // nop
  }

  outcome show(lsn position, std::string_view value);

  /// Why the last call failed.
  const failure& why() const {
    return *why_;
  }

private:
  outcome fail(failure why);

  const subscription& who_;
  const int64_t now_ms_;
  const lsn forgotten_;
  dismissals& hidden_;
  record_visitor& to_;
  decoded_entry entry_;
  status why_;
};

} // namespace tidings::storage
