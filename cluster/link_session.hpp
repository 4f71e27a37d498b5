#pragma once

#include "cluster/frame_codec.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tidings::cluster {

// The protocol of a link without a socket, a thread or a clock: bytes and times in, actions out.
//
//     dialler                         acceptor
//     HELLO  ─────────────────────▶   checks cluster, version, node, member
//     checks the same   ◀───────────  HELLO
//     PROOF  ─────────────────────▶   checks it
//     checks it         ◀───────────  PROOF
//     established                     established
//
// A proof is the HMAC-SHA256, with the cluster's secret, of who proves and of both hellos with
// their nonces, so that none can be used twice or sent back. The dialler proves first: who merely
// connects gets nothing that was made with the secret.

/// The version of the protocol that this program speaks.
inline constexpr uint16_t protocol_version = 1;

using message_ptr = std::shared_ptr<const message>;

enum class link_role : uint8_t { dialler, acceptor };

/// Who is at the other end, proven.
struct link_peer {
  node_id node;
  std::string member;
  uint64_t incarnation = 0;
  uint64_t membership = 0; ///< version of the list of members that it has
  uint16_t version = 0;    ///< of the protocol, spoken on this link
  uint32_t abilities = 0;

  bool operator==(const link_peer&) const = default;
};

/// All in milliseconds.
struct link_timing {
  int64_t handshake_max = 3000; ///< until both have proven who they are
  int64_t ping_every = 1000;    ///< also how often `on_tick` wants to be called
  int64_t suspect_after = 3000; ///< of silence
  int64_t silence_max = 5000;
};

/// Why a member of that name may not have a link; nullopt: it may.
using admission = std::function<std::optional<close_reason>(const std::string& member)>;

/// What a node says about itself on all its links.
struct link_identity {
  std::string cluster; ///< 1 to 255 bytes, like `member`
  std::string secret;  ///< what makes a node one of this cluster; never sent
  node_id node;
  std::string member;
  uint64_t incarnation = 0;
  uint64_t membership = 0; ///< version of its list of members
  uint32_t abilities = 0;
  uint16_t version_min = protocol_version;
  uint16_t version_max = protocol_version;
};

using link_identity_ptr = std::shared_ptr<const link_identity>;

/// One connection between two nodes. It keeps the beginning of at most one frame, and no output.
/// Not for more than one thread.
class link_session {
public:
  /// Write these bytes to the peer.
  struct write {
    std::string bytes;
  };

  /// The peer is who it says; from now on messages may be sent.
  struct established {
    link_peer peer;
  };

  /// The peer sent this.
  struct deliver {
    message_ptr what;
  };

  /// The peer fell silent, or was heard again.
  struct suspect {
    bool silent;
  };

  /// The last action: close the connection when what was written has gone.
  struct close {
    close_reason reason;
    bool by_peer; ///< it said goodbye
    std::string text;
  };

  using action = std::variant<write, established, deliver, suspect, close>;
  using actions = std::vector<action>;

  /// @param nonce random, never used before
  /// @param now_ms steady time; the handshake has to be over in time from here on
  link_session(link_identity_ptr self, link_role role, link_nonce nonce, admission admit,
               link_timing timing, int64_t now_ms);

  /// Says hello. Once, before the first bytes come.
  actions start() const;

  actions on_bytes(std::string_view bytes, int64_t now_ms);

  /// To be called each `ping_every`. Time for which this node itself did not run is no silence of
  /// the peer.
  actions on_tick(int64_t now_ms);

  /// Appends a message to what is to be written. False, and nothing appended, before the link is
  /// established, after its end, and if the message is longer than a frame.
  [[nodiscard]] bool send(std::string& out, const message& x) const;

  /// Says goodbye and ends.
  actions end(close_reason reason, std::string text = {});

  bool is_established() const noexcept {
    return state_ == state::established;
  }

  bool is_over() const noexcept {
    return state_ == state::over;
  }

private:
  enum class state : uint8_t { awaits_hello, awaits_proof, established, over };

  size_t bytes_wanted(std::string_view begun, actions& out);
  void take_frame(std::string_view whole, actions& out);
  void on_hello(const hello& x, std::string_view whole, actions& out);
  void on_proof(const proof& x, actions& out);
  std::optional<close_reason> refusal_of(const hello& x) const;
  link_proof proof_of(link_role who) const;
  void refuse(close_reason reason, actions& out, std::string text = {});
  void hear(int64_t now_ms, actions& out);

  const link_identity_ptr self_;
  const link_role role_;
  const admission admit_;
  const link_timing timing_;
  const int64_t began_ms_;
  std::string my_hello_; ///< the whole frame, like the peer's
  std::string peer_hello_;
  link_peer peer_;
  state state_ = state::awaits_hello;
  std::string partial_; ///< the beginning of a frame
  int64_t heard_ms_;
  int64_t ticked_ms_;
  bool suspect_ = false;
};

/// Random bytes for one link.
link_nonce make_link_nonce();

} // namespace tidings::cluster
