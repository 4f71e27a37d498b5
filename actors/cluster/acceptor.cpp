#include "actors/cluster/acceptor.hpp"

#include "actors/cluster/link_actor.hpp"
#include "actors/cluster/socket.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>

namespace tidings::cluster {

namespace {

/// @param owner see link_of_connection
caf::behavior accept_links(caf::io::broker* self, int socket, link_settings_ptr settings,
                           caf::actor_addr owner) {
  self->add_doorman(socket);
  auto alive = caf::actor_cast<caf::actor>(owner);
  if (!alive) {
    self->quit();
    return {};
  }
  settings->live->add(alive, self->address());
  auto waiting = std::make_shared<size_t>(0);
  return {
    [=](const caf::io::new_connection_msg& x) {
      if (*waiting >= settings->waiting_max) {
        cut_connection(x.handle, true);
        self->close(x.handle);
        return;
      }
      ++*waiting;
      std::shared_ptr<void> place{nullptr, [waiting](void*) { --*waiting; }};
      self->fork(link_of_connection, x.handle, link_role::acceptor, settings, owner,
                 std::move(place));
    },
    [](const caf::io::connection_closed_msg&) {}, // one of those that were closed at once
  };
}

} // namespace

result<acceptor> open_acceptor(caf::actor_system& sys, const listen_address& where,
                               link_settings_ptr settings, caf::actor owner) {
  auto x = listen_on(where);
  if (!x)
    return x.error();
  return acceptor{sys.middleman().spawn_broker(accept_links, x->socket.release(),
                                               std::move(settings), owner.address()),
                  x->port};
}

status check_cluster_address(std::string_view listen, bool has_tls) {
  auto x = listen_address::parse(listen);
  if (!x)
    return x.error();
  if (x->loopback || has_tls)
    return std::nullopt;
  return failure{errc::invalid_configuration,
                 "nodes that talk over a network need TLS: set a certificate, a key and an "
                 "authority, or listen on 127.0.0.1"};
}

} // namespace tidings::cluster
