#include "actors/storage/storage_actor.hpp"

#include "actors/storage/commit_group.hpp"

#include <caf/all.hpp>

#include <chrono>
#include <unordered_map>

namespace tidings {

namespace {

constexpr auto sync_interval = std::chrono::seconds{1};

class storage_state {
public:
  static inline const char* name = "tidings.storage";

  explicit storage_state(storage_actor::pointer self) : self_(self) {
    // nop
  }

  storage_actor::behavior_type make_behavior(storage_environment env) {
    env_ = std::move(env);
    auto& cfg = env_.cfg->storage;
    group_.emplace(*env_.store,
                   commit_group::limits{cfg.group_events, cfg.group_bytes, cfg.idempotency_window});
    self_->delayed_send(storage_actor{self_}, sync_interval, caf::tick_atom_v);
    return {
      [this](const publish_ptr& x) { gather(x); },
      [this](caf::put_atom, const publish_ptr& x) {
        auto promise = self_->make_response_promise<publish_ptr>();
        askers_.emplace(x.get(), promise);
        gather(x);
        return promise;
      },
      [this](commit_atom) { commit(); },
      [this](caf::tick_atom) {
        sync();
        self_->delayed_send(storage_actor{self_}, sync_interval, caf::tick_atom_v);
      },
      [this](sync_atom) {
        commit();
        sync();
        return !broken_;
      },
    };
  }

private:
  /// The first of a group asks for its commit: whatever is in the mailbox before that rides along.
  void gather(const publish_ptr& x) {
    if (broken_) {
      for (auto& item : x->items)
        item.outcome.refused = broken_;
      if (!answer_asker(x))
        self_->send(env_.shards[x->shard], commit_notice{nullptr, {x}});
      return;
    }
    if (group_->empty())
      self_->send(storage_actor{self_}, commit_atom_v);
    group_->add(x, env_.now_ms());
    if (group_->full())
      commit();
  }

  /// Durable first, answered and visible second.
  void commit() {
    if (group_->empty())
      return;
    auto begin = std::chrono::steady_clock::now();
    auto outcome = group_->commit();
    auto end = std::chrono::steady_clock::now();
    add(env_.stats->commits);
    add(env_.stats->commit_microseconds,
        static_cast<uint64_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(end - begin).count()));
    if (outcome.synced)
      add(env_.stats->synced_commits);
    dirty_ = dirty_ || outcome.batch;
    std::vector<commit_notice> notices(env_.shards.size());
    for (auto& x : outcome.answered)
      if (!answer_asker(x))
        notices[x->shard].answers.push_back(std::move(x));
    for (size_t i = 0; i < notices.size(); ++i) {
      notices[i].batch = outcome.batch;
      if (notices[i].batch || !notices[i].answers.empty())
        self_->send(env_.shards[i], std::move(notices[i]));
    }
    if (outcome.broken)
      give_up(*outcome.broken);
  }

  /// @returns whether the request came from an actor rather than from a shard's session
  bool answer_asker(const publish_ptr& x) {
    if (askers_.empty())
      return false;
    auto i = askers_.find(x.get());
    if (i == askers_.end())
      return false;
    i->second.deliver(x);
    askers_.erase(i);
    return true;
  }

  void sync() {
    if (broken_ || !dirty_)
      return;
    dirty_ = false;
    if (auto why = env_.store->sync())
      give_up(*why);
  }

  void give_up(const failure& why) {
    if (broken_)
      return;
    broken_ = failure{errc::storage_unavailable, "the store failed and takes no more events"};
    if (env_.on_broken)
      env_.on_broken(why);
  }

  storage_actor::pointer self_;
  storage_environment env_;
  std::optional<commit_group> group_;
  // Requests that came from actors, by the request: it is in the group for as long.
  std::unordered_map<const publish_request*, caf::typed_response_promise<publish_ptr>> askers_;
  status broken_;
  bool dirty_ = false; // something was appended since the last sync
};

storage_actor::behavior_type storage(storage_actor::stateful_pointer<storage_state> self,
                                     storage_environment env) {
  return self->state.make_behavior(std::move(env));
}

} // namespace

storage_actor spawn_storage(caf::actor_system& sys, storage_environment env) {
  return sys.spawn<caf::detached>(storage, std::move(env));
}

} // namespace tidings
