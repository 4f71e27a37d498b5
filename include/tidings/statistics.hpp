#pragma once

#include <atomic>
#include <cstdint>

namespace tidings {

/// What the broker counts. Any thread adds; whoever shows them reads. Totals since start unless
/// said.
struct statistics {
  using counter = std::atomic<uint64_t>;

  // -- connections --------------------------------------------------------------------------------
  counter connections_open{0}; ///< now: sockets
  counter connections_total{0};
  counter connections_refused{0};
  counter streams_open{0}; ///< now
  counter streams_total{0};
  counter streams_ended_client{0};
  counter streams_ended_shutdown{0};
  counter streams_ended_max_age{0};
  counter streams_ended_closed{0};
  counter streams_ended_slow_reader{0};
  counter streams_ended_rights{0}; ///< token expired or revoked
  counter streams_ended_replaced{0};
  counter streams_ended_storage{0}; ///< the log could not be read

  // -- events
  // ---------------------------------------------------------------------------------------
  counter published{0};
  counter duplicates{0};
  counter refused{0};
  counter delivered{0}; ///< event and stream pairs, live and replayed
  counter delivered_bytes{0};
  counter replayed{0}; ///< the part of `delivered` that was read from the log
  counter dropped{0};  ///< by an overflow policy, or ephemeral and not deliverable
  counter gaps{0};
  counter resumes{0};
  counter resumes_unknown{0};

  // -- mailboxes
  // -----------------------------------------------------------------------------------
  counter mailbox_changes{0}; ///< items whose state rose
  counter mailbox_actors{0};  ///< now

  // -- store
  // ----------------------------------------------------------------------------------------
  counter commits{0};
  counter commit_microseconds{0};
  counter synced_commits{0};

  // -- bounds
  // ---------------------------------------------------------------------------------------
  counter publish_bytes{0};     ///< now: accepted and not yet answered
  counter body_bytes{0};        ///< now: of requests under way, but for short ones
  counter answer_bytes{0};      ///< now: of answers that are not taken, but for short ones
  counter topic_actors{0};      ///< now
  counter subscribed_topics{0}; ///< now: distinct topics and patterns of open streams

  // -- requests
  // -------------------------------------------------------------------------------------
  counter requests{0};
  counter requests_refused{0};

  // -- configuration
  // --------------------------------------------------------------------------------
  counter reloads{0};
  counter reloads_failed{0};
};

inline void add(statistics::counter& x, uint64_t n = 1) noexcept {
  x.fetch_add(n, std::memory_order_relaxed);
}

inline void subtract(statistics::counter& x, uint64_t n = 1) noexcept {
  x.fetch_sub(n, std::memory_order_relaxed);
}

inline uint64_t value(const statistics::counter& x) noexcept {
  return x.load(std::memory_order_relaxed);
}

} // namespace tidings
