#pragma once

#include "cluster/link_session.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace tidings::cluster {

inline link_identity test_identity(uint8_t number) {
  link_identity x;
  x.cluster = "prod";
  x.secret = "a secret of this test";
  x.node.bytes.fill(number);
  x.member = "node-" + std::to_string(number);
  x.incarnation = number * 10u;
  x.membership = 3;
  x.abilities = number;
  return x;
}

inline link_nonce test_nonce(uint8_t number) {
  link_nonce x;
  x.fill(number);
  return x;
}

/// One end of a link, and what it did.
struct end_of_link {
  end_of_link(link_role role, link_identity self, uint8_t nonce_number, int64_t now_ms = 0)
    : session(
      std::make_shared<const link_identity>(std::move(self)), role, test_nonce(nonce_number),
      [this](const std::string& member) -> std::optional<close_reason> {
        if (refuse_with)
          asked.push_back(member);
        return refuse_with;
      },
      {}, now_ms) {
    // nop
  }

  void perform(link_session::actions xs) {
    for (auto& x : xs) {
      if (closed)
        throw std::logic_error{"an action after the last one"};
      if (auto y = std::get_if<link_session::write>(&x)) {
        out += y->bytes;
        all_out += y->bytes;
      } else if (auto y = std::get_if<link_session::established>(&x)) {
        peer = y->peer;
      } else if (auto y = std::get_if<link_session::deliver>(&x)) {
        delivered.push_back(*y->what);
      } else if (auto y = std::get_if<link_session::suspect>(&x)) {
        suspected.push_back(y->silent);
      } else {
        closed = std::get<link_session::close>(x);
      }
    }
  }

  void start() {
    perform(session.start());
  }

  void feed(std::string_view bytes, int64_t now_ms = 0) {
    perform(session.on_bytes(bytes, now_ms));
  }

  void tick(int64_t now_ms) {
    perform(session.on_tick(now_ms));
  }

  void send(const message& x) {
    if (!session.send(out, x))
      throw std::logic_error{"not sent"};
  }

  bool closed_with(close_reason reason, bool by_peer = false) const {
    return closed && closed->reason == reason && closed->by_peer == by_peer;
  }

  std::optional<close_reason> refuse_with;
  std::vector<std::string> asked;
  link_session session;
  std::string out; ///< not taken by the other end yet
  std::string all_out;
  std::optional<link_peer> peer;
  std::vector<message> delivered;
  std::vector<bool> suspected;
  std::optional<link_session::close> closed;
};

/// Carries bytes between two ends until both are quiet, in pieces of the given size.
inline void carry(end_of_link& a, end_of_link& b, size_t piece = SIZE_MAX, int64_t now_ms = 0) {
  while (!a.out.empty() || !b.out.empty()) {
    for (auto [from, to] : {std::pair{&a, &b}, std::pair{&b, &a}}) {
      auto bytes = std::exchange(from->out, {});
      for (size_t i = 0; i < bytes.size() && !to->closed; i += std::min(piece, bytes.size() - i))
        to->feed(std::string_view{bytes}.substr(i, piece), now_ms);
    }
  }
}

inline std::string bytes_of(const frame& x) {
  std::string out;
  if (!append_frame(out, x))
    throw std::logic_error{"not a frame that can be sent"};
  return out;
}

} // namespace tidings::cluster
