#pragma once

#include "identity/openssl.hpp"
#include "tidings/result.hpp"
#include "tidings/token_algorithm.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tidings {

/// One key of a JWK or JWKS file.
struct json_web_key {
  std::string id;     ///< `kid`; empty: none
  openssl::pkey key;  ///< of an asymmetric algorithm
  std::string secret; ///< of HS256
};

/// Whether the content of a key file is JSON with keys.
bool is_json_web_keys(std::string_view content) noexcept;

/// The keys for one algorithm. Those of a set that are for another algorithm or for encryption are
/// left out. Fails with errc::invalid_configuration if none is left or one is wrong, weak or
/// private; the detail begins with a verb.
result<std::vector<json_web_key>> parse_json_web_keys(std::string_view content,
                                                      token_algorithm algorithm);

} // namespace tidings
