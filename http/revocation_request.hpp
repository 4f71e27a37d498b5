#pragma once

#include "identity/revocations.hpp"

#include <cstdint>
#include <string_view>

namespace tidings::http {

/// What an administrator asks for: `{"user":"alice"}`, with
/// `"issued_before":"2026-11-21T10:00:00Z"` if not now, or `{"jti":"…"}`. `dies_at_ms` is not set.
/// Fails with errc::invalid_json and errc::invalid_parameter.
result<revocation> parse_revocation_request(std::string_view body, int64_t now_ms);

/// The entry as answers show it.
void append_revocation(std::string& out, const revocation& x);

} // namespace tidings::http
