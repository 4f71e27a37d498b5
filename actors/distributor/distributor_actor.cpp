#include "actors/distributor/distributor_actor.hpp"

#include "actors/distributor/audience.hpp"
#include "actors/distributor/routing.hpp"
#include "actors/runtime/recently_used.hpp"
#include "actors/topic/topic_actor.hpp"
#include "tidings/ownership.hpp"

#include <caf/all.hpp>

#include <optional>

namespace tidings {

namespace {

constexpr auto sweep_interval = std::chrono::seconds{1};

class distributor_state {
public:
  static inline const char* name = "tidings.distributor";

  explicit distributor_state(distributor_actor::pointer self) : self_(self) {
    // nop
  }

  distributor_actor::behavior_type make_behavior(config_ptr cfg, storage_actor storage,
                                                 std::vector<shard_actor> shards,
                                                 std::shared_ptr<statistics> stats,
                                                 const clock_source* clock) {
    config_ = std::move(cfg);
    owners_.emplace(*config_);
    statistics_ = std::move(stats);
    clock_ = clock;
    world_ = std::make_shared<topic_environment>(
      topic_environment{distributor_actor{self_}, std::move(storage), std::move(shards), clock});
    self_->delayed_send(distributor_actor{self_}, sweep_interval, caf::tick_atom_v);
    return {
      [this](const publish_ptr& x) { route(x); },
      [this](caf::subscribe_atom, const subscription_ptr& x) {
        audience_.add(x);
        count_topics();
      },
      [this](caf::unsubscribe_atom, const subscription_ptr& x) {
        audience_.remove(x);
        count_topics();
      },
      [this](const config_ptr& x) { reconfigure(x); },
      [this](const forwarder& x) { forwarder_ = x; },
      [this](caf::tick_atom) { sweep(); },
    };
  }

private:
  void route(const publish_ptr& x) {
    if (x->route.empty()) {
      for (auto& item : x->items)
        item.subscribers = audience_.count(item.what.content.topics, item.what.content.type);
      if (forwarder_ && !x->is_forwarded && is_taken_elsewhere(x))
        return;
      x->route = plan_route(x->items);
    }
    self_->send(topic_of(x->route[x->next_hop].topic), x);
  }

  /// Passes on what another member has to take, and refuses what nobody can.
  bool is_taken_elsewhere(const publish_ptr& x) {
    ownership::answer found;
    for (auto& item : x->items)
      owners_->add(found, item.what.content.topics);
    if (found.has_several) {
      for (auto& item : x->items)
        item.outcome.refused = failure{
          errc::invalid_request, "topics with a strict order that different members of the cluster "
                                 "take cannot be in one request: publish to each on its own"};
      self_->send(world_->shards[x->shard], commit_notice{nullptr, {x}});
      return true;
    }
    if (!owners_->is_elsewhere(found))
      return false;
    x->owner = std::move(found.owner);
    self_->send(forwarder_, caf::forward_atom_v, x);
    return true;
  }

  topic_actor& topic_of(const std::string& topic) {
    auto now = clock_->steady_ms();
    if (auto known = topics_.find(topic, now))
      return *known;
    topics_.evict(now - config_->topics.idle_timeout.count(), config_->topics.active_max - 1,
                  [this](topic_actor& x) { dismiss(x); });
    auto& x = topics_.add(topic, spawn_topic(self_->system(), topic, config_, world_), now);
    value_now();
    return x;
  }

  void sweep() {
    topics_.evict(clock_->steady_ms() - config_->topics.idle_timeout.count(),
                  config_->topics.active_max, [this](topic_actor& x) { dismiss(x); });
    value_now();
    self_->delayed_send(distributor_actor{self_}, sweep_interval, caf::tick_atom_v);
  }

  /// Only the distributor sends to topics, so this is the last message that one gets.
  void dismiss(topic_actor& x) {
    self_->send(x, caf::close_atom_v);
  }

  void reconfigure(const config_ptr& x) {
    config_ = x;
    owners_.emplace(*x);
    topics_.for_each([&](topic_actor& topic) { self_->send(topic, x); });
  }

  void value_now() {
    statistics_->topic_actors.store(topics_.size(), std::memory_order_relaxed);
  }

  void count_topics() {
    statistics_->subscribed_topics.store(audience_.distinct_topics(), std::memory_order_relaxed);
  }

  distributor_actor::pointer self_;
  config_ptr config_;
  topic_environment_ptr world_;
  std::shared_ptr<statistics> statistics_;
  const clock_source* clock_ = nullptr;
  std::optional<ownership> owners_;
  forwarder forwarder_; // none: the node is alone
  recently_used<topic_actor> topics_;
  audience audience_;
};

distributor_actor::behavior_type
distributor(distributor_actor::stateful_pointer<distributor_state> self, config_ptr cfg,
            storage_actor storage, std::vector<shard_actor> shards,
            std::shared_ptr<statistics> stats, const clock_source* clock) {
  return self->state.make_behavior(std::move(cfg), std::move(storage), std::move(shards),
                                   std::move(stats), clock);
}

} // namespace

distributor_actor spawn_distributor(caf::actor_system& sys, config_ptr cfg, storage_actor storage,
                                    std::vector<shard_actor> shards,
                                    std::shared_ptr<statistics> stats, const clock_source& clock) {
  return sys.spawn(distributor, std::move(cfg), std::move(storage), std::move(shards),
                   std::move(stats), &clock);
}

} // namespace tidings
