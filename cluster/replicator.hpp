#pragma once

#include "cluster/origin_intake.hpp"
#include "cluster/peer_feed.hpp"
#include "cluster/replicator_action.hpp"
#include "cluster/replicator_status.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace tidings::cluster {

struct replicator_settings {
  /// Bytes of records that one peer may have under way to us.
  uint64_t window_bytes = 4 * 1024 * 1024;

  /// Bytes of records that are read, and sent in one message. A record may have more.
  uint64_t read_bytes = 256 * 1024;

  /// The most that one record costs.
  uint64_t record_bytes_max = 512 * 1024;

  /// How many nodes may have written records, members of old included.
  size_t origins_max = 64;

  /// Members that are not heard of by then are not waited for.
  int64_t join_timeout_ms = 2'000;

  /// How often a peer hears of all heads.
  int64_t heads_interval_ms = 10'000;

  /// A source that brings nothing for so long is changed or asked again.
  int64_t stall_timeout_ms = 2'000;
};

/// Exchanges the records of all nodes with the linked ones, until every node has all of them.
///
/// Plain logic on one thread, without a clock, sockets or a disk: its owner tells it what happened
/// and then does what `take_actions` returns. Records never change and are never taken back, so
/// there is nothing to elect and nothing to agree on: a node takes the records of each node in
/// their order, from whoever has them, and says how far it has them on disk.
///
/// Memory: per member one position for each node that ever wrote, and what the store has been
/// given and has not stored, at most a window per peer.
class replicator {
public:
  /// @param self this node
  /// @param incarnation of this start; higher than all before it
  /// @param on_disk what the store has, this node's own records included
  /// @param members ids of all configured nodes, this one included
  replicator(uint64_t self, uint64_t incarnation, const std::vector<origin_head>& on_disk,
             uint64_t members_version, const std::vector<uint64_t>& members,
             replicator_settings settings, int64_t now_ms);

  // -- what happened ------------------------------------------------------------------------------

  /// A node proved who it is. Replaces an older link to the same node.
  void link_up(link_id link, uint64_t node);

  void link_down(link_id link);

  /// The bytes that wait to go out are many (or few again): only what must be is sent meanwhile.
  void set_congested(link_id link, bool congested);

  /// A message came. Those of links that are not up are ignored, and so are requests and responses.
  void receive(link_id link, message what);

  /// The store synced a commit.
  /// @param changed the new heads of all nodes that it has changed, this one included
  /// @param done what has been asked for and is now done
  void stored(const std::vector<origin_head>& changed, const std::vector<ticket>& done = {});

  /// The store did not do what it was asked to.
  void refused(ticket work, refusal reason);

  /// Records that were asked for by `action::read`, without a hole after where it began.
  /// @param forgotten set when the log does not have the first of them any more: the last one of
  /// the
  ///   same incarnation that is gone. Then there are no records.
  void read_done(ticket work, std::vector<replica> records,
                 const std::optional<origin_head>& forgotten = std::nullopt);

  /// A newer list of members. One with a lower version than the present one is ignored.
  void set_members(uint64_t version, const std::vector<uint64_t>& members);

  /// Time passes; to be called every 100 ms or so.
  /// @param now_ms of a clock that never goes back
  void tick(int64_t now_ms);

  /// What is to be done, in this order. To be called after every call above.
  std::vector<replicator_action> take_actions();

  // -- what is known ------------------------------------------------------------------------------

  /// Whether publishes may be accepted.
  bool has_joined() const noexcept {
    return joined_;
  }

  /// Whether this node and those that it is linked with are a majority of the members.
  bool majority_linked() const noexcept;

  /// How far this node's own records are on disk on a majority of the members.
  const origin_position& quorum() const noexcept {
    return quorum_;
  }

  /// On how many members this node's own record at `x` is on disk: itself and those linked.
  size_t copies(const origin_position& x) const noexcept;

  uint64_t alarms(alarm kind) const noexcept {
    return alarms_[static_cast<size_t>(kind)];
  }

  replicator_status status() const;

private:
  struct peer {
    uint64_t node = 0;
    bool heard = false;
    bool congested = false;
    std::map<uint64_t, origin_head> heads; // what it has on disk, by node
    peer_feed feed;                        // what goes out
    int64_t allowed = 0;                   // bytes that it may still send
    int64_t grant_later = 0;               // bytes that are free and not granted yet
    uint64_t bytes_received = 0;
    std::set<uint64_t> unsent; // nodes whose new head it has to be told
    int64_t next_heads_ms = 0; // when it is to be told all of them
  };

  struct origin {
    explicit origin(const origin_head& on_disk) : intake(on_disk) {
      // nop
    }

    origin_intake intake;
    std::optional<link_id> source;
    std::optional<int64_t> waiting_since_ms; // a peer has more, and nothing came since
    int64_t chosen_ms = 0;                   // when the source was chosen
    int64_t retry_ms = 0;                    // the store refused: not asked for before
    bool asked_again = false;                // because of a hole
    bool forked = false;
    bool after_join = false; // has a late tail, which has to wait until this node has joined
  };

  struct work {
    uint64_t node = 0;
    uint64_t from = 0; // the peer that sent it; 0: nobody has to be granted its bytes
    uint64_t bytes = 0;
  };

  // What comes in.
  void handle(link_id link, heads& x);
  void handle(link_id link, want& x);
  void handle(link_id link, stop& x);
  void handle(link_id link, credit& x);
  void handle(link_id link, data& x);
  void handle(link_id link, forgotten& x);
  void handle(link_id link, request& x);
  void handle(link_id link, response& x);
  void learn_head(peer& from, const origin_head& x);
  uint64_t accept(link_id link, data& x, origin& to);
  void meet(const replica& x, fit how, uint64_t peer, uint64_t node, origin& to);

  // What goes out.
  void send(link_id link, message what);
  void send_heads(link_id link, peer& to);
  void grant(link_id link, peer& to);
  void feed(link_id link, peer& to);
  void close(link_id link, link_fault reason);
  ticket begin_work(origin& to, const work& x, bool takes_away = false);
  void settle(ticket done, bool refused);
  uint64_t under_way_from(uint64_t peer) const;

  // Where records come from.
  void choose_source(uint64_t node, origin& x);
  std::optional<link_id> direct_link(uint64_t node) const;
  std::optional<link_id> best_source(uint64_t node, const origin& x) const;
  bool has_more(const peer& from, uint64_t node, const origin& x) const;
  bool may_take(uint64_t node, const origin& x) const;
  bool stalled(uint64_t node, origin& x);
  void set_source(uint64_t node, origin& x, std::optional<link_id> source);
  void ask(uint64_t node, origin& x);

  // What follows from it.
  void raise(const action::raise& x);
  void check_fork(const origin_head& theirs, origin& to, uint64_t peer);
  void set_fork(uint64_t node, origin& x, const origin_position& at, uint64_t peer);
  bool check_reuse(uint64_t node, const origin_position& at, uint64_t peer);
  void check_joined();
  void check_quorum();
  origin* find_or_add_origin(uint64_t node);
  static const origin_head* head_of(const peer& x, uint64_t node);
  peer_status status_of(uint64_t node) const;

  uint64_t self_;
  uint64_t incarnation_;
  replicator_settings settings_;
  uint64_t members_version_;
  std::set<uint64_t> members_;
  int64_t now_ms_;
  int64_t started_ms_;
  bool joined_ = false;
  bool has_aside_ = true; // perhaps: records that are to be published again; at first, of old
  bool reused_ = false;
  bool origins_full_ = false;
  std::set<uint64_t> heard_; // whose heads have been known since the start
  std::map<link_id, peer> peers_;
  std::map<uint64_t, origin> origins_;
  std::map<ticket, work> works_; // that the store has to answer for
  uint64_t last_ticket_ = 0;
  origin_position quorum_;
  std::array<uint64_t, 4> alarms_{};
  std::vector<replicator_action> actions_;
};

} // namespace tidings::cluster
