#include "actors/mailbox/mailroom_actor.hpp"

#include "actors/runtime/recently_used.hpp"

#include <caf/all.hpp>

namespace tidings {

namespace {

constexpr auto sweep_interval = std::chrono::seconds{1};

class mailroom_state {
public:
  static inline const char* name = "tidings.mailroom";

  explicit mailroom_state(mailroom_actor::pointer self) : self_(self) {
    // nop
  }

  /// Mailboxes do not end by themselves: what they wait for holds them.
  ~mailroom_state() {
    residents_.for_each(
      [](resident& x) { caf::anon_send_exit(x.actor, caf::exit_reason::user_shutdown); });
  }

  mailroom_actor::behavior_type make_behavior(config_ptr cfg, mailbox_environment env,
                                              const clock_source* clock) {
    config_ = std::move(cfg);
    clock_ = clock;
    env.mailroom = mailroom_actor{self_};
    world_ = std::make_shared<mailbox_environment>(std::move(env));
    self_->delayed_send(mailroom_actor{self_}, sweep_interval, caf::tick_atom_v);
    return {
      [this](const mailbox_order_ptr& x) {
        auto& to = mailbox_of(x->user);
        ++to.orders;
        return self_->delegate(to.actor, x);
      },
      [this](idle_atom, const std::string& user, uint64_t orders) { let_go(user, orders); },
      [this](caf::tick_atom) {
        sweep();
        self_->delayed_send(mailroom_actor{self_}, sweep_interval, caf::tick_atom_v);
      },
      [this](const config_ptr& x) {
        config_ = x;
        residents_.for_each([&](resident& to) { self_->send(to.actor, x); });
      },
    };
  }

private:
  struct resident {
    mailbox_actor actor;
    uint64_t orders = 0; // given to it
  };

  resident& mailbox_of(const std::string& user) {
    auto now = clock_->steady_ms();
    if (auto known = residents_.find(user, now))
      return *known;
    auto& x = residents_.add(user, {spawn_mailbox(self_->system(), user, config_, world_)}, now);
    count();
    return x;
  }

  /// A mailbox leaves only by its own word, and only if it has done all that it was given: two
  /// actors for one user would not see each other's changes.
  void let_go(const std::string& user, uint64_t orders) {
    auto known = residents_.peek(user);
    if (!known || known->orders != orders)
      return;
    self_->send(known->actor, caf::close_atom_v);
    residents_.remove(user);
    count();
  }

  void sweep() {
    residents_.for_each_due(clock_->steady_ms() - config_->mailbox.idle_timeout.count(),
                            config_->mailbox.active_max,
                            [this](resident& x) { self_->send(x.actor, idle_atom_v); });
  }

  void count() {
    world_->stats->mailbox_actors.store(residents_.size(), std::memory_order_relaxed);
  }

  mailroom_actor::pointer self_;
  config_ptr config_;
  mailbox_environment_ptr world_;
  const clock_source* clock_ = nullptr;
  recently_used<resident> residents_;
};

mailroom_actor::behavior_type mailroom(mailroom_actor::stateful_pointer<mailroom_state> self,
                                       config_ptr cfg, mailbox_environment env,
                                       const clock_source* clock) {
  return self->state.make_behavior(std::move(cfg), std::move(env), clock);
}

} // namespace

mailroom_actor spawn_mailroom(caf::actor_system& sys, config_ptr cfg, mailbox_environment env,
                              const clock_source& clock) {
  return sys.spawn(mailroom, std::move(cfg), std::move(env), &clock);
}

} // namespace tidings
