#define CAF_SUITE member_requests

#include "actors/cluster/member_requests.hpp"

#include "actors/cluster/request_codec.hpp"
#include "support/actor_config.hpp"
#include "support/fake_store.hpp"
#include "support/still_clock.hpp"

#include <caf/all.hpp>
#include <caf/test/dsl.hpp>

#include <map>

using namespace tidings;

namespace {

/// Links that only note what was said.
struct noted_links : member_requests::links {
  std::map<std::string, uint64_t> of{{"b", 2}, {"c", 3}};
  std::vector<std::pair<uint64_t, cluster::message>> said;

  std::optional<uint64_t> link_to(const std::string& member) const override {
    auto i = of.find(member);
    return i == of.end() ? std::nullopt : std::optional{i->second};
  }

  std::optional<uint64_t> node_at(uint64_t link) const override {
    return link + 100;
  }

  void say(uint64_t link, cluster::message what) override {
    said.emplace_back(link, std::move(what));
  }

  void say_to_all(cluster::message) override {
    // nop
  }

  const cluster::request& request(size_t i) const {
    return std::get<cluster::request>(said.at(i).second);
  }
};

struct host_state {
  std::optional<member_requests> requests;
};

/// Stands for the replicator.
caf::behavior host(caf::stateful_actor<host_state>* self, const cluster_environment* env,
                   member_requests::links* over) {
  auto& requests = self->state.requests.emplace(self, *env, *over);
  return {
    [&](const member_question& x) { return requests.ask_view(x); },
    [&](caf::put_atom, uint64_t link, uint64_t id, const std::string& body) {
      requests.on_response(link, {id, body});
    },
    [&](caf::get_atom, uint64_t link, const std::string& body) {
      requests.on_request(link, {17, static_cast<uint8_t>(request_kind::view), body});
    },
    [&](caf::close_atom, uint64_t link) { requests.on_down(link); },
  };
}

views_actor::behavior_type echo(views_actor::pointer) {
  return {
    [](const view_request&) { return view_parts{}; },
    [](list_atom, const std::string& body) { return "answer to " + body; },
    [](const inquirer&) {},
  };
}

struct fixture : test_coordinator_fixture<config_with_types> {
  fixture() {
    env.cfg.view_requests = 3;
    env.cfg.view_timeout = milliseconds{500};
    env.clock = &clock;
    env.views = sys.spawn(echo);
    aut = sys.spawn(host, static_cast<const cluster_environment*>(&env),
                    static_cast<member_requests::links*>(&links));
    consume_messages();
  }

  ~fixture() {
    caf::anon_send_exit(aut, caf::exit_reason::kill);
    caf::anon_send_exit(env.views, caf::exit_reason::kill);
    consume_messages();
  }

  /// What became of a question, when something has: the state and the answer.
  std::shared_ptr<std::string> ask(const std::string& member, const std::string& body = "?") {
    auto out = std::make_shared<std::string>();
    sys.spawn([=, to = aut](caf::event_based_actor* self) {
      self->request(to, caf::infinite, member_question{member, body})
        .then([=](const member_answer& x) { *out = to_string(x.state) + (':' + x.body); });
    });
    consume_messages();
    return out;
  }

  /// The same now; empty: nothing yet.
  std::string outcome(const std::string& member) {
    return *ask(member);
  }

  /// Answers the question that was put as the nth.
  void respond(size_t n, const std::string& body) {
    caf::anon_send(aut, caf::put_atom_v, links.said.at(n).first, links.request(n).id, body);
    consume_messages();
  }

  cluster_environment env;
  still_clock clock;
  noted_links links;
  caf::actor aut;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(member_requests_tests, fixture)

CAF_TEST(a question goes to the member and its answer comes back) {
  auto first = ask("b", "one");
  auto second = ask("c", "two");
  CAF_REQUIRE_EQUAL(links.said.size(), 2u);
  CAF_CHECK_EQUAL(links.said[0].first, 2u);
  CAF_CHECK_EQUAL(links.said[1].first, 3u);
  CAF_CHECK_EQUAL(links.request(0).body, "one");
  CAF_CHECK(links.request(0).kind == static_cast<uint8_t>(request_kind::view));
  CAF_CHECK_NOT_EQUAL(links.request(0).id, links.request(1).id);
  respond(1, "2");
  CAF_CHECK_EQUAL(*first, "");
  CAF_CHECK_EQUAL(*second, "ok:2");
  respond(0, "1");
  CAF_CHECK_EQUAL(*first, "ok:1");
  respond(0, "again");
}

CAF_TEST(who has no link is not reached) {
  CAF_CHECK_EQUAL(outcome("d"), "unreachable:");
  CAF_CHECK(links.said.empty());
}

CAF_TEST(a link that is lost takes its questions along) {
  auto first = ask("b");
  auto second = ask("c");
  caf::anon_send(aut, caf::close_atom_v, uint64_t{2});
  consume_messages();
  CAF_CHECK_EQUAL(*first, "unreachable:");
  CAF_CHECK_EQUAL(*second, "");
}

CAF_TEST(no more questions than allowed wait for one member) {
  std::vector<std::shared_ptr<std::string>> asked;
  for (int i = 0; i < 3; ++i)
    asked.push_back(ask("b"));
  CAF_CHECK_EQUAL(outcome("b"), "overloaded:");
  CAF_CHECK_EQUAL(links.said.size(), 3u);
  CAF_CHECK_EQUAL(outcome("c"), "");
  respond(1, "x");
  CAF_CHECK_EQUAL(*asked[1], "ok:x");
  CAF_CHECK_EQUAL(outcome("b"), "");
  CAF_CHECK_EQUAL(outcome("b"), "overloaded:");
}

CAF_TEST(a member that owes answers for too long is not asked) {
  for (int i = 0; i < 3; ++i)
    ask("b");
  clock.now += 499;
  CAF_CHECK_EQUAL(outcome("b"), "overloaded:");
  clock.now += 1;
  CAF_CHECK_EQUAL(outcome("b"), "timeout:");
  // Its answers make room, however late they are.
  respond(0, "late");
  CAF_CHECK_EQUAL(outcome("b"), "");
  CAF_CHECK_EQUAL(links.said.size(), 4u);
  caf::anon_send(aut, caf::close_atom_v, uint64_t{2});
  consume_messages();
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(outcome("b"), "");
}

CAF_TEST(a question of another member is answered) {
  auto answered = [&](const std::string& body) {
    caf::anon_send(aut, caf::get_atom_v, uint64_t{2}, body);
    consume_messages();
    CAF_REQUIRE(!links.said.empty());
    auto& [link, what] = links.said.back();
    CAF_CHECK_EQUAL(link, 2u);
    CAF_CHECK_EQUAL(std::get<cluster::response>(what).id, 17u);
    return std::get<cluster::response>(what).body;
  };
  CAF_CHECK_EQUAL(answered("x"), "answer to x");
  // Also if there is nobody who could.
  caf::anon_send_exit(env.views, caf::exit_reason::kill);
  consume_messages();
  CAF_CHECK_EQUAL(answered("x"), "");
}

CAF_TEST_FIXTURE_SCOPE_END
()
