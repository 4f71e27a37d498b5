#include "actors/cluster/dialer.hpp"

#include "actors/cluster/link_actor.hpp"
#include "actors/cluster/socket.hpp"
#include "cluster/back_off.hpp"

#include <caf/all.hpp>

#include <random>

namespace tidings::cluster {

namespace {

std::string to_string(const peer_address& x) {
  auto is_v6 = x.host.find(':') != std::string::npos;
  return (is_v6 ? '[' + x.host + ']' : x.host) + ':' + std::to_string(x.port);
}

class dialer_state {
public:
  static inline const char* name = "tidings.dialer";

  explicit dialer_state(caf::event_based_actor* self) : self_(self) {
    // nop
  }

  caf::behavior make_behavior(peer_address where, link_settings_ptr settings, caf::actor owner,
                              dial_timing timing) {
    where_ = std::move(where);
    settings_ = std::move(settings);
    owner_ = std::move(owner);
    timing_ = timing;
    pause_.emplace(timing.pause_min, timing.pause_max, std::random_device{}());
    self_->monitor(owner_);
    self_->set_down_handler([this](const caf::down_msg& x) {
      if (x.source == owner_.address())
        self_->quit();
      else
        on_link_down();
    });
    self_->send(self_, caf::tick_atom_v);
    return {
      [this](caf::tick_atom) {
        waiting_ = false;
        dial();
      },
      [this](const dial_wanted& x) {
        wanted_ = x.wanted;
        dial();
      },
    };
  }

private:
  void dial() {
    if (!wanted_ || waiting_ || linked_)
      return;
    auto socket = connect_to(where_.host, where_.port, timing_.connect_max);
    if (!socket) {
      self_->send(owner_, dial_failed{to_string(where_), socket.error().detail});
      return try_later();
    }
    linked_ = true;
    since_ = std::chrono::steady_clock::now();
    self_->monitor(
      spawn_link(self_->system(), socket->release(), link_role::dialler, settings_, owner_));
  }

  void on_link_down() {
    linked_ = false;
    if (std::chrono::steady_clock::now() - since_ >= timing_.settled)
      pause_->reset();
    try_later();
  }

  void try_later() {
    waiting_ = true;
    self_->delayed_send(self_, pause_->next(), caf::tick_atom_v);
  }

  caf::event_based_actor* self_;
  peer_address where_;
  link_settings_ptr settings_;
  caf::actor owner_;
  dial_timing timing_;
  std::optional<back_off> pause_;
  bool wanted_ = true;
  bool waiting_ = true; ///< a tick is on its way
  bool linked_ = false;
  std::chrono::steady_clock::time_point since_; ///< of the link
};

} // namespace

caf::actor spawn_dialer(caf::actor_system& sys, peer_address where, link_settings_ptr settings,
                        caf::actor owner, dial_timing timing) {
  auto behavior = [](caf::stateful_actor<dialer_state>* self, peer_address where,
                     link_settings_ptr settings, caf::actor owner, dial_timing timing) {
    return self->state.make_behavior(std::move(where), std::move(settings), std::move(owner),
                                     timing);
  };
  return sys.spawn<caf::detached>(behavior, std::move(where), std::move(settings), std::move(owner),
                                  timing);
}

} // namespace tidings::cluster
