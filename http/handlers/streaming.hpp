#pragma once

#include "actors/connection/stream.hpp"
#include "http/accept.hpp"
#include "http/session.hpp"

#include <cstdint>
#include <string>

namespace tidings::http {

/// A stream that a request has come to.
struct stream_opening {
  stream_request what;
  representation shape = representation::event_stream;
  std::string counted_as = "user"; ///< what the bound below counts apart
  uint32_t streams_per_user = 0;   ///< 0: no bound
  bool replace_oldest = true;
  bool any_origin = false; ///< pages of every origin may read it
  const char* cache_control = "no-store";
};

/// Answers with the header of a stream and gives the socket to it; or with a refusal, if the caller
/// or their address has too many.
void open_stream(session& s, const request& x, stream_opening y);

} // namespace tidings::http
