#pragma once

#include "arrivals.hpp"
#include "event_lines.hpp"
#include "histogram.hpp"
#include "reactor.hpp"
#include "target.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace bench {

struct follower_plan {
  std::string topic;
  uint64_t topics = 1;         // more: follower i has topic i modulo this, and marks name the topic
  std::vector<uint16_t> ports; // the first is home; the next one is tried when one ends or refuses
  uint64_t opening_max = 128;  // streams that wait for their first bytes at the same time
  uint64_t retry_ms = 0;       // how long one that lost its stream waits
  uint64_t first_index = 0;    // keeps the source addresses of several sets apart
};

/// What followers got since the last `clear()`.
struct follower_tally {
  uint64_t events = 0;
  uint64_t doubled = 0;
  uint64_t late = 0;       // overtaken by a later number
  uint64_t unreadable = 0; // no mark, or that of another topic
  uint64_t ended = 0;      // streams that the server ended
  uint64_t refused = 0;    // no connection, or an answer that is no stream
  uint64_t last_event_ns = 0;
  histogram latency;
  histogram opening; // from connecting to the first bytes
};

/// Streams that come back with the id of their last event, on the next node if need be, and check
/// over all their lives that each number of their topic came exactly once.
class follower_set {
public:
  follower_set(reactor& loop, const target& to, follower_plan plan, uint64_t count);
  follower_set(const follower_set&) = delete;
  follower_set& operator=(const follower_set&) = delete;
  ~follower_set();

  /// Begins to open every stream that is not open; `tend` goes on with it.
  void open();

  /// Opens what is due. To be called in every turn.
  void tend();

  /// Closes all streams; they stay so until `open`.
  void drop();

  bool all_open() const {
    return open_ == size();
  }

  uint64_t open_count() const {
    return open_;
  }

  uint64_t size() const {
    return followers_.size();
  }

  /// From now on the first number has to be 1.
  void be_strict() {
    strict_ = true;
  }

  /// Sets what each needs to have: all numbers of its topic up to `numbers[topic]`.
  void want(const std::vector<uint32_t>& numbers);

  /// Followers that have what they were to have.
  uint64_t satisfied() const {
    return satisfied_;
  }

  uint64_t missing() const;
  uint64_t gaps() const;

  follower_tally& tally() {
    return tally_;
  }

private:
  class follower;

  reactor& loop_;
  const target& target_;
  follower_plan plan_;
  std::vector<std::unique_ptr<follower>> followers_;
  struct waiting {
    uint64_t due_ns;
    follower* who;
  };
  std::deque<waiting> closed_; // all wait equally long
  uint64_t opening_ = 0;
  uint64_t open_ = 0;
  uint64_t satisfied_ = 0;
  bool strict_ = false;
  follower_tally tally_;
};

} // namespace bench
