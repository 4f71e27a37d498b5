#pragma once

#include "actors/views/view.hpp"

#include <optional>
#include <string>
#include <string_view>

// Questions between members and their answers as JSON. Members trust each other; what cannot be
// read is no answer.

namespace tidings {

/// Longest answer, so that those that are under way at once (`cluster.view-requests`) are far from
/// what a link holds back for a peer that does not take it.
inline constexpr size_t view_bytes_max = 256 * 1024;

std::string encode_question(const view_question& x);

std::optional<view_question> decode_question(std::string_view body);

/// @param bytes_max a list of streams ends before it is longer, and says that there are more
std::string encode_answer(const view_answer& x, size_t bytes_max = view_bytes_max);

/// @returns nullopt if it is no answer to such a question
std::optional<view_answer> decode_answer(std::string_view body, const view_question& asked);

} // namespace tidings
