#pragma once

#include "actors/connection/stream.hpp"
#include "actors/handles.hpp"
#include "actors/shard/recent_batches.hpp"
#include "actors/shard/subscriber.hpp"
#include "actors/subscription_index.hpp"
#include "tidings/byte_sink.hpp"
#include "tidings/clock.hpp"
#include "tidings/timer_wheel.hpp"

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace tidings {

/// What a shard works with.
struct shard_environment {
  uint32_t index = 0;
  config_ptr cfg;
  bool is_member = false; ///< of a cluster
  std::string member;     ///< name of this node there
  lsn head{};             ///< last position of the log before this run
  cursor head_at;         ///< where who has read it all stands
  std::shared_ptr<statistics> stats;
  const clock_source* clock = nullptr; ///< outlives the shard

  /// Runs something later on the shard's thread, after what is ready there now.
  std::function<void(std::function<void()>)> post;
};

/// Waits for the next event of a subscription; stops waiting when it is destroyed.
class event_wait {
public:
  virtual ~event_wait() = default;
};

/// What one I/O thread delivers: the streams of that thread, who of them wants what, and the memory
/// of what was committed last. Everything here happens on that thread; other actors reach it
/// through the shard's actor.
class shard {
public:
  static constexpr milliseconds tick_interval{250};

  /// The shard's way to ask other actors; implemented by its own actor.
  class agent {
  public:
    virtual ~agent() = default;
    virtual connection_actor spawn(uint64_t id, stream_request what,
                                   std::shared_ptr<byte_sink> sink) = 0;
    virtual void publish(publish_ptr x) = 0;
    virtual void announce(const subscription_ptr& who, bool opened) = 0;
    virtual void read_page(page_request x, std::function<void(result<page>)> then) = 0;
    virtual void list_topics(topics_request x,
                             std::function<void(result<topic_summaries>)> then) = 0;
    virtual void read_mailbox(mailbox_query x, std::function<void(result<mailbox_page>)> then) = 0;
    virtual void change_mailbox(mailbox_order x,
                                std::function<void(result<mailbox_outcome>)> then) = 0;

    /// Asks this node, or all members.
    virtual void look(view_request x, std::function<void(result<view_parts>)> then) = 0;

    /// Ends the streams, on all shards, of those who may not stay.
    virtual void dismiss(caller_judge may_stay) = 0;
    virtual void close_connection(uint64_t id, end_reason why, std::function<void(bool)> then) = 0;

    // Only for members of a cluster.
    virtual void change_members(cluster::change_request x,
                                std::function<void(result<cluster::change_outcome>)> then) = 0;
    /// Answers who does not have everything that this node has.
    virtual void drain_node(bool on,
                            std::function<void(result<std::vector<std::string>>)> then) = 0;
  };

  explicit shard(shard_environment env);

  ~shard();

  /// Sets the way to other actors; nullptr: there is none any more.
  void attach(agent* x) {
    agent_ = x;
  }

  agent& others() {
    return *agent_;
  }

  bool attached() const noexcept {
    return agent_ != nullptr;
  }

  // -- for HTTP
  // --------------------------------------------------------------------------------------

  /// Opens a stream on a socket whose response header has been sent.
  /// @returns its id
  uint64_t open_stream(stream_request what, std::shared_ptr<byte_sink> sink);

  /// Calls `then` once, later, when an event of the subscription comes.
  std::unique_ptr<event_wait> wait_for_event(subscription_ptr who, std::function<void()> then);

  const config& settings() const noexcept {
    return *env_.cfg;
  }

  statistics& stats() const noexcept {
    return *env_.stats;
  }

  const std::shared_ptr<statistics>& shared_stats() const noexcept {
    return env_.stats;
  }

  const clock_source& clock() const noexcept {
    return *env_.clock;
  }

  uint32_t index() const noexcept {
    return env_.index;
  }

  /// Whether this node belongs to a cluster, which decides what event ids look like.
  bool is_member() const noexcept {
    return env_.is_member;
  }

  /// Name of this node in its cluster; empty: it is alone.
  const std::string& member() const noexcept {
    return env_.member;
  }

  /// Where who has read everything stands.
  const cursor& head_cursor() const noexcept {
    return head_at_;
  }

  /// Uniform in [0, 1).
  double dice();

  /// A fresh UUID of version 4 (RFC 9562).
  std::string uuid();

  /// Runs something later on this thread.
  void post(std::function<void()> f) {
    env_.post(std::move(f));
  }

  /// Call every `tick_interval`.
  void tick();

  // -- for the shard's actor
  // -------------------------------------------------------------------------

  void on_commit(const commit_notice& x);

  void configure(config_ptr x);

  connection_page connections(const connection_query& x) const;

  bool close(uint64_t id, end_reason why);

  /// The same, but not within this call.
  void close_later(uint64_t id, end_reason why);

  /// Ends the streams of callers who may not stay.
  /// @returns how many
  uint64_t dismiss(const std::function<bool(const caller&)>& may_stay);

  /// Ends all streams; those that come later end at once.
  /// @returns how many
  uint64_t drain();

  /// Takes streams again.
  /// @returns 0
  uint64_t undrain() noexcept {
    draining_ = false;
    return 0;
  }

  // -- for its streams
  // -------------------------------------------------------------------------------

  /// Puts a stream into its group; the group is made if there is none.
  void join(stream& x, const subscription_ptr& who);

  /// Takes a stream out of everything.
  void leave(stream& x);

  /// Sends out what was collected in this turn.
  void flush();

  /// Lets the stream go on when the shard has seen the position that the stream is at.
  void await_head(stream& x) {
    early_.push_back(&x);
  }

  /// Lets the stream go on in a later turn.
  void later(stream& x);

  lsn head() const noexcept {
    return head_;
  }

  /// The cursor of `head`.
  const std::string& head_id();

  const recent_batches& recent() const noexcept {
    return recent_;
  }

  timer_wheel<stream>& wheel() noexcept {
    return wheel_;
  }

private:
  class waiter;

  subscriber_group& group_of(const subscription_ptr& who, wire_format format, bool chunked);
  void leave_group(subscriber& x);
  void collect(const batch_ptr& batch);
  void read_log();
  void flush_later();
  void wake_early();

  shard_environment env_;
  agent* agent_ = nullptr;
  lsn head_{};
  cursor head_at_;
  std::string head_id_; // of head_at_; empty: not made yet
  std::unordered_map<std::string, std::unique_ptr<subscriber_group>> groups_;
  subscription_index<subscriber_group> index_;
  recent_batches recent_;
  std::vector<batch_ptr> turn_;            // batches collected and not yet flushed
  std::vector<subscriber_group*> touched_; // groups that have something pending
  std::vector<stream*> early_;
  std::vector<stream*> later_;
  timer_wheel<stream> wheel_;
  std::unordered_map<uint64_t, connection_actor> actors_;
  std::unordered_map<uint64_t, stream*> streams_;
  uint32_t next_id_ = 0;
  bool flush_posted_ = false;
  bool later_posted_ = false;
  bool flushing_ = false;
  bool draining_ = false;
  std::minstd_rand random_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace tidings
