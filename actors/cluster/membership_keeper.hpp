#pragma once

#include "actors/cluster/questions.hpp"
#include "actors/cluster/request_codec.hpp"
#include "cluster/membership_change.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// What a node does about its list of members, and at rest: the part of the replicator that asks
/// and tells.
class membership_keeper {
public:
  /// What it needs of its owner, which outlives it.
  class host {
  public:
    virtual ~host() = default;

    /// All members but this node.
    virtual std::vector<cluster::member_state> others() const = 0;

    /// What this node has on disk.
    virtual std::vector<cluster::origin_head> heads() const = 0;

    /// Asks a member that is linked. Without a link the answer is nullopt, at once.
    virtual void ask(const std::string& member, request_kind kind, std::string body,
                     questions::continuation then) = 0;

    /// Makes the list survive the end of the process.
    virtual status keep(const membership& x) = 0;

    /// Goes by another list from now on: links, quorum, owners of topics.
    virtual void adopt(const membership& x) = 0;

    /// Takes no new work, or takes it again.
    virtual void set_draining(bool on) = 0;

    /// Calls back when all that was taken on is on disk, and answered.
    virtual void come_to_rest(std::function<void()> then) = 0;

    virtual int64_t now_ms() const = 0;
  };

  using change_reply = std::function<void(const cluster::change_outcome&)>;

  /// Gets those that do not have everything that this node had.
  using drain_reply = std::function<void(const std::vector<std::string>& behind)>;

  membership_keeper(membership present, std::string self, int64_t timeout_ms, host& owner);

  const membership& present() const noexcept {
    return present_;
  }

  bool draining() const noexcept {
    return is_asked_to_drain_ || leaves_until_ms_;
  }

  /// Somebody asked this node to change the list. Exactly one node makes changes while all are
  /// linked, the first by name of those that stay, so that no two are made at once.
  void change(const cluster::change_request& what, change_reply then);

  /// Somebody asked this node to take no new work, so that it can be stopped.
  void drain(drain_reply then);

  void undrain();

  // -- from other members

  /// @returns the answer
  std::string take_list(std::string_view body);
  void take_change(std::string_view body, std::function<void(std::string)> then);

  /// @param body for a change that may take so many milliseconds; 0: it is over
  void take_drain(std::string_view body, std::function<void(std::string)> then);

  /// To be called each 100 ms or so, and after every answer.
  void tick();

private:
  struct change_under_way {
    cluster::membership_change what;
    change_reply then;
    uint64_t number = 0;
    bool drains = false; // the member that leaves has been asked to
  };

  struct drain_under_way {
    std::vector<cluster::origin_head> heads;
    int64_t deadline_ms = 0;
    drain_reply then;
  };

  void make(const cluster::change_request& what, change_reply then);
  void finish(cluster::change_outcome outcome);
  void tell(const std::string& member);
  void go_on();
  void check_drains();
  void check_leaving();

  membership present_;
  std::string self_;
  int64_t timeout_ms_;
  host& owner_;
  bool is_asked_to_drain_ = false;         // by somebody who runs the node
  std::optional<int64_t> leaves_until_ms_; // for a change of the list, which ends long before
  uint64_t changes_ = 0;
  std::optional<change_under_way> change_;
  std::vector<drain_under_way> drains_;
};

} // namespace tidings
