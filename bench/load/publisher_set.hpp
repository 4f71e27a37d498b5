#pragma once

#include "histogram.hpp"
#include "reactor.hpp"
#include "target.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace bench {

struct publisher_plan {
  uint64_t connections = 1;
  std::string topic;
  uint64_t topics = 1; // more: each event goes to the next topic
  std::string ack;
  size_t data_bytes = 200;
  bool number_by_topic = false; // marks count each topic's events and name the topic as publisher
};

/// Keep-alive connections that publish one event after the other, each when the last one has been
/// answered: as fast as that goes, or at a rate that all of them keep together.
class publisher_set {
public:
  publisher_set(reactor& loop, const target& to, publisher_plan plan);
  publisher_set(const publisher_set&) = delete;
  publisher_set& operator=(const publisher_set&) = delete;
  ~publisher_set();

  /// Begins to publish `count` events. With a rate, an event's time is when it was due, so that a
  /// server that holds publishers up does not look faster for it.
  void start(uint64_t count, double per_second = 0);

  /// Publishes no more of the last `start`.
  void stop() {
    unsent_ = 0;
  }

  /// Numbers given out so far, by topic; with `number_by_topic`.
  const std::vector<uint32_t>& topic_numbers() const {
    return topic_numbers_;
  }

  /// All of the last `start` are answered.
  bool done() const {
    return unsent_ == 0 && in_flight_ == 0;
  }

  uint64_t failed() const {
    return failed_;
  }

  /// From request to answer, in this process's eyes. Cleared by `start`.
  const histogram& latency() const {
    return latency_;
  }

private:
  class connection;
  class pacer;

  void send_next(connection& by);
  void on_answer(connection& by, int status);
  void on_tick();
  uint64_t due_ns(uint64_t event) const;

  reactor& loop_;
  const target& target_;
  publisher_plan plan_;
  std::vector<std::unique_ptr<connection>> connections_;
  std::unique_ptr<pacer> pacer_;
  std::deque<connection*> idle_; // in turn: a server ends connections that nobody uses
  uint64_t unsent_ = 0;
  uint64_t sent_ = 0; // of this start
  uint64_t in_flight_ = 0;
  uint64_t failed_ = 0;
  uint64_t topic_turn_ = 0;
  uint64_t begin_ns_ = 0;
  double per_second_ = 0;
  histogram latency_;
  std::vector<uint32_t> topic_numbers_;
};

} // namespace bench
