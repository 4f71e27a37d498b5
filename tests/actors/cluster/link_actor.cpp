#define CAF_SUITE link_actor

#include "actors/cluster/link_actor.hpp"

#include "actors/messages.hpp"
#include "support/end_of_link.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <caf/test/io_dsl.hpp>

using namespace tidings;
using namespace tidings::cluster;
using namespace std::chrono_literals;

namespace {

struct config_with_types : caf::actor_system_config {
  config_with_types() {
    load<caf::io::middleman>();
    add_message_types<caf::id_block::tidings>();
  }
};

/// What the owner of a link was told.
struct record {
  std::vector<link_up> up;
  std::vector<message> received;
  std::vector<bool> silent;
  std::vector<link_down> down;
};

caf::behavior recording_owner(caf::event_based_actor*, record* told) {
  return {
    [told](const link_up& x) { told->up.push_back(x); },
    [told](const link_received& x) { told->received.push_back(*x.what); },
    [told](const link_suspect& x) { told->silent.push_back(x.silent); },
    [told](const link_down& x) { told->down.push_back(x); },
  };
}

message_ptr share(message x) {
  return std::make_shared<const message>(std::move(x));
}

/// One link without a socket; the test is the peer.
struct fixture : test_node_fixture<test_coordinator_fixture<config_with_types>> {
  fixture() {
    auto x = std::make_shared<link_settings>();
    x->self = test_identity(2);
    x->admitted = [](const std::string& member) { return member == "node-1"; };
    x->unsent_max = 1000;
    settings = x;
    owner = sys.spawn(recording_owner, &told);
    auto link = mm.spawn_broker(link_of_connection, socket, link_role::acceptor, settings,
                                owner.address(), place);
    watch = place;
    place.reset();
    broker = caf::actor_cast<caf::strong_actor_ptr>(link);
    static_cast<caf::io::abstract_broker*>(caf::actor_cast<caf::abstract_actor*>(link))
      ->add_scribe(mpx.new_scribe(socket));
    self->monitor(link);
    settle();
  }

  ~fixture() {
    told = {};
    caf::anon_send_exit(owner, caf::exit_reason::kill);
    caf::anon_send_exit(broker, caf::exit_reason::kill);
    owner = nullptr;
    broker = nullptr;
    settle();
  }

  void settle() {
    while (consume_message()) {
      // nop
    }
  }

  void advance(std::chrono::milliseconds time) {
    sched.advance_time(time);
    settle();
  }

  std::string take_output() {
    auto& buffer = mpx.output_buffer(socket);
    std::string x{buffer.begin(), buffer.end()};
    buffer.clear();
    return x;
  }

  void feed(std::string_view bytes) {
    mpx.virtual_send(socket, {bytes.begin(), bytes.end()});
    settle();
  }

  /// The kernel took everything.
  void transfer() {
    mpx.impl_ptr(socket)->data_transferred(&mpx, 1, 0);
    settle();
  }

  /// Carries bytes between the link and the test until both are quiet.
  void carry(int64_t now_ms = 0) {
    for (bool quiet = false; !quiet;) {
      auto bytes = take_output();
      if (!bytes.empty())
        transfer();
      peer.feed(bytes, now_ms);
      auto answer = std::exchange(peer.out, {});
      if (!answer.empty())
        feed(answer);
      quiet = bytes.empty() && answer.empty();
    }
  }

  void connect() {
    peer.start();
    carry();
    CAF_REQUIRE_EQUAL(told.up.size(), 1u);
    CAF_REQUIRE(peer.peer);
  }

  /// Whether the link has ended, and normally.
  bool is_gone() {
    bool gone = false;
    self->receive([&gone](const caf::down_msg& x) { gone = !x.reason; }, caf::after(0s) >> [] {});
    return gone;
  }

  bool told_down(close_reason reason, bool by_peer = false) const {
    return told.down.size() == 1 && told.down[0].reason == reason
           && told.down[0].by_peer == by_peer;
  }

  // High enough to be no descriptor of this process.
  caf::io::connection_handle socket = caf::io::connection_handle::from_int(1 << 28);
  record told;
  link_settings_ptr settings;
  std::shared_ptr<void> place = std::make_shared<int>(0);
  std::weak_ptr<void> watch;
  caf::actor owner;
  caf::strong_actor_ptr broker;
  end_of_link peer{link_role::dialler, test_identity(1), 1};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(link_actor_tests, fixture)

CAF_TEST(the owner learns who is there) {
  connect();
  auto& x = told.up[0];
  CAF_CHECK_EQUAL(x.peer.member, "node-1");
  CAF_CHECK(x.peer.node == test_identity(1).node);
  CAF_CHECK_EQUAL(x.peer.incarnation, 10u);
  CAF_CHECK_EQUAL(x.peer.membership, 3u);
  CAF_CHECK(!x.dialled);
  CAF_CHECK(x.link != 0);
  CAF_CHECK(!x.address.empty());
  CAF_CHECK(caf::actor_cast<caf::strong_actor_ptr>(x.actor) == broker);
}

CAF_TEST(messages go both ways in order) {
  connect();
  std::vector<message> first{want{1, {2, 3}}, credit{4}, response{5, "x"}};
  for (auto& x : first)
    peer.send(x);
  carry();
  CAF_CHECK(told.received == first);
  self->send(told.up[0].actor, share(first[0]));
  self->send(told.up[0].actor, std::vector{share(first[1]), share(first[2])});
  settle();
  carry();
  CAF_CHECK(peer.delivered == first);
}

CAF_TEST(strangers get a small buffer and keep their place among those who wait) {
  CAF_CHECK_EQUAL(mpx.read_config(socket).second, 4096u);
  CAF_CHECK(!watch.expired());
  connect();
  CAF_CHECK(mpx.read_config(socket).second > 4096u);
  CAF_CHECK(watch.expired());
}

CAF_TEST(a stranger who goes gives its place back) {
  feed("this is no frame, whatever it is");
  CAF_CHECK(told_down(close_reason::not_a_frame));
  CAF_CHECK(!told.down[0].was_up);
  transfer();
  CAF_CHECK(is_gone());
  CAF_CHECK(watch.expired());
}

CAF_TEST(who is not admitted hears so) {
  auto other = test_identity(3);
  end_of_link stranger{link_role::dialler, other, 1};
  stranger.start();
  feed(stranger.out);
  CAF_CHECK(told_down(close_reason::not_a_member));
  stranger.feed(take_output());
  CAF_CHECK(stranger.closed_with(close_reason::not_a_member, true));
}

CAF_TEST(who says nothing is closed after three seconds) {
  advance(1s);
  advance(1s);
  CAF_CHECK(told.down.empty());
  advance(1s);
  CAF_CHECK(told_down(close_reason::handshake_timeout));
  transfer();
  CAF_CHECK(is_gone());
}

CAF_TEST(a silent peer is suspected and closed) {
  connect();
  for (int i = 0; i < 3; ++i)
    advance(1s);
  CAF_CHECK(told.silent == std::vector{true});
  advance(1s);
  advance(1s);
  CAF_CHECK(told_down(close_reason::silent));
  CAF_CHECK(told.down[0].was_up);
  CAF_CHECK_EQUAL(told.down[0].link, told.up[0].link);
  CAF_CHECK_EQUAL(told.down[0].peer.member, "node-1");
}

CAF_TEST(a peer that answers pings stays) {
  connect();
  for (int64_t now = 1000; now < 20000; now += 1000) {
    advance(1s);
    peer.tick(now);
    carry(now);
  }
  CAF_CHECK(told.down.empty());
  CAF_CHECK(told.silent.empty());
}

CAF_TEST(a peer that takes nothing is cut off) {
  connect();
  auto x = share(response{1, std::string(400, 'x')});
  for (int i = 0; i < 10; ++i) { // much in all, but never too much at once
    self->send(told.up[0].actor, std::vector{x, x});
    settle();
    transfer();
  }
  CAF_CHECK(told.down.empty());
  take_output();
  self->send(told.up[0].actor, std::vector{x, x, x});
  settle();
  CAF_CHECK(told_down(close_reason::stalled));
  CAF_CHECK(is_gone());
}

CAF_TEST(the owner closes a link with a reason) {
  connect();
  self->send(told.up[0].actor, link_close{close_reason::replaced, "a newer one"});
  self->send(told.up[0].actor, share(stop{1}));
  settle();
  CAF_CHECK(told_down(close_reason::replaced));
  CAF_CHECK(!is_gone());
  peer.feed(take_output());
  CAF_CHECK(peer.closed_with(close_reason::replaced, true));
  CAF_CHECK(peer.delivered.empty());
  transfer();
  CAF_CHECK(is_gone());
}

CAF_TEST(a goodbye that cannot be written is not waited for) {
  connect();
  self->send(told.up[0].actor, link_close{close_reason::replaced, {}});
  settle();
  CAF_CHECK(!is_gone());
  advance(1s);
  CAF_CHECK(is_gone());
}

CAF_TEST(the goodbye of the peer ends the link) {
  connect();
  feed(bytes_of(goodbye{close_reason::shutting_down, "until later"}));
  CAF_CHECK(told_down(close_reason::shutting_down, true));
  CAF_CHECK_EQUAL(told.down[0].text, "until later");
  CAF_CHECK(is_gone());
}

CAF_TEST(a link ends with its owner) {
  connect();
  caf::anon_send_exit(owner, caf::exit_reason::user_shutdown);
  settle();
  CAF_CHECK(is_gone());
}

CAF_TEST(a link that is told to exit says so) {
  connect();
  caf::anon_send_exit(told.up[0].actor, caf::exit_reason::user_shutdown);
  settle();
  CAF_CHECK(told_down(close_reason::shutting_down));
  CAF_CHECK(is_gone());
}

CAF_TEST(a message that no frame can hold ends the link) {
  connect();
  self->send(told.up[0].actor, share(response{1, std::string(frame_payload_max, 'x')}));
  settle();
  CAF_CHECK(told_down(close_reason::frame_too_long));
}

CAF_TEST_FIXTURE_SCOPE_END
()
