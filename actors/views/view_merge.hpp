#pragma once

#include "actors/views/view.hpp"

#include <string_view>

// How the parts of several members become one view.

namespace tidings {

/// What a member is asked. Lists go over the members in the order of their names, each by id: one
/// that the list is already past only counts.
view_question question_for(const view_request& x, std::string_view member);

/// A list of the streams on several members.
struct connection_view {
  struct row {
    std::string member;
    connection_info what;
  };

  std::vector<row> rows; ///< in the order of the list
  bool more = false;
  uint64_t total = 0; ///< on the members that answered
};

/// @param parts answers to connection_query, ascending by member
/// @param limit longest list; it also ends where a member could not send all
connection_view merge_connections(view_parts parts, size_t limit);

/// Puts the streams of one node into one list.
/// @param pages answers of its shards to this query
connection_page merge_pages(std::vector<connection_page> pages, const connection_query& x);

/// Adds up the counts of the members that answered, in the order of the first.
node_numbers::list add_counts(const view_parts& parts);

} // namespace tidings
