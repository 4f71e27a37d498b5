#pragma once

#include "actors/messages.hpp"
#include "http/accept.hpp"
#include "http/request.hpp"
#include "tidings/config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tidings::http {

/// What a request for a stream asks for.
struct stream_parameters {
  subscription_ptr who;
  start_point start = from_now{};
  wire_format format = wire_format::sse;
  std::optional<milliseconds> heartbeat;
  std::optional<heartbeat_shape> shape;
  std::optional<overflow_policy> overflow;
};

/// What a request for a page asks for.
struct page_parameters {
  page_request page;
  milliseconds wait{0}; ///< how long an empty page waits for an event
};

/// What the caller may read of what they ask for; no patterns: of everything. A topic that they may
/// not read is refused rather than never heard of; patterns mean those of their topics that may be
/// read. Fails with errc::forbidden and errc::unauthorized.
result<subscription_ptr> readable_part(const request& x, std::vector<topic_pattern> patterns,
                                       std::vector<std::string> types);

/// Where the client says that it was; nullopt: it says nothing.
std::optional<start_point> resume_point(const request& x);

/// `GET /events` and `GET /topics/{topic}`. An id that is not one of ours is no error: the stream
/// tells.
/// @param form event_stream or ndjson
/// @param now_ms Unix time, for durations
result<stream_parameters> parse_stream_parameters(const request& x, representation form,
                                                  const limits_config& limits, int64_t now_ms);

result<page_parameters> parse_page_parameters(const request& x, const limits_config& limits,
                                              int64_t now_ms);

} // namespace tidings::http
