#pragma once

#include "tidings/config.hpp"
#include "tidings/result.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>

namespace tidings::http {

/// Reads certificate and key: TLS 1.2 and newer. Fails with errc::invalid_configuration and names
/// the file.
result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const tls_config& cfg);

} // namespace tidings::http
