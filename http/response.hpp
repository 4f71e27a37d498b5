#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidings::http {

using header_list = std::vector<std::pair<std::string, std::string>>;

/// An answer that is complete before it is sent.
struct response {
  unsigned status = 200;
  std::string content_type; ///< empty: none
  std::string body;
  header_list headers;
};

/// An answer that is JSON.
response json_response(std::string body, unsigned status = 200);

/// `Not Found`; `Unknown` for a status that we never send.
std::string_view reason_of(unsigned status) noexcept;

/// Appends a header field. Control characters in the value become spaces, so that no text from
/// elsewhere can begin a line of its own; a name that is no token drops the field.
void append_header(std::string& out, std::string_view name, std::string_view value);

/// A Unix time as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
std::string http_date(int64_t unix_seconds);

/// Appends the answer as HTTP/1.1. `Cache-Control: no-store` unless the answer says otherwise.
/// @param date value of the `Date` field
/// @param head_only leave the body out, as for HEAD; its length is still told
void append_response(std::string& out, const response& x, std::string_view date, bool keep_alive,
                     bool head_only);

} // namespace tidings::http
