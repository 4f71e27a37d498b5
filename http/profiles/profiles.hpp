#pragma once

#include "http/exchange.hpp"

#include <memory>

namespace tidings::http {

// Paths of the systems that the broker stands in for: each is a thin translation to the native
// operations, with the manners that `[[profile]]` describes.

/// The exchange for a request to a path of a profile; nullptr: it is to none.
std::shared_ptr<exchange> route_profile(const request& x, const config& cfg);

/// The origins whose pages may read the answer to a request: `server.cors-origins`, and all for a
/// path that is for everybody's pages.
const std::vector<std::string>& allowed_origins(const request& x, const config& cfg);

/// The answer to somebody who is no user where one is needed.
response sign_in_first();

inline constexpr std::string_view broadcast_path = "/api/sse/stream";

/// `/sse/{event_type}` and `/notifications/…`. `path` is without the mount.
std::shared_ptr<exchange> route_notifications(std::string_view path, const request& x,
                                              const profile_settings& how);

/// `/api/sse/stream`
std::shared_ptr<exchange> route_broadcast(std::string_view path, const request& x,
                                          const profile_settings& how);

/// `/events/stream`
std::shared_ptr<exchange> route_dashboard(std::string_view path, const request& x,
                                          const profile_settings& how);

/// What tells the streams of one profile from those of another.
struct profile_stream {
  const char* name; ///< by which the streams of a user are counted
  wire_format format;
  bool any_origin = false;
};

/// Opens a stream with a profile's manners.
void open_profile_stream(session& s, const request& x, const profile_settings& how,
                         const profile_stream& kind, subscription_ptr who, start_point from,
                         std::string preface = {});

} // namespace tidings::http
