#pragma once

#include "tidings/batch.hpp"
#include "tidings/byte_sink.hpp"
#include "tidings/subscription.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace tidings {

class subscriber_group;

/// What one turn has for a group: runs of neighbouring records and their bytes, the same for
/// everyone.
struct delivery {
  struct run {
    const committed_batch* batch;
    uint32_t first;
    uint32_t last; ///< inclusive
  };

  std::vector<run> runs;
  std::vector<std::string_view> pieces; ///< the bytes of all runs, in order
  size_t bytes = 0;
  uint32_t events = 0;
};

/// Someone who is served live by a shard: a stream, or a request that waits for the next event.
class subscriber {
public:
  virtual ~subscriber() = default;

  /// Where the group writes what is new; nullptr: nowhere, `deliver` takes it.
  virtual byte_sink* live_sink() noexcept {
    return nullptr;
  }

  /// Takes what is new, of which the sink, if there is one, took no more than `taken` bytes.
  /// Returns false to leave the live set; must not leave it in any other way meanwhile.
  virtual bool deliver(const delivery& x, size_t taken) = 0;

  /// One of those that are not live and want to know: an event came. Returns false to hear no more.
  virtual bool missed(const record&) {
    return false;
  }

  subscriber_group* group = nullptr;
  uint32_t live_index = 0;
};

/// All subscribers of one shard that asked for the same events in the same format.
class subscriber_group {
public:
  subscriber_group(std::shared_ptr<const subscription> who, wire_format format, bool chunked)
    : who_(std::move(who)), format_(format), chunked_(chunked) {
    // nop
  }

  const subscription& what() const noexcept {
    return *who_;
  }

  const std::shared_ptr<const subscription>& who() const noexcept {
    return who_;
  }

  wire_format format() const noexcept {
    return format_;
  }

  bool chunked() const noexcept {
    return chunked_;
  }

  void join_live(subscriber& x) {
    x.live_index = static_cast<uint32_t>(live_.size());
    live_.push_back({&x, x.live_sink()});
  }

  void leave_live(subscriber& x) {
    auto last = live_.back();
    live_[x.live_index] = last;
    last.who->live_index = x.live_index;
    live_.pop_back();
  }

  /// Lets `x` hear of events although it is not live.
  void join_lagging(subscriber& x) {
    lagging_.push_back(&x);
  }

  void leave_lagging(subscriber& x) {
    std::erase(lagging_, &x);
  }

  size_t live_count() const noexcept {
    return live_.size();
  }

  /// Adds a record to what is to be delivered at the end of the turn.
  void collect(const committed_batch& batch, uint32_t index) {
    auto& runs = pending_.runs;
    if (!runs.empty() && runs.back().batch == &batch && runs.back().last + 1 == index)
      runs.back().last = index;
    else
      runs.push_back({&batch, index, index});
    ++pending_.events;
  }

  /// Tells those that lag of a record.
  void report(const record& x) {
    std::erase_if(lagging_, [&](subscriber* who) { return !who->missed(x); });
  }

  bool has_pending() const noexcept {
    return pending_.events != 0;
  }

  /// Delivers what was collected to everyone who is live.
  /// @param tick now, in ticks of the shard's wheel
  /// @param head position of the last record that was collected or passed over
  /// @returns deliveries made
  uint64_t deliver(uint64_t tick, lsn head);

  /// What everyone who was live all the time got: who joins and leaves counts by difference, so
  /// that a delivery need not touch each of them.
  struct totals {
    uint64_t events = 0;
    uint64_t bytes = 0;
    uint64_t tick = 0; ///< of the last delivery
    lsn head{};        ///< at the last delivery
  };

  const totals& delivered() const noexcept {
    return delivered_;
  }

  size_t members = 0;   ///< live or not; kept by the shard
  uint64_t visited = 0; ///< of the subscription index

private:
  std::shared_ptr<const subscription> who_;
  wire_format format_;
  bool chunked_;
  struct live_member {
    subscriber* who;
    byte_sink* sink;
  };

  std::vector<live_member> live_;
  totals delivered_;
  std::vector<subscriber*> lagging_;
  delivery pending_;
};

/// Lists the bytes of runs in one format.
void append_pieces(std::vector<std::string_view>& out, const delivery::run& x, wire_format format,
                   bool chunked);

} // namespace tidings
