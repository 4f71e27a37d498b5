#pragma once

#include "actors/cluster/live_links.hpp"
#include "cluster/link_session.hpp"
#include "cluster/tls_channel.hpp"
#include "tidings/listen_address.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What links and those who make them tell the actor that owns them, and what it tells them. The
/// owner ends them all by ending itself: each of them monitors it.
namespace tidings::cluster {

/// The same for all links of a node; read by the multiplexer's thread.
struct link_settings {
  link_identity self;

  /// Whether a member of that name may have a link: the others in the list of members, and never
  /// this node's own name.
  std::function<bool(const std::string& member)> admitted;

  /// Version of the list of members; not set: 0.
  std::function<uint64_t()> membership;

  std::shared_ptr<const tls_identity> tls; ///< nullptr: plain text, see check_cluster_address
  link_timing timing;
  size_t unsent_max = 8 * 1024 * 1024; ///< bytes for a peer that does not take them
  size_t waiting_max = 64;             ///< accepted connections that have not proven anything yet
  std::shared_ptr<live_links> live = std::make_shared<live_links>();
};

using link_settings_ptr = std::shared_ptr<const link_settings>;

// -- to the owner

/// A peer has proven who it is. Names the link from now on by a number that is used once.
struct link_up {
  uint64_t link = 0;
  link_peer peer;
  std::string address; ///< of the socket's other end
  bool dialled = false;
  caf::actor actor; ///< takes message_ptr, std::vector<message_ptr> and link_close
};

/// A link has brought a message. In the order in which they were sent.
struct link_received {
  uint64_t link = 0;
  message_ptr what;
};

/// The peer fell silent, or was heard again.
struct link_suspect {
  uint64_t link = 0;
  bool silent = false;
};

/// The last word of a link, once, also if it never came up.
struct link_down {
  uint64_t link = 0;
  close_reason reason{};
  bool by_peer = false; ///< it was the peer that closed it for this reason
  std::string text;     ///< more about the reason, or empty
  std::string address;
  bool dialled = false;
  bool was_up = false;
  link_peer peer; ///< if `was_up`
};

/// No connection came about; it will be tried again.
struct dial_failed {
  std::string address; ///< `host:port` as it was given
  std::string why;
};

// -- from the owner

/// To a link: say goodbye and end.
struct link_close {
  close_reason reason = close_reason::shutting_down;
  std::string text; ///< one line of at most 255 bytes, for people
};

/// To a dialer: whether a link is needed. False while the peer's own link is in use.
struct dial_wanted {
  bool wanted = true;
};

/// Whether nodes may talk at this address: in plain text only within this machine. Fails with
/// errc::invalid_configuration.
/// @param listen see listen_address::parse
status check_cluster_address(std::string_view listen, bool has_tls);

} // namespace tidings::cluster

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::cluster::link_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::cluster::link_received)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::cluster::link_suspect)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::cluster::link_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::cluster::dial_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::cluster::link_close)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::cluster::dial_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::cluster::message_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<tidings::cluster::message_ptr>)
