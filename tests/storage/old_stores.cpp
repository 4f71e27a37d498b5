#define CAF_SUITE old_stores

// Stores that older versions have written, as they are on disk, must be readable for ever.

#include "storage/rocksdb_event_store.hpp"
#include "storage/store_fixture.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;
using namespace tidings::storage::testing;

namespace {

using positions = std::vector<uint64_t>;

fs::path stored(std::string_view name) {
  return fs::path{TIDINGS_SOURCE_DIR} / "tests/fixtures" / name;
}

struct fixture : store_fixture {
  /// Fills an empty store with one of everything, partly in a table and partly in the log file.
  void make() {
    if (!open())
      throw std::runtime_error(error.detail);
    auto x = make_entry("order:1", "{\"state\":\"paid\"}", clock.wall + 100 * 365 * day_ms);
    x.content.content.topics.push_back("customer:7");
    x.content.content.type = "paid";
    x.content.content.id = "e-1";
    x.content.content.kind = data_kind::json;
    x.key = "app:k";
    x.fingerprint = 0x1234;
    append_one(*store, x);
    append_one(*store, make_entry("news", "gone", clock.wall + minute_ms));
    for (int i = 0; i < 4; ++i) {
      auto y = make_entry("status", std::to_string(i));
      if (i == 0)
        y.content.content.topics.push_back("log");
      y.retention = {{2, 0}, {}};
      append_one(*store, y);
    }
    clock.advance(2 * minute_ms);
    if (auto failed = store->maintain(true))
      throw std::runtime_error(failed->detail);
    if (!reopen())
      throw std::runtime_error(error.detail);
    append_one(*store, make_entry("news", "two\nlines"));
    close();
  }

  void check() {
    CAF_REQUIRE(open());
    auto all = read({});
    CAF_CHECK_EQUAL(all.positions(), (positions{1, 3, 5, 6, 7}));
    CAF_CHECK_EQUAL(all.missing_positions(), (positions{2, 4}));
    CAF_CHECK(all.missing[0] == (shown_gap{2, gap_reason::expired, {"news"}}));
    CAF_CHECK(all.missing[1] == (shown_gap{4, gap_reason::evicted, {"status"}}));
    CAF_CHECK_EQUAL(all.records[0].data, "{\"state\":\"paid\"}");
    CAF_CHECK_EQUAL(all.records[0].topics, (std::vector<std::string>{"order:1", "customer:7"}));
    CAF_CHECK_EQUAL(all.records[4].data, "two\nlines");
    CAF_CHECK_EQUAL(read(subscribe({"status"})).missing_positions(), (positions{3, 4}));
    auto key = store->find_key("app:k", clock.wall);
    CAF_REQUIRE(key && key->has_value());
    CAF_CHECK_EQUAL((*key)->fingerprint, 0x1234u);
    for (uint64_t i = 0; i <= 7; ++i) {
      auto found = store->resolve(store->cursor_at(lsn{i}), {});
      CAF_CHECK(!found->gap);
      CAF_CHECK_EQUAL(to_integer(found->after), i);
    }
    CAF_CHECK_EQUAL(to_integer(append_one(*store, make_entry("news", "3")).position), 8u);
    CAF_REQUIRE(reopen());
    CAF_CHECK_EQUAL(read({}).positions(), (positions{1, 3, 5, 6, 7, 8}));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(old_stores_tests, fixture)

CAF_TEST(a new store is as expected) {
  make();
  // How the stored ones came to be: TIDINGS_TEST_KEEP_STORE=directory
  if (auto to = std::getenv("TIDINGS_TEST_KEEP_STORE"))
    fs::copy(directory(), to, fs::copy_options::recursive);
  check();
}

CAF_TEST(a store of schema 1 is read as it was written) {
  fs::copy(stored("store-v1"), directory(), fs::copy_options::recursive);
  clock.advance(3 * minute_ms);
  check();
}

CAF_TEST_FIXTURE_SCOPE_END
()
