#include "actors/storage/storage_actor.hpp"

#include "actors/storage/commit_group.hpp"
#include "tidings/topic.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <chrono>
#include <unordered_map>

namespace tidings {

namespace {

constexpr auto sync_interval = std::chrono::seconds{1};

/// Only what is on disk goes to other nodes, and it should not wait for long.
constexpr auto sync_interval_of_members = std::chrono::milliseconds{5};

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
                   commit_group::limits{cfg.group_events, cfg.group_bytes, cfg.idempotency_window},
                   env_.gate.get());
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
      [this](caf::flush_atom) {
        if (dirty_)
          sync();
      },
      [this](const replica_work_ptr& x) { gather(x); },
      [this](settled_atom, const publish_ptr& x) { answer(x); },
      [this](const delivery_ptr& x) {
        begin_group();
        group_->add(*x);
      },
      [this](const commit_listener& x) { listener_ = x; },
      [this](const config_ptr& x) { env_.cfg = x; },
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
      answer(x);
      return;
    }
    begin_group();
    group_->add(x, env_.now_ms());
    if (group_->full())
      commit();
  }

  void gather(const replica_work_ptr& x) {
    if (broken_)
      return;
    begin_group();
    if (x->forgotten || x->reoriginate || x->set_aside)
      commit(); // what came before it comes before it in the log
    if (x->forgotten) {
      note_forgotten(*x);
    } else if (x->reoriginate || x->set_aside) {
      publish_again(*x);
    } else {
      group_->add(x, *env_.cfg, env_.now_ms());
      if (group_->full())
        commit();
    }
  }

  void begin_group() {
    if (group_->empty())
      self_->send(storage_actor{self_}, commit_atom_v);
  }

  void note_forgotten(const replica_work& x) {
    if (head_of(x.forgotten->node) != x.forgotten_after)
      return settle(x, failure{errc::invalid_parameter, "what goes before it was refused"});
    auto begin = env_.store->cursor_at(env_.store->last());
    auto failed = env_.store->append_forgotten(*x.forgotten);
    if (!failed) {
      std::vector<record> place(1); // without content, so that streams ask the log
      place[0].position = env_.store->last();
      place[0].node = x.forgotten->node;
      place[0].origin = x.forgotten->at;
      show(std::move(begin), std::move(place));
    }
    settle(x, failed);
  }

  origin_position head_of(uint64_t node) const {
    for (auto& x : env_.store->heads())
      if (x.node == node)
        return x.at;
    return {};
  }

  void show(cursor begin, std::vector<record> records) {
    auto batch = std::make_shared<committed_batch>(std::move(begin), env_.store->is_member(),
                                                   std::move(records));
    for (auto& shard : env_.shards)
      self_->send(shard, commit_notice{batch, {}});
  }

  void publish_again(const replica_work& x) {
    auto begin = env_.store->cursor_at(env_.store->last());
    auto again = x.set_aside
                   ? env_.store->append_set_aside()
                   : env_.store->reoriginate(x.node, x.reoriginate->first, x.reoriginate->second);
    if (again && env_.on_received)
      for (auto& x : *again)
        show_own_to_broker(x);
    if (again && !again->empty())
      show(std::move(begin), std::move(*again));
    settle(x, again ? status{} : status{again.error()});
  }

  /// Reports work that is a commit of its own. What the store refused is tried again later.
  void settle(const replica_work& x, const status& failed) {
    if (failed && failed->code != errc::storage_full && failed->code != errc::invalid_parameter)
      return give_up(*failed);
    commit_report report;
    if (failed) {
      report.refused.push_back({x.ticket, false});
    } else {
      report.done.push_back(x.ticket);
      is_unmarked_ = true;
    }
    tell(std::move(report), !failed);
  }

  /// @param synced whether everything in the log is on disk now
  void tell(commit_report x, bool synced) {
    if (synced) {
      x.synced = true;
      x.heads = env_.store->heads();
      dirty_ = false;
    }
    self_->send(listener_, std::make_shared<const commit_report>(std::move(x)));
  }

  void answer(const publish_ptr& x) {
    if (!answer_asker(x))
      self_->send(env_.shards[x->shard], commit_notice{nullptr, {x}});
  }

  /// Whether other nodes have to store it, too, before it is answered.
  bool awaits_quorum(const publish_request& x) const {
    return listener_ && std::any_of(x.items.begin(), x.items.end(), [](const publish_item& item) {
             return !item.outcome.refused && item.level == durability::quorum
                    && item.outcome.level == durability::fsync;
           });
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
    is_unmarked_ = is_unmarked_ || outcome.batch;
    if (!outcome.done.empty() && env_.on_received)
      show_received(*outcome.batch);
    std::vector<commit_notice> notices(env_.shards.size());
    for (auto& x : outcome.answered)
      if (awaits_quorum(*x))
        self_->send(listener_, std::move(x));
      else if (!answer_asker(x))
        notices[x->shard].answers.push_back(std::move(x));
    for (size_t i = 0; i < notices.size(); ++i) {
      notices[i].batch = outcome.batch;
      if (notices[i].batch || !notices[i].answers.empty())
        self_->send(env_.shards[i], std::move(notices[i]));
    }
    if (outcome.broken)
      give_up(*outcome.broken);
    else if (listener_)
      report(outcome);
    if (listener_ && outcome.has_ephemeral)
      self_->send(listener_, deliver_atom_v, outcome.batch);
  }

  void show_received(const committed_batch& batch) const {
    auto self = env_.store->node().short_form();
    for (auto& x : batch.records())
      if (x.node != self)
        show_own_to_broker(x);
  }

  /// What is the broker's own.
  void show_own_to_broker(const record& x) const {
    if (!x.content.topics.empty() && is_reserved_topic(x.content.topics.front()))
      env_.on_received(x);
  }

  /// What is not on disk yet is reported when it is.
  void report(commit_group::outcome& x) {
    if (x.synced || !x.refused.empty())
      tell({false, {}, std::move(x.done), std::move(x.refused)}, x.synced);
    if (dirty_ && !x.synced)
      self_->delayed_send(storage_actor{self_}, sync_interval_of_members, caf::flush_atom_v);
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
    if (broken_ || !(dirty_ || is_unmarked_))
      return;
    dirty_ = is_unmarked_ = false;
    if (auto why = env_.store->sync())
      return give_up(*why);
    if (listener_)
      tell({}, true);
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
  commit_listener listener_; // none: the node is alone
  // Requests that came from actors, by the request: it is in the group for as long.
  std::unordered_map<const publish_request*, caf::typed_response_promise<publish_ptr>> askers_;
  status broken_;
  bool dirty_ = false;       // something was appended that is not on disk
  bool is_unmarked_ = false; // something was appended since the store noted how far it is
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
