#define CAF_SUITE views_actor

#include "actors/views/views_actor.hpp"

#include "actors/shard/shard_actor.hpp"
#include "actors/views/view_codec.hpp"
#include "support/actor_config.hpp"
#include "support/fake_store.hpp"
#include "support/still_clock.hpp"

#include <caf/all.hpp>
#include <caf/test/dsl.hpp>

#include <map>

using namespace tidings;

namespace {

/// Has streams with these numbers.
shard_actor::behavior_type test_shard(shard_actor::pointer, std::vector<uint64_t> ids) {
  return {
    [](const commit_notice&) {},
    [](const shard_peers_ptr&) {},
    [ids](const connection_query& x) {
      connection_page page;
      for (auto id : ids) {
        auto& one = page.found.emplace_back();
        one.id = id;
        one.user = x.user;
      }
      page.total = ids.size();
      return page;
    },
    [ids](caf::close_atom, uint64_t id, end_reason) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    },
    [](drain_atom, bool) { return uint64_t{0}; },
    [](const caller_judge&) {},
    [](const config_ptr&) {},
  };
}

/// Reaches the other members: each has a views actor of its own, an answer that it gives, or none
/// ever.
struct others {
  std::map<std::string, views_actor> nodes;
  std::map<std::string, member_answer> answers;
};

class inquirer_state {
public:
  std::vector<caf::typed_response_promise<member_answer>> never;
};

inquirer::behavior_type test_inquirer(inquirer::stateful_pointer<inquirer_state> self,
                                      const others* all) {
  return {
    [=](const member_question& x) {
      auto promise = self->make_response_promise<member_answer>();
      if (auto i = all->answers.find(x.member); i != all->answers.end())
        promise.deliver(i->second);
      else if (auto j = all->nodes.find(x.member); j != all->nodes.end())
        self->request(j->second, caf::infinite, list_atom_v, x.body)
          .then([=](const std::string& body) mutable {
            promise.deliver(member_answer{member_state::ok, body});
          });
      else
        self->state.never.push_back(promise);
      return promise;
    },
  };
}

constexpr uint64_t first_shard = uint64_t{1} << 32;
constexpr uint64_t second_shard = uint64_t{2} << 32;

struct fixture {
  fixture() {
    cluster_view view;
    for (auto name : {"c", "a", "b"}) // of which a is this one
      view.members.push_back({.name = name});
    board->set(std::move(view));
    stats->published = 5;
  }

  ~fixture() {
    for (auto& x : spawned)
      caf::anon_send_exit(x, caf::exit_reason::kill);
    spawned.clear();
    sys.await_all_actors_done();
  }

  template <class Actor>
  Actor keep(Actor x) {
    spawned.push_back(caf::actor_cast<caf::actor>(x));
    return x;
  }

  views_actor node(const std::string& name, std::vector<std::vector<uint64_t>> streams) {
    views_environment env;
    env.member = name;
    env.version = "1.0";
    env.started_ms = 3'000;
    env.timeout = milliseconds{50};
    for (auto& ids : streams)
      env.shards.push_back(keep(sys.spawn(test_shard, ids)));
    env.store = store;
    env.stats = stats;
    env.board = name.empty() ? nullptr : board;
    env.clock = &clock;
    return keep(spawn_views(sys, std::move(env)));
  }

  /// A cluster of three.
  views_actor cluster() {
    auto aut = node("a", {{first_shard + 1}, {second_shard + 1}});
    elsewhere.nodes["b"] = node("b", {{first_shard + 1, first_shard + 2}});
    elsewhere.nodes["c"] = node("c", {{first_shard + 7}});
    caf::anon_send(aut, keep(sys.spawn(test_inquirer, static_cast<const others*>(&elsewhere))));
    return aut;
  }

  view_parts ask(const views_actor& whom, view_request x) {
    caf::scoped_actor self{sys};
    view_parts out;
    self->request(whom, caf::infinite, std::move(x))
      .receive([&](view_parts& parts) { out = std::move(parts); },
               [](const caf::error&) { CAF_FAIL("no answer"); });
    return out;
  }

  static std::string words(const view_parts& parts) {
    std::string out;
    for (auto& x : parts)
      out += x.member + '=' + to_string(x.state) + ' ';
    return out;
  }

  static std::vector<uint64_t> ids(const view_part& x) {
    std::vector<uint64_t> out;
    for (auto& one : std::get<connection_page>(x.answer).found)
      out.push_back(one.id);
    return out;
  }

  config_with_types cfg;
  caf::actor_system sys{cfg};
  std::shared_ptr<fake_store> store = std::make_shared<fake_store>();
  std::shared_ptr<statistics> stats = std::make_shared<statistics>();
  std::shared_ptr<cluster_board> board = std::make_shared<cluster_board>();
  still_clock clock{20'000};
  others elsewhere;
  std::vector<caf::actor> spawned;
};

view_request listing(size_t limit = 100) {
  view_request x;
  x.what = connection_query{0, limit, "", "u"};
  return x;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(views_actor_tests, fixture)

CAF_TEST(a node that is alone answers for itself) {
  auto aut = node("", {{first_shard + 2}, {second_shard + 1}});
  auto parts = ask(aut, listing());
  CAF_REQUIRE_EQUAL(parts.size(), 1u);
  CAF_CHECK_EQUAL(parts[0].member, "");
  CAF_CHECK(ids(parts[0]) == (std::vector<uint64_t>{first_shard + 2, second_shard + 1}));
  auto& one = std::get<connection_page>(parts[0].answer).found[0];
  CAF_CHECK_EQUAL(one.cursor, store->cursor_at(lsn{}).to_string());
  CAF_CHECK_EQUAL(one.user, "u");
}

CAF_TEST(a node counts for itself) {
  view_request x;
  x.what = numbers_query{};
  auto parts = ask(node("", {}), x);
  CAF_REQUIRE_EQUAL(parts.size(), 1u);
  auto& numbers = std::get<node_numbers>(parts[0].answer);
  CAF_CHECK_EQUAL(numbers.version, "1.0");
  CAF_CHECK_EQUAL(numbers.uptime_seconds, 17u);
  auto published = std::find_if(numbers.counts.begin(), numbers.counts.end(),
                                [](auto& x) { return x.first == "published"; });
  CAF_REQUIRE(published != numbers.counts.end());
  CAF_CHECK_EQUAL(published->second, 5u);
}

CAF_TEST(all members answer in the order of their names) {
  auto parts = ask(cluster(), listing());
  CAF_CHECK_EQUAL(words(parts), "a=ok b=ok c=ok ");
  CAF_CHECK(ids(parts[0]) == (std::vector<uint64_t>{first_shard + 1, second_shard + 1}));
  CAF_CHECK(ids(parts[1]) == (std::vector<uint64_t>{first_shard + 1, first_shard + 2}));
  CAF_CHECK(ids(parts[2]) == (std::vector<uint64_t>{first_shard + 7}));
  CAF_CHECK_EQUAL(std::get<connection_page>(parts[1].answer).found[0].user, "u");
}

CAF_TEST(each member is asked what the cursor leaves of it) {
  auto x = listing(1);
  x.after = {"b", first_shard + 1};
  auto parts = ask(cluster(), x);
  CAF_CHECK(ids(parts[0]).empty());
  CAF_CHECK_EQUAL(std::get<connection_page>(parts[0].answer).total, 2u);
}

CAF_TEST(one member may be asked alone) {
  auto aut = cluster();
  auto x = listing();
  x.only = "c";
  CAF_CHECK_EQUAL(words(ask(aut, x)), "c=ok ");
  x.only = "a";
  CAF_CHECK_EQUAL(words(ask(aut, x)), "a=ok ");
  x.only = "x";
  CAF_CHECK(ask(aut, x).empty());
}

CAF_TEST(who does not answer is named) {
  auto aut = cluster();
  elsewhere.nodes.erase("b");
  CAF_CHECK_EQUAL(words(ask(aut, listing())), "a=ok b=timeout c=ok ");
  elsewhere.answers["b"] = {member_state::unreachable, {}};
  CAF_CHECK_EQUAL(words(ask(aut, listing())), "a=ok b=unreachable c=ok ");
  elsewhere.answers["b"] = {member_state::overloaded, {}};
  CAF_CHECK_EQUAL(words(ask(aut, listing())), "a=ok b=overloaded c=ok ");
  for (auto text : {"", "x", "{}"}) {
    elsewhere.answers["b"] = {member_state::ok, text};
    CAF_CHECK_EQUAL(words(ask(aut, listing())), "a=ok b=unreadable c=ok ");
  }
}

CAF_TEST(before there are links nobody else is reached) {
  auto aut = node("a", {{first_shard + 1}});
  CAF_CHECK_EQUAL(words(ask(aut, listing())), "a=ok b=unreachable c=unreachable ");
}

CAF_TEST(a member that is not on the board speaks for itself all the same) {
  cluster_view view;
  view.members.push_back({.name = "b"});
  board->set(std::move(view));
  auto aut = node("a", {{first_shard + 1}});
  CAF_CHECK_EQUAL(words(ask(aut, listing())), "a=ok b=unreachable ");
}

CAF_TEST(a stream is closed where it is) {
  auto aut = cluster();
  auto closed = [&](const std::string& member, uint64_t id) {
    view_request x;
    x.what = close_order{id};
    x.only = member;
    return std::get<bool>(ask(aut, x).at(0).answer);
  };
  CAF_CHECK(closed("a", second_shard + 1));
  CAF_CHECK(!closed("a", first_shard + 7));
  CAF_CHECK(closed("c", first_shard + 7));
  CAF_CHECK(!closed("c", second_shard + 1));
  for (uint64_t id : {uint64_t{0}, uint64_t{7}, uint64_t{9} << 32, ~uint64_t{0}})
    CAF_CHECK(!closed("a", id));
}

CAF_TEST(every question of another member has an answer) {
  caf::scoped_actor self{sys};
  auto aut = cluster();
  for (auto body : {"", "x", "{}"})
    self->request(aut, caf::infinite, list_atom_v, std::string{body})
      .receive([](const std::string& answer) { CAF_CHECK_EQUAL(answer, ""); },
               [](const caf::error&) { CAF_FAIL("no answer"); });
}

CAF_TEST_FIXTURE_SCOPE_END
()
