#define CAF_SUITE membership_keeper

#include "actors/cluster/membership_keeper.hpp"

#include "actors/cluster/membership_codec.hpp"

#include <caf/test/dsl.hpp>

#include <map>

using namespace tidings;

namespace {

/// What a keeper asks of its node, and what that says.
struct node : membership_keeper::host {
  struct question {
    std::string member;
    request_kind kind;
    std::string body;
    questions::continuation then;
  };

  std::vector<cluster::member_state> others() const override {
    return peers;
  }

  std::vector<cluster::origin_head> heads() const override {
    return {{1, {1, 5}, 0}};
  }

  void ask(const std::string& member, request_kind kind, std::string body,
           questions::continuation then) override {
    asked.push_back({member, kind, std::move(body), std::move(then)});
  }

  status keep(const membership& x) override {
    if (disk_fails)
      return failure{errc::storage_full, "no space left"};
    kept = x;
    return std::nullopt;
  }

  void adopt(const membership& x) override {
    adopted.push_back(x.version);
  }

  void set_draining(bool on) override {
    draining = on;
  }

  void come_to_rest(std::function<void()> then) override {
    at_rest = std::move(then);
  }

  int64_t now_ms() const override {
    return now;
  }

  /// Answers the oldest question.
  question answer(std::optional<std::string> body) {
    CAF_REQUIRE(!asked.empty());
    auto x = std::move(asked.front());
    asked.erase(asked.begin());
    x.then(std::move(body));
    return x;
  }

  std::vector<cluster::member_state> peers{{"b", true, heads()}, {"c", true, heads()}};
  std::vector<question> asked;
  std::optional<membership> kept;
  std::vector<uint64_t> adopted;
  std::function<void()> at_rest;
  bool draining = false;
  bool disk_fails = false;
  int64_t now = 0;
};

const membership three{0, {{"a", "h:1"}, {"b", "h:2"}, {"c", "h:3"}}};

struct fixture {
  explicit fixture(std::string self = "a") : keeper(three, std::move(self), 1000, host) {
    // nop
  }

  void change(bool is_removal, std::string name, bool force = false) {
    keeper.change({is_removal, {std::move(name), "h:4"}, force},
                  [this](const cluster::change_outcome& x) { outcome = x; });
  }

  node host;
  membership_keeper keeper;
  std::optional<cluster::change_outcome> outcome;
};

struct fixture_b : fixture {
  fixture_b() : fixture("b") {
    host.peers[0].name = "a";
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(first_member, fixture)

CAF_TEST(the first member makes changes itself and tells the others) {
  change(false, "d");
  CAF_CHECK_EQUAL(host.kept->version, 1u);
  CAF_CHECK(host.adopted == std::vector<uint64_t>{1});
  CAF_CHECK_EQUAL(host.asked.size(), 2u);
  for (auto member : {"b", "c"}) {
    CAF_CHECK(!outcome);
    auto told = host.answer(std::string{});
    CAF_CHECK(told.kind == request_kind::members && told.member == member);
    CAF_CHECK(parse_membership(told.body) == keeper.present());
    keeper.tick();
  }
  CAF_REQUIRE(outcome);
  CAF_CHECK(!outcome->refused && outcome->untold.empty());
}

CAF_TEST(a list that cannot be kept is not gone by) {
  host.disk_fails = true;
  change(false, "d");
  CAF_REQUIRE(outcome && outcome->refused);
  CAF_CHECK(outcome->refused->code == errc::storage_full);
  CAF_CHECK(host.adopted.empty() && host.asked.empty());
  CAF_CHECK(keeper.present() == three);
  auto offered = *with_member(three, {"d", "h:4"});
  CAF_CHECK(!keeper.take_list(to_text(offered)).empty());
  CAF_CHECK(host.adopted.empty());
}

CAF_TEST(one change at a time) {
  change(false, "d");
  change(false, "e");
  CAF_REQUIRE(outcome && outcome->refused);
  CAF_CHECK(outcome->refused->code == errc::change_under_way);
}

CAF_TEST(a member that leaves comes to rest first and works on if it stays) {
  change(true, "c");
  auto asked = host.answer(encode_heads({{3, {1, 9}, 0}}));
  CAF_CHECK(asked.member == "c" && asked.kind == request_kind::drain && asked.body == "1000");
  keeper.tick();
  CAF_CHECK(host.adopted.empty()); // nobody has those nine
  host.now = 1000;
  keeper.tick();
  CAF_REQUIRE(outcome && outcome->refused);
  CAF_CHECK(outcome->refused->code == errc::members_missing);
  asked = host.answer(std::string{});
  CAF_CHECK(asked.member == "c" && asked.kind == request_kind::drain && asked.body == "0");
}

CAF_TEST(who was to leave and is still a member works on) {
  std::string answer = "none";
  auto take = [&](std::string_view body) {
    keeper.take_drain(body, [&](const std::string& x) { answer = x; });
  };
  take("60000"); // the time of who makes the change counts
  CAF_CHECK(host.draining && keeper.draining());
  host.at_rest();
  CAF_CHECK(decode_heads(answer) == host.heads());
  host.peers[1].linked = false; // that one may have the list without this node
  host.now = 130'000;
  keeper.tick();
  CAF_CHECK(host.draining);
  host.peers[1].linked = true;
  host.now = 129'999;
  keeper.tick();
  CAF_CHECK(host.draining); // the change may still be under way
  host.now = 130'000;
  keeper.tick();
  CAF_CHECK(!host.draining && !keeper.draining());
}

CAF_TEST(a change that is over ends no drain that was asked for here) {
  keeper.drain([](const auto&) {});
  for (auto body : {"1000", "0"})
    keeper.take_drain(body, [](const std::string&) {});
  CAF_CHECK(host.draining && keeper.draining());
  host.now = 100'000;
  keeper.tick();
  CAF_CHECK(host.draining && keeper.draining());
}

CAF_TEST(newer lists are taken and older ones are not ) {
  auto two = *without_member(three, "c");
  CAF_CHECK_EQUAL(keeper.take_list(to_text(two)), "");
  CAF_CHECK(keeper.present() == two && host.kept == two);
  CAF_CHECK_EQUAL(keeper.take_list(to_text(three)), "");
  CAF_CHECK_EQUAL(keeper.take_list(to_text(two)), "");
  CAF_CHECK(host.adopted == std::vector<uint64_t>{1});
  CAF_CHECK(!keeper.take_list("nonsense").empty());
}

CAF_TEST(a drain answers when the others have everything) {
  std::optional<std::vector<std::string>> behind;
  host.peers[0].heads.clear();
  host.peers[1] = {"c", false, {}};
  keeper.drain([&](const std::vector<std::string>& xs) { behind = xs; });
  CAF_CHECK(host.draining && keeper.draining());
  keeper.tick();
  CAF_CHECK(!behind);
  host.at_rest();
  keeper.tick();
  CAF_CHECK(!behind); // b is linked, and will have it
  host.peers[0].heads = host.heads();
  keeper.tick();
  CAF_REQUIRE(behind);
  CAF_CHECK(*behind == std::vector<std::string>{"c"});
  keeper.undrain();
  CAF_CHECK(!host.draining && !keeper.draining());
}

CAF_TEST(what cannot be read is not answered) {
  auto answered = false;
  keeper.take_change("nonsense", [&](const std::string&) { answered = true; });
  CAF_CHECK(!answered);
  CAF_CHECK(!decode_change_outcome("{}") && !decode_heads("{}x") && !decode_heads("[[1]]"));
  cluster::change_outcome refused{failure{errc::members_missing, "b"}, {}, {}};
  auto back = decode_change_outcome(encode_change_outcome(refused));
  CAF_REQUIRE(back && back->refused);
  CAF_CHECK(back->refused->code == errc::members_missing && back->refused->detail == "b");
}

CAF_TEST_FIXTURE_SCOPE_END
()

  CAF_TEST_FIXTURE_SCOPE(another_member, fixture_b)

    CAF_TEST(others pass changes on to the first that stays) {
  change(true, "c");
  cluster::change_outcome done{std::nullopt, *without_member(three, "c"), {}};
  auto asked = host.answer(encode_change_outcome(done));
  CAF_CHECK(asked.member == "a" && asked.kind == request_kind::change);
  CAF_CHECK(decode_change(asked.body)->is_removal);
  CAF_REQUIRE(outcome);
  CAF_CHECK(!outcome->refused && outcome->list == done.list);
}

CAF_TEST(without an answer it is not known what became of it) {
  change(false, "d");
  host.answer(std::nullopt);
  CAF_REQUIRE(outcome && outcome->refused);
  CAF_CHECK(outcome->refused->code == errc::indeterminate);
}

CAF_TEST(force is meant for the node that is asked) {
  change(false, "d", true);
  CAF_CHECK(host.adopted == std::vector<uint64_t>{1});
}

CAF_TEST(who leaves passes it on and learns it by the list) {
  change(true, "b");
  CAF_CHECK_EQUAL(host.asked.front().member, "a");
  CAF_CHECK_EQUAL(keeper.take_list(to_text(*without_member(three, "b"))), "");
  host.answer(std::nullopt); // its link is gone
  CAF_REQUIRE(outcome);
  CAF_CHECK(!outcome->refused);
}

CAF_TEST_FIXTURE_SCOPE_END
()
