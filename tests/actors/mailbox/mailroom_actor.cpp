#define CAF_SUITE mailroom_actor

#include "actors/mailbox/mailroom_actor.hpp"

#include "actors/storage/reader_actor.hpp"
#include "actors/storage/storage_actor.hpp"
#include "support/actor_config.hpp"
#include "support/fake_store.hpp"
#include "support/still_clock.hpp"

#include <caf/all.hpp>
#include <caf/test/dsl.hpp>
#include <nlohmann/json.hpp>

using namespace tidings;

namespace {

/// Reads and writes the store where the real ones have threads of their own.
reader_actor::behavior_type test_reader(reader_actor::pointer, fake_store* store,
                                        size_t* entries_max) {
  return {
    [](const replay_request&) { return replay_chunk_ptr{}; },
    [](const page_request&) { return page{}; },
    [](const topics_request&) { return topic_summaries{}; },
    [](const mailbox_query&) { return mailbox_page{}; },
    [=](const mailbox_lookup& x) {
      *entries_max = x.entries_max;
      auto listing = std::make_shared<mailbox_listing>();
      listing->entries = *store->mailbox(x.user, x.entries_max, store->now_ms);
      for (auto& id : x.ids)
        if (auto at = cursor::parse(id))
          if (auto found = at->find(store->node().short_form()))
            listing->named.push_back(lsn{found->sequence});
      std::sort(listing->named.begin(), listing->named.end());
      return listing;
    },
  };
}

storage_actor::behavior_type test_storage(storage_actor::pointer, fake_store* store,
                                          std::vector<publish_ptr>* received) {
  auto put = [=](const publish_ptr& x) {
    received->push_back(x);
    std::vector<log_entry> entries;
    for (auto& item : x->items) {
      auto& entry = entries.emplace_back();
      entry.content.content = item.what.content;
      entry.changes = item.changes;
    }
    if (auto why = store->append(entries, true))
      x->items.front().outcome.refused = why;
    return x;
  };
  return {
    [](const publish_ptr&) {},
    [put](caf::put_atom, const publish_ptr& x) { return put(x); },
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

struct fixture : test_coordinator_fixture<config_with_types> {
  fixture() {
    mailbox_environment env;
    env.store = store;
    env.readers = {sys.spawn(test_reader, store.get(), &entries_max)};
    env.storage = sys.spawn(test_storage, store.get(), &stored);
    env.stats = stats;
    env.now_ms = [this] { return store->now_ms; };
    cfg->mailbox.active_max = 3;
    mailroom = spawn_mailroom(sys, cfg, std::move(env), clock);
    consume_messages();
  }

  ~fixture() {
    caf::anon_send_exit(mailroom, caf::exit_reason::user_shutdown);
    consume_messages();
  }

  void send_item(const std::string& user) {
    std::vector<log_entry> entries(1);
    auto& event = entries[0].content.content;
    event.topics.push_back(user == "*" ? std::string{everyone_topic} : user_topic(user));
    event.mail = std::make_shared<const mail>(mail{"title", "message", priority::normal});
    CAF_REQUIRE(!store->append(entries, true));
  }

  std::string id_of(uint64_t position) {
    return store->cursor_at(lsn{position}).to_string();
  }

  using answer = std::optional<result<mailbox_outcome>>;

  std::shared_ptr<answer> order(std::string user, item_state to,
                                std::optional<std::vector<std::string>> ids = std::nullopt) {
    mailbox_order x;
    x.user = std::move(user);
    x.to = to;
    x.ids = std::move(ids);
    auto out = std::make_shared<answer>();
    auto client = sys.spawn([=, this, x = std::make_shared<const mailbox_order>(std::move(x))](
                              caf::event_based_actor* self) {
      self->request(mailroom, caf::infinite, mailbox_order_ptr{x})
        .then([out](mailbox_outcome& y) { out->emplace(std::move(y)); },
              [out](caf::error&) {
                out->emplace(failure{errc::internal_error, "refused"});
              });
    });
    return out;
  }

  still_clock clock;
  std::shared_ptr<fake_store> store = std::make_shared<fake_store>();
  std::shared_ptr<statistics> stats = std::make_shared<statistics>();
  std::shared_ptr<config> cfg = std::make_shared<config>();
  std::vector<publish_ptr> stored;
  size_t entries_max = 0; // that the mailboxes asked for last
  mailroom_actor mailroom;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(mailroom_tests, fixture)

CAF_TEST(a change is stored with the event that tells of it) {
  send_item("ada");
  send_item("ada");
  auto answer = order("ada", item_state::read, std::vector<std::string>{id_of(2)});
  consume_messages();
  CAF_REQUIRE(*answer && **answer);
  auto& outcome = ***answer;
  CAF_CHECK_EQUAL(outcome.changed, std::vector<std::string>{id_of(2)});
  CAF_CHECK_EQUAL(outcome.counts.of(item_state::unread), 1u);
  CAF_CHECK_EQUAL(outcome.counts.of(item_state::read), 1u);
  CAF_REQUIRE_EQUAL(stored.size(), 1u);
  auto& event = stored[0]->items[0].what.content;
  CAF_CHECK_EQUAL(event.topics, std::vector<std::string>{mailbox_topic("ada")});
  CAF_CHECK_EQUAL(event.type, std::string{mailbox_event});
  auto told = nlohmann::json::parse(event.data);
  CAF_CHECK_EQUAL(told["state"], "read");
  CAF_CHECK_EQUAL(told["items"][0]["id"], id_of(2));
  CAF_CHECK_EQUAL(told["items"][0]["was"], "unread");
}

CAF_TEST(new settings reach the mailboxes in use) {
  auto ask = [&] {
    order("ada", item_state::read);
    consume_messages();
    return entries_max;
  };
  CAF_CHECK_EQUAL(ask(), cfg->mailbox.items_max);
  auto fresh = std::make_shared<config>(*cfg);
  fresh->mailbox.items_max = 7;
  caf::anon_send(mailroom, config_ptr{fresh});
  consume_messages();
  CAF_CHECK_EQUAL(ask(), 7u);
}

CAF_TEST(two orders at once see each other) {
  send_item("ada");
  auto first = order("ada", item_state::seen);
  auto second = order("ada", item_state::read);
  auto third = order("ada", item_state::read);
  consume_messages();
  CAF_REQUIRE(*first && *second && *third);
  CAF_CHECK_EQUAL((**third)->changed.size(), 0u);
  CAF_REQUIRE_EQUAL(stored.size(), 2u);
  std::vector<std::string> was;
  for (auto& x : stored)
    was.push_back(nlohmann::json::parse(x->items[0].what.content.data)["items"][0]["was"]);
  CAF_CHECK_EQUAL(was, (std::vector<std::string>{"unread", "seen"}));
}

CAF_TEST(nothing to change stores nothing) {
  auto answer = order("nobody", item_state::dismissed);
  consume_messages();
  CAF_REQUIRE(*answer && **answer);
  CAF_CHECK((**answer)->changed.empty());
  CAF_CHECK(stored.empty());
}

CAF_TEST(what goes to everyone is dismissed by each alone) {
  send_item("*");
  auto answer = order("ada", item_state::dismissed);
  consume_messages();
  CAF_REQUIRE(*answer && **answer);
  CAF_CHECK_EQUAL((**answer)->changed.size(), 1u);
  CAF_CHECK_EQUAL(store->mailbox("ada", 10, store->now_ms)->size(), 0u);
  CAF_CHECK_EQUAL(store->mailbox("eve", 10, store->now_ms)->size(), 1u);
}

CAF_TEST(a store that refuses is told and the next order goes on) {
  send_item("ada");
  store->fail_append = failure{errc::storage_full, "full"};
  auto refused = order("ada", item_state::read);
  consume_messages();
  CAF_REQUIRE(*refused);
  CAF_CHECK(!**refused);
  store->fail_append = std::nullopt;
  auto answer = order("ada", item_state::read);
  consume_messages();
  CAF_REQUIRE(*answer && **answer);
  CAF_CHECK_EQUAL((**answer)->changed.size(), 1u);
}

CAF_TEST(a long change is several events of one atomic request) {
  for (int i = 0; i < 1'001; ++i)
    send_item("ada");
  auto answer = order("ada", item_state::dismissed);
  consume_messages();
  CAF_REQUIRE(*answer && **answer);
  CAF_CHECK_EQUAL((**answer)->changed.size(), 1'001u);
  CAF_REQUIRE_EQUAL(stored.size(), 1u);
  CAF_CHECK(stored[0]->atomic);
  CAF_CHECK_EQUAL(stored[0]->items.size(), 2u);
}

CAF_TEST(idle mailboxes leave and come back) {
  for (int i = 0; i < 10; ++i) {
    send_item("u" + std::to_string(i));
    order("u" + std::to_string(i), item_state::seen);
  }
  consume_messages();
  CAF_CHECK_EQUAL(value(stats->mailbox_actors), 10u);
  clock.now += 10;
  caf::anon_send(mailroom, caf::tick_atom_v);
  consume_messages();
  CAF_CHECK_EQUAL(value(stats->mailbox_actors), 3u); // no more than mailbox.active-max
  clock.now += cfg->mailbox.idle_timeout.count() + 1;
  caf::anon_send(mailroom, caf::tick_atom_v);
  consume_messages();
  CAF_CHECK_EQUAL(value(stats->mailbox_actors), 0u);
  auto answer = order("u3", item_state::read);
  consume_messages();
  CAF_REQUIRE(*answer && **answer);
  CAF_CHECK_EQUAL((**answer)->changed.size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END
()
