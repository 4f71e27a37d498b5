#pragma once

#include "actors/views/view.hpp"
#include "http/request.hpp"

#include <optional>
#include <string>

// What the answers that speak of several members have in common.

namespace tidings::http {

/// How many entries of a list are asked for. Fails with errc::invalid_parameter.
result<size_t> parse_list_limit(const request& x, size_t least);

/// Reads `scope`: whom to ask, see view_request::only. Fails with errc::invalid_parameter.
/// @param self this member; empty: the node is alone
result<std::optional<std::string>> parse_scope(const request& x, const std::string& self);

/// Appends `,"members":{…}`: what became of the question to each. Nothing if the node is alone.
void append_members(std::string& out, const view_parts& parts);

} // namespace tidings::http
