#pragma once

#include "storage/dismissals.hpp"
#include "storage/origin_heads.hpp"
#include "storage/record_codec.hpp"
#include "tidings/event_store.hpp"

#include <string_view>

namespace tidings::storage {

/// Where who has read up to and including an entry stands.
cursor to_cursor(const decoded_entry& x, const origin_heads& heads);

/// The event of a record, as what is delivered holds it.
event to_event(const decoded_entry& x);

/// A record as readers see it; valid as long as the arguments and what they point into.
record_view to_view(lsn position, const decoded_entry& x, const cursor& at, uint64_t node) noexcept;

failure unreadable_entry(lsn position);

/// Decides what a reader is shown of a log entry. Every way of reading for a subscription goes
/// through here, so that all of them give the same answers.
class entry_presenter {
public:
  enum class outcome : uint8_t { go_on, stop, failed };

  /// @param forgotten nothing is said about what is missing up to here
  entry_presenter(const read_request& what, const origin_heads& heads, lsn forgotten,
                  dismissals& hidden, record_visitor& to)
    : who_(*what.who),
      seen_(what.seen),
      now_ms_(what.now_ms),
      heads_(heads),
      forgotten_(forgotten),
      hidden_(hidden),
      to_(to) {
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
  const cursor* seen_;
  const int64_t now_ms_;
  const origin_heads& heads_;
  const lsn forgotten_;
  dismissals& hidden_;
  record_visitor& to_;
  decoded_entry entry_;
  cursor at_;
  status why_;
};

} // namespace tidings::storage
