#define CAF_SUITE distributor_actor

#include "actors/distributor/distributor_actor.hpp"

#include "actors/shard/shard_actor.hpp"
#include "support/actor_config.hpp"
#include "support/still_clock.hpp"

#include <caf/all.hpp>
#include <caf/test/dsl.hpp>

using namespace tidings;

namespace {

storage_actor::behavior_type recording_storage(storage_actor::pointer,
                                               std::vector<publish_ptr>* received) {
  return {
    [received](const publish_ptr& x) { received->push_back(x); },
    [](caf::put_atom, const publish_ptr& x) { return x; },
    [](commit_atom) {},
    [](caf::tick_atom) {},
    [](caf::flush_atom) {},
    [](const replica_work_ptr&) {},
    [](const delivery_ptr&) {},
    [](settled_atom, const publish_ptr&) {},
    [](const commit_listener&) {},
    [](const config_ptr&) {},
    [](sync_atom) { return true; },
  };
}

shard_actor::behavior_type recording_shard(shard_actor::pointer,
                                           std::vector<publish_ptr>* answers) {
  return {
    [answers](const commit_notice& x) {
      answers->insert(answers->end(), x.answers.begin(), x.answers.end());
    },
    [](const shard_peers_ptr&) {},
    [](const connection_query&) { return connection_page{}; },
    [](caf::close_atom, uint64_t, end_reason) { return false; },
    [](drain_atom, bool) { return uint64_t{0}; },
    [](const caller_judge&) {},
    [](const config_ptr&) {},
  };
}

struct fixture : test_coordinator_fixture<config_with_types> {
  fixture() {
    cfg.topics.level = durability::written;
    cfg.topics.active_max = 3;
    cfg.topic.push_back({.pattern = *topic_pattern::parse("strict"), .level = durability::fsync});
    storage = sys.spawn(recording_storage, &stored);
    shard = sys.spawn(recording_shard, &answered);
    aut = spawn_distributor(sys, std::make_shared<config>(cfg), storage, {shard}, stats, clock);
    consume_messages();
  }

  ~fixture() {
    caf::anon_send_exit(aut, caf::exit_reason::kill);
    caf::anon_send_exit(storage, caf::exit_reason::kill);
    caf::anon_send_exit(shard, caf::exit_reason::kill);
    consume_messages();
  }

  publish_ptr publish(std::vector<std::vector<std::string>> topics, bool atomic = false,
                      std::optional<durability> level = std::nullopt) {
    auto x = std::make_shared<publish_request>();
    x->atomic = atomic;
    for (auto& names : topics) {
      auto& item = x->items.emplace_back();
      item.topic = names.front();
      item.what.content.topics = names;
      item.what.level = level;
    }
    caf::anon_send(aut, x);
    consume_messages();
    return x;
  }

  config cfg;
  still_clock clock;
  std::shared_ptr<statistics> stats = std::make_shared<statistics>();
  std::vector<publish_ptr> stored;
  std::vector<publish_ptr> answered;
  storage_actor storage;
  shard_actor shard;
  distributor_actor aut;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(distributor_actor_tests, fixture)

CAF_TEST(an event passes each of its topics and then reaches storage once) {
  auto x = publish({{"a", "strict", "b"}});
  CAF_REQUIRE_EQUAL(stored.size(), 1u);
  CAF_CHECK(stored[0] == x);
  CAF_CHECK(x->items[0].level == durability::fsync);
  CAF_CHECK_EQUAL(x->next_hop, 3u);
  CAF_CHECK_EQUAL(value(stats->topic_actors), 3u);
  CAF_CHECK(answered.empty());
}

CAF_TEST(topics that are used once do not stay in memory) {
  for (int i = 0; i < 1000; ++i)
    publish({{"once:" + std::to_string(i)}});
  CAF_CHECK_EQUAL(stored.size(), 1000u);
  CAF_CHECK(value(stats->topic_actors) <= 3u);
  clock.now += cfg.topics.idle_timeout.count() + 1;
  advance_time(std::chrono::seconds{1});
  consume_messages();
  CAF_CHECK_EQUAL(value(stats->topic_actors), 0u);
}

CAF_TEST(what a topic refuses is answered without reaching storage) {
  auto x = publish({{"strict"}}, false, durability::written);
  CAF_CHECK(stored.empty());
  CAF_REQUIRE_EQUAL(answered.size(), 1u);
  CAF_CHECK(answered[0] == x);
  CAF_REQUIRE(x->items[0].outcome.refused);
  CAF_CHECK(x->items[0].outcome.refused->code == errc::level_too_low);
}

CAF_TEST(one refused item stops an atomic request and only that item of another) {
  publish({{"a"}, {"strict"}}, true, durability::written);
  CAF_CHECK(stored.empty());
  CAF_CHECK_EQUAL(answered.size(), 1u);
  auto x = publish({{"a"}, {"strict"}}, false, durability::written);
  CAF_CHECK_EQUAL(stored.size(), 1u);
  CAF_CHECK(!x->items[0].outcome.refused);
  CAF_CHECK(x->items[1].outcome.refused);
}

CAF_TEST(the distributor knows how many streams listen) {
  auto who =
    std::make_shared<const subscription>(std::vector<topic_pattern>{*topic_pattern::parse("a")});
  caf::anon_send(aut, caf::subscribe_atom_v, subscription_ptr{who});
  caf::anon_send(aut, caf::subscribe_atom_v, subscription_ptr{who});
  auto x = publish({{"a"}});
  CAF_CHECK_EQUAL(x->items[0].subscribers, 2u);
  CAF_CHECK_EQUAL(value(stats->subscribed_topics), 1u);
  caf::anon_send(aut, caf::unsubscribe_atom_v, subscription_ptr{who});
  CAF_CHECK_EQUAL(publish({{"a"}})->items[0].subscribers, 1u);
}

CAF_TEST(topics that are there take over a new configuration) {
  publish({{"a"}});
  cfg.topics.level = durability::fsync;
  caf::anon_send(aut, config_ptr{std::make_shared<config>(cfg)});
  CAF_CHECK(publish({{"a"}})->items[0].level == durability::fsync);
}

CAF_TEST_FIXTURE_SCOPE_END
()
