#include "http/tls_context.hpp"

#include <openssl/ssl.h>

namespace tidings::http {

namespace ssl = boost::asio::ssl;

result<std::shared_ptr<ssl::context>> make_tls_context(const tls_config& cfg) {
  auto tls = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code ec;
  auto problem = [&](const std::string& what, const std::string& file) {
    return failure{errc::invalid_configuration, what + " '" + file + "': " + ec.message()};
  };
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(tls->native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Idle streams are many: let them give their buffers back.
  SSL_CTX_set_mode(tls->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  tls->use_certificate_chain_file(cfg.certificate, ec);
  if (ec)
    return problem("tls.certificate: cannot use", cfg.certificate);
  tls->use_private_key_file(cfg.key, ssl::context::pem, ec);
  if (ec)
    return problem("tls.key: cannot use", cfg.key);
  if (SSL_CTX_check_private_key(tls->native_handle()) != 1)
    return failure{errc::invalid_configuration,
                   "tls.key: '" + cfg.key + "' does not belong to the certificate"};
  return tls;
}

} // namespace tidings::http
