#define CAF_SUITE stream

#include "actors/connection/stream.hpp"

#include "support/shard_fixture.hpp"

#include <caf/test/dsl.hpp>

using namespace tidings;

namespace {

struct fixture : shard_fixture {
  fixture() {
    make_shard();
  }

  /// The data lines of all events, in order.
  std::string data(owner& x) {
    std::string all;
    auto& bytes = sink(x).bytes;
    for (size_t i = bytes.find("data: "); i != bytes.npos; i = bytes.find("data: ", i + 1)) {
      auto text = bytes.substr(i + 6, bytes.find('\n', i) - i - 6);
      if (text.front() != '{')
        all += text;
    }
    return all;
  }

  std::string id_of(uint64_t position) {
    return store.cursor_at(lsn{position}).to_string();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(stream_tests, fixture)

CAF_TEST(a stream begins with the retry time its position and a ready event) {
  auto& x = open({"a"});
  auto& bytes = sink(x).bytes;
  CAF_CHECK(bytes.starts_with("retry: "));
  auto position = bytes.find("id: " + id_of(0) + "\n\n");
  auto ready = bytes.find("event: tidings.ready\ndata: {\"connection\":");
  CAF_REQUIRE(position != bytes.npos);
  CAF_REQUIRE(ready != bytes.npos);
  CAF_CHECK(position < ready);
}

CAF_TEST(events of one turn are one write and only those that match) {
  auto& x = open({"a"});
  auto before = sink(x).writes;
  aut->on_commit({append({{"a", "1"}, {"b", "2"}}), {}});
  aut->on_commit({append({{"a", "3"}}), {}});
  CAF_CHECK_EQUAL(sink(x).writes, before);
  settle();
  CAF_CHECK_EQUAL(sink(x).writes, before + 1);
  CAF_CHECK_EQUAL(data(x), "13");
}

CAF_TEST(an id is that of the last record and an ephemeral event has none) {
  auto& x = open({"a"});
  publish("a", "1");
  publish("a", "2", true);
  CAF_CHECK_EQUAL(sink(x).count("id: " + id_of(1) + "\ndata: 1\n\ndata: 2\n\n"), 1u);
}

CAF_TEST(what comes after the stream was opened and before its first turn is not lost) {
  publish("a", "1");
  auto& x = prepare({"a"}, from_now{});
  publish("a", "2");
  publish("a", "3");
  x.content->start();
  settle();
  publish("a", "4");
  CAF_CHECK_EQUAL(data(x), "234");
  CAF_CHECK_EQUAL(sink(x).count("id: " + id_of(1) + "\n"), 1u); // it began behind the first
}

CAF_TEST(what is missing in what comes is asked of the log) {
  auto& x = open({"a"});
  publish("a", "1");
  std::vector<log_entry> entries(3); // the second came without its content
  for (auto i : {0, 2}) {
    entries[i].content.content.topics = {"a"};
    entries[i].content.content.data = std::to_string(i + 2);
  }
  commit(append(std::move(entries)));
  CAF_CHECK_EQUAL(data(x), "1");
  CAF_REQUIRE_EQUAL(reads.size(), 1u);
  CAF_CHECK(std::get<lsn>(reads.front().what.start) == lsn{1});
  answer_read();
  CAF_CHECK_EQUAL(data(x), "124");
  publish("a", "5"); // live again
  CAF_CHECK_EQUAL(data(x), "1245");
  CAF_CHECK(reads.empty());
}

CAF_TEST(a resumed stream reads the log and then goes on live without a seam) {
  for (auto c : std::string{"12345"})
    publish("a", std::string{c});
  make_shard(); // as after a restart: nothing of it is in memory
  auto& x = open({"a"}, from_cursor{id_of(2)});
  CAF_REQUIRE_EQUAL(reads.size(), 1u);
  publish("a", "6"); // between the request and its answer
  answer_read();
  publish("a", "7");
  CAF_CHECK_EQUAL(data(x), "34567");
  CAF_CHECK_EQUAL(sink(x).count("\"recovered\":true"), 1u);
}

CAF_TEST(what the log has already and the shard has not seen yet comes once) {
  publish("a", "1");
  make_shard();
  auto& x = open({"a"}, from_earliest{});
  auto ahead = append({{"a", "2"}});
  answer_read(); // reads 1 and 2
  CAF_CHECK_EQUAL(data(x), "12");
  commit(ahead);
  publish("a", "3");
  CAF_CHECK_EQUAL(data(x), "123");
}

CAF_TEST(an id that is not ours is said to be unknown and the stream starts now) {
  publish("a", "1");
  auto& x = open({"a"}, from_cursor{"garbage"});
  answer_read();
  publish("a", "2");
  CAF_CHECK_EQUAL(sink(x).count("event: tidings.gap"), 1u);
  CAF_CHECK_EQUAL(sink(x).count("\"reason\":\"unknown_cursor\""), 1u);
  CAF_CHECK_EQUAL(sink(x).count("\"recovered\":false"), 1u);
  CAF_CHECK_EQUAL(data(x), "2");
}

CAF_TEST(a reader whose socket is full gets everything later and in order) {
  auto& x = open({"a"});
  sink(x).room = 20; // a part of the first event
  publish("a", "1");
  for (auto c : std::string{"23456789"})
    publish("a", std::string{c});
  CAF_CHECK_EQUAL(data(x), "");
  CAF_CHECK_EQUAL(std::string{x.content->info().state}, "blocked");
  sink(x).room = SIZE_MAX;
  x.content->on_writable();
  settle();
  CAF_CHECK_EQUAL(data(x), "123456789");
  CAF_CHECK_EQUAL(std::string{x.content->info().state}, "live");
  publish("a", "A");
  CAF_CHECK_EQUAL(data(x), "123456789A");
}

CAF_TEST(every way to cut a socket short loses and doubles nothing) {
  for (size_t room = 0; room < 400; room += 7) {
    auto& x = open({"a"});
    sink(x).room = room;
    for (auto c : std::string{"1234567"})
      publish("a", std::string{c});
    sink(x).room = room / 2;
    x.content->on_writable();
    settle();
    publish("a", "8");
    sink(x).room = SIZE_MAX;
    x.content->on_writable();
    settle();
    publish("a", "9");
    CAF_CHECK_EQUAL(data(x), "123456789");
    auto info = x.content->info();
    CAF_CHECK_EQUAL(info.events, 9u);
    CAF_CHECK(info.bytes <= sink(x).bytes.size());
    x.content->end(end_reason::closed);
  }
}

CAF_TEST(every way to cut a socket short within one commit) {
  for (size_t room = 150; room < 800; room += 7) {
    auto& x = open({"a"});
    sink(x).room = room;
    commit(append({{"a", "1"}, {"a", "2"}, {"a", "3"}, {"a", std::string(60, '4')}, {"a", "5"}}));
    sink(x).room = 5;
    x.content->on_writable();
    settle();
    sink(x).room = SIZE_MAX;
    x.content->on_writable();
    settle();
    CAF_CHECK_EQUAL(data(x), "123" + std::string(60, '4') + "5");
    x.content->end(end_reason::closed);
  }
}

CAF_TEST(readers that stop in the middle of a large event share its bytes) {
  auto& one = open({"a"});
  auto& other = open({"a"});
  for (auto* x : {&one, &other})
    sink(*x).room = 1000;
  auto batch = append({{"a", std::string(100'000, 'x')}});
  commit(batch);
  auto held = batch.use_count();
  for (auto* x : {&one, &other}) {
    sink(*x).room = SIZE_MAX;
    x->content->on_writable();
    settle();
    CAF_CHECK_EQUAL(data(*x), std::string(100'000, 'x'));
  }
  CAF_CHECK_EQUAL(batch.use_count(), held - 2);
}

CAF_TEST(a reader that fell out of memory is fed from the log) {
  cfg.stream.recent_bytes = 1;
  make_shard();
  auto& x = open({"a"});
  sink(x).room = 0;
  for (auto c : std::string{"123456"})
    publish("a", std::string{c});
  sink(x).room = SIZE_MAX;
  x.content->on_writable();
  CAF_REQUIRE_EQUAL(reads.size(), 1u);
  answer_read();
  publish("a", "7");
  CAF_CHECK_EQUAL(data(x), "1234567");
}

CAF_TEST(nothing is read for a reader that takes nothing) {
  cfg.stream.recent_bytes = 1;
  make_shard();
  for (int i = 0; i < 100; ++i)
    publish("a", std::string(1000, 'x'));
  auto& x = open({"a"}, from_earliest{}, [](stream_profile& p) { p.chunk_bytes = 4000; });
  sink(x).room = 0;
  answer_read();
  for (int i = 0; i < 3; ++i) {
    publish("a", "more");
    tick(milliseconds{200});
    CAF_CHECK(reads.empty());
  }
  sink(x).room = SIZE_MAX;
  x.content->on_writable();
  while (!reads.empty())
    answer_read();
  CAF_CHECK_EQUAL(sink(x).count("data: xxx"), 100u);
  CAF_CHECK_EQUAL(sink(x).count("data: more"), 3u);
}

CAF_TEST(what expired while a reader was behind is told and not sent) {
  auto& x = open({"a"});
  publish("a", "1");
  sink(x).room = 0;
  publish("a", "2");
  log_entry brief;
  brief.content.content.topics = {"a"};
  brief.content.content.data = "3";
  brief.content.content.expires_at_ms = clock.wall_ms();
  commit(append({brief}));
  publish("a", "4");
  sink(x).room = SIZE_MAX;
  x.content->on_writable();
  while (!reads.empty())
    answer_read();
  publish("a", "5");
  CAF_CHECK_EQUAL(data(x), "1245");
  CAF_CHECK_EQUAL(sink(x).count("\"reason\":\"expired\""), 1u);
}

CAF_TEST(what is missing after a stream has begun now is told before its first event) {
  cfg.stream.recent_bytes = 1;
  make_shard();
  auto& x = open({"a"});
  sink(x).room = 0;
  log_entry brief;
  brief.content.content.topics = {"a"};
  brief.content.content.data = "1";
  brief.content.content.expires_at_ms = clock.wall_ms();
  commit(append({brief}));
  publish("a", "2");
  sink(x).room = SIZE_MAX;
  x.content->on_writable();
  while (!reads.empty())
    answer_read();
  CAF_CHECK_EQUAL(data(x), "2");
  CAF_CHECK_EQUAL(sink(x).count("\"reason\":\"expired\""), 1u);
}

CAF_TEST(what was dismissed while a stream of its user was behind is not sent) {
  auto alice = std::make_shared<caller>();
  alice->user = "alice";
  auto& x = prepare({"user:alice"}, from_now{}, {}, alice);
  x.content->start();
  while (!reads.empty())
    answer_read();
  sink(x).room = 0;
  for (auto text : {"first", "second"}) {
    log_entry item;
    item.content.content.topics = {"user:alice"};
    item.content.content.data = text;
    item.content.content.mail = std::make_shared<const mail>();
    commit(append({item}));
  }
  store.entries.erase({"alice", lsn{1}});
  sink(x).room = SIZE_MAX;
  x.content->on_writable();
  while (!reads.empty())
    answer_read();
  CAF_CHECK_EQUAL(sink(x).count("first"), 0u);
  CAF_CHECK_EQUAL(sink(x).count("second"), 1u);
}

CAF_TEST(drop oldest keeps the newest and tells what is missing) {
  auto& x = open({"a"}, from_now{}, [](stream_profile& p) {
    p.overflow = overflow_policy::drop_oldest;
    p.queue_events = 3;
  });
  sink(x).room = 0;
  for (auto c : std::string{"12345678"})
    publish("a", std::string{c});
  sink(x).room = SIZE_MAX;
  x.content->on_writable();
  settle();
  publish("a", "9");
  CAF_CHECK_EQUAL(data(x), "6789");
  CAF_CHECK_EQUAL(sink(x).count("\"reason\":\"lagged\""), 1u);
  CAF_CHECK_EQUAL(value(stats->dropped), 5u);
}

CAF_TEST(what comes in the turn in which a reader stops counts as dropped too) {
  auto& x = open({"a"}, from_now{}, [](stream_profile& p) {
    p.overflow = overflow_policy::drop_oldest;
    p.queue_events = 2;
  });
  sink(x).room = 10; // a part of the first
  commit(append({{"a", "1"}, {"a", "2"}, {"a", "3"}, {"a", "4"}, {"a", "5"}}));
  sink(x).room = SIZE_MAX;
  x.content->on_writable();
  settle();
  CAF_CHECK_EQUAL(data(x), "145");
  CAF_CHECK_EQUAL(sink(x).count("\"reason\":\"lagged\""), 1u);
  CAF_CHECK_EQUAL(value(stats->dropped), 2u);
}

CAF_TEST(drop newest keeps the oldest and tells what is missing) {
  auto& x = open({"a"}, from_now{}, [](stream_profile& p) {
    p.overflow = overflow_policy::drop_newest;
    p.queue_events = 3;
  });
  sink(x).room = 0;
  for (auto c : std::string{"12345678"})
    publish("a", std::string{c});
  sink(x).room = SIZE_MAX;
  x.content->on_writable();
  while (!reads.empty())
    answer_read();
  settle();
  publish("a", "9");
  CAF_CHECK_EQUAL(data(x), "1239");
  CAF_CHECK_EQUAL(sink(x).count("\"reason\":\"lagged\""), 1u);
}

CAF_TEST(a reader that goes on slowly stays under its overflow policy) {
  for (auto policy : {overflow_policy::drop_oldest, overflow_policy::drop_newest}) {
    auto& x = open({"a"}, from_now{}, [&](stream_profile& p) {
      p.overflow = policy;
      p.queue_events = 3;
    });
    auto dropped = value(stats->dropped);
    auto go_on = [&](size_t room) {
      sink(x).room = room;
      x.content->on_writable();
      settle();
      while (!reads.empty())
        answer_read();
      settle();
    };
    sink(x).room = 0;
    for (auto c : std::string{"12345678"})
      publish("a", std::string{c});
    CAF_CHECK_EQUAL(value(stats->dropped) - dropped, 5u);
    go_on(20); // takes a part of what it is to get next and stops again
    for (auto c : std::string{"abcdefgh"})
      publish("a", std::string{c});
    CAF_CHECK(value(stats->dropped) - dropped >= 10);
    go_on(SIZE_MAX);
    publish("a", "Z");
    CAF_CHECK_EQUAL(data(x), policy == overflow_policy::drop_oldest ? "fghZ" : "123abcZ");
    CAF_CHECK_EQUAL(sink(x).count("\"reason\":\"lagged\""), 2u);
    CAF_CHECK_EQUAL(std::string{x.content->info().state}, "live");
    x.content->end(end_reason::closed);
  }
}

CAF_TEST(whatever a reader under an overflow policy takes at a time is in order and told of) {
  for (auto policy : {overflow_policy::drop_oldest, overflow_policy::drop_newest})
    for (size_t room = 1; room < 900; room += 23) {
      auto& x = open({"a"}, from_now{}, [&](stream_profile& p) {
        p.overflow = policy;
        p.queue_events = 2;
      });
      sink(x).room = 0;
      std::string sent;
      for (char c = 'a'; c <= 'z'; ++c) {
        publish("a", std::string{c});
        sent += c;
        if ((c - 'a') % 5 == 4) {
          sink(x).room = room;
          x.content->on_writable();
          settle();
          if (!reads.empty())
            answer_read();
        }
      }
      sink(x).room = SIZE_MAX;
      x.content->on_writable();
      settle();
      while (!reads.empty())
        answer_read();
      settle();
      publish("a", "!");
      auto got = data(x);
      CAF_CHECK_EQUAL(got.back(), '!');
      CAF_CHECK(std::is_sorted(got.begin(), got.end() - 1, std::less_equal<char>{}));
      CAF_CHECK(got.size() >= 3 && got.size() < sent.size() + 1);
      CAF_CHECK(sink(x).count("\"reason\":\"lagged\"") != 0);
      x.content->end(end_reason::closed);
    }
}

CAF_TEST(a reader that overflows may be disconnected) {
  auto& x = open({"a"}, from_now{}, [](stream_profile& p) {
    p.overflow = overflow_policy::disconnect;
    p.queue_events = 2;
  });
  sink(x).room = 0;
  for (auto c : std::string{"12345"})
    publish("a", std::string{c});
  CAF_REQUIRE(x.why);
  CAF_CHECK(*x.why == end_reason::slow_reader);
}

CAF_TEST(a reader that takes nothing is closed after a time) {
  auto& x = open({"a"});
  sink(x).room = 10;
  publish("a", "1");
  tick(cfg.limits.write_timeout - milliseconds{1000});
  CAF_CHECK(!x.why);
  tick(milliseconds{2000});
  CAF_REQUIRE(x.why);
  CAF_CHECK(*x.why == end_reason::slow_reader);
  CAF_CHECK(!sink(x).clean); // within an event: the client discards it
}

CAF_TEST(an idle stream gets heartbeats and its position moves with them) {
  auto& x = open({"a"});
  publish("b", "1");
  auto before = sink(x).bytes.size();
  tick(cfg.stream.heartbeat_interval + milliseconds{500});
  CAF_CHECK_EQUAL(sink(x).bytes.substr(before), "id: " + id_of(1) + "\n\n");
  before = sink(x).bytes.size();
  tick(cfg.stream.heartbeat_interval + milliseconds{500});
  CAF_CHECK_EQUAL(sink(x).bytes.substr(before), ":\n\n");
}

CAF_TEST(without an interval there are no heartbeats) {
  auto& x = open({"a"}, from_now{}, [](stream_profile& p) { p.heartbeat_interval = {}; });
  auto before = sink(x).bytes.size();
  for (int i = 0; i < 10; ++i)
    tick(milliseconds{60'000});
  CAF_CHECK_EQUAL(sink(x).bytes.size(), before);
}

CAF_TEST(what is committed in the turn in which rights end is not sent) {
  for (auto why : {end_reason::token_expired, end_reason::revoked}) {
    auto& x = open({"a"});
    auto& other = open({"a"});
    aut->on_commit({append({{"a", "1"}}), {}});
    x.content->end(why);
    settle();
    CAF_CHECK_EQUAL(data(x), "");
    CAF_CHECK_EQUAL(data(other), "1");
    other.content->end(end_reason::closed);
  }
}

CAF_TEST(a stream that reads for long gets heartbeats meanwhile) {
  cfg.stream.recent_bytes = 1;
  make_shard();
  publish("a", std::string(3000, 'x'));
  for (int i = 0; i < 3; ++i)
    publish("a", std::to_string(i));
  auto& x = open({"a"}, from_earliest{}, [](stream_profile& p) { p.chunk_bytes = 1000; });
  answer_read();
  CAF_REQUIRE_EQUAL(reads.size(), 1u); // the next piece is asked for and does not come
  for (int i = 0; i < 2; ++i) {
    auto before = sink(x).bytes.size();
    tick(cfg.stream.heartbeat_interval + milliseconds{500});
    CAF_CHECK_EQUAL(sink(x).bytes.substr(before), ":\n\n");
  }
  while (!reads.empty())
    answer_read();
  CAF_CHECK_EQUAL(data(x), std::string(3000, 'x') + "012");
}

CAF_TEST(a stream that is old enough is ended with a notice) {
  auto& x = open({"a"}, from_now{}, [](stream_profile& p) { p.max_age = milliseconds{60'000}; });
  tick(milliseconds{61'000});
  CAF_REQUIRE(x.why);
  CAF_CHECK(*x.why == end_reason::max_age);
  CAF_CHECK_EQUAL(sink(x).count("data: {\"reason\":\"max_age\"}"), 1u);
  CAF_CHECK(sink(x).clean);
}

CAF_TEST(draining ends every stream after what was committed) {
  auto& x = open({"a"});
  auto& y = open({"b"});
  aut->on_commit({append({{"a", "1"}}), {}});
  CAF_CHECK_EQUAL(aut->drain(), 2u);
  CAF_CHECK_EQUAL(data(x), "1");
  CAF_CHECK_EQUAL(sink(y).count("data: {\"reason\":\"shutdown\"}"), 1u);
  CAF_CHECK(sink(x).clean);
  CAF_CHECK_EQUAL(value(stats->streams_open), 0u);
}

CAF_TEST(an ephemeral event is lost for a reader that is behind and counted) {
  auto& x = open({"a"});
  sink(x).room = 0;
  publish("a", "1");
  publish("a", "2", true);
  sink(x).room = SIZE_MAX;
  x.content->on_writable();
  settle();
  CAF_CHECK_EQUAL(data(x), "1");
  CAF_CHECK_EQUAL(value(stats->dropped), 1u);
}

CAF_TEST(a wait for the next event is over with the first that matches) {
  auto fired = 0;
  auto who =
    std::make_shared<const subscription>(std::vector<topic_pattern>{*topic_pattern::parse("a")});
  auto wait = aut->wait_for_event(who, [&] { ++fired; });
  publish("b", "1");
  CAF_CHECK_EQUAL(fired, 0);
  publish("a", "2");
  publish("a", "3");
  CAF_CHECK_EQUAL(fired, 1);
  wait.reset();
  auto other = aut->wait_for_event(who, [&] { ++fired; });
  other.reset();
  publish("a", "4");
  CAF_CHECK_EQUAL(fired, 1);
}

CAF_TEST_FIXTURE_SCOPE_END
()
