#include "cluster/tls_channel.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <new>

namespace tidings::cluster {

namespace {

/// One TLS record, at most.
constexpr size_t record_bytes = 16 * 1024;

struct free_context {
  void operator()(SSL_CTX* x) const noexcept {
    SSL_CTX_free(x);
  }
};

using context_ptr = std::unique_ptr<SSL_CTX, free_context>;

/// The first reason that OpenSSL gives; forgets them all.
std::string take_error() {
  auto code = ERR_get_error();
  ERR_clear_error();
  auto reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "no reason given";
}

failure refuse(const std::string& what, const std::string& file) {
  return {errc::invalid_configuration, what + " '" + file + "': " + take_error()};
}

/// Never asks for a passphrase.
int no_passphrase(char*, int, int, void*) noexcept {
  return -1;
}

} // namespace

result<std::shared_ptr<const tls_identity>> tls_identity::load(const tls_files& files) {
  context_ptr tls{SSL_CTX_new(TLS_method())};
  if (!tls)
    throw std::bad_alloc{};
  auto x = tls.get();
  SSL_CTX_set_min_proto_version(x, TLS1_3_VERSION);
  SSL_CTX_set_default_passwd_cb(x, no_passphrase);
  SSL_CTX_set_mode(x, SSL_MODE_RELEASE_BUFFERS);
  // Links are few and long: nobody resumes a session.
  SSL_CTX_set_session_cache_mode(x, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(x, 0);
  SSL_CTX_set_max_cert_list(x, tls_channel::handshake_bytes_max / 2);
  SSL_CTX_set_verify(x, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  if (SSL_CTX_use_certificate_chain_file(x, files.certificate.c_str()) != 1)
    return refuse("cannot use the certificate", files.certificate);
  if (SSL_CTX_use_PrivateKey_file(x, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return refuse("cannot use the key", files.key);
  if (SSL_CTX_check_private_key(x) != 1)
    return refuse("not the certificate's key", files.key);
  if (SSL_CTX_load_verify_file(x, files.authority.c_str()) != 1)
    return refuse("cannot use the authority", files.authority);
  return std::shared_ptr<const tls_identity>{new tls_identity{tls.release()}};
}

tls_identity::~tls_identity() {
  SSL_CTX_free(context_);
}

tls_channel::tls_channel(std::shared_ptr<const tls_identity> identity, bool dialler)
  : identity_(std::move(identity)), ssl_(SSL_new(identity_->context())) {
  auto in = BIO_new(BIO_s_mem());
  auto out = BIO_new(BIO_s_mem());
  if (ssl_ == nullptr || in == nullptr || out == nullptr)
    throw std::bad_alloc{};
  SSL_set_bio(ssl_, in, out);
  if (dialler)
    SSL_set_connect_state(ssl_);
  else
    SSL_set_accept_state(ssl_);
}

tls_channel::~tls_channel() {
  SSL_free(ssl_);
}

bool tls_channel::receive(std::string_view from_wire, std::string& plain, std::string& wire) {
  if (broken_)
    return false;
  ERR_clear_error();
  if (!open_) {
    handshake_bytes_ += from_wire.size();
    if (handshake_bytes_ > handshake_bytes_max)
      return fail("the handshake is too long");
  }
  // Piece by piece, so that OpenSSL's buffer never holds more than a record or so.
  for (;;) {
    auto piece = from_wire.substr(0, record_bytes);
    from_wire.remove_prefix(piece.size());
    if (!piece.empty())
      BIO_write(SSL_get_rbio(ssl_), piece.data(), static_cast<int>(piece.size()));
    for (;;) {
      char buffer[record_bytes];
      auto n = SSL_read(ssl_, buffer, sizeof(buffer));
      if (n > 0) {
        plain.append(buffer, static_cast<size_t>(n));
        continue;
      }
      auto error = SSL_get_error(ssl_, n);
      take_output(wire);
      if (error == SSL_ERROR_WANT_READ)
        break;
      if (error == SSL_ERROR_ZERO_RETURN)
        return fail("the peer closed the channel");
      return fail(nullptr);
    }
    open_ = open_ || SSL_is_init_finished(ssl_) == 1;
    if (from_wire.empty())
      return true;
  }
}

bool tls_channel::send(std::string_view plain, std::string& wire) {
  if (broken_ || !open_)
    return false;
  ERR_clear_error();
  while (!plain.empty()) {
    auto n = SSL_write(ssl_, plain.data(), static_cast<int>(std::min(plain.size(), record_bytes)));
    if (n <= 0)
      return fail(nullptr);
    plain.remove_prefix(static_cast<size_t>(n));
    take_output(wire);
  }
  return true;
}

bool tls_channel::peer_may_be(const std::string& member) const {
  // OpenSSL takes a name that begins with a dot for all names below it, and overlooks a last zero.
  if (!open_ || member.empty() || member.front() == '.' || member.back() == '\0')
    return false;
  auto certificate = SSL_get0_peer_certificate(ssl_);
  constexpr auto how = X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
  return certificate != nullptr && SSL_get_verify_result(ssl_) == X509_V_OK
         && X509_check_host(certificate, member.data(), member.size(), how, nullptr) == 1;
}

bool tls_channel::fail(const char* what) {
  problem_ = what != nullptr ? what : take_error();
  if (auto verdict = SSL_get_verify_result(ssl_); what == nullptr && verdict != X509_V_OK)
    problem_ += std::string{": "} + X509_verify_cert_error_string(verdict);
  broken_ = true;
  return false;
}

void tls_channel::take_output(std::string& wire) {
  auto out = SSL_get_wbio(ssl_);
  char* bytes = nullptr;
  auto n = BIO_get_mem_data(out, &bytes);
  if (n > 0)
    wire.append(bytes, static_cast<size_t>(n));
  (void)BIO_reset(out);
}

} // namespace tidings::cluster
