#define CAF_SUITE rocksdb_event_store

#include "storage/rocksdb_event_store.hpp"

#include "storage/store_fixture.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <thread>

using namespace tidings;
using namespace tidings::storage::testing;

namespace {

using positions = std::vector<uint64_t>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(rocksdb_event_store_tests, store_fixture)

CAF_TEST(an appended record has its place and is shown as it was) {
  CAF_REQUIRE(open());
  log_entry x = make_entry("order:1", "line\nline", clock.wall + 1000);
  x.content.content.topics.push_back("order:2");
  x.content.content.type = "paid";
  x.content.content.id = "e-1";
  x.content.content.kind = data_kind::json;
  auto stored = append_one(*store, x);
  CAF_CHECK_EQUAL(to_integer(stored.position), 1u);
  CAF_CHECK_EQUAL(stored.origin.incarnation, store->incarnation());
  CAF_CHECK_EQUAL(stored.origin.sequence, 1u);
  CAF_CHECK_EQUAL(stored.time_ms, clock.wall);
  CAF_CHECK_EQUAL(to_integer(store->last()), 1u);
  struct : record_visitor {
    bool on_record(const record_view& x) override {
      CAF_CHECK_EQUAL(to_integer(x.position), 1u);
      CAF_CHECK_EQUAL(x.type, "paid");
      CAF_CHECK_EQUAL(x.id, "e-1");
      CAF_CHECK_EQUAL(x.data, "line\nline");
      CAF_CHECK(x.kind == data_kind::json);
      CAF_REQUIRE_EQUAL(x.topics.size(), 2u);
      CAF_CHECK_EQUAL(x.topics[1], "order:2");
      ++seen;
      return true;
    }
    void on_missing(const missing_record&) override {
      CAF_CHECK(false);
    }
    int seen = 0;
  } visitor;
  subscription all;
  read_request what;
  what.who = &all;
  what.now_ms = clock.wall;
  auto outcome = store->read(what, visitor);
  CAF_REQUIRE(static_cast<bool>(outcome));
  CAF_CHECK(outcome->end_reached);
  CAF_CHECK_EQUAL(to_integer(outcome->covered), 1u);
  CAF_CHECK_EQUAL(visitor.seen, 1);
}

CAF_TEST(a reopened store goes on where it was in a new incarnation) {
  CAF_REQUIRE(open());
  fill(3);
  auto node = store->node();
  auto incarnation = store->incarnation();
  CAF_REQUIRE(reopen());
  CAF_CHECK(store->node() == node);
  CAF_CHECK_GREATER(store->incarnation(), incarnation);
  CAF_CHECK_EQUAL(to_integer(store->last()), 3u);
  auto x = append_one(*store, make_entry("t", "3"));
  CAF_CHECK_EQUAL(to_integer(x.position), 4u);
  CAF_CHECK(x.origin == (origin_position{store->incarnation(), 1}));
  CAF_CHECK_EQUAL(read({}).positions(), (positions{1, 2, 3, 4}));
}

CAF_TEST(the time of records never runs backwards) {
  CAF_REQUIRE(open());
  fill(1);
  auto before = clock.wall.load();
  clock.wall -= hour_ms;
  CAF_CHECK_EQUAL(append_one(*store, make_entry("t", "")).time_ms, before);
  CAF_REQUIRE(reopen());
  CAF_CHECK_EQUAL(append_one(*store, make_entry("t", "")).time_ms, before);
}

CAF_TEST(ephemeral entries take the place of the record before them and are not stored) {
  CAF_REQUIRE(open());
  std::vector<log_entry> xs{make_entry("t", "a"), make_entry("t", "b"), make_entry("t", "c")};
  xs[1].content.content.ephemeral = true;
  CAF_REQUIRE(!store->append(xs, true));
  CAF_CHECK_EQUAL(to_integer(xs[1].content.position), 1u);
  CAF_CHECK_EQUAL(to_integer(xs[2].content.position), 2u);
  CAF_CHECK_EQUAL(xs[2].content.origin.sequence, 2u);
  CAF_CHECK_EQUAL(read({}).positions(), (positions{1, 2}));
}

CAF_TEST(a visitor that stops is not shown the record again as covered) {
  CAF_REQUIRE(open());
  fill(5);
  subscription all;
  read_request what;
  what.who = &all;
  recorder to;
  to.stop_after = 2;
  auto outcome = store->read(what, to);
  CAF_REQUIRE(static_cast<bool>(outcome));
  CAF_CHECK(!outcome->end_reached);
  CAF_CHECK_EQUAL(to_integer(outcome->covered), 2u);
  what.reverse = true;
  recorder back;
  back.stop_after = 2;
  outcome = store->read(what, back);
  CAF_CHECK_EQUAL(back.positions(), (positions{5, 4}));
  CAF_CHECK_EQUAL(to_integer(outcome->covered), 4u);
}

CAF_TEST(a read looks at no more positions than it was allowed) {
  CAF_REQUIRE(open());
  fill(10);
  auto who = subscribe({"other"});
  read_request what;
  what.who = &who;
  what.scan_max = 4;
  recorder to;
  auto outcome = store->read(what, to);
  CAF_REQUIRE(static_cast<bool>(outcome));
  CAF_CHECK(!outcome->end_reached);
  CAF_CHECK_EQUAL(to_integer(outcome->covered), 4u);
  what.after = lsn{8};
  outcome = store->read(what, to);
  CAF_CHECK(outcome->end_reached);
  CAF_CHECK_EQUAL(to_integer(outcome->covered), 10u);
}

CAF_TEST(what has expired is hidden and reported) {
  CAF_REQUIRE(open());
  append_one(*store, make_entry("a", "1", clock.wall + 1000));
  append_one(*store, make_entry("b", "2"));
  CAF_CHECK_EQUAL(read({}).positions(), (positions{1, 2}));
  clock.advance(1000);
  auto seen = read({});
  CAF_CHECK_EQUAL(seen.positions(), (positions{2}));
  CAF_REQUIRE_EQUAL(seen.missing.size(), 1u);
  CAF_CHECK(seen.missing[0] == (shown_gap{1, gap_reason::expired, {"a"}}));
  CAF_CHECK(read(subscribe({"b"})).missing.empty());
}

CAF_TEST(a cursor finds its place in every incarnation) {
  CAF_REQUIRE(open());
  auto none = store->cursor_at(lsn{});
  CAF_CHECK_EQUAL(to_integer(store->resolve(none, {})->after), 0u);
  fill(3);
  CAF_REQUIRE(reopen());
  CAF_REQUIRE(reopen()); // an incarnation without records
  fill(3);
  for (uint64_t i = 0; i <= 6; ++i) {
    auto found = store->resolve(store->cursor_at(lsn{i}), {});
    CAF_REQUIRE(static_cast<bool>(found));
    CAF_CHECK(!found->gap);
    CAF_CHECK_EQUAL(to_integer(found->after), i);
  }
  auto foreign = store->resolve(cursor{1, {1, 1}}, {});
  CAF_CHECK(foreign->gap == gap_reason::unknown_cursor);
  CAF_CHECK_EQUAL(to_integer(foreign->after), 6u);
}

CAF_TEST(a key is known for its window and over a restart) {
  CAF_REQUIRE(open());
  auto x = make_entry("t", "1");
  x.key = "app:k";
  x.fingerprint = 77;
  auto stored = append_one(*store, x);
  CAF_REQUIRE(reopen());
  auto found = store->find_key("app:k", clock.wall);
  CAF_REQUIRE(static_cast<bool>(found));
  CAF_REQUIRE(found->has_value());
  CAF_CHECK((*found)->position == stored.position);
  CAF_CHECK((*found)->origin == stored.origin);
  CAF_CHECK_EQUAL((*found)->time_ms, stored.time_ms);
  CAF_CHECK_EQUAL((*found)->fingerprint, 77u);
  CAF_CHECK(!store->find_key("app:other", clock.wall)->has_value());
  auto end = clock.wall + settings.idempotency_window.count();
  CAF_CHECK(store->find_key("app:k", end - 1)->has_value());
  CAF_CHECK(!store->find_key("app:k", end)->has_value());
}

CAF_TEST(what is said to be the last is there already) {
  constexpr size_t looks_wanted = 2000;
  CAF_REQUIRE(open());
  fill(1);
  std::atomic<size_t> looks{0};
  std::atomic<size_t> misses{0};
  std::thread reader{[&] {
    while (looks < looks_wanted) {
      auto last = store->last();
      recorder to;
      if (store->read_records({&last, 1}, clock.wall, to) || to.records.size() != 1)
        ++misses;
      ++looks;
    }
  }};
  while (looks < looks_wanted)
    fill(1, "t", false);
  reader.join();
  CAF_CHECK_EQUAL(misses.load(), 0u);
}

CAF_TEST(before_time finds the last older record) {
  CAF_REQUIRE(open());
  auto start = clock.wall.load();
  for (int i = 0; i < 100; ++i) {
    fill(1 + i % 3);
    clock.advance(1000);
  }
  uint64_t expected = 0;
  for (int i = 0; i < 100; ++i) {
    CAF_CHECK_EQUAL(to_integer(*store->before_time(start + i * 1000)), expected);
    expected += 1 + i % 3;
    CAF_CHECK_EQUAL(to_integer(*store->before_time(start + i * 1000 + 1)), expected);
  }
  CAF_CHECK_EQUAL(to_integer(*store->before_time(0)), 0u);
}

CAF_TEST(topics are listed in order with what they hold) {
  CAF_REQUIRE(open());
  for (auto topic : {"b", "a", "a:1", "c", "a"})
    fill(2, topic);
  append_one(*store, make_entry("d", "xx", clock.wall + 1));
  clock.advance(10);
  auto names = [](auto&& xs) {
    std::vector<std::string> out;
    for (auto& x : *xs)
      out.push_back(x.topic + '=' + std::to_string(x.events) + '/' + std::to_string(x.bytes) + '@'
                    + std::to_string(to_integer(x.last)));
    return out;
  };
  using list = std::vector<std::string>;
  CAF_CHECK_EQUAL(names(store->topics("", "", 10, clock.wall)),
                  (list{"a=4/4@10", "a:1=2/2@6", "b=2/2@2", "c=2/2@8"}));
  CAF_CHECK_EQUAL(names(store->topics("a", "", 2, clock.wall)), (list{"a:1=2/2@6", "b=2/2@2"}));
  CAF_CHECK_EQUAL(names(store->topics("", "a:", 10, clock.wall)), (list{"a:1=2/2@6"}));
  CAF_CHECK_EQUAL(names(store->topics("a:1", "a", 10, clock.wall)), (list{}));
}

CAF_TEST(a retention of ten of fifty keeps the last ten and reports the rest) {
  CAF_REQUIRE(open());
  for (int i = 0; i < 50; ++i) {
    auto x = make_entry("t", std::to_string(i));
    x.retention = {{10, 0}};
    append_one(*store, x);
  }
  fill(1, "other");
  for (int round = 0; round < 2; ++round) {
    auto seen = read(subscribe({"t"}));
    CAF_CHECK_EQUAL(seen.positions(), (positions{41, 42, 43, 44, 45, 46, 47, 48, 49, 50}));
    CAF_REQUIRE(!seen.missing.empty());
    CAF_CHECK(seen.missing.back() == (shown_gap{40, gap_reason::evicted, {"t"}}));
    CAF_CHECK(read(subscribe({"t"}), 40).missing.empty());
    CAF_CHECK_EQUAL(read(subscribe({"t"}), 39).missing.size(), 1u);
    CAF_CHECK_EQUAL(uint64_t{store->topics("", "", 10, clock.wall)->at(1).events}, 10u);
    CAF_REQUIRE(reopen());
  }
  // The window is made again from the index.
  auto x = make_entry("t", "50");
  x.retention = {{10, 0}};
  append_one(*store, x);
  CAF_CHECK_EQUAL(read(subscribe({"t"})).records.size(), 10u);
  CAF_CHECK_EQUAL(std::string{read(subscribe({"t"})).records.front().data}, "41");
}

CAF_TEST(a topic that gets a bound later lets go of what is too much) {
  CAF_REQUIRE(open());
  fill(300, "t", false);
  for (int i = 0; i < 10; ++i) {
    auto x = make_entry("t", "new");
    x.retention = {{20, 0}};
    append_one(*store, x, false);
  }
  auto seen = read(subscribe({"t"}));
  CAF_CHECK_EQUAL(seen.records.size(), 20u);
  CAF_CHECK_EQUAL(seen.records.front().position, 291u);
  CAF_CHECK_EQUAL(seen.missing.back().position, 290u);
}

CAF_TEST(what one topic has evicted and another holds counts only there) {
  CAF_REQUIRE(open());
  for (int i = 0; i < 6; ++i) {
    auto x = make_entry("bounded", "x");
    x.content.content.topics.push_back("free");
    x.retention = {{2, 0}, {}};
    append_one(*store, x);
    if (i == 3)
      CAF_REQUIRE(reopen()); // the window is made again and must not count what is evicted
  }
  auto topics = store->topics("", "", 10, clock.wall);
  CAF_REQUIRE_EQUAL(topics->size(), 2u);
  CAF_CHECK_EQUAL(uint64_t{topics->at(0).events}, 2u);
  CAF_CHECK_EQUAL(uint64_t{topics->at(1).events}, 6u);
  CAF_CHECK_EQUAL(read(subscribe({"bounded"})).positions(), (positions{5, 6}));
  CAF_CHECK_EQUAL(read(subscribe({"bounded"})).missing_positions(), (positions{1, 2, 3, 4}));
  CAF_CHECK_EQUAL(read(subscribe({"free", "bounded"})).records.size(), 6u);
  CAF_CHECK(read(subscribe({"free", "bounded"})).missing.empty());
}

CAF_TEST(a directory serves one store at a time) {
  CAF_REQUIRE(open());
  auto second = storage::rocksdb_event_store::open(settings, mailboxes, clock);
  CAF_REQUIRE(!second);
  CAF_CHECK(second.error().code == errc::storage_unavailable);
  CAF_CHECK_NOT_EQUAL(second.error().detail.find("in use by another process"), std::string::npos);
}

CAF_TEST(below the reserve nothing is appended and reads go on) {
  CAF_REQUIRE(open());
  fill(1);
  settings.reserve = uint64_t{1} << 60;
  CAF_REQUIRE(reopen());
  auto x = make_entry("t", "refused");
  auto full = store->append({&x, 1}, true);
  CAF_REQUIRE(full.has_value());
  CAF_CHECK(full->code == errc::storage_full);
  CAF_CHECK(store->check_space(false)->code == errc::storage_full);
  x.content.content.ephemeral = true;
  CAF_CHECK(!store->append({&x, 1}, true));
  CAF_CHECK_EQUAL(read({}).positions(), (positions{1}));
  CAF_CHECK(!store->sync());
}

CAF_TEST(statistics tell what there is) {
  CAF_REQUIRE(open());
  fill(10);
  auto x = store->statistics();
  CAF_CHECK_EQUAL(to_integer(x.first), 1u);
  CAF_CHECK_EQUAL(to_integer(x.last), 10u);
  CAF_CHECK_GREATER(x.disk_bytes, 0u);
  CAF_CHECK_GREATER(x.free_bytes, 0u);
  CAF_CHECK_GREATER(x.memory_bytes, 0u);
}

CAF_TEST_FIXTURE_SCOPE_END
()
