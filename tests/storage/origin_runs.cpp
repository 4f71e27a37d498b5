#define CAF_SUITE origin_runs

#include "storage/origin_runs.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;
using namespace tidings::storage;

namespace {

constexpr uint64_t node = 42;

/// Incarnation 10 wrote 1–5, 20 wrote 6–9, 30 is the current one and wrote 10–12.
struct fixture {
  origin_runs runs{node};

  fixture() {
    runs.add({node, {10, 1}, lsn{1}});
    runs.add({node, {20, 1}, lsn{6}});
    runs.add({7, {25, 1}, lsn{7}}); // of another node
    runs.add({node, {30, 1}, lsn{10}});
  }

  resolved_cursor resolve(uint64_t incarnation, uint64_t sequence) {
    return runs.resolve(cursor{node, {incarnation, sequence}}, 30, lsn{12});
  }

  void check(uint64_t incarnation, uint64_t sequence, uint64_t after,
             std::optional<gap_reason> gap = std::nullopt) {
    auto x = resolve(incarnation, sequence);
    CAF_CHECK_EQUAL(to_integer(x.after), after);
    CAF_CHECK(x.gap == gap);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(origin_runs_tests, fixture)

CAF_TEST(positions and origins are mapped both ways) {
  CAF_CHECK(runs.at(lsn{0}) == origin_position{});
  CAF_CHECK(runs.at(lsn{1}) == (origin_position{10, 1}));
  CAF_CHECK(runs.at(lsn{5}) == (origin_position{10, 5}));
  CAF_CHECK(runs.at(lsn{6}) == (origin_position{20, 1}));
  CAF_CHECK(runs.at(lsn{12}) == (origin_position{30, 3}));
  for (uint64_t i = 1; i <= 12; ++i) {
    auto origin = runs.at(lsn{i});
    check(origin.incarnation, origin.sequence, i);
  }
}

CAF_TEST(what an incarnation has lost is read on from the next one) {
  check(10, 6, 5, gap_reason::lost);
  check(20, 5, 9, gap_reason::lost);
  check(15, 1, 5, gap_reason::lost); // all of it
  check(5, 9, 0, gap_reason::lost);  // before everything that is left
  check(20, UINT64_MAX, 9, gap_reason::lost);
}

CAF_TEST(the start of an incarnation is a position) {
  check(10, 0, 0);
  check(20, 0, 5);
  check(30, 0, 9);
  check(15, 0, 5);
  check(0, 0, 0);
}

CAF_TEST(what this node never gave out is unknown) {
  check(30, 4, 12, gap_reason::unknown_cursor);
  check(31, 1, 12, gap_reason::unknown_cursor);
  auto other = runs.resolve(cursor{7, {25, 1}}, 30, lsn{12});
  CAF_CHECK(other.gap == gap_reason::unknown_cursor);
  CAF_CHECK_EQUAL(to_integer(other.after), 12u);
  CAF_CHECK(runs.resolve(cursor{}, 30, lsn{12}).gap == gap_reason::unknown_cursor);
}

CAF_TEST(components of other nodes are ignored beside ours) {
  cursor x{7, {99, 99}};
  x.set(node, {20, 2});
  auto found = runs.resolve(x, 30, lsn{12});
  CAF_CHECK(!found.gap);
  CAF_CHECK_EQUAL(to_integer(found.after), 7u);
}

CAF_TEST_FIXTURE_SCOPE_END
()

  CAF_TEST(an empty log knows no cursor but its own) {
  origin_runs runs{node};
  CAF_CHECK(!runs.resolve(cursor{node, {0, 0}}, 3, lsn{0}).gap);
  CAF_CHECK(runs.resolve(cursor{node, {2, 5}}, 3, lsn{0}).gap == gap_reason::lost);
  CAF_CHECK(runs.resolve(cursor{node, {3, 1}}, 3, lsn{0}).gap == gap_reason::unknown_cursor);
}
