#pragma once

#include "histogram.hpp"
#include "reactor.hpp"
#include "response_reader.hpp"
#include "target.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bench {

/// What a set of streams received since the last `clear()`.
struct stream_tally {
  uint64_t events = 0;
  uint64_t missing = 0;    // numbers jumped over
  uint64_t doubled = 0;    // numbers that came again, or late
  uint64_t unreadable = 0; // marks without digits
  uint64_t bytes = 0;
  uint64_t reads = 0;
  uint64_t last_event_ns = 0;
  histogram latency;

  bool exact() const {
    return missing == 0 && doubled == 0 && unreadable == 0;
  }
};

/// How a set of streams is opened.
struct stream_plan {
  std::string topic;
  uint64_t topics = 1; // more: stream i has topic i modulo this
  std::string since;
  uint64_t publishers = 1;
  int receive_bytes = 0;  // of the sockets; 0: the kernel's choice
  bool mailboxes = false; // the topics are names of users, whose mailboxes are streamed
};

/// Open event streams that are read and checked: every stream sees each publisher's numbers rise by
/// one.
class stream_set {
public:
  /// `first_index` keeps the source addresses of several sets apart.
  stream_set(reactor& loop, const target& to, stream_plan plan, uint64_t first_index = 0);
  stream_set(const stream_set&) = delete;
  stream_set& operator=(const stream_set&) = delete;
  ~stream_set();

  /// Opens `count` more streams; returns when each got its first bytes. Ends the program if one
  /// does not.
  void open(uint64_t count);

  uint64_t size() const {
    return streams_.size();
  }

  /// Streams that the server has ended.
  uint64_t closed() const {
    return closed_;
  }

  /// The fewest events that one stream has got since it was opened.
  uint64_t least_events() const;

  /// From now on a publisher's first number has to be 1 or follow the last one.
  void be_strict() {
    strict_ = true;
  }

  /// Stops and resumes reading, on all streams.
  void pause();
  void resume();

  stream_tally& tally() {
    return tally_;
  }

private:
  class stream;

  void on_mark(stream& at, const char* digits);

  reactor& loop_;
  const target& target_;
  stream_plan plan_;
  uint64_t first_index_;
  std::vector<std::unique_ptr<stream>> streams_;
  uint64_t established_ = 0;
  uint64_t closed_ = 0;
  uint64_t now_ns_ = 0; // of the current read
  bool strict_ = false;
  stream_tally tally_;
};

} // namespace bench
