#include "actors/topic/topic_actor.hpp"

#include "actors/topic/topic_policy.hpp"

#include <caf/all.hpp>

#include <algorithm>

namespace tidings {

namespace {

class topic_state {
public:
  static inline const char* name = "tidings.topic";

  explicit topic_state(topic_actor::pointer self) : self_(self) {
    // nop
  }

  topic_actor::behavior_type make_behavior(std::string topic, const config& cfg,
                                           topic_environment_ptr env) {
    env_ = std::move(env);
    policy_.emplace(std::move(topic), cfg);
    return {
      [this](const publish_ptr& x) { publish(x); },
      [this](const config_ptr& x) { policy_->configure(*x); },
      [this](caf::close_atom) { self_->quit(); },
    };
  }

private:
  void publish(const publish_ptr& x) {
    auto now = env_->clock->steady_ms();
    auto& hop = x->route[x->next_hop++];
    for (auto i : hop.items)
      policy_->apply(x->items[i], now);
    if (x->next_hop < x->route.size())
      self_->send(env_->distributor, x);
    else if (!admitted(*x))
      self_->send(env_->shards[x->shard], commit_notice{nullptr, {x}});
    else
      store(x);
  }

  void store(const publish_ptr& x) {
    if (x->unattended()) { // admission is all that the publisher waits for
      self_->send(env_->shards[x->shard], commit_notice{nullptr, {admission(*x)}});
      x->listener.reset();
    }
    self_->send(env_->storage, x);
  }

  static publish_ptr admission(const publish_request& x) {
    auto answer = std::make_shared<publish_request>();
    answer->shard = x.shard;
    answer->listener = x.listener;
    answer->ticket = x.ticket;
    for (auto& item : x.items) {
      auto& to = answer->items.emplace_back();
      to.topic = item.topic;
      to.subscribers = item.subscribers;
      to.outcome = item.outcome;
    }
    return answer;
  }

  static bool admitted(const publish_request& x) {
    auto refused = [](auto& item) { return item.outcome.refused.has_value(); };
    return x.atomic ? std::none_of(x.items.begin(), x.items.end(), refused)
                    : !std::all_of(x.items.begin(), x.items.end(), refused);
  }

  topic_actor::pointer self_;
  topic_environment_ptr env_;
  std::optional<topic_policy> policy_;
};

topic_actor::behavior_type topic(topic_actor::stateful_pointer<topic_state> self, std::string name,
                                 config_ptr cfg, topic_environment_ptr env) {
  return self->state.make_behavior(std::move(name), *cfg, std::move(env));
}

} // namespace

topic_actor spawn_topic(caf::actor_system& sys, std::string name, config_ptr cfg,
                        topic_environment_ptr env) {
  return sys.spawn(topic, std::move(name), std::move(cfg), std::move(env));
}

} // namespace tidings
