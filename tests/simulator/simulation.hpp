#pragma once

#include "simulator/bug.hpp"
#include "simulator/event_queue.hpp"
#include "simulator/model_connection.hpp"
#include "simulator/model_node.hpp"
#include "simulator/random.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tidings::simulator {

/// One run: some time with faults, then everything is healed and has to converge.
class simulation {
public:
  /// @param tracing whether to keep what happened, for `trace`
  simulation(uint64_t seed, bug which, bool tracing);

  /// Runs until it is over or something that must not be is found.
  void run();

  /// What was found first; empty: nothing.
  const std::string& violation() const noexcept {
    return violation_;
  }

  uint64_t steps() const noexcept {
    return steps_;
  }

  const std::deque<std::string>& trace() const noexcept {
    return trace_;
  }

  /// What happened, by name: to see that the runs reach what they are for.
  struct counts {
    uint64_t published = 0;
    uint64_t quorum_acknowledged = 0;
    uint64_t copies = 0;
    uint64_t starts = 0;
    uint64_t rollbacks = 0;
    uint64_t cuts = 0;
    uint64_t forgotten = 0;
    uint64_t refused = 0;
    uint64_t late_tails = 0;
  };

  const counts& counted() const noexcept {
    return counted_;
  }

private:
  enum class level : uint8_t { none, written, fsync, quorum };

  /// What somebody has published, and what was promised.
  struct published {
    uint64_t node = 0;
    level asked{};
    level acknowledged = level::none;
    int64_t acknowledged_ms = 0;
    int64_t expires_ms = 0;
    origin_position at;
    uint8_t synced_on = 0; ///< a bit per node that has ever had it on disk
  };

  /// A stream that moves from node to node with its cursor.
  struct reader {
    uint64_t node = 1;
    uint32_t life = 0;
    size_t next = 0; ///< position in the node's log
    std::array<origin_position, nodes_max + 1> cursor{};
    std::vector<bool> seen;                                         ///< by value
    std::array<std::map<uint64_t, uint64_t>, nodes_max + 1> last{}; ///< sequence, by incarnation
  };

  // -- time
  void handle(const event& x);
  bool put_off(const event& x, uint64_t node);
  int64_t now_ms() const noexcept {
    return now_us_ / 1000;
  }
  void look();

  // -- nodes
  void start(uint64_t node);
  void crash(uint64_t node, bool power_cut);
  void perform(uint64_t node);
  void act(uint64_t node, cluster::action::send& x);
  void act(uint64_t node, cluster::action::store& x);
  void act(uint64_t node, cluster::action::store_forgotten& x);
  void act(uint64_t node, cluster::action::reoriginate& x);
  void act(uint64_t node, cluster::action::read& x);
  void act(uint64_t node, cluster::action::quorum_reached& x);
  void act(uint64_t node, cluster::action::joined& x);
  void act(uint64_t node, cluster::action::append_set_aside& x);
  void act(uint64_t node, cluster::action::raise& x);
  void act(uint64_t node, cluster::action::close_link& x);

  // -- the store
  struct outcome {
    std::vector<cluster::ticket> done;
    std::vector<cluster::ticket> refused;
    std::vector<uint32_t> written; ///< values
    std::set<uint64_t> changed;    ///< nodes
    bool synced = false;
  };

  void publish(uint64_t node);
  void enqueue(uint64_t node, model_node::work x);
  void begin_commit(uint64_t node);
  void commit(uint64_t node);
  outcome apply(uint64_t node, size_t works);
  void apply(uint64_t node, cluster::action::store& x, outcome& out);
  void apply(uint64_t node, cluster::action::store_forgotten& x, outcome& out);
  void apply(uint64_t node, cluster::action::reoriginate& x, outcome& out);
  void apply(uint64_t node, model_node::publish& x, outcome& out);
  void apply(uint64_t node, model_node::publish_aside& x, outcome& out);
  void sync(uint64_t node);
  void sync_disk(uint64_t node);
  void create(uint64_t node, std::string bytes);
  void register_record(uint64_t node, const replica& x, bool created);
  void acknowledge(uint32_t value, level reached);
  void acknowledge_quorum(uint64_t node, const origin_position& upto);

  // -- the network
  void dial(size_t pair);
  void connect(uint64_t first, uint64_t second);
  void deliver(size_t connection, size_t side);
  void link_ends(size_t connection, size_t side);
  void cut(size_t connection);
  bool blocked(uint64_t from, uint64_t to) const noexcept {
    return blocked_[from][to];
  }
  int64_t latency_us();

  // -- faults
  void fault();
  void heal();
  void partition();
  void set_back();
  void isolate(uint64_t node);
  void notice_silence();

  // -- readers
  void read_on(size_t which);
  void connect_reader(reader& x, uint64_t node);
  void read_some(reader& x, size_t most);

  // -- what must hold
  void fail(const std::string& what);
  void note_states();
  void check_sent(model_connection::side& from, const cluster::message& what);
  bool converged() const;
  void check_converged();
  void check_present();
  void check_readers();
  bool told_of_gap(const reader& x, uint64_t node) const;
  void check_mailboxes();

  template <class F>
  void note(F text) {
    if (tracing_)
      keep(text());
  }
  void keep(const std::string& text);

  random dice_;
  bug bug_;
  bool tracing_;
  std::string violation_;
  std::deque<std::string> trace_;
  uint64_t steps_ = 0;
  counts counted_;

  int64_t now_us_ = 0;
  int64_t faults_end_us_ = 0;
  int64_t isolated_until_us_ = 0; ///< the partition stays until then
  bool healed_ = false;
  bool over_ = false;
  event_queue events_;

  size_t nodes_count_ = 3;
  unsigned fault_pause_ms_ = 0;
  unsigned publish_pause_ms_ = 0;
  unsigned expiring_percent_ = 0;
  unsigned set_back_percent_ = 0;
  int64_t latency_max_us_ = 0;
  cluster::replicator_settings settings_;
  std::vector<uint64_t> members_;
  std::vector<model_node> nodes_; ///< by id; the first is nobody
  std::vector<std::unique_ptr<model_connection>> connections_;
  std::vector<std::pair<uint64_t, uint64_t>> pairs_;
  std::array<std::array<bool, nodes_max + 1>, nodes_max + 1> blocked_{};
  std::vector<reader> readers_;

  std::vector<published> ledger_;
  std::array<std::map<uint64_t, std::vector<uint64_t>>, nodes_max + 1> chains_; ///< of all ever
};

} // namespace tidings::simulator
