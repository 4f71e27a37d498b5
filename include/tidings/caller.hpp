#pragma once

#include "tidings/rights.hpp"

#include <cstdint>
#include <string>

namespace tidings {

/// Who makes a request, and what they may do.
struct caller {
  enum class way : uint8_t { nobody, open, token, cookie, query, proxy, api_key };

  way how = way::nobody;
  std::string user; ///< empty: no user
  topic_rights publish;
  topic_rights subscribe;
  bool admin = false;        ///< operations, and everybody's mailbox
  std::string token_id;      ///< `jti`; empty: none
  std::string key_name;      ///< of an API key, or of the key that signed the token
  int64_t expires_at_ms = 0; ///< Unix time; 0: never
  int64_t issued_at_ms = 0;  ///< of a token: Unix time; 0: it does not say
  uint64_t basis = 0; ///< stands for the key or rule that let the caller in, so that it is noticed
                      ///< when a new configuration lacks it
};

const char* to_string(caller::way x) noexcept;

} // namespace tidings
