#pragma once

#include "storage/record_codec.hpp"
#include "tidings/event_store.hpp"

#include <string_view>

namespace tidings::storage {

/// Decides what a reader is shown of a log entry. Every way of reading goes through here, so that
/// all of them give the same answers.
class entry_presenter {
public:
  enum class outcome : uint8_t { go_on, stop, corrupt };

  /// @param forgotten nothing is said about what is missing up to here
  entry_presenter(const read_request& what, lsn forgotten, record_visitor& to)
    : who_(*what.who), now_ms_(what.now_ms), forgotten_(forgotten), to_(to) {
    // nop
  }

  outcome show(lsn position, std::string_view value);

private:
  const subscription& who_;
  const int64_t now_ms_;
  const lsn forgotten_;
  record_visitor& to_;
  decoded_entry entry_;
};

} // namespace tidings::storage
