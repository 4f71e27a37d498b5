#define CAF_SUITE mailbox

#include "storage/due_collector.hpp"
#include "storage/mailbox_fixture.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>

using namespace tidings;
using namespace tidings::storage::testing;

namespace {

using positions = std::vector<uint64_t>;

/// What a read shows of records with mail.
struct mail_recorder : record_visitor {
  std::vector<std::string> titles;
  std::vector<std::string> messages;
  std::vector<priority> levels;

  bool on_record(const record_view& x) override {
    titles.emplace_back(x.mail ? x.mail->title : "none");
    messages.emplace_back(x.mail ? x.mail->message : "none");
    levels.push_back(x.mail ? x.mail->level : priority::low);
    return true;
  }

  void on_missing(const missing_record&) override {
    // nop
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(mailbox_tests, mailbox_fixture)

CAF_TEST(an item is in the mailboxes of its users and of nobody else) {
  CAF_REQUIRE(open());
  auto x = make_item({"orders", user_topic("ada"), user_topic("bob")}, "hi", clock.wall + hour_ms);
  x.content.content.mail = std::make_shared<mail>(mail{"hi", "there", priority::high});
  append_one(*store, x);
  append_one(*store, make_entry(user_topic("ada"), "an event is no item"));
  auto ada = list("ada");
  CAF_REQUIRE_EQUAL(ada.size(), 1u);
  mailbox_entry expected{
    lsn{1}, item_state::unread, priority::high, false, clock.wall, clock.wall + hour_ms, 0, "note"};
  CAF_CHECK(ada[0] == expected);
  CAF_CHECK(list("bob") == ada);
  CAF_CHECK(list("eve").empty());
  CAF_CHECK(list("orders").empty());
  CAF_CHECK_EQUAL(stored(), "ada/1 bob/1");
}

CAF_TEST(readers are shown title and message and priority) {
  CAF_REQUIRE(open());
  auto x = make_item({user_topic("ada")}, "hi");
  x.content.content.mail = std::make_shared<mail>(mail{"hi", "two\nlines", priority::critical});
  append_one(*store, x);
  append_one(*store, make_entry(user_topic("ada"), "plain"));
  for (int round = 0; round < 2; ++round) {
    mail_recorder seen;
    subscription all;
    read_request what;
    what.who = &all;
    CAF_REQUIRE(store->read(what, seen));
    const std::vector<lsn> both{lsn{1}, lsn{2}};
    CAF_REQUIRE(!store->read_records(both, clock.wall, seen));
    CAF_CHECK_EQUAL(seen.titles, (std::vector<std::string>{"hi", "none", "hi", "none"}));
    CAF_CHECK_EQUAL(seen.messages[0], "two\nlines");
    CAF_CHECK(seen.levels[2] == priority::critical);
    CAF_REQUIRE(reopen());
  }
}

CAF_TEST(what went to everyone is in every mailbox whenever the user is first seen) {
  CAF_REQUIRE(open());
  send({"ada"});
  send_to_everyone();
  send({"ada"});
  send_to_everyone();
  CAF_CHECK_EQUAL(show("ada"), "1 2 3 4");
  CAF_CHECK_EQUAL(show("new"), "2 4");
  CAF_CHECK(list("new")[0].shared);
  CAF_CHECK(!list("ada")[0].shared);
  // Being a user of it besides makes no second entry.
  send_to({std::string{everyone_topic}, user_topic("ada")});
  CAF_CHECK_EQUAL(show("ada"), "1 2 3 4 5");
  change("ada", 5, item_state::dismissed);
  CAF_CHECK_EQUAL(show("ada"), "1 2 3 4");
  CAF_CHECK_EQUAL(show("new"), "2 4 5");
}

CAF_TEST(the newest are found first and returned in order) {
  CAF_REQUIRE(open());
  for (int i = 0; i < 10; ++i) {
    send({"ada"});
    send({"bob"});
    send_to_everyone();
  }
  CAF_CHECK_EQUAL(show("ada", 5), "24 25 27 28 30");
  change("ada", 28, item_state::dismissed);
  change("ada", 27, item_state::dismissed);
  CAF_CHECK_EQUAL(show("ada", 5), "21 22 24 25 30");
  CAF_CHECK_EQUAL(show("ada", 0), "");
  CAF_CHECK_EQUAL(show("bob", 1), "30");
  CAF_CHECK_EQUAL(show("new", 3), "24 27 30");
}

CAF_TEST(a bound on items counts and takes nothing else) {
  CAF_REQUIRE(open());
  auto topic = user_topic("ada");
  auto add = [&](log_entry x) {
    x.retention = {{0, 0, 2}};
    return to_integer(append_one(*store, std::move(x)).position);
  };
  add(make_item({topic}, "1"));
  add(make_entry(topic, "2"));
  add(make_item({topic}, "3"));
  for (int i = 4; i < 10; ++i)
    add(make_entry(topic, std::to_string(i)));
  CAF_CHECK_EQUAL(show("ada"), "1 3");
  add(make_item({topic}, "10")); // the first goes, the event behind it stays
  CAF_CHECK_EQUAL(show("ada"), "3 10");
  auto shown = [&] { return read(subscription{{*topic_pattern::parse(topic)}}, 0, {}); };
  CAF_CHECK_EQUAL(shown().positions(), (positions{2, 3, 4, 5, 6, 7, 8, 9, 10}));
  change("ada", 10, item_state::dismissed); // 11: makes room
  add(make_item({topic}, "12"));
  CAF_CHECK_EQUAL(show("ada"), "3 12");
  for (int round = 0; round < 2; ++round) {
    CAF_REQUIRE(reopen());
    maintain();
    add(make_item({topic}, "13, 14"));
    CAF_CHECK_EQUAL(show("ada"), round == 0 ? "12 13" : "13 14");
    auto there = shown().positions();
    for (uint64_t at : {2, 4, 9})
      CAF_CHECK(std::count(there.begin(), there.end(), at) == 1);
    CAF_CHECK_EQUAL(std::count(there.begin(), there.end(), 3), 0);
  }
}

CAF_TEST(a dismissal in the same batch makes room) {
  CAF_REQUIRE(open());
  auto topic = user_topic("ada");
  auto item = [&] {
    auto x = make_item({topic}, "");
    x.retention = {{0, 0, 2}};
    return x;
  };
  append_one(*store, item());
  append_one(*store, item());
  CAF_REQUIRE(reopen()); // nothing of it is in memory
  auto dismissed = list("ada").back();
  dismissed.state = item_state::dismissed;
  std::vector<log_entry> batch{make_change("ada", {dismissed}), item()};
  CAF_REQUIRE(!store->append(batch, false));
  CAF_CHECK_EQUAL(show("ada"), "1 4");
  append_one(*store, item());
  CAF_CHECK_EQUAL(show("ada"), "4 5");
}

CAF_TEST(other events stay when a topic of items gets a bound of another kind) {
  CAF_REQUIRE(open());
  auto ada = user_topic("ada");
  auto bob = user_topic("bob");
  auto add = [&](log_entry x, std::vector<topic_retention> bounds) {
    x.retention = std::move(bounds);
    append_one(*store, std::move(x));
  };
  add(make_entry(bob, "1"), {{0, 0, 1}});
  add(make_item({ada, bob}, "2"), {{0, 0, 1}, {0, 0, 1}});
  add(make_item({bob}, "3"), {{0, 0, 1}}); // bob lets go of 2
  add(make_entry(bob, "4"), {{1000, 0}});
  add(make_item({ada}, "5"), {{0, 0, 1}}); // ada too
  auto of_bob = read(subscription{{*topic_pattern::parse(bob)}}, 0, {});
  CAF_CHECK_EQUAL(of_bob.positions(), (positions{1, 3, 4}));
}

CAF_TEST(a bound that goes and comes within a batch takes nothing from others) {
  CAF_REQUIRE(open());
  std::vector<std::string> topics{"news", std::string{everyone_topic}};
  append_one(*store, make_item(topics, ""));
  for (int i = 0; i < 200; ++i)
    append_one(*store, make_entry("news", std::to_string(i)), false);
  std::vector<log_entry> batch(3, make_entry("news", "x"));
  batch[0].retention = batch[2].retention = {{5, 0}};
  CAF_REQUIRE(!store->append(batch, true));
  CAF_CHECK_EQUAL(show("ada"), "1");
}

CAF_TEST(items that are evicted in order leave no marks in the index) {
  CAF_REQUIRE(open());
  auto topic = user_topic("ada");
  for (int i = 0; i < 200; ++i) {
    auto x =
      i % 50 == 7 ? make_entry(topic, "event", clock.wall + minute_ms) : make_item({topic}, "");
    x.retention = {{0, 0, 5}};
    append_one(*store, std::move(x));
  }
  pass(hour_ms);
  maintain();
  for (int i = 0; i < 20; ++i) { // each clears some
    auto x = make_item({topic}, "");
    x.retention = {{0, 0, 5}};
    append_one(*store, std::move(x));
  }
  maintain();
  CAF_CHECK_EQUAL(indexed(topic), 5u);
}

CAF_TEST(users whose names begin alike have mailboxes of their own) {
  CAF_REQUIRE(open());
  const std::vector<std::string> users{"a", "a:b", "ab", "a ", "a.", "A", "\xc3\xa4"};
  for (auto& x : users)
    send({x});
  for (size_t i = 0; i < users.size(); ++i)
    CAF_CHECK_EQUAL(show(users[i]), std::to_string(i + 1));
}

CAF_TEST(a change of state is there after a restart and after a kill) {
  CAF_REQUIRE(open());
  for (int i = 0; i < 3; ++i)
    send({"ada", "bob"});
  send_to_everyone();
  change("ada", 1, item_state::seen);
  change("ada", 2, item_state::dismissed);
  change("ada", 3, item_state::archived);
  change("ada", 4, item_state::read);
  CAF_CHECK(list("ada")[0].changed_ms == clock.wall);
  for (int round = 0; round < 3; ++round) {
    CAF_CHECK_EQUAL(show("ada"), "1+seen 3+archived 4+read");
    CAF_CHECK_EQUAL(show("bob"), "1 2 3 4");
    if (round == 0)
      crash();
    CAF_REQUIRE(reopen());
    maintain();
  }
  CAF_CHECK_EQUAL(stored(), "/4 ada/1 ada/3 ada/4 bob/1 bob/2 bob/3");
}

CAF_TEST(one event can change many) {
  CAF_REQUIRE(open());
  for (int i = 0; i < 3; ++i)
    send({"ada"});
  auto entries = list("ada");
  for (auto& x : entries) {
    x.state = item_state::read;
    x.changed_ms = clock.wall;
  }
  entries[1].state = item_state::dismissed;
  append_one(*store, make_change("ada", entries));
  CAF_CHECK_EQUAL(show("ada"), "1+read 3+read");
  // Also one that is not kept itself.
  entries = list("ada");
  entries[0].state = item_state::archived;
  auto unkept = make_change("ada", entries);
  unkept.content.content.ephemeral = true;
  append_one(*store, unkept);
  CAF_CHECK_EQUAL(show("ada"), "1+archived 3+read");
  CAF_CHECK_EQUAL(to_integer(store->last()), 4u);
}

CAF_TEST(an ephemeral item leaves nothing behind) {
  CAF_REQUIRE(open());
  auto x = make_item({user_topic("ada"), "t"}, "now");
  x.content.content.ephemeral = true;
  append_one(*store, x);
  CAF_CHECK_EQUAL(stored(), "");
}

CAF_TEST(what a user dismissed of everyone stays dismissed until it expires) {
  CAF_REQUIRE(open());
  auto expiry = clock.wall + hour_ms;
  send_to_everyone(expiry);
  send_to_everyone();
  send({"ada"}, expiry);
  for (uint64_t i = 1; i <= 3; ++i)
    change("ada", i, item_state::dismissed);
  maintain();
  CAF_CHECK_EQUAL(stored(), "/1 /2 ada/1 ada/2");
  CAF_CHECK_EQUAL(show("ada"), "");
  CAF_CHECK_EQUAL(show("bob"), "1 2");
  pass(hour_ms);
  CAF_CHECK_EQUAL(show("bob"), "2");
  maintain();
  CAF_CHECK_EQUAL(stored(), "/2 ada/2");
  CAF_CHECK_EQUAL(show("ada"), "");
}

CAF_TEST(expired items are hidden at once and then removed) {
  CAF_REQUIRE(open());
  send({"ada"}, clock.wall + minute_ms);
  send({"ada"}, clock.wall + hour_ms);
  send({"ada"});
  pass(minute_ms);
  CAF_CHECK_EQUAL(show("ada"), "2 3");
  CAF_CHECK_EQUAL(stored(), "ada/1 ada/2 ada/3");
  maintain();
  CAF_CHECK_EQUAL(stored(), "ada/2 ada/3");
}

CAF_TEST(table files of mailboxes say when they are due) {
  mailboxes.keep_read = milliseconds{hour_ms};
  CAF_REQUIRE(open());
  send({"ada"}, clock.wall + day_ms);
  send({"ada"});
  change("ada", 2, item_state::read);
  auto due = clock.wall + hour_ms;
  maintain();
  close();
  auto x = storage::open_store(settings, mailboxes, clock, storage::current_schema());
  CAF_REQUIRE(x);
  rocksdb::TablePropertiesCollection tables;
  CAF_REQUIRE(
    x->db->raw().GetPropertiesOfAllTables(x->db->at(storage::family::mailbox), &tables).ok());
  CAF_REQUIRE_EQUAL(tables.size(), 1u);
  CAF_CHECK_EQUAL(storage::read_due_times(*tables.begin()->second).first_ms, due);
}

CAF_TEST(a clock that jumps ahead removes nothing from mailboxes) {
  CAF_REQUIRE(open());
  send({"ada"}, clock.wall + hour_ms);
  send({"ada"});
  change("ada", 2, item_state::read);
  clock.wall += 60 * day_ms;
  maintain();
  CAF_CHECK_EQUAL(show("ada"), "");
  clock.wall -= 60 * day_ms;
  maintain();
  CAF_CHECK_EQUAL(show("ada"), "1 2+read");
}

CAF_TEST(what was read leaves after a while) {
  mailboxes.keep_read = milliseconds{hour_ms};
  CAF_REQUIRE(open());
  for (int i = 0; i < 4; ++i)
    send({"ada"}, clock.wall + day_ms);
  send_to_everyone(clock.wall + day_ms);
  change("ada", 1, item_state::read);
  change("ada", 2, item_state::archived);
  change("ada", 3, item_state::seen);
  change("ada", 5, item_state::read);
  pass(hour_ms - minute_ms);
  CAF_CHECK_EQUAL(show("ada"), "1+read 2+archived 3+seen 4 5+read");
  pass(minute_ms);
  CAF_CHECK_EQUAL(show("ada"), "2+archived 3+seen 4");
  CAF_CHECK_EQUAL(show("bob"), "5");
  maintain();
  // Without its entry an item of everyone would be unread again.
  CAF_CHECK_EQUAL(stored(), "/5 ada/2 ada/3 ada/4 ada/5");
  CAF_CHECK_EQUAL(show("ada"), "2+archived 3+seen 4");
  pass(day_ms);
  maintain();
  CAF_CHECK_EQUAL(stored(), "");
}

CAF_TEST(what was read may stay as long as the item) {
  mailboxes.keep_read = milliseconds{0};
  CAF_REQUIRE(open());
  send({"ada"}, clock.wall + 365 * day_ms);
  change("ada", 1, item_state::read);
  for (int i = 0; i < 10; ++i)
    pass(36 * day_ms);
  maintain();
  CAF_CHECK_EQUAL(show("ada"), "1+read");
}

// -- records by position
// ---------------------------------------------------------------------------

CAF_TEST(records are shown in the order that is asked for) {
  CAF_REQUIRE(open());
  for (int i = 1; i <= 100; ++i)
    append_one(*store, make_entry("t", std::to_string(i), i == 7 ? clock.wall + minute_ms : 0),
               false);
  CAF_CHECK_EQUAL(records({}).positions(), (positions{}));
  CAF_CHECK_EQUAL(records({5, 1, 100, 5}).positions(), (positions{5, 1, 100, 5}));
  CAF_CHECK_EQUAL(records({0, 101, UINT64_MAX, 7}).positions(), (positions{7}));
  positions all;
  for (uint64_t i = 100; i > 0; --i)
    all.push_back(i);
  auto seen = records(all);
  CAF_CHECK_EQUAL(seen.positions(), all);
  for (auto& x : seen.records)
    CAF_CHECK_EQUAL(x.data, std::to_string(x.position));
  pass(minute_ms);
  CAF_CHECK_EQUAL(records({6, 7, 8}).positions(), (positions{6, 8}));
  maintain(); // now it is a stub
  auto later = records({6, 7, 8});
  CAF_CHECK_EQUAL(later.positions(), (positions{6, 8}));
  CAF_CHECK(later.missing.empty());
}

CAF_TEST(a visitor can stop the reading of records) {
  CAF_REQUIRE(open());
  fill(100);
  std::vector<lsn> all;
  for (uint64_t i = 1; i <= 100; ++i)
    all.push_back(lsn{i});
  recorder to;
  to.stop_after = 40;
  CAF_CHECK(!store->read_records(all, clock.wall, to));
  CAF_CHECK_EQUAL(to.records.size(), 40u);
}

// -- replay without what is done
// ------------------------------------------------------------------

CAF_TEST(a stream passes over what its user has dismissed without a gap) {
  mailboxes.keep_read = milliseconds{hour_ms};
  CAF_REQUIRE(open());
  send({"ada", "bob"});                                    // 1: dismissed
  send({"ada"});                                           // 2
  send_to_everyone();                                      // 3: dismissed
  send_to_everyone();                                      // 4
  append_one(*store, make_entry(user_topic("ada"), "ev")); // 5: no item
  send({"ada"}, clock.wall + minute_ms);                   // 6: will have expired
  send({"ada"});                                           // 7: read for long
  send_to_everyone();                                      // 8: read for long
  change("ada", 1, item_state::dismissed);                 // 9
  change("ada", 3, item_state::dismissed);                 // 10
  change("ada", 7, item_state::read);                      // 11
  change("ada", 8, item_state::read);                      // 12
  change("ada", 2, item_state::read);                      // 13
  pass(minute_ms);
  auto check = [&](const positions& ada, const positions& bob) {
    for (auto reverse : {false, true}) {
      auto expected = ada;
      if (reverse)
        std::reverse(expected.begin(), expected.end());
      auto seen = replay("ada", 0, reverse);
      CAF_CHECK_EQUAL(seen.positions(), expected);
      CAF_CHECK_EQUAL(seen.missing_positions(), (positions{6}));
      CAF_CHECK_EQUAL(replay("bob").positions(), bob);
      CAF_CHECK(replay("bob").missing.empty());
    }
  };
  check({2, 4, 5, 7, 8, 9, 10, 11, 12, 13}, {1, 3, 4, 8});
  // The same through the index of topics.
  fill(1000, "noise", false);
  check({2, 4, 5, 7, 8, 9, 10, 11, 12, 13}, {1, 3, 4, 8});
  maintain();
  check({2, 4, 5, 7, 8, 9, 10, 11, 12, 13}, {1, 3, 4, 8});
  change("ada", 2, item_state::archived); // 1014
  pass(hour_ms);
  for (int round = 0; round < 2; ++round) { // whether or not compaction has been there
    check({2, 4, 5, 9, 10, 11, 12, 13, 1014}, {1, 3, 4, 8});
    maintain();
  }
  // Nobody's stream shows everything.
  CAF_CHECK_EQUAL(read(subscribe({"user:*", "everyone"})).positions(),
                  (positions{1, 2, 3, 4, 5, 7, 8}));
}

CAF_TEST(only items that went to the user are passed over) {
  CAF_REQUIRE(open());
  send({"bob"});
  send_to({"orders", user_topic("ada")});
  change("bob", 1, item_state::dismissed);
  auto seen =
    read(subscribe({"user:*", "orders"}), 0, [](read_request& x) { x.hide_dismissed_of = "ada"; });
  CAF_CHECK_EQUAL(seen.positions(), (positions{1, 2}));
  change("ada", 2, item_state::dismissed);
  seen =
    read(subscribe({"user:*", "orders"}), 0, [](read_request& x) { x.hide_dismissed_of = "ada"; });
  CAF_CHECK_EQUAL(seen.positions(), (positions{1}));
  CAF_CHECK(seen.missing.empty());
}

CAF_TEST(what retention took from the user is shown where another topic holds it) {
  CAF_REQUIRE(open());
  for (int i = 0; i < 2; ++i) {
    auto x = make_item({"orders", user_topic("ada")}, "x");
    x.retention = {{}, {1, 0}};
    append_one(*store, x);
  }
  CAF_CHECK_EQUAL(show("ada"), "2");
  auto seen = read(subscribe({"orders"}), 0, [](read_request& x) { x.hide_dismissed_of = "ada"; });
  CAF_CHECK_EQUAL(seen.positions(), (positions{1, 2}));
}

// -- retention
// -------------------------------------------------------------------------------------

CAF_TEST(what retention takes from a user leaves the mailbox) {
  CAF_REQUIRE(open());
  for (int i = 0; i < 5; ++i) {
    auto x = make_item({user_topic("ada"), user_topic("bob")}, "x");
    x.retention = {{2, 0}, {4, 0}};
    append_one(*store, x);
  }
  CAF_CHECK_EQUAL(show("ada"), "4 5");
  CAF_CHECK_EQUAL(show("bob"), "2 3 4 5");
  CAF_CHECK_EQUAL(stored(), "ada/4 ada/5 bob/2 bob/3 bob/4 bob/5");
  CAF_CHECK_EQUAL(records({1, 2}).positions(), (positions{2}));
  CAF_CHECK_EQUAL(replay("ada").positions(), (positions{4, 5}));
  CAF_CHECK_EQUAL(replay("ada").missing_positions(), (positions{1, 2, 3}));
}

CAF_TEST(what retention takes within the batch that brings it is in no mailbox) {
  CAF_REQUIRE(open());
  std::vector<log_entry> batch;
  for (int i = 0; i < 5; ++i) {
    batch.push_back(make_item({user_topic("ada")}, "x"));
    batch.back().retention = {{2, 0}};
  }
  CAF_REQUIRE(!store->append(batch, true));
  CAF_CHECK_EQUAL(stored(), "ada/4 ada/5");
}

CAF_TEST(what retention takes from everyone leaves all mailboxes) {
  CAF_REQUIRE(open());
  auto append = [&] {
    auto x = make_item({user_topic("ada"), std::string{everyone_topic}}, "x");
    x.retention = {{}, {2, 0}};
    append_one(*store, x);
  };
  append();
  change("ada", 1, item_state::read);      // 2
  change("bob", 1, item_state::dismissed); // 3
  append();
  append();
  CAF_CHECK_EQUAL(show("ada"), "4 5");
  CAF_CHECK_EQUAL(show("bob"), "4 5");
  CAF_CHECK_EQUAL(show("new"), "4 5");
}

CAF_TEST(what retention takes from a user does not undo what was done with an item of everyone) {
  CAF_REQUIRE(open());
  auto append = [&] {
    auto x = make_item({user_topic("ada"), std::string{everyone_topic}}, "x");
    x.retention = {{1, 0}, {}};
    append_one(*store, x);
  };
  append();
  change("ada", 1, item_state::dismissed); // 2
  append();
  CAF_CHECK_EQUAL(show("ada"), "3");
  CAF_CHECK_EQUAL(show("bob"), "1 3");
}

// -- damage
// ----------------------------------------------------------------------------------------

CAF_TEST(a torn end takes items and their entries together) {
  CAF_REQUIRE(open());
  for (int i = 0; i < 20; ++i) {
    append_one(*store, make_item({user_topic("ada"), user_topic("bob")}, "x"), false);
    append_one(*store, make_item({std::string{everyone_topic}}, "x"), false);
  }
  crash();
  auto image = temporary.path() / "torn";
  fs::copy(directory(), image, fs::copy_options::recursive);
  auto size = fs::file_size(file(".log"));
  for (uintmax_t cut = 1; cut <= 1000; cut += 83) {
    fs::remove_all(directory());
    fs::copy(image, directory(), fs::copy_options::recursive);
    fs::resize_file(file(".log"), size - cut);
    CAF_REQUIRE(open());
    auto last = to_integer(store->last());
    CAF_CHECK(last > 0 && last < 40);
    CAF_CHECK_EQUAL(list("ada").size(), last);
    CAF_CHECK_EQUAL(list("bob").size(), last);
    CAF_CHECK_EQUAL(list("new").size(), last / 2);
    close();
  }
}

CAF_TEST_FIXTURE_SCOPE_END
()
