#pragma once

#include "actors/messages.hpp"
#include "tidings/event_store.hpp"

namespace tidings {

/// Turns what the log holds into what streams and pages show. Holds no state of its own between
/// calls, so any number may work on one store.
class log_reader {
public:
  /// @param store outlives the reader
  explicit log_reader(const event_store& store);

  /// The next piece of a replay: events and gap notices up to about `bytes_max`, at least one event
  /// if there is one within the bound of work.
  result<replay_chunk> replay(const replay_request& x, int64_t now_ms) const;

  result<page> read_page(const page_request& x, int64_t now_ms) const;

private:
  struct origin_of_read {
    lsn after{};
    std::optional<gap_reason> gap;
    std::string from;                   ///< what the reader gave, if it was understood
    std::shared_ptr<const cursor> seen; ///< see replay_request
    bool quiet =
      true; ///< the reader named no id: what is missing before the first event is no loss
  };

  result<origin_of_read> locate(const start_point& x, const subscription& who) const;

  const event_store& store_;
};

} // namespace tidings
