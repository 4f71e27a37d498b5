#pragma once

#include "tidings/gap.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace tidings::sse {

// The encoder of the event stream format (WHATWG HTML, section 9.2.6 "Interpreting an event
// stream"). All functions append to `out`. Payloads are split at CR, LF and CRLF alike, because a
// client ends a line at each of them; a client joins the pieces with LF.

/// One event. `id` and `type` must be single-line text (tidings/text.hpp); an empty `id` writes no
/// id field, an empty `type` no event field.
void append_event(std::string& out, std::string_view id, std::string_view type,
                  std::string_view data);

/// Sets the client's last event id without firing an event. An empty `id` writes nothing: it would
/// make the client forget where it is.
void append_position(std::string& out, std::string_view id);

/// Tells the client how long to wait before it reconnects.
void append_retry(std::string& out, std::chrono::milliseconds delay);

/// A comment, which no script sees. Line breaks in `text` become spaces.
void append_comment(std::string& out, std::string_view text);

} // namespace tidings::sse
