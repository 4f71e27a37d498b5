#pragma once

#include "http/response.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tidings::http {

// What pages of other origins may do. `allowed` is `server.cors-origins`: exact origins, or `*`
// alone. `null`, the origin of sandboxed and local pages, must be listed like any other.

/// The fields that an answer to a request from `origin` (empty: none was sent) carries. Listed
/// origins may send credentials, `*` may not.
header_list cors_headers(const std::vector<std::string>& allowed, std::string_view origin);

/// The answer to a preflight: 204; without the fields that permit anything if the origin may
/// nothing.
/// @param wanted_headers value of `Access-Control-Request-Headers`
response preflight(const std::vector<std::string>& allowed, std::string_view origin,
                   std::string_view wanted_headers);

/// Whether a request that changes something comes from a page that may not do so: a browser sends
/// such requests before it asks, and names the page's origin. True unless the origin is absent,
/// allowed, or that of this server.
/// @param host value of `Host`
bool is_forged_write(const std::vector<std::string>& allowed, std::string_view origin,
                     std::string_view host);

} // namespace tidings::http
