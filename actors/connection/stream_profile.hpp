#pragma once

#include "actors/messages.hpp"

#include <string>
#include <string_view>

namespace tidings {

/// How a stream behaves, apart from what it carries; shared by all that behave alike.
struct stream_profile {
  wire_format format = wire_format::sse;
  bool chunked = true; ///< HTTP/1.1
  heartbeat_shape heartbeat = heartbeat_shape::comment;
  std::string heartbeat_event;
  std::string heartbeat_data;
  std::string heartbeat_comment; ///< its text
  milliseconds heartbeat_interval{15'000};
  heartbeat_timing timing = heartbeat_timing::idle;
  std::string first_event; ///< sent first, with an id for the client; empty: none
  bool says_ready = true;  ///< whether `tidings.ready` is sent
  milliseconds max_age{0};
  milliseconds retry_min{1'000};
  milliseconds retry_max{5'000};
  milliseconds write_timeout{30'000};
  overflow_policy overflow = overflow_policy::catch_up;
  size_t queue_events = 1000;
  size_t chunk_bytes = 64 * 1024;
};

/// The profile that the configuration describes.
stream_profile make_profile(const config& cfg, wire_format format, bool chunked);

/// Takes over the manners of a profile that the configuration describes.
void adopt(stream_profile& to, const profile_settings& from);

// Frames of the broker's own, in the profile's format and transfer coding; all append to `out`.

/// Bytes that are right for the format already.
void append_raw(std::string& out, const stream_profile& p, std::string_view bytes);

/// The profile's first event, which it must have.
/// @param client a fresh UUID
void append_first_event(std::string& out, const stream_profile& p, std::string_view client);

/// A control event; `id` may be empty.
void append_control(std::string& out, const stream_profile& p, std::string_view id,
                    std::string_view name, std::string_view json);

/// What an idle stream sends: with `id`, the position moves too.
void append_heartbeat(std::string& out, const stream_profile& p, std::string_view id);

/// How long to wait before a reconnect, and where the stream stands.
void append_opening(std::string& out, const stream_profile& p, double dice);

void append_position(std::string& out, const stream_profile& p, std::string_view id);

/// The end of the response body.
void append_end(std::string& out, const stream_profile& p);

} // namespace tidings
