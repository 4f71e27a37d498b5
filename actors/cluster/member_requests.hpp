#pragma once

#include "actors/cluster/questions.hpp"
#include "actors/cluster/replicator_actor.hpp"
#include "actors/cluster/request_codec.hpp"
#include "cluster/message.hpp"

#include <caf/fwd.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace tidings {

/// What members ask each other beside records: publishes that another member has to take, events
/// that are not stored, and parts of views. Belongs to the replicator's actor.
class member_requests {
public:
  /// The way to the other members.
  class links {
  public:
    virtual ~links() = default;

    /// The link with a member; nullopt: there is none.
    virtual std::optional<uint64_t> link_to(const std::string& member) const = 0;

    /// Short form of the node at the other end; nullopt: the link is gone.
    virtual std::optional<uint64_t> node_at(uint64_t link) const = 0;

    virtual void say(uint64_t link, cluster::message what) = 0;

    virtual void say_to_all(cluster::message what) = 0;
  };

  /// @param self, env, over outlive this object
  member_requests(caf::event_based_actor* self, const cluster_environment& env, links& over)
    : self_(self), env_(env), links_(over) {
    // nop
  }

  void on_request(uint64_t link, const cluster::request& x);

  void on_response(uint64_t link, const cluster::response& x);

  /// Asks the other end of a link.
  void ask(uint64_t link, request_kind kind, std::string body, int64_t timeout_ms,
           questions::continuation then);

  /// Passes a publish on to the member that owns its topic.
  void pass_on(const publish_ptr& x);

  /// A publish that another member passed on has its outcome.
  void on_forwarded(const forwarded_outcome& x);

  /// Events of this node that are not stored, for the streams of the others.
  void deliver_elsewhere(const committed_batch& batch);

  /// Asks a member for its part of a view.
  caf::typed_response_promise<member_answer> ask_view(const member_question& x);

  void on_down(uint64_t link);

  void on_tick(int64_t now_ms);

private:
  /// A view that was asked for. It holds its place until its answer has come, also if nobody waits
  /// for that any more: so answers of `cluster.view-requests` at most are under way.
  struct open_view {
    uint64_t link = 0;
    int64_t deadline_ms = 0;
  };

  void take(uint64_t link, const cluster::request& x);
  void look(uint64_t link, const cluster::request& x);
  void on_passed_on(const publish_ptr& x, const std::optional<std::string>& body);
  void respond(uint64_t link, uint64_t request, std::string body);
  void refuse(const publish_ptr& x, const failure& why);
  void answer(const publish_ptr& x);

  caf::event_based_actor* self_;
  const cluster_environment& env_;
  links& links_;
  questions asked_; // what is passed on is bounded by limits.publish-bytes
  std::map<std::pair<uint64_t, uint64_t>, std::shared_ptr<publish_listener>> taken_;
  std::map<uint64_t, open_view> views_; // bounded for each link
  uint64_t last_view_ = 0;
};

} // namespace tidings
