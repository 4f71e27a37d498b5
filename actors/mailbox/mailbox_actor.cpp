#include "actors/mailbox/mailbox_actor.hpp"

#include "actors/caf_failure.hpp"
#include "actors/mailbox/mailbox_decision.hpp"
#include "tidings/text.hpp"
#include "tidings/units.hpp"

#include <caf/all.hpp>

#include <deque>
#include <functional>

namespace tidings {

namespace {

// Readers and the store are actors of this process: one that is gone is an error at once. A
// timeout would stay in CAF's clock for its whole time after the answer, one for each request.
constexpr auto no_timeout = caf::infinite;

/// Items that one event tells of: what is more goes to the next, in the same atomic request.
constexpr size_t items_per_event_max = 1'000;

class mailbox_state {
public:
  static inline const char* name = "tidings.mailbox";

  explicit mailbox_state(mailbox_actor::pointer self) : self_(self) {
    // nop
  }

  mailbox_actor::behavior_type make_behavior(std::string user, config_ptr cfg,
                                             mailbox_environment_ptr env) {
    user_ = std::move(user);
    config_ = std::move(cfg);
    env_ = std::move(env);
    return {
      [this](const mailbox_order_ptr& x) {
        ++orders_;
        auto promise = self_->make_response_promise<mailbox_outcome>();
        waiting_.push_back({x, promise});
        go_on();
        return promise;
      },
      [this](const config_ptr& x) { config_ = x; },
      [this](idle_atom) {
        if (!busy_ && waiting_.empty())
          self_->send(env_->mailroom, idle_atom_v, user_, orders_);
      },
      [this](caf::close_atom) { self_->quit(); },
    };
  }

private:
  struct job {
    mailbox_order_ptr order;
    caf::typed_response_promise<mailbox_outcome> promise;
  };

  /// One order at a time: the next one has to see what this one did.
  void go_on() {
    if (busy_ || waiting_.empty())
      return;
    busy_ = true;
    auto& order = *waiting_.front().order;
    mailbox_lookup x;
    x.user = user_;
    if (order.ids)
      x.ids = *order.ids;
    x.entries_max = config_->mailbox.items_max;
    auto& reader = env_->readers[std::hash<std::string>{}(user_) % env_->readers.size()];
    self_->request(reader, no_timeout, std::move(x))
      .then([this](const mailbox_listing_ptr& in) { decide_and_store(*in); },
            [this](caf::error& why) { fail(std::move(why)); });
  }

  void decide_and_store(const mailbox_listing& in) {
    auto now = env_->now_ms();
    auto decision = decide(*waiting_.front().order, in, now);
    mailbox_outcome outcome;
    outcome.counts = decision.counts;
    std::erase_if(decision.changes, [&](mailbox_decision::change& x) {
      auto id = env_->store->id_at(x.entry.item);
      if (id)
        outcome.changed.push_back(id->to_string(env_->store->is_member()));
      return !id; // gone meanwhile
    });
    if (decision.changes.empty())
      return finish(std::move(outcome));
    auto request = make_request(decision, outcome.changed, now);
    self_->request(env_->storage, no_timeout, caf::put_atom_v, std::move(request))
      .then(
        [this, outcome = std::move(outcome)](const publish_ptr& stored) mutable {
          if (auto& why = stored->items.front().outcome.refused)
            return fail(to_caf(*why));
          add(env_->stats->mailbox_changes, outcome.changed.size());
          finish(std::move(outcome));
        },
        [this](caf::error& why) { fail(std::move(why)); });
  }

  publish_ptr make_request(mailbox_decision& decision, const std::vector<std::string>& ids,
                           int64_t now) const {
    auto request = std::make_shared<publish_request>();
    request->atomic = true;
    auto& xs = decision.changes;
    for (size_t begin = 0; begin < xs.size(); begin += items_per_event_max) {
      auto end = std::min(begin + items_per_event_max, xs.size());
      auto& item = request->items.emplace_back();
      item.topic = mailbox_topic(user_);
      item.ephemeral = false;
      item.level = level_of_topics(*config_);
      auto& event = item.what.content;
      event.topics.push_back(item.topic);
      event.type = mailbox_event;
      event.kind = data_kind::json;
      item.what.ttl = config_->mailbox.changes_ttl;
      event.data = "{\"state\":\"";
      event.data += to_string(xs[begin].entry.state);
      event.data += "\",\"at\":\"";
      append_rfc3339(event.data, now);
      event.data += "\",\"items\":[";
      for (auto i = begin; i < end; ++i) {
        if (i != begin)
          event.data += ',';
        event.data += "{\"id\":";
        append_json_string(event.data, ids[i]);
        event.data += ",\"was\":\"";
        event.data += to_string(xs[i].was);
        event.data += "\"}";
        item.changes.push_back({user_, std::move(xs[i].entry)});
      }
      event.data += "]}";
    }
    return request;
  }

  void finish(mailbox_outcome x) {
    waiting_.front().promise.deliver(std::move(x));
    next();
  }

  void fail(caf::error why) {
    waiting_.front().promise.deliver(std::move(why));
    next();
  }

  void next() {
    waiting_.pop_front();
    busy_ = false;
    go_on();
  }

  mailbox_actor::pointer self_;
  std::string user_;
  config_ptr config_;
  mailbox_environment_ptr env_;
  std::deque<job> waiting_; // the first is being worked on; bounded by open requests
  uint64_t orders_ = 0;
  bool busy_ = false;
};

mailbox_actor::behavior_type mailbox(mailbox_actor::stateful_pointer<mailbox_state> self,
                                     std::string user, config_ptr cfg,
                                     mailbox_environment_ptr env) {
  return self->state.make_behavior(std::move(user), std::move(cfg), std::move(env));
}

} // namespace

mailbox_actor spawn_mailbox(caf::actor_system& sys, std::string user, config_ptr cfg,
                            mailbox_environment_ptr env) {
  return sys.spawn(mailbox, std::move(user), std::move(cfg), std::move(env));
}

} // namespace tidings
