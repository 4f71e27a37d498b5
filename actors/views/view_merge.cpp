#include "actors/views/view_merge.hpp"

#include <algorithm>
#include <limits>

namespace tidings {

view_question question_for(const view_request& x, std::string_view member) {
  auto query = std::get_if<connection_query>(&x.what);
  if (!query)
    return x.what;
  auto y = *query;
  if (member < x.after.member) {
    y.limit = 0;
    y.after = std::numeric_limits<uint64_t>::max();
  } else {
    y.after = member == x.after.member ? x.after.id : 0;
  }
  return y;
}

connection_view merge_connections(view_parts parts, size_t limit) {
  connection_view out;
  for (auto& part : parts) {
    if (part.state != member_state::ok)
      continue;
    auto& page = std::get<connection_page>(part.answer);
    out.total += page.total;
    for (auto& x : page.found) {
      if (out.rows.size() == limit)
        out.more = true;
      if (out.more)
        break;
      out.rows.push_back({part.member, std::move(x)});
    }
    out.more = out.more || page.more;
  }
  return out;
}

connection_page merge_pages(std::vector<connection_page> pages, const connection_query& x) {
  connection_page out;
  for (auto& page : pages) {
    std::move(page.found.begin(), page.found.end(), std::back_inserter(out.found));
    out.more = out.more || page.more;
    out.total += page.total;
  }
  std::sort(out.found.begin(), out.found.end(),
            [](const connection_info& a, const connection_info& b) { return a.id < b.id; });
  if (out.found.size() > x.limit) {
    out.found.resize(x.limit);
    out.more = true;
  }
  return out;
}

node_numbers::list add_counts(const view_parts& parts) {
  node_numbers::list sums;
  for (auto& part : parts) {
    if (part.state != member_state::ok)
      continue;
    for (auto& [name, n] : std::get<node_numbers>(part.answer).counts) {
      auto known = std::find_if(sums.begin(), sums.end(),
                                [&name = name](auto& sum) { return sum.first == name; });
      if (known == sums.end())
        sums.emplace_back(name, n);
      else
        known->second += n;
    }
  }
  return sums;
}

} // namespace tidings
