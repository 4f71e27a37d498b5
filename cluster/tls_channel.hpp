#pragma once

#include "tidings/result.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace tidings::cluster {

/// What a node shows to others and how it knows them: names of PEM files.
struct tls_files {
  std::string certificate; ///< with what leads to the authority; valid for servers and clients
  std::string key;
  std::string authority; ///< the private authority of the cluster; no other is believed
};

/// Certificate, key and authority of a node, for all its links. Any thread may use it.
class tls_identity {
public:
  /// Fails with errc::invalid_configuration and names the file.
  static result<std::shared_ptr<const tls_identity>> load(const tls_files& files);

  ~tls_identity();

  tls_identity(const tls_identity&) = delete;
  tls_identity& operator=(const tls_identity&) = delete;

  ssl_ctx_st* context() const noexcept {
    return context_;
  }

private:
  explicit tls_identity(ssl_ctx_st* context) noexcept : context_(context) {
    // nop
  }

  ssl_ctx_st* context_;
};

/// TLS 1.3 between two nodes, without a socket: bytes of the wire in, bytes of the link out, and
/// the other way round. Both sides show a certificate of the cluster's authority. It keeps less
/// than one TLS record. Not for more than one thread.
class tls_channel {
public:
  /// Bytes that a handshake may have: whoever sends more has no certificate of ours.
  static constexpr size_t handshake_bytes_max = 32 * 1024;

  /// @param dialler speaks first
  tls_channel(std::shared_ptr<const tls_identity> identity, bool dialler);
  ~tls_channel();

  tls_channel(const tls_channel&) = delete;
  tls_channel& operator=(const tls_channel&) = delete;

  /// Takes what came from the wire, which may be nothing: a dialler's first bytes come from that.
  /// @param plain what it says is appended
  /// @param wire what has to be written for it is appended, also on failure: why the peer is
  /// refused
  /// @returns false: the channel is broken, see `problem`, or closed
  [[nodiscard]] bool receive(std::string_view from_wire, std::string& plain, std::string& wire);

  /// Appends to `wire` what says `plain`. False if the channel is broken or not open yet.
  [[nodiscard]] bool send(std::string_view plain, std::string& wire);

  /// Whether the handshake is over and something can be sent.
  bool is_open() const noexcept {
    return open_;
  }

  /// Whether the peer's certificate carries this very name as DNS name. No wildcard counts.
  bool peer_may_be(const std::string& member) const;

  /// Why `receive` or `send` failed.
  const std::string& problem() const noexcept {
    return problem_;
  }

private:
  bool fail(const char* what);
  void take_output(std::string& wire);

  std::shared_ptr<const tls_identity> identity_;
  ssl_st* ssl_;
  bool open_ = false;
  bool broken_ = false;
  size_t handshake_bytes_ = 0;
  std::string problem_;
};

} // namespace tidings::cluster
