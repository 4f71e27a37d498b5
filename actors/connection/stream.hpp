#pragma once

#include "actors/connection/lag_queue.hpp"
#include "actors/connection/stream_profile.hpp"
#include "actors/connection/unsent.hpp"
#include "actors/messages.hpp"
#include "actors/shard/subscriber.hpp"
#include "tidings/byte_sink.hpp"
#include "tidings/timer_wheel.hpp"

#include <memory>
#include <optional>
#include <string>

namespace tidings {

class shard;

/// What a client asked for when it opened a stream.
struct stream_request {
  subscription_ptr who;
  start_point start;
  std::shared_ptr<const stream_profile> profile;
  caller_ptr by; ///< nullptr: somebody who may read it for ever

  /// Sent before the events: frames in the stream's format without transfer coding. Only with a
  /// position as start.
  std::string preface;

  /// A user whose dismissed items are left out; empty: who asks.
  std::string mailbox_of;
};

/// One stream: brings its reader from wherever it starts to the present, keeps it there, and lets
/// it fall behind when it is slow. It holds no queue of events: a reader that is behind is fed from
/// the memory of recent batches or from the log, one bounded piece at a time, and only what its
/// socket did not take of the last piece stays here.
///
/// Lives on its shard's thread.
class stream : public subscriber, public byte_sink::listener, public timer_wheel<stream>::hook {
public:
  /// The actor around the stream.
  class owner {
  public:
    virtual ~owner() = default;

    /// Asks a reader for the next piece; `on_chunk` or `on_read_failed` follows.
    virtual void read(replay_request x) = 0;

    /// The stream is over; the owner destroys it, but not within this call.
    virtual void ended(end_reason why) = 0;
  };

  stream(shard& home, owner& of, uint64_t id, stream_request what, std::shared_ptr<byte_sink> sink);

  ~stream() override;

  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  /// Sends the first bytes and begins to catch up.
  void start();

  void on_chunk(replay_chunk& x);

  void on_read_failed(const failure& why);

  /// Goes on catching up if nothing stands in the way.
  void advance();

  /// If it is live: what comes next is read from the log, later.
  void read_log();

  /// The wheel says that something is due.
  void on_tick();

  /// Ends the stream, with a notice to the reader where that is possible.
  void end(end_reason why);

  /// It has left its subscription: nothing of it is to be asked any more.
  bool has_ended() const noexcept {
    return state_ == state::ended;
  }

  connection_info info() const;

  int64_t age_ms() const;

  /// Who reads; nullptr: somebody whose rights do not end.
  const caller* by() const noexcept {
    return by_.get();
  }

  uint64_t id() const noexcept {
    return id_;
  }

  const stream_profile& profile() const noexcept {
    return *profile_;
  }

  // -- subscriber and sink
  // ---------------------------------------------------------------------------

  byte_sink* live_sink() noexcept override;
  bool deliver(const delivery& x, size_t taken) override;
  bool missed(const record& x) override;
  void on_writable() override;
  void on_gone(bool failed) override;

private:
  /// Where the stream begins; `head`: of the shard when it was opened.
  struct opening {
    start_point at;
    lsn head{};
    std::string head_id;
  };

  enum class state : uint8_t { opening, catching_up, live, ended };

  void write(std::string_view bytes);
  void block();
  void keep_rest(const committed_batch& of, std::string_view rest);
  bool took(const delivery& x, size_t bytes);
  bool write_from_memory();
  void read_on(start_point from);
  void go_live();
  void settle_live();
  void fall_behind();
  void miss(lag_queue::place x);
  void stop_lagging();
  bool pass_holes();
  void send_ready(std::string_view id, bool recovered);
  void schedule_tick();
  uint64_t last_beat() const;
  uint64_t ticks(milliseconds x) const;

  shard& home_;
  owner& owner_;
  std::shared_ptr<byte_sink> sink_;
  std::shared_ptr<const stream_profile> profile_;
  caller_ptr by_;
  std::string mailbox_of_;
  unsent tail_;
  std::unique_ptr<opening> opening_; // until the place to begin at is known
  std::string preface_;              // until started
  std::unique_ptr<lag_queue> lag_;   // since it fell behind, until it is live again
  uint64_t id_;
  lsn position_{};      // while not live: all up to here has been sent
  lsn id_sent_{};       // the position that the reader's last id stands for
  uint64_t events_ = 0; // while live: without those that the group counts
  uint64_t bytes_ = 0;
  uint64_t joined_at_events_ = 0; // the group's totals when this stream went live
  uint64_t joined_at_bytes_ = 0;
  int64_t since_ms_ = 0;
  uint64_t wrote_at_tick_ = 0;
  uint64_t beat_at_tick_ = 0;
  uint64_t stalled_at_tick_ = 0;
  uint64_t end_at_tick_ = 0; // 0: no maximum age
  uint32_t dropped_ = 0;
  state state_ = state::opening;
  bool reading_ = false;
  bool blocked_ = false;               // the sink took less than it was given
  bool quiet_ = true;                  // of a replay: see replay_request
  std::shared_ptr<const cursor> seen_; // the same
  bool caught_up_ = false; // since it fell behind it has once read to the end of the log
};

} // namespace tidings
