#define CAF_SUITE view_merge

#include "actors/views/view_merge.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace tidings;

namespace {

using names = std::vector<std::string>;

connection_info connection(uint64_t id) {
  connection_info x;
  x.id = id;
  return x;
}

connection_page page(std::vector<uint64_t> ids, bool more = false, uint64_t total = 0) {
  connection_page x;
  for (auto id : ids)
    x.found.push_back(connection(id));
  x.more = more;
  x.total = std::max<uint64_t>(total, ids.size());
  return x;
}

names rows(const connection_view& x) {
  names out;
  for (auto& row : x.rows)
    out.push_back(row.member + std::to_string(row.what.id));
  return out;
}

connection_query question(const connection_name& after, std::string_view member, size_t limit) {
  view_request x;
  x.what = connection_query{0, limit, "t", "u"};
  x.after = after;
  return std::get<connection_query>(question_for(x, member));
}

/// What a node answers that has these streams.
connection_page answer(const std::set<uint64_t>& ids, const connection_query& x) {
  connection_page y;
  y.total = ids.size();
  for (auto i = ids.upper_bound(x.after); i != ids.end(); ++i) {
    if (y.found.size() == x.limit) {
      y.more = true;
      break;
    }
    y.found.push_back(connection(*i));
  }
  return y;
}

/// Streams on several nodes, and pages of them.
struct world {
  std::map<std::string, std::set<uint64_t>> nodes;
  std::set<std::string> away;

  connection_view ask(const connection_name& after, size_t limit, size_t sent_max = 1000) const {
    view_parts parts;
    for (auto& [name, ids] : nodes) {
      if (away.contains(name)) {
        parts.push_back({name, member_state::timeout, {}});
        continue;
      }
      auto x = question(after, name, limit);
      auto y = answer(ids, x);
      if (y.found.size() > sent_max) {
        y.found.resize(sent_max);
        y.more = true;
      }
      parts.push_back({name, member_state::ok, std::move(y)});
    }
    return merge_connections(std::move(parts), limit);
  }
};

} // namespace

CAF_TEST(a list begins at the first stream of every member) {
  for (auto member : {"a", "b"}) {
    auto x = question({}, member, 5);
    CAF_CHECK_EQUAL(x.after, 0u);
    CAF_CHECK_EQUAL(x.limit, 5u);
    CAF_CHECK_EQUAL(x.topic, "t");
    CAF_CHECK_EQUAL(x.user, "u");
  }
}

CAF_TEST(a list goes on behind its cursor) {
  connection_name after{"b", 7};
  CAF_CHECK_EQUAL(question(after, "b", 5).after, 7u);
  CAF_CHECK_EQUAL(question(after, "b", 5).limit, 5u);
  CAF_CHECK_EQUAL(question(after, "c", 5).after, 0u);
  CAF_CHECK_EQUAL(question(after, "c", 5).limit, 5u);
  auto past = question(after, "a", 5);
  CAF_CHECK_EQUAL(past.limit, 0u);
  auto counted = answer({1, 2, 3}, past);
  CAF_CHECK(!counted.more);
  CAF_CHECK_EQUAL(counted.total, 3u);
}

CAF_TEST(other questions are the same for all) {
  view_request x;
  x.what = close_order{9};
  x.after = {"b", 7};
  CAF_CHECK(std::get<close_order>(question_for(x, "a")).id == 9);
}

CAF_TEST(members follow each other) {
  view_parts parts{{"a", member_state::ok, page({1, 2})}, {"b", member_state::ok, page({1, 5})}};
  auto x = merge_connections(parts, 10);
  CAF_CHECK(rows(x) == (names{"a1", "a2", "b1", "b5"}));
  CAF_CHECK(!x.more);
  CAF_CHECK_EQUAL(x.total, 4u);
  CAF_CHECK(!merge_connections(parts, 4).more);
  auto cut = merge_connections(parts, 3);
  CAF_CHECK(rows(cut) == (names{"a1", "a2", "b1"}));
  CAF_CHECK(cut.more);
  CAF_CHECK_EQUAL(cut.total, 4u);
  auto none = merge_connections(parts, 0);
  CAF_CHECK(none.rows.empty());
  CAF_CHECK(none.more);
}

CAF_TEST(a list ends where a member could not send all) {
  view_parts parts{{"a", member_state::ok, page({1, 2}, true, 9)},
                   {"b", member_state::ok, page({1})}};
  auto x = merge_connections(parts, 10);
  CAF_CHECK(rows(x) == (names{"a1", "a2"}));
  CAF_CHECK(x.more);
  CAF_CHECK_EQUAL(x.total, 10u);
}

CAF_TEST(members that are away are left out) {
  for (auto state : {member_state::unreachable, member_state::timeout, member_state::overloaded,
                     member_state::unreadable}) {
    view_parts parts{
      {"a", member_state::ok, page({1})}, {"b", state, {}}, {"c", member_state::ok, page({2})}};
    auto x = merge_connections(parts, 10);
    CAF_CHECK(rows(x) == (names{"a1", "c2"}));
    CAF_CHECK(!x.more);
    CAF_CHECK_EQUAL(x.total, 2u);
  }
}

CAF_TEST(page by page everything that stays is seen once) {
  auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937 dice{seed};
  auto draw = [&](uint64_t n) { return dice() % n; };
  for (int round = 0; round < 300; ++round) {
    world all;
    std::set<std::string> staying;
    for (auto name : {"a", "b", "c.d", "c-e"}) {
      auto& ids = all.nodes[name];
      for (auto i = draw(12); i > 0; --i)
        ids.insert(1 + draw(40) * 10);
      for (auto id : ids)
        staying.insert(name + std::to_string(id));
    }
    if (draw(3) == 0) {
      all.away.insert("b");
      std::erase_if(staying, [](auto& x) { return x.starts_with('b'); });
    }
    auto limit = 1 + draw(7);
    connection_name after;
    names seen;
    for (auto more = true; more;) {
      // Others come and go meanwhile: their ids end in 5.
      for (auto& [name, ids] : all.nodes) {
        std::erase_if(ids, [&](uint64_t id) { return id % 10 == 5 && draw(2) == 0; });
        ids.insert(5 + draw(40) * 10);
      }
      auto x = all.ask(after, limit, 1 + draw(5));
      CAF_REQUIRE_LESS_OR_EQUAL(x.rows.size(), limit);
      for (auto& row : x.rows)
        seen.push_back(row.member + std::to_string(row.what.id));
      more = x.more;
      CAF_REQUIRE(!more || !x.rows.empty());
      if (more)
        after = {x.rows.back().member, x.rows.back().what.id};
    }
    std::set<std::string> once{seen.begin(), seen.end()};
    CAF_REQUIRE_EQUAL(once.size(), seen.size());
    CAF_REQUIRE(std::includes(once.begin(), once.end(), staying.begin(), staying.end()));
  }
}

CAF_TEST(shards of a node become one list by id) {
  auto x = merge_pages({page({1, 7}), page({3, 4}, true, 9), page({})}, {0, 10});
  CAF_REQUIRE_EQUAL(x.found.size(), 4u);
  CAF_CHECK_EQUAL(x.found[1].id, 3u);
  CAF_CHECK_EQUAL(x.found[3].id, 7u);
  CAF_CHECK(x.more);
  CAF_CHECK_EQUAL(x.total, 11u);
  CAF_CHECK(!merge_pages({page({1}), page({2})}, {0, 2}).more);
  auto cut = merge_pages({page({1, 9}), page({2})}, {0, 2});
  CAF_CHECK(cut.more);
  CAF_CHECK_EQUAL(cut.found.back().id, 2u);
}

CAF_TEST(counts of those who answered are added up) {
  node_numbers a{"", 0, {{"x", 1}, {"y", 2}}, {}};
  node_numbers b{"", 0, {{"y", 10}, {"new", 5}}, {}};
  view_parts parts{
    {"a", member_state::ok, a}, {"b", member_state::timeout, {}}, {"c", member_state::ok, b}};
  CAF_CHECK(add_counts(parts) == (node_numbers::list{{"x", 1}, {"y", 12}, {"new", 5}}));
}
