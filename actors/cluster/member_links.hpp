#pragma once

#include "actors/cluster/cluster_board.hpp"
#include "actors/cluster/link_messages.hpp"
#include "actors/cluster/member_list.hpp"
#include "actors/cluster/member_requests.hpp"
#include "cluster/link_table.hpp"
#include "tidings/clock.hpp"

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tidings {

/// The links to the other members: who dials, which of two is in use, and how that looks to an
/// operator. Belongs to the replicator's actor.
class member_links : public member_requests::links {
public:
  /// What it tells its owner, which outlives it.
  class listener {
  public:
    virtual ~listener() = default;

    /// There is a link to a member now. One that it replaces was said to be down before.
    virtual void on_linked(uint64_t link, const cluster::link_peer& who) = 0;

    /// A link that was in use is not any more.
    virtual void on_unlinked(uint64_t link) = 0;
  };

  /// @param node of this process
  /// @param members, clock, owner outlive this object
  member_links(caf::event_based_actor* self, std::string own_name, const node_id& node,
               cluster::link_settings_ptr settings, const member_list& members,
               const clock_source& clock, listener& owner);

  /// The members are others now: dials those, and those no more that are none. A node that is not
  /// in the list itself dials nobody.
  void follow_list();

  // -- from links and dialers

  void on_up(const cluster::link_up& x);
  void on_down(const cluster::link_down& x);
  void on_suspect(const cluster::link_suspect& x);
  void on_dial_failed(const cluster::dial_failed& x);

  // -- the way to the others

  bool empty() const noexcept {
    return links_.empty();
  }

  bool has(uint64_t link) const {
    return links_.count(link) != 0;
  }

  std::optional<uint64_t> link_to(const std::string& member) const override;
  std::optional<uint64_t> node_at(uint64_t link) const override;
  void say(uint64_t link, cluster::message what) override;
  void say_to_all(cluster::message what) override;
  void close(uint64_t link, cluster::close_reason reason, const std::string& text);
  void close_all(cluster::close_reason reason);

  // -- for operators

  /// All members. What is known of this node itself is for the caller to add.
  std::vector<member_view> views() const;

  uint64_t ups() const noexcept {
    return ups_;
  }

  uint64_t downs() const noexcept {
    return downs_;
  }

private:
  struct link {
    caf::actor actor;
    node_id node;
    std::string member;
  };

  struct dialer {
    caf::actor actor;
    std::string address;
  };

  bool has_rival(const cluster::link_peer& who) const;
  void dial(const member_list::member& x);
  void want_dial(const std::string& member, bool wanted);
  void replace(uint64_t link);
  void note_trouble(const cluster::link_down& x);
  void note_trouble(const std::string& address, const std::string& text);

  caf::event_based_actor* self_;
  const std::string own_name_;
  const cluster::link_settings_ptr settings_;
  const member_list& members_;
  const clock_source& clock_;
  listener& owner_;
  cluster::link_table table_;
  std::map<uint64_t, link> links_; // in use
  std::map<std::string, dialer> dialers_;
  std::map<std::string, member_view> views_;
  uint64_t ups_ = 0;
  uint64_t downs_ = 0;
  uint64_t refused_ = 0;
  int64_t quiet_until_ms_ = 0;
};

} // namespace tidings
