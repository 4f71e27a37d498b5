#pragma once

#include "actors/cluster/link_messages.hpp"

#include <caf/fwd.hpp>
#include <caf/io/broker.hpp>
#include <caf/stateful_actor.hpp>

#include <memory>
#include <optional>

namespace tidings::cluster {

/// Performs what a link_session says on one socket. It runs on the multiplexer's thread, which all
/// links share: it moves bytes and does nothing else. Ends by itself when the connection does, and
/// when its owner ends; always normally.
class link_state {
public:
  static inline const char* name = "tidings.link";

  explicit link_state(caf::io::broker* self) : self_(self) {
    // nop
  }

  /// @param owner is told of everything
  /// @param place given back when the peer has proven who it is, or has gone
  caf::behavior make_behavior(caf::io::connection_handle connection, link_role role,
                              link_settings_ptr settings, const caf::actor& owner,
                              std::shared_ptr<void> place);

private:
  void receive(std::string_view bytes);
  void perform(link_session::actions actions);
  void apply(const link_session::write& x);
  void apply(const link_session::established& x);
  void apply(const link_session::deliver& x);
  void apply(const link_session::suspect& x);
  void apply(const link_session::close& x);
  void send(const message_ptr* first, const message_ptr* last);
  void write(std::string_view plain);
  void write_to_wire(std::string_view bytes);
  void on_tick();
  template <class T>
  void tell_owner(T&& x) {
    if (auto to = caf::actor_cast<caf::actor>(owner_))
      self_->send(to, std::forward<T>(x));
  }

  void report_down(close_reason reason, bool by_peer, const std::string& text);
  void cut(close_reason reason, const std::string& text);
  void leave();
  int64_t now_ms() const;

  caf::io::broker* self_;
  caf::io::connection_handle connection_;
  link_role role_{};
  link_settings_ptr settings_;
  caf::actor_addr owner_; ///< CAF may forget a link when it ends, which must not keep the owner
  std::shared_ptr<void> place_;
  uint64_t number_ = 0;
  std::string address_;
  std::unique_ptr<tls_channel> tls_;
  std::optional<link_session> session_;
  std::optional<link_peer> peer_;
  size_t unsent_ = 0;    ///< bytes that the kernel has not taken
  bool started_ = false; ///< said hello
  bool reported_down_ = false;
  bool gone_ = false;
};

using link_broker = caf::stateful_actor<link_state, caf::io::broker>;

/// The link of a connection that a broker already has: for `fork`.
/// @param owner only its address: CAF keeps what an actor was started with for as long as the actor
caf::behavior link_of_connection(link_broker* self, caf::io::connection_handle connection,
                                 link_role role, link_settings_ptr settings, caf::actor_addr owner,
                                 std::shared_ptr<void> place);

/// Starts the link of a connected socket, which it takes over.
caf::actor spawn_link(caf::actor_system& sys, int socket, link_role role,
                      link_settings_ptr settings, caf::actor owner);

/// Closes a connection without waiting for what was not written: CAF would wait for as long as the
/// peer likes.
void cut_connection(caf::io::connection_handle connection, bool with_reset) noexcept;

} // namespace tidings::cluster
