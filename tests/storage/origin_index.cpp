#define CAF_SUITE origin_index

// Names of records and their places, both ways.

#include "storage/store_fixture.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <limits>
#include <thread>
#include <utility>

using namespace tidings;
using namespace tidings::storage::testing;

namespace {

constexpr auto max64 = std::numeric_limits<uint64_t>::max();

/// Three runs of one node: positions 1–5, 6–9 and, by the current one, 10–12.
struct fixture : store_fixture {
  std::vector<uint64_t> runs; // incarnations
  uint64_t node = 0;

  /// @param sizes how many records each run writes
  void make(std::vector<size_t> sizes = {5, 4, 3}) {
    for (auto size : sizes) {
      // Between two starts there is always room for a name that was never given out.
      clock.advance(10'000);
      if (!reopen())
        throw std::runtime_error(error.detail);
      runs.push_back(store->incarnation());
      fill(size);
    }
    node = store->node().short_form();
  }

  resolved_cursor resolve(const cursor& x) {
    auto found = store->resolve(x, {});
    if (!found)
      throw std::runtime_error(found.error().detail);
    return *found;
  }

  void check(uint64_t incarnation, uint64_t sequence, uint64_t after,
             std::optional<gap_reason> gap = std::nullopt) {
    auto x = resolve(cursor{node, {incarnation, sequence}});
    CAF_CHECK_EQUAL(to_integer(x.after), after);
    CAF_CHECK(x.gap == gap);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(origin_index_tests, fixture)

CAF_TEST(places and names are mapped both ways) {
  make();
  std::vector<origin_position> names;
  for (size_t run = 0; run < 3; ++run)
    for (uint64_t i = 1; i <= std::vector<uint64_t>{5, 4, 3}[run]; ++i)
      names.push_back({runs[run], i});
  CAF_CHECK((store->cursor_at(lsn{0}) == cursor{node, {}}));
  CAF_CHECK(!store->id_at(lsn{0}));
  for (uint64_t i = 1; i <= 12; ++i) {
    event_id name{node, names[i - 1]};
    CAF_CHECK((store->cursor_at(lsn{i}) == cursor{node, name.at}));
    CAF_CHECK(store->id_at(lsn{i}) == name);
    CAF_CHECK(store->find(name) == lsn{i});
    check(name.at.incarnation, name.at.sequence, i);
  }
  CAF_CHECK(!store->id_at(lsn{13}));
  CAF_CHECK(store->cursor_at(lsn{13}) == store->cursor_at(lsn{12}));
}

CAF_TEST(the cursor of the end is not ahead of it while the log grows) {
  make({1});
  std::atomic<bool> over{false};
  std::thread writer{[&] {
    fill(20'000, "t", false);
    over = true;
  }};
  size_t ahead = 0;
  while (!over) {
    auto end = store->last();
    if (auto at = store->cursor_at(end).find(node); at && at->sequence > to_integer(end))
      ++ahead;
  }
  writer.join();
  CAF_CHECK_EQUAL(ahead, 0u);
}

CAF_TEST(what names nothing is not found) {
  make();
  for (auto [incarnation, sequence] : {std::pair{runs[0], uint64_t{0}},
                                       {runs[0], 6},
                                       {runs[1], 0},
                                       {runs[1], 5},
                                       {runs[2], 4},
                                       {runs[2], max64},
                                       {runs[0], max64},
                                       {runs[0] - 1, 1},
                                       {runs[0] + 1, 1},
                                       {runs[2] + 1, 1},
                                       {max64, max64},
                                       {0, 0}})
    CAF_CHECK(!store->find({node, {incarnation, sequence}}));
  CAF_CHECK(!store->find({node + 1, {runs[0], 1}}));
}

CAF_TEST(what an incarnation has lost is read on from the next one) {
  make();
  check(runs[0], 6, 5, gap_reason::lost);
  check(runs[1], 5, 9, gap_reason::lost);
  check(runs[0] + 1, 1, 5, gap_reason::lost); // all of it
  check(runs[0] - 1, 9, 0, gap_reason::lost); // before everything that is left
  check(runs[1], max64, 9, gap_reason::lost);
}

CAF_TEST(the start of an incarnation is a place) {
  make();
  check(runs[0], 0, 0);
  check(runs[1], 0, 5);
  check(runs[2], 0, 9);
  check(runs[0] + 1, 0, 5);
  check(0, 0, 0);
}

CAF_TEST(what this node never gave out is unknown) {
  make();
  check(runs[2], 4, 12, gap_reason::unknown_cursor);
  check(runs[2] + 1, 1, 12, gap_reason::unknown_cursor);
  auto other = resolve(cursor{node + 1, {runs[1], 1}});
  CAF_CHECK(other.gap == gap_reason::unknown_cursor);
  CAF_CHECK_EQUAL(to_integer(other.after), 12u);
  CAF_CHECK(resolve(cursor{}).gap == gap_reason::unknown_cursor);
}

CAF_TEST(components of other nodes are ignored beside ours) {
  make();
  cursor x{node + 1, {99, 99}};
  x.set(node, {runs[1], 2});
  auto found = resolve(x);
  CAF_CHECK(!found.gap);
  CAF_CHECK_EQUAL(to_integer(found.after), 7u);
}

CAF_TEST(an empty log knows no cursor but its own) {
  make({0});
  CAF_CHECK(store->cursor_at(lsn{0}) == (cursor{node, {}}));
  CAF_CHECK(!resolve(cursor{node, {0, 0}}).gap);
  CAF_CHECK(resolve(cursor{node, {runs[0] - 1, 5}}).gap == gap_reason::lost);
  CAF_CHECK(resolve(cursor{node, {runs[0], 1}}).gap == gap_reason::unknown_cursor);
}

CAF_TEST(a run that wrote nothing leaves nothing) {
  make({2, 0, 0, 1});
  check(runs[0], 2, 2);
  check(runs[1], 0, 2);
  check(runs[1], 1, 2, gap_reason::lost);
  check(runs[2], 0, 2);
  check(runs[3], 1, 3);
}

CAF_TEST(what leads only to forgotten places is forgotten) {
  settings.gap_memory = milliseconds{hour_ms};
  make({5, 4});
  clock.advance(10'000);
  CAF_REQUIRE(reopen());
  runs.push_back(store->incarnation());
  auto early = store->cursor_at(lsn{3});
  auto before_last = store->cursor_at(lsn{29});
  for (int i = 0; i < 20; ++i)
    append_one(*store, make_entry("t", "x", clock.wall + minute_ms), false);
  fill(1500, "u", false);
  before_last = store->cursor_at(lsn{29});
  // The first runs never expire: what is forgotten is what this one wrote.
  for (int64_t i = 0; i < 2 * 60; ++i) {
    clock.advance(minute_ms);
    store->clock().delete_now_ms();
  }
  for (int i = 0; i < 3; ++i)
    CAF_REQUIRE(!store->maintain(true));
  for (auto again : {false, true}) {
    if (again)
      CAF_REQUIRE(reopen());
    CAF_CHECK_EQUAL(read(subscribe({"t"})).positions().size(), 9u);
    CAF_CHECK(resolve(early).gap == gap_reason::expired);
    CAF_CHECK(!resolve(before_last).gap);
    CAF_CHECK_EQUAL(to_integer(resolve(before_last).after), 29u);
    CAF_CHECK(store->find({node, {runs[2], 21}}) == lsn{30});
    CAF_CHECK_EQUAL(to_integer(resolve(store->cursor_at(lsn{700})).after), 700u);
    // Just before what is not forgotten.
    CAF_CHECK(store->cursor_at(lsn{15}) == before_last);
  }
}

CAF_TEST_FIXTURE_SCOPE_END
()
