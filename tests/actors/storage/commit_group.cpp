#define CAF_SUITE commit_group

#include "actors/storage/commit_group.hpp"

#include "support/fake_store.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;

namespace {

struct fixture {
  fake_store store;
  commit_group group{
    store, {.events_max = 4, .bytes_max = 1000, .idempotency_window = milliseconds{1000}}};

  static publish_item item(std::string topic, std::string data, std::string key = {},
                           uint64_t fingerprint = 1) {
    publish_item x;
    x.what.content.topics = {topic};
    x.what.content.data = std::move(data);
    x.what.key = std::move(key);
    x.what.fingerprint = fingerprint;
    x.topic = std::move(topic);
    x.level = durability::fsync;
    x.ephemeral = false;
    return x;
  }

  static publish_ptr request(std::vector<publish_item> items, bool atomic = false) {
    auto x = std::make_shared<publish_request>();
    x->items = std::move(items);
    x->atomic = atomic;
    return x;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(commit_group_tests, fixture)

CAF_TEST(requests are committed together in order and each is told its own outcome) {
  auto a = request({item("a", "1")});
  auto b = request({item("b", "2"), item("b", "3")});
  group.add(a, 0);
  group.add(b, 0);
  auto outcome = group.commit();
  CAF_CHECK_EQUAL(store.appends, 1u);
  CAF_CHECK(store.last_append_synced);
  CAF_CHECK(outcome.synced);
  CAF_REQUIRE(outcome.batch != nullptr);
  CAF_CHECK_EQUAL(outcome.batch->records().size(), 3u);
  CAF_CHECK_EQUAL(outcome.batch->records()[1].content.data, "2");
  CAF_CHECK_EQUAL(to_integer(a->items[0].outcome.position), 1u);
  CAF_CHECK_EQUAL(to_integer(b->items[1].outcome.position), 3u);
  CAF_CHECK(b->items[1].outcome.level == durability::fsync);
  CAF_CHECK(group.empty());
}

CAF_TEST(a group that nobody wants synced is only written and says so) {
  auto x = item("a", "1");
  x.level = durability::written;
  auto a = request({x});
  group.add(a, 0);
  CAF_CHECK(!group.commit().synced);
  CAF_CHECK(!store.last_append_synced);
  CAF_CHECK(a->items[0].outcome.level == durability::written);
}

CAF_TEST(a repeat within the group and after it gets the first result and stores nothing) {
  auto a = request({item("a", "1", "k")});
  auto b = request({item("a", "1", "k")});
  group.add(a, 0);
  group.add(b, 0);
  group.commit();
  auto c = request({item("a", "1", "k")});
  group.add(c, 0);
  group.commit();
  CAF_CHECK_EQUAL(store.records.size(), 1u);
  for (auto& x : {b, c}) {
    CAF_CHECK(x->items[0].outcome.duplicate);
    CAF_CHECK(x->items[0].outcome.origin == a->items[0].outcome.origin);
    CAF_CHECK_EQUAL(x->items[0].outcome.time_ms, a->items[0].outcome.time_ms);
    CAF_CHECK(x->items[0].outcome.level == durability::fsync);
  }
}

CAF_TEST(a key that stands for something else is a conflict) {
  group.add(request({item("a", "1", "k", 1)}), 0);
  auto b = request({item("a", "other", "k", 2)});
  group.add(b, 0);
  group.commit();
  auto c = request({item("a", "other", "k", 2)});
  group.add(c, 0);
  group.commit();
  for (auto& x : {b, c}) {
    CAF_REQUIRE(x->items[0].outcome.refused);
    CAF_CHECK(x->items[0].outcome.refused->code == errc::idempotency_conflict);
  }
  CAF_CHECK_EQUAL(store.records.size(), 1u);
}

CAF_TEST(an atomic request with one conflict stores nothing) {
  group.add(request({item("a", "1", "k", 1)}), 0);
  auto b = request({item("b", "2"), item("a", "other", "k", 2), item("b", "3")}, true);
  group.add(b, 0);
  group.commit();
  CAF_CHECK_EQUAL(store.records.size(), 1u);
  CAF_CHECK(b->items[1].outcome.refused);
}

CAF_TEST(an atomic request that contradicts itself stores nothing) {
  auto x = request({item("a", "1", "k", 1), item("a", "other", "k", 2)}, true);
  group.add(x, 0);
  group.commit();
  CAF_CHECK(store.records.empty());
  CAF_REQUIRE(x->items[1].outcome.refused);
  CAF_CHECK(x->items[1].outcome.refused->code == errc::idempotency_conflict);
  auto same = request({item("a", "1", "k", 1), item("a", "1", "k", 1)}, true);
  group.add(same, 0);
  group.commit();
  CAF_CHECK_EQUAL(store.records.size(), 1u);
  CAF_CHECK(same->items[1].outcome.duplicate);
}

CAF_TEST(a repeat gets the level that it asks for) {
  auto written = item("a", "1", "k");
  written.level = durability::written;
  auto first = request({written});
  auto repeat = request({item("a", "1", "k")});
  group.add(first, 0);
  group.add(repeat, 0);
  group.commit();
  CAF_CHECK(store.last_append_synced);
  CAF_CHECK(repeat->items[0].outcome.level == durability::fsync);
}

CAF_TEST(a repeat is synced beside events that are not stored) {
  auto written = item("a", "1", "k");
  written.level = durability::written;
  group.add(request({written}), 0);
  group.commit();
  auto live = item("live", "1");
  live.ephemeral = true;
  auto repeat = request({item("a", "1", "k")});
  group.add(request({live}), 0);
  group.add(repeat, 0);
  group.commit();
  CAF_CHECK_EQUAL(store.syncs, 1u);
  CAF_CHECK(repeat->items[0].outcome.level == durability::fsync);
  // What cannot be synced is not promised.
  store.fail_sync = failure{errc::storage_unavailable, "io error"};
  auto again = request({item("a", "1", "k")});
  auto other = request({live});
  group.add(again, 0);
  group.add(other, 0);
  CAF_CHECK(group.commit().broken);
  CAF_REQUIRE(again->items[0].outcome.refused);
  CAF_CHECK(again->items[0].outcome.refused->code == errc::indeterminate);
  CAF_CHECK(other->items[0].outcome.refused);
}

CAF_TEST(a full disk refuses what is stored and lets ephemeral events pass) {
  store.full = failure{errc::storage_full, "full"};
  auto kept = request({item("a", "1")});
  auto passing = item("b", "2");
  passing.ephemeral = true;
  auto ephemeral = request({passing});
  group.add(kept, 0);
  group.add(ephemeral, 0);
  auto outcome = group.commit();
  CAF_CHECK(!outcome.broken);
  CAF_REQUIRE(kept->items[0].outcome.refused);
  CAF_CHECK(kept->items[0].outcome.refused->code == errc::storage_full);
  CAF_CHECK(!ephemeral->items[0].outcome.refused);
  CAF_CHECK(ephemeral->items[0].outcome.level == durability::none);
  CAF_REQUIRE(outcome.batch != nullptr);
  CAF_CHECK_EQUAL(outcome.batch->records().size(), 1u);
  CAF_CHECK(outcome.batch->records()[0].content.ephemeral);
}

CAF_TEST(a disk below the reserve takes what users do with items until it is below half of it) {
  store.full = failure{errc::storage_full, "full"};
  auto event = request({item("a", "1")});
  auto dismissal = item("$mailbox:ada", "2");
  dismissal.changes.push_back({"ada", {}});
  auto kept = request({dismissal});
  auto revocation = request({item("$revocations", "3")});
  for (auto& x : {event, kept, revocation})
    group.add(x, 0);
  auto outcome = group.commit();
  CAF_CHECK(!outcome.broken);
  CAF_CHECK(event->items[0].outcome.refused);
  CAF_CHECK(!kept->items[0].outcome.refused);
  CAF_CHECK(!revocation->items[0].outcome.refused);
  CAF_REQUIRE(outcome.batch != nullptr);
  CAF_CHECK_EQUAL(outcome.batch->records().size(), 2u);
  store.full_for_upkeep = store.full;
  auto late = request({dismissal});
  group.add(late, 0);
  group.commit();
  CAF_CHECK(late->items[0].outcome.refused);
}

CAF_TEST(a failed write answers everybody and delivers nothing) {
  store.fail_append = failure{errc::storage_unavailable, "io error"};
  auto a = request({item("a", "1")});
  group.add(a, 0);
  auto outcome = group.commit();
  CAF_CHECK(outcome.broken);
  CAF_CHECK(outcome.batch == nullptr);
  CAF_REQUIRE(a->items[0].outcome.refused);
  CAF_CHECK(a->items[0].outcome.refused->code == errc::indeterminate); // it may be on the disk
  CAF_CHECK_EQUAL(outcome.answered.size(), 1u);
}

CAF_TEST(a repeat is not promised to be synced when the sync failed) {
  auto first = item("a", "1", "k", 1);
  first.level = durability::written;
  group.add(request({first}), 0);
  group.commit();
  auto again = [&](durability level) {
    auto x = item("a", "1", "k", 1);
    x.level = level;
    auto y = request({x});
    group.add(y, 0);
    return y;
  };
  store.fail_sync = failure{errc::storage_unavailable, "io error"};
  auto modest = again(durability::written);
  auto strict = again(durability::fsync);
  auto outcome = group.commit();
  CAF_CHECK(outcome.broken);
  CAF_CHECK(!modest->items[0].outcome.refused);
  CAF_CHECK(modest->items[0].outcome.level == durability::written);
  CAF_REQUIRE(strict->items[0].outcome.refused);
  CAF_CHECK(strict->items[0].outcome.refused->code == errc::indeterminate);
  // The same with new events in the group.
  store.fail_append = store.fail_sync;
  group.add(request({item("b", "2")}), 0);
  auto beside = again(durability::fsync);
  group.commit();
  CAF_CHECK(beside->items[0].outcome.refused);
}

CAF_TEST(a disk that fills up between two looks refuses and still syncs what was promised) {
  auto first = item("a", "1", "k");
  first.level = durability::written;
  group.add(request({first}), 0);
  group.commit();
  store.fail_append = failure{errc::storage_full, "full"};
  auto fresh = request({item("a", "2")});
  auto repeat = request({item("a", "1", "k")});
  group.add(fresh, 0);
  group.add(repeat, 0);
  CAF_CHECK_EQUAL(store.syncs, 0u);
  auto outcome = group.commit();
  CAF_CHECK(!outcome.broken);
  CAF_CHECK(outcome.synced);
  CAF_CHECK_EQUAL(store.syncs, 1u);
  CAF_REQUIRE(fresh->items[0].outcome.refused);
  CAF_CHECK(fresh->items[0].outcome.refused->code == errc::storage_full);
  CAF_CHECK(repeat->items[0].outcome.level == durability::fsync);
}

CAF_TEST(what the cluster does not allow is refused) {
  cluster_gate gate;
  commit_group member{
    store, {.events_max = 4, .bytes_max = 1000, .idempotency_window = milliseconds{1000}}, &gate};
  auto code_of = [&](durability level, bool ephemeral) {
    auto x = item("a", "1");
    x.level = level;
    x.ephemeral = x.what.content.ephemeral = ephemeral;
    auto asked = request({std::move(x)});
    member.add(asked, 0);
    member.commit();
    auto& refused = asked->items[0].outcome.refused;
    return refused ? std::string{to_string(refused->code)} : "taken";
  };
  CAF_CHECK_EQUAL(code_of(durability::written, false), "starting");
  gate.joined = true;
  CAF_CHECK_EQUAL(code_of(durability::quorum, false), "quorum_unavailable");
  CAF_CHECK_EQUAL(code_of(durability::fsync, false), "taken");
  CAF_CHECK_EQUAL(code_of(durability::quorum, true), "taken"); // nothing is stored anyway
  gate.majority_linked = true;
  CAF_CHECK_EQUAL(code_of(durability::quorum, false), "taken");
}

CAF_TEST(a group is full by events or by bytes) {
  group.add(request({item("a", std::string(2000, 'x'))}), 0);
  CAF_CHECK(group.full());
  group.commit();
  for (int i = 0; i < 3; ++i)
    group.add(request({item("a", "x")}), 0);
  CAF_CHECK(!group.full());
  group.add(request({item("a", "x")}), 0);
  CAF_CHECK(group.full());
}

CAF_TEST_FIXTURE_SCOPE_END
()
