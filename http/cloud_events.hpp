#pragma once

#include "http/publication.hpp"

namespace tidings::http {

// CloudEvents 1.0 over HTTP. Topics, `ttl` and `ack` come from the query (and headers) of the
// request; without topics there, from the attribute `topic`, else `type`.

/// One event in structured mode.
result<publication> parse_cloud_event(request& x, const limits_config& limits);

/// A JSON array of them.
parsed_batch parse_cloud_event_batch(request& x, const limits_config& limits);

/// Attributes in `ce-` headers, data in the body.
result<publication> parse_binary_cloud_event(request& x, const limits_config& limits);

} // namespace tidings::http
