#define CAF_SUITE replicator

#include "cluster/replicator.hpp"

#include <caf/test/dsl.hpp>

#include <vector>

using namespace tidings;
using namespace tidings::cluster;

namespace {

constexpr auto to_b = link_id{2};
constexpr auto to_c = link_id{3};
constexpr uint64_t a = 10;
constexpr uint64_t b = 20;
constexpr uint64_t c = 30;

origin_head head(uint64_t node, uint64_t incarnation, uint64_t sequence, uint64_t chain = 1) {
  return {node, {incarnation, sequence}, chain};
}

replica record(uint64_t incarnation, uint64_t sequence, origin_position follows = {},
               size_t bytes = 36) {
  return {{incarnation, sequence}, follows, 1, std::string(bytes, 'x')};
}

heads all(std::vector<origin_head> x) {
  return {true, std::move(x)};
}

heads news(std::vector<origin_head> x) {
  return {false, std::move(x)};
}

/// Node a in its incarnation 5 with b and c as the other members.
struct fixture {
  replicator_settings settings;
  replicator core = make({});
  std::vector<replicator_action> actions;

  replicator make(const std::vector<origin_head>& on_disk) {
    settings.window_bytes = 1000;
    settings.record_bytes_max = 400;
    settings.origins_max = 5;
    return {a, 5, on_disk, 1, {a, b, c}, settings, 0};
  }

  void begin(const std::vector<origin_head>& on_disk) {
    core = make(on_disk);
    collect();
  }

  /// All linked, heard and joined.
  void begin_joined(const std::vector<origin_head>& on_disk) {
    begin(on_disk);
    up(to_b, b);
    up(to_c, c);
    receive(to_b, all({}));
    receive(to_c, all({}));
    CAF_REQUIRE(core.has_joined());
  }

  /// Forgets what was to be done before.
  void collect() {
    actions = core.take_actions();
  }

  void up(link_id link, uint64_t node) {
    core.link_up(link, node);
    collect();
  }

  void down(link_id link) {
    core.link_down(link);
    collect();
  }

  void receive(link_id link, message what) {
    core.receive(link, std::move(what));
    collect();
  }

  void stored(std::vector<origin_head> changed, std::vector<ticket> done = {}) {
    core.stored(changed, done);
    collect();
  }

  void tick(int64_t now_ms) {
    core.tick(now_ms);
    collect();
  }

  template <class T>
  std::vector<T> wanted() const {
    std::vector<T> result;
    for (auto& x : actions)
      if (auto y = std::get_if<T>(&x))
        result.push_back(*y);
    return result;
  }

  template <class T>
  std::vector<T> sent(link_id link) const {
    std::vector<T> result;
    for (auto& x : wanted<action::send>())
      if (auto y = std::get_if<T>(&x.what); y && x.link == link)
        result.push_back(*y);
    return result;
  }

  /// Whether exactly this was asked for.
  bool asks(link_id link, uint64_t node, origin_position after) const {
    return sent<want>(link) == std::vector<want>{{node, after}};
  }

  uint64_t source_of(uint64_t node) const {
    for (auto& x : core.status().origins)
      if (x.node == node)
        return x.source.value_or(0);
    return 0;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(replicator_tests, fixture)

CAF_TEST(a node alone has joined at once and is its own majority) {
  core = replicator{a, 5, {}, 1, {a}, settings, 0};
  collect();
  CAF_CHECK_EQUAL(wanted<action::joined>().size(), 1u);
  stored({head(a, 5, 3)});
  auto reached = wanted<action::quorum_reached>();
  CAF_REQUIRE_EQUAL(reached.size(), 1u);
  CAF_CHECK(reached[0].at == (origin_position{5, 3}));
  CAF_CHECK_EQUAL(reached[0].copies, 1u);
}

CAF_TEST(a new link says what is here and asks for the records of the node) {
  begin({head(a, 4, 2), head(b, 1, 7)});
  up(to_b, b);
  CAF_CHECK(sent<credit>(to_b) == std::vector<credit>{{1000}});
  CAF_CHECK(sent<heads>(to_b) == std::vector<heads>{all({head(a, 4, 2), head(b, 1, 7)})});
  CAF_CHECK(asks(to_b, b, {1, 7}));
}

CAF_TEST(joining waits for all members or until it takes too long) {
  begin({});
  up(to_b, b);
  receive(to_b, all({}));
  tick(1999);
  CAF_CHECK(!core.has_joined());
  tick(2000);
  CAF_CHECK_EQUAL(wanted<action::joined>().size(), 1u);
  begin({});
  up(to_b, b);
  up(to_c, c);
  receive(to_b, all({}));
  receive(to_c, news({})); // not all of them
  CAF_CHECK(!core.has_joined());
  receive(to_c, all({}));
  CAF_CHECK(core.has_joined());
}

CAF_TEST(a node has its own records back before it has joined) {
  begin({head(a, 4, 2)});
  up(to_b, b);
  up(to_c, c);
  receive(to_c, all({}));
  receive(to_b, all({head(a, 4, 3)}));
  CAF_CHECK(asks(to_b, a, {4, 2}));
  tick(10'000);
  CAF_CHECK(!core.has_joined());
  receive(to_b, data{a, {record(4, 3)}});
  auto work = wanted<action::store>();
  CAF_REQUIRE_EQUAL(work.size(), 1u);
  CAF_CHECK(!core.has_joined());
  stored({head(a, 4, 3)}, {work[0].work});
  CAF_CHECK_EQUAL(wanted<action::joined>().size(), 1u);
}

CAF_TEST(quorum is what a majority has on disk) {
  begin_joined({});
  stored({head(a, 5, 4)});
  CAF_CHECK(wanted<action::quorum_reached>().empty());
  CAF_CHECK(sent<heads>(to_b) == std::vector<heads>{news({head(a, 5, 4)})});
  receive(to_b, news({head(a, 5, 3)}));
  auto reached = wanted<action::quorum_reached>();
  CAF_REQUIRE_EQUAL(reached.size(), 1u);
  CAF_CHECK(reached[0].at == (origin_position{5, 3}));
  CAF_CHECK_EQUAL(reached[0].copies, 2u);
  receive(to_c, news({head(a, 5, 2)}));
  CAF_CHECK(wanted<action::quorum_reached>().empty());
  CAF_CHECK_EQUAL(core.copies({5, 2}), 3u);
  CAF_CHECK_EQUAL(core.copies({5, 4}), 1u);
  down(to_b);
  CAF_CHECK_EQUAL(core.copies({5, 3}), 1u);
  CAF_CHECK(core.quorum() == (origin_position{5, 3}));
}

CAF_TEST(more members need more for a quorum) {
  begin_joined({});
  core.set_members(2, {a, b, c, 40, 50});
  stored({head(a, 5, 4)});
  receive(to_b, news({head(a, 5, 4)}));
  CAF_CHECK(wanted<action::quorum_reached>().empty());
  CAF_CHECK(core.majority_linked());
  receive(to_c, news({head(a, 5, 4)}));
  CAF_CHECK_EQUAL(wanted<action::quorum_reached>().size(), 1u);
  core.set_members(1, {a}); // older
  CAF_CHECK_EQUAL(core.status().members_version, 2u);
  core.set_members(3, {a, b, 40});
  collect();
  CAF_REQUIRE_EQUAL(wanted<action::close_link>().size(), 1u);
  CAF_CHECK(wanted<action::close_link>()[0].link == to_c);
}

CAF_TEST(records are stored when they continue what is there) {
  begin_joined({head(b, 1, 2)});
  receive(to_b, data{b, {record(1, 2), record(1, 3), record(1, 4)}});
  auto work = wanted<action::store>();
  CAF_REQUIRE_EQUAL(work.size(), 1u);
  CAF_CHECK_EQUAL(work[0].records.size(), 2u);
  receive(to_b, data{b, {record(2, 1, {1, 4})}});
  CAF_CHECK_EQUAL(wanted<action::store>().size(), 1u);
  stored({head(b, 1, 4)}, {work[0].work});
  CAF_CHECK(sent<heads>(to_c) == std::vector<heads>{news({head(b, 1, 4)})});
}

CAF_TEST(a hole is dropped and asked for once) {
  begin_joined({head(b, 1, 2)});
  receive(to_b, data{b, {record(1, 4)}});
  CAF_CHECK(wanted<action::store>().empty());
  CAF_CHECK(asks(to_b, b, {1, 2}));
  receive(to_b, data{b, {record(1, 5)}});
  CAF_CHECK(sent<want>(to_b).empty());
  receive(to_b, data{b, {record(1, 3), record(1, 5)}});
  CAF_CHECK_EQUAL(wanted<action::store>().size(), 1u);
  CAF_CHECK(asks(to_b, b, {1, 3}));
}

CAF_TEST(credit comes back for what is stored and at once for what is not taken) {
  begin_joined({});
  receive(to_b, data{b, {record(1, 1), record(1, 2)}});
  CAF_CHECK(sent<credit>(to_b).empty());
  auto work = wanted<action::store>();
  stored({head(b, 1, 2)}, {work[0].work});
  CAF_CHECK(sent<credit>(to_b) == std::vector<credit>{{200}});
  receive(to_b, data{b, {record(1, 1), record(1, 2)}});
  CAF_CHECK(sent<credit>(to_b) == std::vector<credit>{{200}});
}

CAF_TEST(who sends more than it may is cut off) {
  begin_joined({});
  receive(to_b, data{b, {record(1, 1, {}, 936), record(1, 2, {}, 335)}});
  CAF_CHECK(wanted<action::close_link>().empty()); // the last one may take more
  receive(to_b, data{b, {record(1, 3)}});
  CAF_REQUIRE_EQUAL(wanted<action::close_link>().size(), 1u);
  CAF_CHECK(wanted<action::close_link>()[0].reason == link_fault::credit_exceeded);
}

CAF_TEST(what waits for the disk counts for a newer link too) {
  begin_joined({});
  receive(to_b, data{b, {record(1, 1), record(1, 2)}});
  auto work = wanted<action::store>();
  up(link_id{9}, b);
  CAF_REQUIRE_EQUAL(wanted<action::close_link>().size(), 1u);
  CAF_CHECK(wanted<action::close_link>()[0].link == to_b);
  CAF_CHECK(wanted<action::close_link>()[0].reason == link_fault::replaced);
  CAF_CHECK(sent<credit>(link_id{9}) == std::vector<credit>{{800}});
  receive(to_b, data{b, {record(1, 3)}}); // of the old link
  CAF_CHECK(wanted<action::store>().empty());
  stored({head(b, 1, 2)}, {work[0].work});
  CAF_CHECK(sent<credit>(link_id{9}) == std::vector<credit>{{200}});
}

CAF_TEST(strangers are sent away) {
  begin({});
  for (auto stranger : {a, uint64_t{99}}) {
    up(link_id{9}, stranger);
    CAF_REQUIRE_EQUAL(wanted<action::close_link>().size(), 1u);
    CAF_CHECK(wanted<action::close_link>()[0].reason == link_fault::not_a_member);
  }
}

CAF_TEST(records flow within the credit and only while they are wanted) {
  begin_joined({head(b, 1, 9)});
  receive(to_c, want{b, {1, 4}});
  CAF_CHECK(wanted<action::read>().empty());
  receive(to_c, credit{150});
  auto read = wanted<action::read>();
  CAF_REQUIRE_EQUAL(read.size(), 1u);
  CAF_CHECK_EQUAL(read[0].bytes_max, 150u);
  core.read_done(read[0].work, {record(1, 5)});
  collect();
  CAF_CHECK(sent<data>(to_c) == std::vector<data>({{b, {record(1, 5)}}}));
  read = wanted<action::read>();
  CAF_REQUIRE_EQUAL(read.size(), 1u);
  receive(to_c, stop{b});
  core.read_done(read[0].work, {record(1, 6)});
  collect();
  CAF_CHECK(actions.empty());
}

CAF_TEST(records of a node that cannot be reached come from who has most) {
  begin({head(b, 1, 2)});
  core.set_members(2, {a, b, c, 40});
  up(to_c, c);
  up(link_id{4}, 40);
  receive(to_c, all({head(b, 1, 2)}));
  CAF_CHECK(source_of(b) == 0);
  receive(link_id{4}, all({head(b, 1, 5)}));
  CAF_CHECK(asks(link_id{4}, b, {1, 2}));
  receive(to_c, news({head(b, 1, 9)}));
  CAF_CHECK(source_of(b) == 40u);
  down(link_id{4});
  CAF_CHECK(asks(to_c, b, {1, 2}));
  up(to_b, b);
  CAF_CHECK(asks(to_b, b, {1, 2}));
  CAF_CHECK(sent<stop>(to_c) == std::vector<stop>{{b}});
}

CAF_TEST(a source that brings nothing is left for one that has more) {
  begin_joined({head(b, 1, 2)});
  receive(to_c, news({head(b, 1, 5)}));
  tick(1999);
  CAF_CHECK(source_of(b) == b);
  tick(2000);
  CAF_CHECK(source_of(b) == c);
  CAF_CHECK(asks(to_c, b, {1, 2}));
  receive(to_c, data{b, {record(1, 3), record(1, 4), record(1, 5)}});
  stored({head(b, 1, 5)}, {wanted<action::store>()[0].work});
  receive(to_b, news({head(b, 1, 6)}));
  tick(4200);
  CAF_CHECK(source_of(b) == b);
}

CAF_TEST(a refusal goes back to what is on disk and is tried again later) {
  begin_joined({head(b, 1, 2)});
  receive(to_b, data{b, {record(1, 3)}});
  auto first = wanted<action::store>()[0].work;
  receive(to_b, data{b, {record(1, 4)}});
  auto second = wanted<action::store>()[0].work;
  core.refused(first, refusal::not_now);
  collect();
  CAF_CHECK(sent<stop>(to_b) == std::vector<stop>{{b}});
  core.refused(second, refusal::not_now);
  collect();
  CAF_CHECK(sent<credit>(to_b) == std::vector<credit>{{200}});
  tick(1999);
  CAF_CHECK(sent<want>(to_b).empty());
  tick(2000);
  CAF_CHECK(asks(to_b, b, {1, 2}));
}

CAF_TEST(a late tail is published again) {
  begin_joined({head(b, 1, 9)});
  receive(to_b, data{b, {record(2, 1, {1, 7}), record(2, 2)}});
  auto tail = wanted<action::reoriginate>();
  CAF_REQUIRE_EQUAL(tail.size(), 1u);
  CAF_CHECK(tail[0].after == (origin_position{1, 7}));
  CAF_CHECK(tail[0].up_to == (origin_position{1, 9}));
  CAF_CHECK_EQUAL(core.alarms(alarm::late_tail), 1u);
  receive(to_b, data{b, {record(2, 3)}});
  CAF_CHECK(wanted<action::store>().empty());
  stored({head(b, 1, 7), head(a, 5, 2)}, {tail[0].work});
  CAF_CHECK(asks(to_b, b, {1, 7}));
  receive(to_b, data{b, {record(2, 1, {1, 7})}});
  CAF_CHECK_EQUAL(wanted<action::store>().size(), 1u);
  receive(to_c, data{b, {record(1, 8)}}); // who has not heard of it yet
  CAF_CHECK(wanted<action::store>().empty());
}

CAF_TEST(a late tail waits until the node has joined) {
  begin({head(b, 1, 9)});
  up(to_b, b);
  receive(to_b, data{b, {record(2, 1, {1, 7})}});
  CAF_CHECK(wanted<action::reoriginate>().empty());
  CAF_CHECK(source_of(b) == 0);
  receive(to_b, all({head(b, 2, 1)}));
  CAF_CHECK(sent<want>(to_b).empty());
  tick(2000);
  CAF_CHECK(asks(to_b, b, {1, 9}));
  receive(to_b, data{b, {record(2, 1, {1, 7})}});
  CAF_CHECK_EQUAL(wanted<action::reoriginate>().size(), 1u);
}

CAF_TEST(a node that was set back to another past takes its own tail out first) {
  begin({head(a, 3, 9)});
  up(to_b, b);
  receive(to_b, all({head(a, 4, 1)}));
  receive(to_b, data{a, {record(4, 1, {3, 5})}});
  auto tail = wanted<action::reoriginate>();
  CAF_REQUIRE_EQUAL(tail.size(), 1u);
  CAF_CHECK_EQUAL(tail[0].node, a);
  stored({head(a, 3, 5)}, {tail[0].work});
  CAF_CHECK(asks(to_b, a, {3, 5}));
  tick(2000);
  CAF_CHECK(!core.has_joined());
}

CAF_TEST(what was set aside is published when the node has the rest) {
  begin({head(a, 3, 9)});
  tick(2000); // nobody is there
  CAF_CHECK(core.has_joined());
  CAF_CHECK_EQUAL(wanted<action::append_set_aside>().size(), 1u); // of a run before
  up(to_b, b);
  receive(to_b, all({head(a, 4, 1)}));
  receive(to_b, data{a, {record(4, 1, {3, 5})}});
  auto tail = wanted<action::reoriginate>();
  CAF_REQUIRE_EQUAL(tail.size(), 1u);
  CAF_CHECK(wanted<action::append_set_aside>().empty());
  stored({head(a, 3, 5)}, {tail[0].work});
  CAF_CHECK(wanted<action::append_set_aside>().empty());
  receive(to_b, data{a, {record(4, 1, {3, 5})}});
  auto work = wanted<action::store>();
  CAF_REQUIRE_EQUAL(work.size(), 1u);
  stored({head(a, 4, 1)}, {work[0].work});
  CAF_CHECK_EQUAL(wanted<action::append_set_aside>().size(), 1u);
  tick(10'000);
  CAF_CHECK(wanted<action::append_set_aside>().empty());
}

CAF_TEST(what is forgotten is left out) {
  begin_joined({head(b, 1, 2)});
  receive(to_b, forgotten{head(b, 1, 2)});
  CAF_CHECK(wanted<action::store_forgotten>().empty());
  receive(to_b, forgotten{head(b, 1, 7)});
  auto work = wanted<action::store_forgotten>();
  CAF_REQUIRE_EQUAL(work.size(), 1u);
  CAF_CHECK(work[0].after == (origin_position{1, 2}));
  receive(to_b, data{b, {record(1, 8)}});
  CAF_CHECK_EQUAL(wanted<action::store>().size(), 1u);
  receive(to_b, forgotten{head(b, 2, 3)}); // where incarnation 1 has ended is not known
  CAF_CHECK(wanted<action::store_forgotten>().empty());
  CAF_CHECK(asks(to_b, b, {1, 8}));
}

CAF_TEST(a fork stops one node and not the others) {
  begin_joined({head(b, 1, 5, 77)});
  receive(to_c, want{b, {1, 1}});
  receive(to_c, news({head(b, 1, 5, 78)}));
  auto raised = wanted<action::raise>();
  CAF_REQUIRE_EQUAL(raised.size(), 1u);
  CAF_CHECK(raised[0].kind == alarm::fork_detected);
  CAF_CHECK_EQUAL(raised[0].node, b);
  CAF_CHECK(sent<stop>(to_b) == std::vector<stop>{{b}});
  receive(to_c, credit{1000});
  CAF_CHECK(wanted<action::read>().empty());
  receive(to_b, data{b, {record(1, 6)}});
  CAF_CHECK(wanted<action::store>().empty());
  receive(to_c, data{c, {record(1, 1)}});
  auto work = wanted<action::store>();
  CAF_REQUIRE_EQUAL(work.size(), 1u);
  core.refused(work[0].work, refusal::fork);
  collect();
  CAF_CHECK_EQUAL(core.alarms(alarm::fork_detected), 2u);
}

CAF_TEST(an incarnation that somebody else used is fatal) {
  begin({head(a, 4, 2)});
  up(to_b, b);
  receive(to_b, all({head(a, 6, 1)}));
  auto raised = wanted<action::raise>();
  CAF_REQUIRE_EQUAL(raised.size(), 1u);
  CAF_CHECK(raised[0].kind == alarm::incarnation_reused);
  CAF_CHECK(raised[0].at == (origin_position{6, 1}));
  tick(10'000);
  CAF_CHECK(!core.has_joined());
  begin_joined({});
  stored({head(a, 5, 4)});
  receive(to_b, news({head(a, 5, 4)}));
  CAF_CHECK(wanted<action::raise>().empty());
  receive(to_c, news({head(a, 5, 5)}));
  CAF_CHECK_EQUAL(wanted<action::raise>().size(), 1u);
}

CAF_TEST(there are only so many nodes) {
  begin_joined({});
  receive(to_b, news({head(41, 1, 1), head(42, 1, 1), head(43, 1, 1), head(44, 1, 1)}));
  CAF_CHECK_EQUAL(core.alarms(alarm::too_many_origins), 1u);
  CAF_CHECK_EQUAL(core.status().origins.size(), 5u);
  receive(to_b, data{43, {record(1, 1)}});
  CAF_CHECK(wanted<action::store>().empty());
}

CAF_TEST(who takes nothing is told the newest only) {
  begin_joined({});
  core.set_congested(to_b, true);
  receive(to_b, want{a, {}});
  receive(to_b, credit{1000});
  receive(to_b, data{b, {record(1, 1), record(1, 2)}});
  auto work = wanted<action::store>();
  stored({head(a, 5, 1)});
  stored({head(a, 5, 2), head(b, 1, 2)}, {work[0].work});
  CAF_CHECK(sent<heads>(to_b).empty());
  CAF_CHECK(sent<credit>(to_b).empty());
  CAF_CHECK(wanted<action::read>().empty());
  core.set_congested(to_b, false);
  collect();
  CAF_CHECK(sent<heads>(to_b) == std::vector<heads>{news({head(a, 5, 2), head(b, 1, 2)})});
  CAF_CHECK(sent<credit>(to_b) == std::vector<credit>{{200}});
  CAF_CHECK_EQUAL(wanted<action::read>().size(), 1u);
}

CAF_TEST(all heads are told from time to time) {
  begin_joined({head(a, 4, 1)});
  tick(9'999);
  CAF_CHECK(sent<heads>(to_b).empty());
  tick(10'000);
  CAF_CHECK(sent<heads>(to_b) == std::vector<heads>{all({head(a, 4, 1)})});
}

CAF_TEST(operators see who lags) {
  begin_joined({head(a, 5, 8)});
  receive(to_b, news({head(a, 5, 6), head(b, 1, 4)}));
  auto status = core.status();
  CAF_CHECK(status.joined && status.majority_linked);
  CAF_CHECK_EQUAL(status.peers[0].lag, 2u);
  CAF_CHECK_EQUAL(status.peers[1].lag, 8u);
  CAF_CHECK_EQUAL(status.origins[1].lag, 4u);
  down(to_b);
  down(to_c);
  CAF_CHECK(!core.majority_linked());
}

CAF_TEST_FIXTURE_SCOPE_END
()
