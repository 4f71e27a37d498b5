#pragma once

#include "tidings/config.hpp"
#include "tidings/errc.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tidings::http {

/// Why a request must not reach a parser. The connection is closed after the answer: where the next
/// request would begin is not certain.
struct request_violation {
  unsigned status; ///< more exact than what `code` alone would give
  errc code;
  std::string detail;
};

/// Where a request head ends: one past its empty line.
/// @param already_seen bytes that an earlier call has looked at in vain
std::optional<size_t> find_head_end(std::string_view bytes, size_t already_seen) noexcept;

/// Says early what cannot become a request: another protocol, or a head that is too long.
/// @param bytes received so far, without the end of a head
std::optional<request_violation> check_partial_head(std::string_view bytes,
                                                    const limits_config& limits);

/// Refuses heads that two parsers could read in two ways, before ours reads them.
/// @param head from the first byte through the empty line
std::optional<request_violation> check_request_head(std::string_view head,
                                                    const limits_config& limits);

} // namespace tidings::http
