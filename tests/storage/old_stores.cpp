#define CAF_SUITE old_stores

// Stores that older versions have written, as they are on disk, must be readable for ever.

#include "storage/cluster_fixture.hpp"
#include "storage/identity_file.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;
using namespace tidings::storage::testing;

namespace {

using positions = std::vector<uint64_t>;

fs::path kept(std::string_view name) {
  return fs::path{TIDINGS_SOURCE_DIR} / "tests/fixtures" / name;
}

struct fixture : mailbox_fixture {
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
    make_items();
    make_others();
    close();
  }

  /// What came with schema 2, also partly in a table: positions 8 to 14.
  void make_items() {
    auto never_ms = clock.wall + 100 * 365 * day_ms;
    auto x = make_item({user_topic("ada"), user_topic("bob")}, "hi", never_ms);
    x.content.content.mail = std::make_shared<mail>(mail{"hi", "two\nlines", priority::high});
    x.content.content.data = "{\"n\":1}";
    x.content.content.kind = data_kind::json;
    append_one(*store, x);
    send_to_everyone();
    send_to_everyone(never_ms);
    change("ada", 9, item_state::dismissed);
    maintain();
    change("bob", 8, item_state::seen);
    change("bob", 10, item_state::archived);
    send({"bob"});
  }

  /// What came with schema 3: the records of another node, positions 15 to 17.
  void make_others() {
    member other;
    other.clock.wall = clock.wall.load();
    auto x = make_entry("news", "from there");
    x.key = std::string{"app:there"};
    x.fingerprint = 0x5678;
    append_one(*other.store, x);
    append_one(*store, make_entry("news", "from here"));
    other.send({"eve"});
    std::vector<std::string> bodies;
    for (auto& record : other.records_of(other.id()))
      bodies.push_back(record.body);
    auto entries = store->admit(other.id(), bodies);
    if (!entries || store->append(*entries, true))
      throw std::runtime_error("the records of the other node are not taken over");
  }

  void check_others() {
    auto all = read({}).records;
    CAF_REQUIRE_GREATER_OR_EQUAL(all.size(), 12u);
    CAF_CHECK_EQUAL(all[9].data, "from here");
    CAF_CHECK_EQUAL(all[10].data, "from there");
    CAF_CHECK_EQUAL(all[9].node, store->node().short_form());
    CAF_CHECK_NOT_EQUAL(all[10].node, all[9].node);
    CAF_CHECK_EQUAL(all[11].node, all[10].node);
    CAF_CHECK_EQUAL(store->heads().size(), 2u);
    auto key = store->find_key("app:there", clock.wall);
    CAF_REQUIRE(key && key->has_value());
    CAF_CHECK_EQUAL((*key)->node, all[10].node);
    CAF_CHECK_EQUAL((*key)->fingerprint, 0x5678u);
    CAF_CHECK_EQUAL(to_integer((*key)->position), 16u);
    CAF_CHECK_EQUAL(show("eve"), "9 10 17");
  }

  void check_items() {
    CAF_CHECK_EQUAL(show("ada"), "8 10");
    CAF_CHECK_EQUAL(show("bob"), "8+seen 9 10+archived 14");
    CAF_CHECK_EQUAL(show("new"), "9 10");
    auto first = list("bob")[0];
    CAF_CHECK(first.level == priority::high);
    CAF_CHECK(!first.shared);
    CAF_CHECK_EQUAL(first.type, "note");
    CAF_CHECK_EQUAL(first.expires_at_ms - first.created_ms, 100 * 365 * day_ms);
    CAF_CHECK_EQUAL(first.changed_ms, first.created_ms);
    struct : record_visitor {
      bool on_record(const record_view& x) override {
        CAF_REQUIRE(x.mail);
        CAF_CHECK_EQUAL(x.mail->title, "hi");
        CAF_CHECK_EQUAL(x.mail->message, "two\nlines");
        CAF_CHECK(x.mail->level == priority::high);
        CAF_CHECK_EQUAL(x.data, "{\"n\":1}");
        ++seen;
        return true;
      }
      void on_missing(const missing_record&) override {
        // nop
      }
      int seen = 0;
    } visitor;
    const lsn item{8};
    CAF_REQUIRE(!store->read_records({&item, 1}, clock.wall, visitor));
    CAF_CHECK_EQUAL(visitor.seen, 1);
    CAF_CHECK_EQUAL(replay("ada").positions(), (positions{8, 10, 11}));
    change("ada", 8, item_state::dismissed);
    CAF_REQUIRE(reopen());
    CAF_CHECK_EQUAL(show("ada"), "10");
  }

  /// What stores of every schema hold, and that they go on.
  /// @param last the last position
  void check(uint64_t last) {
    CAF_REQUIRE(open());
    auto all = read({});
    positions there{1, 3, 5, 6, 7};
    if (last >= 14)
      there.insert(there.end(), {8, 9, 10, 14}); // the others are of topics that nobody asked for
    if (last >= 17)
      there.insert(there.end(), {15, 16, 17});
    CAF_CHECK_EQUAL(all.positions(), there);
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
    for (uint64_t i = 0; i <= last; ++i) {
      auto found = store->resolve(store->cursor_at(lsn{i}), {});
      CAF_CHECK(!found->gap);
      CAF_CHECK_EQUAL(to_integer(found->after), i);
    }
    CAF_CHECK_EQUAL(to_integer(append_one(*store, make_entry("news", "3")).position), last + 1);
    CAF_REQUIRE(reopen());
    there.push_back(last + 1);
    CAF_CHECK_EQUAL(read({}).positions(), there);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(old_stores_tests, fixture)

CAF_TEST(a new store is as expected) {
  make();
  // How the stored ones came to be: TIDINGS_TEST_KEEP_STORE=directory
  if (auto to = std::getenv("TIDINGS_TEST_KEEP_STORE"))
    fs::copy(directory(), to, fs::copy_options::recursive);
  check(17);
  check_items();
  check_others();
}

CAF_TEST(a store of schema 1 is read as it was written) {
  fs::copy(kept("store-v1"), directory(), fs::copy_options::recursive);
  clock.advance(3 * minute_ms);
  check(7);
  // It is one of this schema now.
  send({"ada"});
  CAF_CHECK_EQUAL(show("ada"), "9");
  auto who = storage::load_identity(settings.directory);
  CAF_REQUIRE(who && *who);
  CAF_CHECK_EQUAL((**who).schema, storage::schema_version);
}

CAF_TEST(a migration that a crash cut short is repeated) {
  fs::copy(kept("store-v1"), directory(), fs::copy_options::recursive);
  clock.advance(3 * minute_ms);
  CAF_REQUIRE(open());
  close();
  // The number is on disk in two places, one after the other.
  auto found = storage::load_identity(settings.directory);
  CAF_REQUIRE(found && *found);
  auto who = **found;
  who.schema = 1;
  CAF_REQUIRE(!storage::save_identity(settings.directory, who));
  check(7);
}

CAF_TEST(a store of schema 2 is read as it was written) {
  fs::copy(kept("store-v2"), directory(), fs::copy_options::recursive);
  clock.advance(3 * minute_ms);
  check(14);
  check_items();
}

CAF_TEST(a store of schema 3 is read as it was written) {
  fs::copy(kept("store-v3"), directory(), fs::copy_options::recursive);
  clock.advance(3 * minute_ms);
  check(17);
  check_items();
  check_others();
}

CAF_TEST_FIXTURE_SCOPE_END
()
