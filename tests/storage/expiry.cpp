#define CAF_SUITE expiry

#include "storage/rocksdb_event_store.hpp"
#include "storage/store_fixture.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;
using namespace tidings::storage::testing;

namespace {

using positions = std::vector<uint64_t>;

struct fixture : store_fixture {
  fixture() {
    settings.gap_memory = milliseconds{2 * hour_ms};
  }

  /// Time passes in steps that the guarded clock follows.
  void pass(int64_t ms) {
    for (; ms > 0; ms -= minute_ms) {
      clock.advance(std::min(ms, minute_ms));
      store->clock().delete_now_ms();
    }
  }

  void maintain() {
    if (auto failed = store->maintain(true))
      throw std::runtime_error(failed->detail);
  }

  size_t data_bytes() {
    size_t sum = 0;
    for (auto& x : fs::directory_iterator{directory()})
      if (x.path().extension() == ".sst")
        sum += fs::file_size(x.path());
    return sum;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(expiry_tests, fixture)

CAF_TEST(compaction replaces what has expired and readers are still told) {
  CAF_REQUIRE(open());
  std::string noise;
  for (size_t i = 0; i < 100'000; ++i)
    noise.push_back(static_cast<char>('a' + (i * i * 7919 + i / 3) % 23));
  append_one(*store, make_entry("a", noise, clock.wall + hour_ms));
  append_one(*store, make_entry("b", "kept"));
  maintain();
  auto full = data_bytes();
  CAF_CHECK_EQUAL(read({}).positions(), (positions{1, 2}));
  pass(hour_ms);
  maintain();
  CAF_CHECK_LESS(data_bytes(), full - 10'000);
  auto seen = read({});
  CAF_CHECK_EQUAL(seen.positions(), (positions{2}));
  CAF_REQUIRE_EQUAL(seen.missing.size(), 1u);
  CAF_CHECK(seen.missing[0] == (shown_gap{1, gap_reason::expired, {"a"}}));
  CAF_CHECK(!store->resolve(store->cursor_at(lsn{}), {})->gap);
  // A reader whose clock is behind cannot get back what is gone, but is told.
  auto early = read({}, 0, [](auto& x) { x.now_ms = 1; });
  CAF_CHECK_EQUAL(early.missing.size(), 1u);
}

CAF_TEST(a clock that jumps ahead deletes nothing) {
  CAF_REQUIRE(open());
  append_one(*store, make_entry("a", "1", clock.wall + hour_ms));
  pass(minute_ms);
  clock.wall += 2 * hour_ms;
  maintain();
  CAF_CHECK(read({}).records.empty()); // hidden: by its clock it has expired
  clock.wall -= 2 * hour_ms;
  maintain();
  CAF_CHECK_EQUAL(read({}).positions(), (positions{1}));
  clock.wall += 10 * 365 * day_ms;
  CAF_REQUIRE(reopen());
  maintain();
  clock.wall -= 10 * 365 * day_ms;
  CAF_CHECK_EQUAL(read({}).positions(), (positions{1}));
}

CAF_TEST(what is forgotten is named before it goes) {
  CAF_REQUIRE(open());
  append_one(*store, make_entry("a", "1", clock.wall + hour_ms));
  fill(1, "b");
  auto early = store->cursor_at(lsn{0});
  auto late = store->cursor_at(lsn{1});
  fill(2000, "b", false);
  auto steps = [&] {
    maintain(); // finds what could go
    maintain(); // names it, then lets it go
    return read(subscribe({"a"})).missing.size();
  };
  CAF_CHECK_EQUAL(steps(), 0u);
  pass(hour_ms);
  CAF_CHECK_EQUAL(steps(), 1u);
  pass(2 * hour_ms - minute_ms);
  CAF_CHECK_EQUAL(steps(), 1u);
  CAF_CHECK(!store->resolve(early, {})->gap);
  pass(minute_ms);
  CAF_CHECK_EQUAL(steps(), 0u);
  CAF_CHECK(store->resolve(early, {})->gap == gap_reason::expired);
  CAF_CHECK(!store->resolve(late, {})->gap);
  CAF_CHECK_EQUAL(to_integer(store->statistics().first), 1u); // where an incarnation begins stays
  CAF_REQUIRE(reopen());
  CAF_CHECK(store->resolve(early, {})->gap == gap_reason::expired);
  CAF_CHECK(!store->resolve(late, {})->gap);
  CAF_CHECK_EQUAL(read(subscribe({"b"})).records.size(), 2001u);
  CAF_CHECK_EQUAL(read({}).records.size(), 2001u);
}

CAF_TEST(the newest entries are never forgotten) {
  CAF_REQUIRE(open());
  for (int i = 0; i < 20; ++i)
    append_one(*store, make_entry("a", "x", clock.wall + minute_ms), false);
  pass(day_ms);
  for (int i = 0; i < 3; ++i)
    maintain();
  CAF_CHECK_EQUAL(read({}).missing.size(), 20u);
  CAF_REQUIRE(reopen());
  CAF_CHECK_EQUAL(to_integer(store->last()), 20u);
  CAF_CHECK_EQUAL(to_integer(append_one(*store, make_entry("a", "y")).position), 21u);
}

CAF_TEST(keys go at the end of their window) {
  settings.idempotency_window = milliseconds{hour_ms};
  CAF_REQUIRE(open());
  auto x = make_entry("a", "1");
  x.key = std::string{"k"};
  append_one(*store, x);
  maintain();
  CAF_CHECK(store->find_key("k", 0)->has_value());
  pass(hour_ms);
  maintain();
  CAF_CHECK(!store->find_key("k", 0)->has_value());
}

CAF_TEST(eviction is forgotten as expiry is) {
  CAF_REQUIRE(open());
  for (int i = 0; i < 30; ++i) {
    auto x = make_entry("a", "x");
    x.retention = {{5, 0}};
    append_one(*store, x, false);
  }
  fill(1500, "b", false);
  CAF_CHECK_EQUAL(read(subscribe({"*"})).missing.size(), 25u);
  auto evicted = store->cursor_at(lsn{3});
  auto last_evicted = store->cursor_at(lsn{25});
  pass(2 * hour_ms);
  maintain();
  maintain();
  CAF_CHECK(read(subscribe({"*"})).missing.empty());
  CAF_CHECK(read(subscribe({"a"})).missing.empty());
  CAF_CHECK_EQUAL(read(subscribe({"a"})).positions(), (positions{26, 27, 28, 29, 30}));
  CAF_CHECK(store->resolve(evicted, {})->gap == gap_reason::expired);
  CAF_CHECK(!store->resolve(last_evicted, {})->gap);
  // What was there has no name any more: the next that has one is told instead.
  CAF_CHECK(store->cursor_at(lsn{3}) == last_evicted);
}

CAF_TEST_FIXTURE_SCOPE_END
()
