#include "actors/cluster/link_actor.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <atomic>
#include <sys/socket.h>

namespace tidings::cluster {

namespace {

/// What is read at once. CAF allocates it per connection, so strangers get little.
constexpr size_t early_read_bytes = 4 * 1024;
constexpr size_t read_bytes = 64 * 1024;

uint64_t next_number() noexcept {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

} // namespace

caf::behavior link_state::make_behavior(caf::io::connection_handle connection, link_role role,
                                        link_settings_ptr settings, const caf::actor& owner,
                                        std::shared_ptr<void> place) {
  connection_ = connection;
  role_ = role;
  settings_ = std::move(settings);
  owner_ = owner.address();
  place_ = std::move(place);
  number_ = next_number();
  address_ =
    self_->remote_addr(connection_) + ':' + std::to_string(self_->remote_port(connection_));
  self_->ack_writes(connection_, true);
  self_->configure_read(connection_, caf::io::receive_policy::at_most(early_read_bytes));
  settings_->live->add(owner, self_->address());
  self_->set_exit_handler([this](const caf::exit_msg&) {
    if (!session_->is_over()) // else the goodbye has until the next tick to go
      cut(close_reason::shutting_down, "the link was told to exit");
  });
  auto admit = [this](const std::string& member) -> std::optional<close_reason> {
    if (!settings_->admitted(member))
      return close_reason::not_a_member;
    if (tls_ && !tls_->peer_may_be(member))
      return close_reason::wrong_certificate;
    return std::nullopt;
  };
  auto identity = std::make_shared<link_identity>(settings_->self);
  if (settings_->membership)
    identity->membership = settings_->membership();
  session_.emplace(std::move(identity), role_, make_link_nonce(), admit, settings_->timing,
                   now_ms());
  if (settings_->tls)
    tls_ = std::make_unique<tls_channel>(settings_->tls, role_ == link_role::dialler);
  receive({});
  on_tick();
  return {
    [this](const caf::io::new_data_msg& x) {
      receive({x.buf.data(), x.buf.size()});
    },
    [this](const caf::io::data_transferred_msg& x) {
      unsent_ = x.remaining;
      if (unsent_ == 0 && session_->is_over())
        leave();
    },
    [this](const caf::io::connection_closed_msg&) { cut(close_reason::connection_lost, {}); },
    [this](const message_ptr& x) { send(&x, &x + 1); },
    [this](const std::vector<message_ptr>& xs) { send(xs.data(), xs.data() + xs.size()); },
    [this](const link_close& x) { perform(session_->end(x.reason, x.text)); },
    [this](caf::tick_atom) { on_tick(); },
  };
}

/// Called with nothing at the beginning: a dialler of TLS has something to say before it hears
/// anything.
void link_state::receive(std::string_view bytes) {
  if (session_->is_over())
    return;
  if (!tls_) {
    if (!std::exchange(started_, true))
      perform(session_->start());
    return perform(session_->on_bytes(bytes, now_ms()));
  }
  std::string plain;
  std::string wire;
  auto sound = tls_->receive(bytes, plain, wire);
  write_to_wire(wire);
  if (tls_->is_open() && !std::exchange(started_, true))
    perform(session_->start());
  if (!plain.empty())
    perform(session_->on_bytes(plain, now_ms()));
  if (!sound && !session_->is_over())
    perform(session_->end(close_reason::tls_failed, tls_->problem()));
}

void link_state::perform(link_session::actions actions) {
  for (auto& x : actions)
    if (!gone_)
      std::visit([this](auto& y) { apply(y); }, x);
  if (!gone_)
    self_->flush(connection_);
}

void link_state::apply(const link_session::write& x) {
  write(x.bytes);
}

void link_state::apply(const link_session::established& x) {
  peer_ = x.peer;
  place_.reset();
  self_->configure_read(connection_, caf::io::receive_policy::at_most(read_bytes));
  tell_owner(link_up{number_, x.peer, address_, role_ == link_role::dialler,
                     caf::actor_cast<caf::actor>(self_)});
}

void link_state::apply(const link_session::deliver& x) {
  tell_owner(link_received{number_, x.what});
}

void link_state::apply(const link_session::suspect& x) {
  tell_owner(link_suspect{number_, x.silent});
}

void link_state::apply(const link_session::close& x) {
  report_down(x.reason, x.by_peer, x.text);
  if (unsent_ == 0)
    leave(); // else the goodbye has until the next tick to go
}

void link_state::send(const message_ptr* first, const message_ptr* last) {
  std::string bytes;
  for (; first != last && session_->is_established(); ++first) {
    bytes.clear();
    if (session_->send(bytes, **first))
      write(bytes);
    else
      perform(session_->end(close_reason::frame_too_long, "a message of this node is too long"));
  }
  if (!gone_)
    self_->flush(connection_);
}

void link_state::write(std::string_view plain) {
  if (!tls_)
    return write_to_wire(plain);
  std::string wire;
  if (tls_->send(plain, wire))
    write_to_wire(wire);
}

void link_state::write_to_wire(std::string_view bytes) {
  if (gone_ || bytes.empty())
    return;
  unsent_ += bytes.size();
  if (unsent_ > settings_->unsent_max)
    return cut(close_reason::stalled, {});
  self_->write(connection_, bytes.size(), bytes.data());
}

void link_state::on_tick() {
  if (session_->is_over())
    return leave();
  perform(session_->on_tick(now_ms()));
  if (!gone_)
    // Without a sender: in a mailbox that nobody empties any more it would keep the actor.
    caf::delayed_anon_send(
      caf::actor{self_}, std::chrono::milliseconds{settings_->timing.ping_every}, caf::tick_atom_v);
}

void link_state::report_down(close_reason reason, bool by_peer, const std::string& text) {
  if (std::exchange(reported_down_, true))
    return;
  tell_owner(link_down{number_, reason, by_peer, text, address_, role_ == link_role::dialler,
                       peer_.has_value(), peer_.value_or(link_peer{})});
}

/// Ends without a goodbye.
void link_state::cut(close_reason reason, const std::string& text) {
  report_down(reason, false, text);
  leave();
}

void link_state::leave() {
  if (std::exchange(gone_, true))
    return;
  settings_->live->remove(self_->address());
  place_.reset();
  (void)session_->end(close_reason::shutting_down);
  cut_connection(connection_, unsent_ > 0);
  self_->quit();
}

int64_t link_state::now_ms() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(self_->clock().now().time_since_epoch()).count();
}

caf::behavior link_of_connection(link_broker* self, caf::io::connection_handle connection,
                                 link_role role, link_settings_ptr settings, caf::actor_addr owner,
                                 std::shared_ptr<void> place) {
  auto alive = caf::actor_cast<caf::actor>(owner);
  if (!alive) {
    self->quit();
    return {};
  }
  return self->state.make_behavior(connection, role, std::move(settings), alive, std::move(place));
}

caf::actor spawn_link(caf::actor_system& sys, int socket, link_role role,
                      link_settings_ptr settings, caf::actor owner) {
  auto behavior = [](link_broker* self, int socket, link_role role, link_settings_ptr settings,
                     caf::actor_addr owner) {
    return link_of_connection(self, self->add_scribe(socket), role, std::move(settings),
                              std::move(owner), nullptr);
  };
  return sys.middleman().spawn_broker(behavior, socket, role, std::move(settings), owner.address());
}

void cut_connection(caf::io::connection_handle connection, bool with_reset) noexcept {
  auto socket = static_cast<int>(connection.id()); // that is what CAF takes for it
  if (with_reset) { // the kernel must not go on delivering what is not wanted any more
    linger at_once{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  ::shutdown(socket, SHUT_RDWR);
}

} // namespace tidings::cluster
