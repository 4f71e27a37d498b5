#include "cluster/link_session.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace tidings::cluster {

namespace {

constexpr link_role other(link_role x) noexcept {
  return x == link_role::dialler ? link_role::acceptor : link_role::dialler;
}

bool put(const frame& x, link_session::actions& out) {
  std::string bytes;
  if (!append_frame(bytes, x))
    return false;
  out.emplace_back(link_session::write{std::move(bytes)});
  return true;
}

std::string hello_of(const link_identity& self, const link_nonce& nonce) {
  hello x;
  x.version_min = self.version_min;
  x.version_max = self.version_max;
  x.abilities = self.abilities;
  x.cluster = self.cluster;
  x.node = self.node;
  x.member = self.member;
  x.incarnation = self.incarnation;
  x.membership = self.membership;
  x.nonce = nonce;
  std::string bytes;
  if (!append_frame(bytes, x))
    throw std::invalid_argument{"the names of a cluster and its members have 1 to 255 bytes"};
  return bytes;
}

} // namespace

link_session::link_session(link_identity_ptr self, link_role role, link_nonce nonce,
                           admission admit, link_timing timing, int64_t now_ms)
  : self_(std::move(self)),
    role_(role),
    admit_(std::move(admit)),
    timing_(timing),
    began_ms_(now_ms),
    my_hello_(hello_of(*self_, nonce)),
    heard_ms_(now_ms),
    ticked_ms_(now_ms) {
  // nop
}

link_session::actions link_session::start() const {
  return {write{my_hello_}};
}

link_session::actions link_session::on_bytes(std::string_view bytes, int64_t now_ms) {
  actions out;
  hear(now_ms, out);
  while (!is_over()) {
    // A frame that is whole is read where it lies; only what came in pieces is put together.
    auto begun = partial_.empty() ? bytes : std::string_view{partial_};
    auto wanted = bytes_wanted(begun, out);
    if (is_over())
      break;
    if (begun.size() >= wanted) {
      take_frame(begun.substr(0, wanted), out);
      if (partial_.empty())
        bytes.remove_prefix(wanted);
      else
        partial_.clear();
    } else if (bytes.empty()) {
      break;
    } else {
      auto taken = std::min(wanted - partial_.size(), bytes.size());
      partial_.append(bytes.substr(0, taken));
      bytes.remove_prefix(taken);
    }
  }
  return out;
}

link_session::actions link_session::on_tick(int64_t now_ms) {
  actions out;
  if (is_over())
    return out;
  if (auto late = now_ms - ticked_ms_ - timing_.ping_every; late > timing_.ping_every)
    heard_ms_ = std::min(heard_ms_ + late, now_ms);
  ticked_ms_ = now_ms;
  if (!is_established()) {
    if (now_ms - began_ms_ >= timing_.handshake_max)
      refuse(close_reason::handshake_timeout, out);
    return out;
  }
  auto silence = now_ms - heard_ms_;
  if (silence >= timing_.silence_max) {
    refuse(close_reason::silent, out);
    return out;
  }
  if (silence >= timing_.suspect_after && !suspect_) {
    suspect_ = true;
    out.emplace_back(suspect{true});
  }
  put(ping{}, out);
  return out;
}

bool link_session::send(std::string& out, const message& x) const {
  return is_established() && append_frame(out, x);
}

link_session::actions link_session::end(close_reason reason, std::string text) {
  actions out;
  if (!is_over())
    refuse(reason, out, std::move(text));
  return out;
}

/// How long the frame is that begins like this, as far as that can be told yet.
size_t link_session::bytes_wanted(std::string_view begun, actions& out) {
  if (begun.size() < frame_head_bytes)
    return frame_head_bytes;
  auto payload_max = is_established() ? frame_payload_max : early_payload_max;
  frame_head head;
  if (auto why = read_frame_head(begun, payload_max, head))
    refuse(*why, out);
  return frame_head_bytes + head.payload_bytes;
}

void link_session::take_frame(std::string_view whole, actions& out) {
  frame x;
  if (auto why = read_frame(whole, x))
    return refuse(*why, out);
  if (auto last = std::get_if<goodbye>(&x)) {
    state_ = state::over;
    out.emplace_back(close{last->reason, true, std::move(last->text)});
  } else if (auto who = std::get_if<hello>(&x); who && state_ == state::awaits_hello) {
    on_hello(*who, whole, out);
  } else if (auto code = std::get_if<proof>(&x); code && state_ == state::awaits_proof) {
    on_proof(*code, out);
  } else if (auto what = std::get_if<message>(&x); what && is_established()) {
    out.emplace_back(deliver{std::make_shared<const message>(std::move(*what))});
  } else if (!std::holds_alternative<ping>(x) || !is_established()) {
    refuse(close_reason::unexpected_frame, out);
  }
}

void link_session::on_hello(const hello& x, std::string_view whole, actions& out) {
  if (auto why = refusal_of(x))
    return refuse(*why, out);
  peer_ = {
    x.node,     x.member, x.incarnation, x.membership, std::min(x.version_max, self_->version_max),
    x.abilities};
  peer_hello_ = whole;
  state_ = state::awaits_proof;
  if (role_ == link_role::dialler)
    put(proof{proof_of(role_)}, out);
}

void link_session::on_proof(const proof& x, actions& out) {
  auto expected = proof_of(other(role_));
  if (CRYPTO_memcmp(expected.data(), x.code.data(), expected.size()) != 0)
    return refuse(close_reason::bad_proof, out);
  if (role_ == link_role::acceptor)
    put(proof{proof_of(role_)}, out);
  state_ = state::established;
  out.emplace_back(established{peer_});
}

std::optional<close_reason> link_session::refusal_of(const hello& x) const {
  if (x.cluster != self_->cluster)
    return close_reason::wrong_cluster;
  if (x.version_min > self_->version_max || x.version_max < self_->version_min)
    return close_reason::version_mismatch;
  if (x.node == self_->node)
    return close_reason::own_node;
  return admit_(x.member);
}

link_proof link_session::proof_of(link_role who) const {
  std::string text = "tidings link proof of the ";
  text += who == link_role::dialler ? "dialler" : "acceptor";
  text += role_ == link_role::dialler ? my_hello_ : peer_hello_;
  text += role_ == link_role::dialler ? peer_hello_ : my_hello_;
  link_proof x{};
  HMAC(EVP_sha256(), self_->secret.data(), static_cast<int>(self_->secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), x.data(), nullptr);
  return x;
}

void link_session::refuse(close_reason reason, actions& out, std::string text) {
  if (!put(goodbye{reason, text}, out))
    put(goodbye{reason, {}}, out);
  state_ = state::over;
  out.emplace_back(close{reason, false, std::move(text)});
}

void link_session::hear(int64_t now_ms, actions& out) {
  heard_ms_ = now_ms;
  if (!suspect_)
    return;
  suspect_ = false;
  out.emplace_back(suspect{false});
}

link_nonce make_link_nonce() {
  link_nonce x;
  if (RAND_bytes(x.data(), static_cast<int>(x.size())) != 1)
    throw std::runtime_error{"no random bytes"};
  return x;
}

} // namespace tidings::cluster
