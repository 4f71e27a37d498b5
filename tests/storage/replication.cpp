#define CAF_SUITE replication

// Several stores that take over each other's records.

#include "storage/cluster_fixture.hpp"
#include "storage/record_codec.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <random>
#include <set>

using namespace tidings;
using namespace tidings::storage::testing;

namespace {

using positions = std::vector<uint64_t>;

uint64_t first_seed() {
  auto given = std::getenv("TIDINGS_SEED");
  auto seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  CAF_MESSAGE("TIDINGS_SEED=" << seed);
  return seed;
}

std::vector<std::string> bodies_of(const std::vector<travelling_record>& xs) {
  std::vector<std::string> bodies;
  for (auto& x : xs)
    bodies.push_back(x.body);
  return bodies;
}

/// All records of a log, with the names that they have everywhere.
std::vector<shown_record> all_of(member& x) {
  return x.read({}).records;
}

struct fixture {
  member a;
  member b;
  member c;
  std::vector<member*> nodes{&a, &b, &c};

  /// Everyone publishes, and takes over in small pieces.
  void mix(std::mt19937_64& random, size_t steps) {
    for (size_t i = 0; i < steps; ++i) {
      auto& x = *nodes[random() % 3];
      auto& y = *nodes[random() % 3];
      switch (random() % 8) {
        case 0:
        case 1:
        case 2:
          x.fill(1 + random() % 4, topic_name(random() % 4), false);
          break;
        case 3:
          if (random() % 4 == 0)
            x.start();
          break;
        default:
          if (&x != &y)
            x.pull(y, nodes[random() % 3]->id(), 1 + random() % 1000);
      }
    }
  }

  void check_equal() {
    for (auto x : nodes) {
      CAF_CHECK(x->heads() == a.heads());
      for (auto of : nodes)
        CAF_CHECK(bodies_of(x->records_of(of->id())) == bodies_of(a.records_of(of->id())));
    }
  }
};

/// Someone who reads now here and now there.
struct traveller {
  subscription who;
  std::optional<cursor> at;
  std::vector<event_id> seen;

  /// @param count stops after so many
  void read(member& on, size_t count) {
    read_request what;
    what.who = &who;
    what.now_ms = on.clock.wall;
    cursor before;
    if (at) {
      before = *at;
      auto from = on.store->resolve(before, who);
      if (!from || from->gap)
        CAF_FAIL("a gap where nothing is missing: " << to_string(*from->gap));
      what.after = from->after;
      if (from->overlaps)
        what.seen = &before;
    }
    recorder to;
    to.stop_after = count;
    if (!on.store->read(what, to))
      CAF_FAIL("cannot read");
    CAF_CHECK(to.missing.empty());
    for (auto& x : to.records) {
      seen.push_back({x.node, x.origin});
      at = x.at;
      at->merge(before);
    }
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(replication_tests, fixture)

// -- records
// ---------------------------------------------------------------------------------------

CAF_TEST(records are the same on every node) {
  a.fill(3);
  b.fill(2);
  b.pull(a, a.id());
  b.fill(1);
  a.pull(b, b.id());
  CAF_CHECK(a.heads() == b.heads());
  CAF_CHECK_EQUAL(to_integer(a.store->last()), 6u);
  for (auto node : {a.id(), b.id()}) {
    auto here = a.records_of(node);
    auto there = b.records_of(node, 1);
    CAF_REQUIRE_EQUAL(here.size(), 3u);
    CAF_REQUIRE_EQUAL(there.size(), 3u);
    for (size_t i = 0; i < 3; ++i) {
      CAF_CHECK(here[i].body == there[i].body);
      CAF_CHECK(here[i].chain != 0 && here[i].chain == there[i].chain);
      CAF_CHECK(here[i].at == there[i].at);
    }
  }
  // In each log in the order in which they came.
  auto at = [](member& on, uint64_t place) { return on.store->id_at(lsn{place})->node; };
  CAF_CHECK_EQUAL(at(a, 3), a.id());
  CAF_CHECK_EQUAL(at(a, 4), b.id());
  CAF_CHECK_EQUAL(at(b, 2), b.id());
  CAF_CHECK_EQUAL(at(b, 3), a.id());
  CAF_CHECK_EQUAL(at(b, 6), b.id());
}

CAF_TEST(a chunk has about as many bytes as asked for and at least one record) {
  a.fill(20);
  auto one = a.chunk(a.id(), {}, 1);
  CAF_CHECK_EQUAL(one.records.size(), 1u);
  CAF_CHECK(!one.end_reached);
  auto size = one.records[0].body.size();
  auto some = a.chunk(a.id(), one.records[0].at, 3 * size);
  CAF_CHECK_EQUAL(some.records.size(), 3u);
  auto bounded = a.chunk(a.id(), {}, 1 << 20, {a.store->incarnation(), 7});
  CAF_CHECK_EQUAL(bounded.records.size(), 7u);
  auto rest = a.chunk(a.id(), {a.store->incarnation(), 7});
  CAF_CHECK_EQUAL(rest.records.size(), 13u);
  CAF_CHECK(rest.end_reached);
  CAF_CHECK(a.chunk(a.id(), rest.records.back().at).records.empty());
  CAF_CHECK(a.chunk(a.id(), rest.records.back().at).end_reached);
  CAF_CHECK(a.chunk(b.id(), {}).end_reached); // of whom nothing is known
}

CAF_TEST(records of one node are found between many of another) {
  for (int i = 0; i < 3; ++i) {
    b.fill(1);
    a.pull(b, b.id());
    a.fill(200, "t", false);
  }
  CAF_CHECK(bodies_of(a.records_of(b.id())) == bodies_of(b.records_of(b.id())));
  CAF_CHECK_EQUAL(a.records_of(a.id()).size(), 600u);
}

CAF_TEST(any mixture of origins ends up the same everywhere) {
  std::mt19937_64 random{first_seed()};
  mix(random, 150);
  exchange(nodes);
  check_equal();
  for (auto x : nodes)
    x->start();
  check_equal();
  // What goes on after a start follows on what there is.
  for (auto x : nodes)
    x->fill(2);
  exchange(nodes);
  check_equal();
}

CAF_TEST(incarnations follow each other) {
  a.fill(2);
  auto before = a.head_of(a.id()).at;
  a.start();
  a.fill(2);
  auto xs = a.records_of(a.id());
  CAF_REQUIRE_EQUAL(xs.size(), 4u);
  CAF_CHECK(xs[2].follows == before);
  CAF_CHECK(xs[0].follows == origin_position{});
  CAF_CHECK(xs[3].follows == origin_position{});
  b.pull_all(a);
  CAF_CHECK(a.heads() == b.heads());
}

// -- what is refused
// -------------------------------------------------------------------------------

CAF_TEST(a hole or a wrong order is refused and changes nothing) {
  a.fill(4);
  auto bodies = bodies_of(a.records_of(a.id()));
  auto refused = [&](std::vector<std::string> xs) {
    auto entries = b.store->admit(a.id(), xs);
    return !entries && entries.error().code == errc::invalid_parameter;
  };
  CAF_CHECK(refused({bodies[1]}));
  CAF_CHECK(refused({bodies[0], bodies[2]}));
  CAF_CHECK(refused({bodies[0], bodies[1], bodies[1]}));
  CAF_CHECK(refused({bodies[0], bodies[0]}));
  CAF_CHECK(b.store->heads().empty());
  CAF_CHECK((b.store->cursor_at(lsn{0}) == cursor{b.id(), {}}));
  CAF_CHECK_EQUAL(to_integer(b.store->last()), 0u);
  b.pull(a, a.id(), 1);
  CAF_CHECK(refused({bodies[0]}));
  CAF_CHECK(refused({bodies[2]}));
  auto heads = b.heads();
  b.pull_all(a);
  CAF_CHECK(heads != b.heads());
  CAF_CHECK(a.heads() == b.heads());
  CAF_CHECK(b.store->resolve(b.store->cursor_at(lsn{0}), {})->after == lsn{0});
}

CAF_TEST(a flipped bit is refused) {
  a.fill(3);
  auto bodies = bodies_of(a.records_of(a.id()));
  auto refused = [&](std::vector<std::string> xs) {
    auto entries = b.store->admit(a.id(), xs);
    return !entries && entries.error().code == errc::storage_corrupt;
  };
  for (size_t i = 0; i < bodies[1].size(); ++i) {
    if (i >= storage::body_head_bytes && i < storage::body_head_bytes + 7)
      continue; // another name: a hole
    auto changed = bodies;
    changed[1][i] ^= 1;
    if (!refused({changed[0], changed[1]}))
      CAF_FAIL("byte " << i);
  }
  CAF_CHECK(refused({bodies[0].substr(1)}));
  CAF_CHECK(refused({""}));
  // Nor is a record accepted as one of another node, or behind another history.
  auto stranger = b.store->admit(c.id(), std::vector{bodies[0]});
  CAF_CHECK(!stranger && stranger.error().code == errc::storage_corrupt);
  CAF_CHECK(b.store->heads().empty());
  b.pull_all(a);
  CAF_CHECK(a.heads() == b.heads());
}

CAF_TEST(what was admitted and dismissed comes again) {
  a.fill(4);
  auto records = a.records_of(a.id());
  (void)b.admit(a.id(), {records[0], records[1]});
  // The next follows on what waits.
  auto later = b.store->admit(a.id(), std::vector{records[2].body});
  CAF_CHECK(static_cast<bool>(later));
  auto again = b.store->admit(a.id(), std::vector{records[0].body});
  CAF_CHECK(!again);
  b.store->dismiss_admitted();
  CAF_CHECK(!b.store->admit(a.id(), std::vector{records[2].body}));
  b.pull_all(a);
  CAF_CHECK(a.heads() == b.heads());
}

// -- cursors
// ---------------------------------------------------------------------------------------

CAF_TEST(a cursor means the same on every node) {
  std::mt19937_64 random{first_seed()};
  mix(random, 120);
  exchange(nodes);
  for (auto from : nodes)
    for (auto on : nodes) {
      auto all = all_of(*on);
      for (int i = 0; i < 40; ++i) {
        lsn place{random() % (to_integer(from->store->last()) + 1)};
        auto at = from->store->cursor_at(place);
        auto found = on->store->resolve(at, {});
        CAF_REQUIRE(found && !found->gap);
        uint64_t expected = 0;
        while (expected < all.size() && at.covers(all[expected].node, all[expected].origin))
          ++expected;
        CAF_REQUIRE_EQUAL(to_integer(found->after), expected);
        if (from == on) {
          CAF_REQUIRE_EQUAL(expected, to_integer(place));
        }
      }
    }
}

CAF_TEST(names of events lead to them on every node) {
  std::mt19937_64 random{first_seed()};
  mix(random, 80);
  exchange(nodes);
  for (auto from : nodes)
    for (auto& x : all_of(*from)) {
      event_id name{x.node, x.origin};
      CAF_REQUIRE(from->store->find(name) == lsn{x.position});
      for (auto on : nodes) {
        auto place = on->store->find(name);
        CAF_REQUIRE(place.has_value());
        CAF_REQUIRE(on->store->id_at(*place) == name);
      }
    }
}

CAF_TEST(who moves between nodes sees everything once and in order) {
  auto start = first_seed();
  for (uint64_t seed = start; seed < start + 4; ++seed) {
    CAF_MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    for (auto x : nodes)
      x->fill(1, topic_name(random() % 4));
    exchange(nodes); // who has never heard of a node cannot know its cursors
    std::vector<traveller> readers(6);
    for (size_t i = 0; i < readers.size(); ++i)
      switch (i % 3) {
        case 0:
          readers[i].who = subscribe({"*"});
          break;
        case 1:
          readers[i].who = subscribe({topic_name(random() % 4)});
          break;
        default:
          readers[i].who = subscribe({topic_name(0), topic_name(1 + random() % 3)});
      }
    for (int round = 0; round < 25; ++round) {
      mix(random, 6);
      for (auto& x : readers)
        if (random() % 2)
          x.read(*nodes[random() % 3], 1 + random() % 12);
    }
    exchange(nodes);
    for (auto& x : readers) {
      auto& last = *nodes[random() % 3];
      x.read(last, SIZE_MAX);
      std::map<uint64_t, origin_position> newest;
      for (auto& id : x.seen) {
        if (!(newest[id.node] < id.at))
          CAF_FAIL("twice, or not in the order of its node");
        newest[id.node] = id.at;
      }
      auto all = last.read(x.who).records;
      if (all.size() != x.seen.size())
        CAF_FAIL("saw " << x.seen.size() << " of " << all.size());
    }
  }
}

CAF_TEST(who has seen something elsewhere is not shown it again) {
  a.fill(3);
  b.pull_all(a);
  b.fill(2);
  a.fill(2);
  // Up to the end on B, and of A's new ones only the first, by way of C.
  c.pull_all(b);
  c.pull(a, a.id(), 1);
  auto at = c.store->cursor_at(c.store->last());
  auto on_a = a.store->resolve(at, {});
  CAF_REQUIRE(static_cast<bool>(on_a));
  CAF_CHECK(!on_a->gap);
  CAF_CHECK(on_a->overlaps); // B's two have yet to come
  CAF_CHECK_EQUAL(to_integer(on_a->after), 4u);
  a.pull_all(b);
  auto shown = a.read({}, 4, [&](read_request& x) { x.seen = &at; });
  CAF_CHECK_EQUAL(shown.positions(), (positions{5}));
  CAF_CHECK_EQUAL(a.read({}, 4).positions(), (positions{5, 6, 7}));
}

// -- what is gone
// ----------------------------------------------------------------------------------

CAF_TEST(the places of what is gone travel) {
  append_one(*a.store, make_entry("news", "gone", a.clock.wall + minute_ms));
  for (int i = 0; i < 3; ++i) {
    auto x = make_entry("status", std::to_string(i));
    x.retention = {{1, 0}};
    append_one(*a.store, x);
  }
  append_one(*a.store, make_entry("news", "there"));
  auto whole = bodies_of(a.records_of(a.id()));
  c.pull(a, a.id(), 1); // before it expired
  a.pass(2 * minute_ms);
  a.maintain();
  b.pass(2 * minute_ms);
  c.pass(2 * minute_ms);
  b.pull_all(a);
  CAF_CHECK(bodies_of(b.records_of(a.id())) == bodies_of(a.records_of(a.id())));
  for (auto on : {&a, &b}) {
    auto all = on->read({});
    CAF_CHECK_EQUAL(all.positions(), (positions{4, 5}));
    CAF_REQUIRE_EQUAL(all.missing.size(), 3u);
    CAF_CHECK(all.missing[0] == (shown_gap{1, gap_reason::expired, {"news"}}));
    CAF_CHECK(all.missing[1] == (shown_gap{2, gap_reason::evicted, {"status"}}));
    // By the index of the topic, too.
    CAF_CHECK_EQUAL(on->read(subscribe({"news"})).missing_positions(), (positions{1}));
  }
  CAF_CHECK_EQUAL(b.read(subscribe({"status"})).missing_positions(), (positions{2, 3}));
  // Stubs and records of the same chain.
  c.pull_all(b);
  CAF_CHECK(c.heads() == a.heads());
  CAF_REQUIRE((b.start(), true));
  CAF_CHECK(b.heads() == a.heads());
  a.fill(1);
  b.pull_all(a);
  CAF_CHECK(b.heads() == a.heads());
}

CAF_TEST(what is not known any more is told and the rest goes on) {
  a.fill(6);
  auto first = a.head_of(a.id()).at.incarnation;
  a.start();
  a.fill(2);
  auto records = a.records_of(a.id());
  b.fill(2);
  b.append(b.admit(a.id(), {records[0], records[1]}));
  auto before = b.store->cursor_at(b.store->last());
  CAF_REQUIRE(!b.store->append_forgotten({a.id(), {first, 4}, 0}));
  CAF_CHECK((b.head_of(a.id()).at == origin_position{first, 4}));
  CAF_CHECK(!b.store->admit(a.id(), std::vector{records[2].body}));
  auto twice = to_integer(b.store->last());
  CAF_CHECK(!b.store->append_forgotten({a.id(), {first, 3}, 0})); // known already
  CAF_CHECK_EQUAL(to_integer(b.store->last()), twice);
  b.append(b.admit(a.id(), {records[4]}));
  b.pull_all(a);
  for (auto again : {false, true}) {
    if (again)
      b.start();
    CAF_CHECK(b.head_of(a.id()) == a.head_of(a.id()));
    // Who stood before the hole, here or anywhere, is told.
    for (auto& at : {before, cursor{a.id(), {first, 3}}}) {
      auto found = b.store->resolve(at, {});
      CAF_REQUIRE(static_cast<bool>(found));
      auto seen = b.read(subscribe({"t"}), to_integer(found->after));
      CAF_REQUIRE_EQUAL(seen.missing.size(), 1u);
      CAF_CHECK(seen.missing[0].reason == gap_reason::expired);
      CAF_CHECK_EQUAL(seen.missing[0].position, 5u);
    }
    // Who stood behind it is not.
    auto found = b.store->resolve(cursor{a.id(), {first, 5}}, {});
    CAF_REQUIRE(static_cast<bool>(found));
    CAF_CHECK(!found->gap);
    CAF_CHECK_EQUAL(b.read({}, to_integer(found->after)).missing.size(), 1u); // B's come first
    cursor both{a.id(), {first, 5}};
    both.set(b.id(), b.head_of(b.id()).at);
    CAF_CHECK_EQUAL(to_integer(b.store->resolve(both, {})->after), 6u);
  }
  // The place travels on.
  c.pull_all(b);
  CAF_CHECK(c.head_of(a.id()) == a.head_of(a.id()));
  auto missing = c.read({}).missing;
  CAF_CHECK_EQUAL(missing.size(), 2u); // up to that place, and the place itself
  for (auto& x : missing)
    CAF_CHECK(x.reason == gap_reason::expired);
}

CAF_TEST(what has been forgotten here is told to the others) {
  for (auto x : nodes)
    x->settings.gap_memory = milliseconds{hour_ms};
  for (auto x : nodes)
    x->start();
  for (int i = 0; i < 10; ++i)
    append_one(*a.store, make_entry("t", "x", a.clock.wall + minute_ms), false);
  auto last_of_a = a.head_of(a.id()).at;
  b.pull_all(a);
  c.pull(a, a.id(), 1);
  b.fill(1500, "u", false);
  b.pass(2 * hour_ms);
  for (int i = 0; i < 3; ++i)
    b.maintain();
  CAF_REQUIRE(b.read({}).missing.empty());
  CAF_CHECK(b.head_of(a.id()).at == last_of_a);
  for (auto again : {false, true}) {
    if (again)
      b.start();
    // Where the incarnation begins is known for ever.
    auto begin = b.chunk(a.id(), {});
    CAF_REQUIRE_EQUAL(begin.records.size(), 1u);
    CAF_CHECK(!begin.forgotten);
    auto chunk = b.chunk(a.id(), begin.records[0].at);
    CAF_CHECK(chunk.records.empty());
    CAF_REQUIRE(chunk.forgotten.has_value());
    CAF_CHECK(chunk.forgotten->at == last_of_a);
    CAF_CHECK(b.chunk(a.id(), last_of_a).end_reached);
    CAF_CHECK(!b.chunk(a.id(), last_of_a).forgotten);
  }
  c.pass(2 * minute_ms);
  c.pull_all(b);
  CAF_CHECK(c.head_of(a.id()).at == last_of_a);
  a.fill(3);
  c.pull_all(a);
  b.pull_all(a);
  CAF_CHECK(c.head_of(a.id()) == a.head_of(a.id()));
  CAF_CHECK(b.head_of(a.id()) == a.head_of(a.id()));
  CAF_CHECK_EQUAL(c.read(subscribe({"t"})).positions().size(), 3u);
}

CAF_TEST(what does not expire keeps its name however much is forgotten) {
  for (auto x : {&a, &b}) {
    x->settings.gap_memory = milliseconds{hour_ms};
    x->start();
  }
  for (int i = 0; i < 3; ++i) {
    a.fill(1);
    b.pull_all(a);
    b.fill(1);
  }
  auto records = a.records_of(a.id());
  for (int i = 0; i < 10; ++i)
    append_one(*b.store, make_entry("t", "x", b.clock.wall + minute_ms), false);
  b.fill(1500, "u", false);
  b.pass(2 * hour_ms);
  for (int i = 0; i < 3; ++i)
    b.maintain();
  auto chunk = b.chunk(a.id(), records[0].at);
  CAF_CHECK(!chunk.forgotten);
  CAF_CHECK_EQUAL(chunk.records.size(), 2u);
  for (auto& x : records)
    CAF_CHECK(b.store->find({a.id(), x.at}).has_value());
  c.pull_all(b);
  CAF_CHECK_EQUAL(c.records_of(a.id()).size(), 3u);
}

CAF_TEST(a reader that missed nothing is told of no gap after others were forgotten) {
  b.settings.gap_memory = milliseconds{hour_ms};
  b.start();
  a.fill(3);
  b.pull_all(a);
  for (int i = 0; i < 10; ++i)
    append_one(*b.store, make_entry("t", "x", b.clock.wall + minute_ms), false);
  b.fill(1500, "u", false);
  auto at = b.store->cursor_at(lsn{700});
  b.pass(2 * hour_ms);
  for (int i = 0; i < 3; ++i)
    b.maintain();
  a.start();
  a.fill(1);
  b.pull_all(a);
  auto found = b.store->resolve(at, {});
  CAF_REQUIRE(static_cast<bool>(found));
  CAF_CHECK(!found->gap);
  CAF_CHECK_EQUAL(to_integer(found->after), 700u);
}

// -- starts
// ----------------------------------------------------------------------------------------

CAF_TEST(what a node has lost comes back from the others) {
  a.fill(2);
  b.pull_all(a);
  a.close();
  fs::copy(a.directory(), a.temporary.path() / "backup", fs::copy_options::recursive);
  a.start();
  a.fill(3);
  auto item = a.send({"ada"});
  a.act("ada", lsn{item}, item_state::read);
  b.pull_all(a);
  auto expected = b.mailbox_of("ada");
  a.close();
  fs::remove_all(a.directory());
  fs::rename(a.temporary.path() / "backup", a.directory());
  a.start();
  CAF_CHECK(a.heads() != b.heads());
  a.pull_all(b);
  CAF_CHECK(a.heads() == b.heads());
  CAF_CHECK(a.mailbox_of("ada") == expected);
  a.fill(2);
  b.pull_all(a);
  CAF_CHECK(a.heads() == b.heads());
  CAF_CHECK(bodies_of(a.records_of(a.id())) == bodies_of(b.records_of(a.id())));
  // What it would take over now comes too late.
  auto old = b.records_of(a.id());
  CAF_CHECK(!a.store->admit(a.id(), std::vector{old[2].body}));
}

CAF_TEST(records of a store of schema 2 travel without a chain) {
  auto old = fs::path{TIDINGS_SOURCE_DIR} / "tests/fixtures/store-v2";
  a.close();
  fs::remove_all(a.directory());
  fs::copy(old, a.directory(), fs::copy_options::recursive);
  a.clock.advance(3 * minute_ms);
  a.start();
  auto records = a.records_of(a.id());
  CAF_REQUIRE_EQUAL(records.size(), 14u);
  a.fill(2, "t");
  b.fill(1);
  b.pull_all(a, 100);
  c.pull_all(b); // and on from there
  a.pull_all(b);
  for (auto on : {&b, &c}) {
    on->clock.wall = a.clock.wall.load();
    CAF_CHECK(on->head_of(a.id()) == a.head_of(a.id()));
    auto here = a.read({});
    auto there = on->read({});
    CAF_CHECK_EQUAL(there.missing.size(), here.missing.size());
    std::vector<std::string> data[2];
    for (auto& x : here.records)
      if (x.node == a.id())
        data[0].push_back(x.data);
    for (auto& x : there.records)
      if (x.node == a.id())
        data[1].push_back(x.data);
    CAF_CHECK(data[0] == data[1]);
    for (auto user : {"bob", "ada"})
      CAF_CHECK_EQUAL(on->list(user).empty(), false);
  }
  auto unchained = 0;
  for (auto& x : b.records_of(a.id()))
    unchained += x.chain == 0 ? 1 : 0;
  CAF_CHECK_GREATER_OR_EQUAL(unchained, 12);
  b.start();
  c.start();
  CAF_CHECK(c.head_of(a.id()) == a.head_of(a.id()));
  CAF_CHECK(bodies_of(b.records_of(a.id())) == bodies_of(c.records_of(a.id())));
}

CAF_TEST(a salvaged log knows how far every node was) {
  a.fill(3);
  b.fill(2);
  a.pull_all(b);
  a.fill(2);
  c.fill(1);
  a.pull_all(c);
  auto heads = a.heads();
  a.close();
  fs::remove(a.directory() / "tidings.watermark");
  spill(a.directory() / "tidings.watermark", "damaged");
  a.settings.recovery = recovery_mode::salvage;
  a.start();
  for (auto node : {b.id(), c.id()})
    CAF_CHECK(a.heads()[node] == heads[node]);
  b.pull_all(a);
  CAF_CHECK_EQUAL(b.read({}).missing.size(), 1u); // told of the loss, too
  CAF_CHECK(b.heads() == a.heads());
}

// -- keys
// ------------------------------------------------------------------------------------------

CAF_TEST(a key that was used elsewhere is known here) {
  auto x = make_entry("t", "1");
  x.key = std::string{"app:k"};
  x.fingerprint = 7;
  auto stored = append_one(*a.store, x);
  b.fill(3);
  b.pull_all(a);
  for (auto on : {&a, &b}) {
    auto found = on->store->find_key("app:k", on->clock.wall);
    CAF_REQUIRE(found && *found);
    CAF_CHECK_EQUAL((*found)->node, a.id());
    CAF_CHECK((*found)->origin == stored.origin);
    CAF_CHECK_EQUAL((*found)->fingerprint, 7u);
    CAF_CHECK_EQUAL((*found)->time_ms, stored.time_ms);
    CAF_CHECK(on->store->find({a.id(), stored.origin}) == (*found)->position);
  }
  // Used on both sides: each goes on with its own answer.
  auto y = make_entry("t", "2");
  y.key = std::string{"app:both"};
  append_one(*a.store, y);
  append_one(*b.store, y);
  exchange({&a, &b});
  for (auto on : {&a, &b}) {
    auto entry = *on->store->find_key("app:both", on->clock.wall);
    CAF_CHECK_EQUAL(entry->node, on->id());
  }
}

CAF_TEST(a key that has expired does not hide a new one) {
  for (auto x : {&a, &b})
    x->settings.idempotency_window = milliseconds{minute_ms};
  for (auto x : {&a, &b})
    x->start();
  auto x = make_entry("t", "1");
  x.key = std::string{"k"};
  append_one(*b.store, x);
  for (auto on : {&a, &b})
    on->pass(3 * minute_ms);
  append_one(*a.store, x);
  b.pull_all(a);
  auto found = b.store->find_key("k", b.clock.wall);
  CAF_REQUIRE(found && *found);
  CAF_CHECK_EQUAL((*found)->node, a.id());
}

// -- mailboxes
// -------------------------------------------------------------------------------------

CAF_TEST(what a user did is told wherever the item is) {
  auto item = lsn{a.send({"ada", "bob"})};
  auto all = lsn{a.send_to_everyone()};
  b.pull_all(a);
  auto on_b = [&](lsn x) { return *b.store->find(*a.store->id_at(x)); };
  b.act("ada", on_b(item), item_state::read);
  b.act("bob", on_b(item), item_state::dismissed);
  b.act("bob", on_b(all), item_state::seen);
  a.pull_all(b);
  for (auto user : {"ada", "bob", "eve"})
    CAF_CHECK(a.mailbox_of(user) == b.mailbox_of(user));
  CAF_CHECK_EQUAL(a.show("ada"), "1+read 2");
  CAF_CHECK_EQUAL(a.show("bob"), "2+seen");
  CAF_CHECK_EQUAL(a.show("eve"), "2");
  // Lower after higher, and the same again: nothing changes.
  c.pull_all(a);
  c.pull_all(b);
  auto late = make_change("ada", {});
  tell(late, "ada", *a.store->id_at(item), item_state::seen, c.clock.wall);
  append_one(*c.store, late);
  auto dead = make_change("bob", {});
  tell(dead, "bob", *a.store->id_at(item), item_state::archived, c.clock.wall);
  append_one(*c.store, dead);
  a.pull_all(c);
  CAF_CHECK_EQUAL(a.show("ada"), "1+read 2");
  CAF_CHECK_EQUAL(a.show("bob"), "2+seen");
  // Dismissed from everyone's.
  c.act("eve", *c.store->find(*a.store->id_at(all)), item_state::dismissed);
  a.pull_all(c);
  CAF_CHECK_EQUAL(a.show("eve"), "");
  CAF_CHECK_EQUAL(a.show("bob"), "2+seen");
}

CAF_TEST(what a user did may come before the item) {
  auto item = lsn{a.send({"ada"})};
  auto dropped = lsn{a.send({"ada"})};
  auto all = lsn{a.send_to_everyone()};
  b.pull_all(a);
  for (auto to : {item_state::seen, item_state::archived})
    b.act("ada", *b.store->find(*a.store->id_at(item)), to);
  b.act("ada", *b.store->find(*a.store->id_at(dropped)), item_state::dismissed);
  b.act("ada", *b.store->find(*a.store->id_at(all)), item_state::read);
  for (auto with_start : {false, true}) {
    member d;
    while (d.pull(b, b.id(), 1)) {
      // one commit for each
    }
    CAF_CHECK_EQUAL(d.show("ada"), "");
    if (with_start)
      d.start();
    d.pull_all(a);
    CAF_CHECK(d.mailbox_of("ada") == b.mailbox_of("ada"));
    CAF_CHECK_EQUAL(d.show("ada"), "5+archived 7+read");
    CAF_CHECK_EQUAL(d.show("eve"), "7");
    d.start(); // nothing is applied twice
    CAF_CHECK(d.mailbox_of("ada") == b.mailbox_of("ada"));
  }
}

CAF_TEST(what a user did may come in the batch of the item) {
  auto item = lsn{a.send({"ada"})};
  auto all = lsn{a.send_to_everyone()};
  b.pull_all(a);
  b.act("ada", *b.store->find(*a.store->id_at(item)), item_state::archived);
  b.act("bob", *b.store->find(*a.store->id_at(all)), item_state::dismissed);
  // Lower after higher, by a third.
  c.pull_all(a);
  c.act("ada", *c.store->find(*a.store->id_at(item)), item_state::seen);
  std::vector<const member*> order{&a, &b, &c};
  std::sort(order.begin(), order.end());
  do {
    member d;
    std::vector<log_entry> batch;
    for (auto from : order)
      for (auto& x : d.admit(from->id(), from->records_of(from->id())))
        batch.push_back(std::move(x));
    d.append(std::move(batch));
    for (auto user : {"ada", "bob"})
      CAF_CHECK(d.mailbox_of(user) == b.mailbox_of(user));
    d.start();
    CAF_CHECK(d.mailbox_of("ada") == b.mailbox_of("ada"));
  } while (std::next_permutation(order.begin(), order.end()));
}

CAF_TEST(items whose user let go of them meanwhile stay gone) {
  auto item = lsn{a.send({"ada"})};
  b.pull_all(a);
  auto there = *b.store->find(*a.store->id_at(item));
  // Both decide at the same time.
  auto known = b.list("ada")[0];
  a.act("ada", item, item_state::dismissed);
  b.pull_all(a);
  known.state = item_state::read;
  auto late = make_change("ada", {known});
  tell(late, "ada", *a.store->id_at(item), item_state::read, b.clock.wall);
  append_one(*b.store, late);
  CAF_CHECK_EQUAL(to_integer(there), 1u);
  CAF_CHECK_EQUAL(b.show("ada"), "");
  a.pull_all(b);
  CAF_CHECK_EQUAL(a.show("ada"), "");
}

CAF_TEST(mailboxes are the same whatever came first) {
  auto start = first_seed();
  for (uint64_t seed = start; seed < start + 4; ++seed) {
    CAF_MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    std::map<std::pair<std::string, std::string>, item_state> expected; // by user and item
    std::map<std::string, std::set<std::string>> users_of;              // by item
    const std::vector<std::string> users{"u0", "u1", "u2"};
    member x;
    member y;
    member z;
    std::vector<member*> all{&x, &y, &z};
    auto step = [&] {
      auto& on = *all[random() % 3];
      switch (random() % 6) {
        case 0: {
          auto to = random() % 4;
          auto place = to == 3 ? on.send_to_everyone() : on.send({users[to]});
          auto name = on.store->id_at(lsn{place})->to_string(true);
          for (size_t i = 0; i < users.size(); ++i)
            if (to == 3 || i == to) {
              users_of[name].insert(users[i]);
              expected[{users[i], name}] = item_state::unread;
            }
          break;
        }
        case 1:
        case 2: {
          auto& user = users[random() % users.size()];
          auto listed = on.list(user);
          if (listed.empty())
            break;
          auto& item = listed[random() % listed.size()];
          auto to = static_cast<item_state>(random() % item_state_count);
          on.act(user, item.item, to);
          auto& state = expected[{user, on.store->id_at(item.item)->to_string(true)}];
          state = std::max(state, to);
          break;
        }
        case 3:
          if (random() % 5 == 0)
            on.start();
          break;
        default: { // of two nodes in one batch, in pieces
          std::vector<log_entry> batch;
          for (auto from : all)
            if (from != &on && random() % 3)
              for (auto& entry : on.admit(
                     from->id(),
                     from->chunk(from->id(), on.head_of(from->id()).at, random() % 2000).records))
                batch.push_back(std::move(entry));
          on.append(std::move(batch));
        }
      }
    };
    for (int i = 0; i < 250; ++i)
      step();
    exchange(all);
    for (auto on : all) {
      if (random() % 2)
        on->start();
      for (auto& user : users) {
        std::map<std::string, std::string> mine;
        for (auto& [key, state] : expected)
          if (key.first == user && state != item_state::dismissed)
            mine[key.second] = to_string(state);
        CAF_CHECK(on->mailbox_of(user) == mine);
      }
    }
  }
}

CAF_TEST_FIXTURE_SCOPE_END
()
