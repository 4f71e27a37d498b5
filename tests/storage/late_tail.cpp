#define CAF_SUITE late_tail

// Records that a node went on without, because its disk was set back.

#include "storage/cluster_fixture.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>

using namespace tidings;
using namespace tidings::storage::testing;

namespace {

using texts = std::vector<std::string>;

struct fixture {
  member a;
  member b;

  /// Copies the disk of the first node.
  void back_up(const std::string& name) {
    a.close();
    fs::copy(a.directory(), a.temporary.path() / name, fs::copy_options::recursive);
    a.start();
  }

  /// Starts it with such a copy.
  void restore(const std::string& name) {
    a.close();
    fs::remove_all(a.directory());
    fs::copy(a.temporary.path() / name, a.directory(), fs::copy_options::recursive);
    a.start();
  }

  static void put(member& to, std::string data, std::string key = {}) {
    auto x = make_entry("t", std::move(data));
    x.retention = {{.events_max = 4}};
    x.key = std::move(key);
    append_one(*to.store, std::move(x));
  }

  /// One node takes over what another has of a third one, as the replicators of both do it. Topics
  /// have a bound.
  /// @returns how many records were published again
  static size_t follow(member& to, const member& from, uint64_t node) {
    size_t again = 0;
    while (true) {
      auto head = to.head_of(node).at;
      auto x = from.chunk(node, head);
      if (x.forgotten && x.forgotten->at > head) {
        CAF_REQUIRE(!to.store->append_forgotten(*x.forgotten));
      } else if (x.records.empty()) {
        return again;
      } else if (auto& first = x.records.front(); first.at.sequence == 1 && first.follows < head) {
        auto copies = to.store->reoriginate(node, first.follows, head);
        CAF_REQUIRE(static_cast<bool>(copies));
        again += copies->size();
      } else {
        auto entries = to.admit(node, x.records);
        for (auto& entry : entries)
          entry.retention.assign(entry.content.content.topics.size(), {.events_max = 4});
        to.append(std::move(entries));
      }
    }
  }

  /// Until nobody has anything for the other.
  void follow_each_other() {
    for (int i = 0; i < 3; ++i)
      for (auto node : {a.id(), b.id()}) {
        follow(a, b, node);
        follow(b, a, node);
      }
  }

  static texts shown(member& x) {
    texts found;
    for (auto& record : x.read(subscribe({"t"})).records)
      found.push_back(record.data);
    std::sort(found.begin(), found.end());
    return found;
  }

  /// Whether anybody is told that something is missing, by whichever way of reading.
  static bool has_gap(member& x) {
    return !x.read({}).missing.empty() || !x.read(subscribe({"t"})).missing.empty();
  }

  /// Runs with what is on disk.
  static void check_restart(member& x) {
    auto heads = x.heads();
    auto texts = shown(x);
    x.start();
    CAF_CHECK(x.heads() == heads);
    CAF_CHECK(shown(x) == texts);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(late_tail_tests, fixture)

CAF_TEST(what another node went on without is published again) {
  b.fill(1, "u"); // so that the places of others name this node
  put(a, "1");
  back_up("old");
  auto common = a.head_of(a.id()).at;
  put(a, "2");
  put(a, "3");
  follow(b, a, a.id());
  auto tail = b.head_of(a.id()).at;
  restore("old");
  put(a, "4");
  auto sent = a.chunk(a.id(), tail);
  CAF_CHECK(!sent.forgotten);
  CAF_REQUIRE_EQUAL(sent.records.size(), 1u);
  CAF_CHECK(sent.records[0].follows == common);
  auto cursor_before = b.store->cursor_at(b.store->last());
  auto again = b.store->reoriginate(a.id(), common, tail);
  CAF_REQUIRE(static_cast<bool>(again));
  CAF_CHECK_EQUAL(again->size(), 2u);
  CAF_CHECK(b.head_of(a.id()).at == common);
  CAF_CHECK(b.store->cursor_at(b.store->last()).find(a.id()) == common);
  CAF_CHECK(!has_gap(b));
  follow_each_other();
  CAF_CHECK(a.heads() == b.heads());
  CAF_CHECK(shown(a) == (texts{"1", "2", "3", "4"}));
  CAF_CHECK(shown(b) == shown(a));
  CAF_CHECK(b.store->resolve(cursor_before, {}));
  for (auto data : {"5", "6", "7", "8"}) // the bound lets go of the copies, not of their old places
    put(b, data);
  CAF_CHECK(shown(b) == (texts{"5", "6", "7", "8"}));
  check_restart(b);
}

CAF_TEST(what a node has that it went on without is set aside until it has the rest) {
  put(a, "1");
  back_up("old");
  auto common = a.head_of(a.id()).at;
  put(a, "2", "key");
  put(a, "3");
  a.send({"ada"});
  back_up("new");
  restore("old");
  put(a, "4");
  put(a, "5");
  b.pull_all(a);
  restore("new");
  auto last = a.store->last();
  auto tail = a.head_of(a.id()).at;
  CAF_CHECK(tail > common && tail < b.head_of(a.id()).at);
  CAF_CHECK(b.chunk(a.id(), tail).records.at(0).follows == common);
  auto none = a.store->reoriginate(a.id(), common, tail);
  CAF_REQUIRE(static_cast<bool>(none));
  CAF_CHECK(none->empty());
  CAF_CHECK(a.store->last() == last);
  CAF_CHECK(a.head_of(a.id()).at == common);
  CAF_CHECK(shown(a) == (texts{"1"}));
  CAF_CHECK(!has_gap(a));
  CAF_CHECK(a.list("ada").empty());
  CAF_CHECK(!a.store->reoriginate(a.id(), common, tail)); // that is not its head any more
  check_restart(a);
  CAF_CHECK(a.head_of(a.id()).at == common);
  CAF_CHECK_EQUAL(a.records_of(a.id()).size(), 1u);
  a.pull_all(b);
  CAF_CHECK(a.heads() == b.heads());
  CAF_CHECK(shown(a) == (texts{"1", "4", "5"}));
  check_restart(a);
  auto again = a.store->append_set_aside();
  CAF_REQUIRE(static_cast<bool>(again));
  CAF_CHECK_EQUAL(again->size(), 3u);
  b.pull_all(a);
  CAF_CHECK(a.heads() == b.heads());
  CAF_CHECK(shown(a) == (texts{"1", "2", "3", "4", "5"}));
  CAF_CHECK(shown(b) == shown(a));
  CAF_CHECK_EQUAL(a.mailbox_of("ada").size(), 1u);
  CAF_CHECK(a.mailbox_of("ada") == b.mailbox_of("ada"));
  auto key = a.store->find_key("key", a.clock.wall);
  CAF_REQUIRE(key && *key);
  CAF_CHECK((*key)->origin == again->front().origin);
  for (int run = 0; run < 2; ++run, a.start()) { // once is enough
    auto more = a.store->append_set_aside();
    CAF_REQUIRE(static_cast<bool>(more));
    CAF_CHECK(more->empty());
  }
  for (auto data : {"6", "7", "8", "9"})
    put(a, data);
  CAF_CHECK(shown(a) == (texts{"6", "7", "8", "9"}));
}

CAF_TEST(a restart in between knows how far the node was set back) {
  put(a, "1");
  put(b, "other");
  back_up("old");
  put(a, "2");
  a.pull_all(b); // the newest entry is not its own
  back_up("new");
  restore("old");
  put(a, "3");
  b.pull_all(a);
  restore("new");
  auto common = b.chunk(a.id(), a.head_of(a.id()).at).records.at(0).follows;
  CAF_REQUIRE(a.store->reoriginate(a.id(), common, a.head_of(a.id()).at));
  CAF_CHECK(a.head_of(a.id()).at == common);
  check_restart(a);
  CAF_CHECK(a.head_of(a.id()).at == common);
  a.pull_all(b);
  CAF_REQUIRE(a.store->append_set_aside());
  b.pull_all(a);
  CAF_CHECK(a.heads() == b.heads());
  CAF_CHECK(shown(b) == (texts{"1", "2", "3", "other"}));
}

CAF_TEST(what was left out is asked for) {
  put(a, "1");
  back_up("old");
  auto early = a.head_of(a.id()).at;
  put(a, "2"); // on one disk alone
  back_up("new");
  restore("old");
  put(a, "3");
  follow(b, a, a.id());
  auto tail = b.head_of(a.id()).at;
  restore("new"); // joins without the other, and publishes
  auto after = a.head_of(a.id()).at;
  put(a, "4");
  CAF_CHECK(a.chunk(a.id(), tail).records.at(0).follows == after);
  auto again = b.store->reoriginate(a.id(), after, tail);
  CAF_REQUIRE(static_cast<bool>(again));
  CAF_CHECK(b.head_of(a.id()).at == early); // it never had the last one
  check_restart(b);
  follow_each_other();
  CAF_CHECK(a.heads() == b.heads());
  CAF_CHECK(shown(b) == (texts{"1", "2", "3", "4"}));
  CAF_CHECK(shown(a) == shown(b));
  check_restart(b);
}

CAF_TEST(a tail of a tail) {
  put(a, "1");
  auto first = a.head_of(a.id()).at;
  a.start();
  put(a, "2");
  auto second = a.head_of(a.id()).at;
  a.start();
  put(a, "3");
  follow(b, a, a.id());
  CAF_REQUIRE(b.store->reoriginate(a.id(), second, b.head_of(a.id()).at));
  CAF_REQUIRE(b.store->reoriginate(a.id(), first, second));
  CAF_CHECK(b.head_of(a.id()).at == first);
  check_restart(b);
  CAF_CHECK(b.head_of(a.id()).at == first);
  a.start();
  auto third = a.head_of(a.id()).at; // its own, with nothing appended in between
  CAF_REQUIRE(a.store->reoriginate(a.id(), second, third));
  CAF_REQUIRE(a.store->reoriginate(a.id(), first, second));
  check_restart(a);
  CAF_CHECK(a.head_of(a.id()).at == first);
}

CAF_TEST(all that there is may be a tail) {
  back_up("empty");
  put(a, "1");
  follow(b, a, a.id());
  auto tail = b.head_of(a.id()).at;
  restore("empty");
  put(a, "2");
  auto again = b.store->reoriginate(a.id(), {}, tail);
  CAF_REQUIRE(static_cast<bool>(again));
  CAF_CHECK_EQUAL(again->size(), 1u);
  CAF_CHECK(b.head_of(a.id()).at == origin_position{});
  check_restart(b);
  follow_each_other();
  CAF_CHECK(a.heads() == b.heads());
  CAF_CHECK(shown(b) == (texts{"1", "2"}));
}

CAF_TEST(what has expired is not published again) {
  put(a, "1");
  back_up("old");
  append_one(*a.store, make_entry("t", "2", a.clock.wall + minute_ms));
  back_up("new");
  follow(b, a, a.id());
  restore("old");
  put(a, "3");
  member c;
  c.pull_all(a);
  restore("new");
  for (auto x : {&a, &b, &c})
    x->pass(2 * minute_ms);
  CAF_CHECK_EQUAL(follow(b, c, a.id()), 0u);
  CAF_CHECK(shown(b) == (texts{"1", "3"}));
  check_restart(b);
  follow(a, c, a.id());
  auto again = a.store->append_set_aside();
  CAF_REQUIRE(static_cast<bool>(again));
  CAF_CHECK(again->empty());
  check_restart(a);
  CAF_CHECK(shown(a) == shown(b));
}

CAF_TEST(a tail of which a part has been forgotten) {
  b.settings.gap_memory = milliseconds{hour_ms};
  b.start();
  put(a, "1");
  back_up("old");
  auto common = a.head_of(a.id()).at;
  for (int i = 0; i < 10; ++i)
    append_one(*a.store, make_entry("t", "x", a.clock.wall + minute_ms), false);
  put(a, "2");
  follow(b, a, a.id());
  b.fill(1500, "u", false);
  b.pass(2 * hour_ms);
  for (int i = 0; i < 3; ++i)
    b.maintain();
  CAF_REQUIRE(b.read({}).missing.empty()); // or nothing was forgotten
  restore("old");
  put(a, "3");
  auto again = b.store->reoriginate(a.id(), common, b.head_of(a.id()).at);
  CAF_REQUIRE(static_cast<bool>(again));
  CAF_CHECK_EQUAL(again->size(), 1u);
  put(b, "4");
  follow(b, a, a.id());
  CAF_CHECK(b.head_of(a.id()) == a.head_of(a.id()));
  CAF_CHECK(shown(b) == (texts{"2", "3", "4"})); // the bound had let go of the first
  check_restart(b);
}

CAF_TEST(an answer that was given stays the one to give) {
  back_up("empty");
  put(a, "a's", "both");
  put(a, "alone", "only");
  put(b, "b's", "both");
  follow(b, a, a.id());
  restore("empty");
  put(a, "new");
  follow(b, a, a.id());
  auto node_of = [&](std::string key) {
    auto x = b.store->find_key(key, b.clock.wall);
    CAF_REQUIRE(x && *x);
    return **x;
  };
  CAF_CHECK_EQUAL(node_of("both").node, b.id());
  CAF_CHECK_EQUAL(node_of("both").origin.sequence, 1u);
  CAF_CHECK_EQUAL(node_of("only").node, b.id());
  auto id = b.store->id_at(node_of("only").position);
  CAF_REQUIRE(id.has_value());
  CAF_CHECK_EQUAL(id->at.sequence, 3u);
}

CAF_TEST(who has published cannot set anything of its own aside) {
  put(a, "1");
  a.start();
  auto before = a.head_of(a.id()).at;
  put(a, "2");
  CAF_CHECK(!a.store->reoriginate(a.id(), before, a.head_of(a.id()).at));
}

CAF_TEST_FIXTURE_SCOPE_END
()
