#pragma once

#include "cluster/membership_change.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What nodes tell each other about their list of members, as JSON. nullopt: not such a text.

namespace tidings {

std::string encode_change(const cluster::change_request& x);
std::optional<cluster::change_request> decode_change(std::string_view body);

std::string encode_change_outcome(const cluster::change_outcome& x);
std::optional<cluster::change_outcome> decode_change_outcome(std::string_view body);

std::string encode_heads(const std::vector<cluster::origin_head>& xs);
std::optional<std::vector<cluster::origin_head>> decode_heads(std::string_view body);

} // namespace tidings
