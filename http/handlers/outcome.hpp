#pragma once

#include "actors/messages.hpp"
#include "http/response.hpp"

#include <string>

namespace tidings::http {

/// The answer to a request with one publication.
response render_outcome(const publish_item& x, bool is_member);

/// The answer to an array of publications.
response render_outcomes(const publish_request& x, bool is_member);

/// One line of the answer to streamed publications, with its line end. `index`: of the input line.
void append_outcome_line(std::string& out, const publish_item& x, bool is_member, uint64_t index);

/// The same for a line that could not be read.
void append_refusal_line(std::string& out, const failure& why, uint64_t index);

} // namespace tidings::http
