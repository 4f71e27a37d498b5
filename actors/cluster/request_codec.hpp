#pragma once

#include "actors/messages.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What nodes ask each other beside records, as JSON. What came from another node is checked as
// little as a record is: members trust each other; what cannot be read is refused.

namespace tidings {

/// The kinds of cluster::request.
enum class request_kind : uint8_t {
  deliver = 1, ///< events that are not stored, for the streams of the node; no response
  publish = 2, ///< publications to topics that the node owns
  members = 3, ///< a list of members; an empty response: it is kept, or a newer one
  change = 4,  ///< of the list of members, for the node that makes changes
  drain = 5,   ///< take no new work ("true"); the response tells what the node has on disk
  view = 6,    ///< what the node has open and has counted, see actors/views
};

/// Longest body: what fits into a frame of a link.
inline constexpr size_t request_bytes_max = 900 * 1024;

/// An event that is delivered and not stored: an item of the array that is the body.
std::string encode_delivery(const record& x);

std::optional<std::vector<record>> decode_deliveries(std::string_view body);

/// Publications for the owner of their topics.
std::string encode_publications(const publish_request& x);

/// nullptr: not such a text.
publish_ptr decode_publications(std::string_view body);

/// What became of publications.
std::string encode_outcomes(const publish_request& x);

/// Sets the outcomes of a request.
/// @returns whether the text was such, and of as many publications
bool decode_outcomes(std::string_view body, publish_request& to);

} // namespace tidings
