#define CAF_SUITE links_over_sockets

#include "actors/cluster/acceptor.hpp"
#include "actors/cluster/dialer.hpp"
#include "actors/cluster/link_actor.hpp"
#include "actors/cluster/socket.hpp"
#include "actors/messages.hpp"
#include "support/end_of_link.hpp"
#include "support/test_certificates.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <caf/test/dsl.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace tidings;
using namespace tidings::cluster;
using namespace std::chrono_literals;

namespace {

/// Nothing here takes so long unless something is wrong.
constexpr auto patience = 20s;

struct config_with_types : caf::actor_system_config {
  config_with_types() {
    load<caf::io::middleman>();
    set("middleman.workers", size_t{0});
    set("scheduler.max-threads", size_t{1});
    add_message_types<caf::id_block::tidings>();
  }
};

message_ptr share(message x) {
  return std::make_shared<const message>(std::move(x));
}

/// A node that has nothing but links; the test is their owner.
struct test_node {
  explicit test_node(uint8_t number) : sys(cfg), self(std::in_place, sys), number(number) {
    settings.self = test_identity(number);
    settings.admitted = [](const std::string& member) { return member.starts_with("node-"); };
  }

  caf::actor owner() {
    return caf::actor{*self};
  }

  uint16_t listen() {
    auto x = open_acceptor(sys, *listen_address::parse("127.0.0.1:0"), share_settings(), owner());
    if (!x)
      CAF_FAIL(x.error().detail);
    return x->port;
  }

  void dial(uint16_t port, dial_timing timing = {}) {
    dialer = spawn_dialer(sys, {"127.0.0.1", port}, share_settings(), owner(), timing);
  }

  link_settings_ptr share_settings() const {
    return std::make_shared<const link_settings>(settings);
  }

  /// The next message of this type; others stay for later.
  template <class T>
  T next() {
    std::optional<T> result;
    (*self)->receive([&](const T& x) { result = x; },
                     caf::after(patience) >> [] { CAF_FAIL("nothing came"); });
    return *result;
  }

  config_with_types cfg;
  caf::actor_system sys;
  std::optional<caf::scoped_actor> self;
  uint8_t number;
  link_settings settings;
  caf::actor dialer;
};

socket_handle connect_to_port(uint16_t port) {
  auto x = connect_to("127.0.0.1", port, 5s);
  if (!x)
    CAF_FAIL(x.error().detail);
  // Blocking from here on, with a bound.
  ::fcntl(x->get(), F_SETFL, 0);
  timeval bound{20, 0};
  ::setsockopt(x->get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
  return std::move(*x);
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0)
      CAF_FAIL("cannot write");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

/// What comes until the peer closes; fails when it does not.
std::string read_to_end(int fd) {
  std::string all;
  char buffer[4096];
  for (;;) {
    auto n = ::recv(fd, buffer, sizeof(buffer), 0);
    if (n == 0 || (n < 0 && errno == ECONNRESET))
      return all;
    if (n < 0)
      CAF_FAIL("the connection stays open");
    all.append(buffer, static_cast<size_t>(n));
  }
}

/// Goes through the handshake by hand.
void meet(end_of_link& peer, int fd) {
  peer.start();
  while (!peer.peer) {
    write_all(fd, std::exchange(peer.out, {}));
    char buffer[4096];
    auto n = ::recv(fd, buffer, sizeof(buffer), 0);
    if (n <= 0)
      CAF_FAIL("the connection ended");
    peer.feed({buffer, static_cast<size_t>(n)});
  }
}

struct fixture {
  test_node a{1};
  test_node b{2};
};

/// Two nodes that shall get a link, and use it.
void talk(test_node& a, test_node& b) {
  a.dial(b.listen());
  auto up_a = a.next<link_up>();
  auto up_b = b.next<link_up>();
  CAF_CHECK_EQUAL(up_a.peer.member, b.settings.self.member);
  CAF_CHECK_EQUAL(up_b.peer.member, a.settings.self.member);
  CAF_CHECK(up_a.dialled && !up_b.dialled);
  CAF_CHECK(up_b.address.starts_with("127.0.0.1:"));
  constexpr uint64_t count = 200;
  auto nth = [](uint64_t i) { return message{request{i, 1, std::string(i * 37, 'x')}}; };
  for (uint64_t i = 0; i < count; ++i) {
    caf::anon_send(up_a.actor, share(nth(i)));
    caf::anon_send(up_b.actor, std::vector{share(nth(i)), share(stop{i})});
  }
  for (uint64_t i = 0; i < count; ++i) {
    CAF_CHECK(*b.next<link_received>().what == nth(i));
    CAF_CHECK(*a.next<link_received>().what == nth(i));
    CAF_CHECK(*a.next<link_received>().what == message{stop{i}});
  }
  caf::anon_send(up_b.actor, link_close{close_reason::shutting_down, "until later"});
  auto down_a = a.next<link_down>();
  auto down_b = b.next<link_down>();
  CAF_CHECK(down_a.reason == close_reason::shutting_down && down_a.by_peer && down_a.was_up);
  CAF_CHECK_EQUAL(down_a.text, "until later");
  CAF_CHECK_EQUAL(down_a.link, up_a.link);
  CAF_CHECK(down_b.reason == close_reason::shutting_down && !down_b.by_peer);
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(links_over_sockets_tests, fixture)

CAF_TEST(two nodes talk and part) {
  talk(a, b);
}

CAF_TEST(two nodes talk over TLS) {
  test_authority authority;
  for (auto x : {&a, &b}) {
    auto certificate = authority.issue(x->settings.self.member);
    auto identity = tls_identity::load(
      {certificate.certificate.path(), certificate.key.path(), authority.path()});
    CAF_REQUIRE(identity);
    x->settings.tls = *identity;
  }
  talk(a, b);
}

CAF_TEST(a certificate for another name gives no link) {
  test_authority authority;
  for (auto x : {&a, &b}) {
    auto certificate = authority.issue(x == &a ? "node-3" : "node-2");
    x->settings.tls = *tls_identity::load(
      {certificate.certificate.path(), certificate.key.path(), authority.path()});
  }
  a.dial(b.listen());
  auto down = b.next<link_down>();
  CAF_CHECK(down.reason == close_reason::wrong_certificate && !down.was_up);
  down = a.next<link_down>();
  CAF_CHECK(down.reason == close_reason::wrong_certificate && down.by_peer);
}

CAF_TEST(plain text does not meet TLS) {
  test_authority authority;
  auto certificate = authority.issue("node-2");
  b.settings.tls =
    *tls_identity::load({certificate.certificate.path(), certificate.key.path(), authority.path()});
  a.dial(b.listen());
  auto down = b.next<link_down>();
  CAF_CHECK(down.reason == close_reason::tls_failed);
  CAF_CHECK(!down.text.empty());
  CAF_CHECK(!a.next<link_down>().was_up);
}

CAF_TEST(a lost link is dialled again) {
  a.dial(b.listen(), {.pause_min = 1ms, .pause_max = 20ms});
  for (int i = 0; i < 3; ++i) {
    caf::anon_send(a.next<link_up>().actor, link_close{});
    CAF_CHECK(!a.next<link_down>().by_peer);
  }
}

CAF_TEST(a dialer rests while its link is not wanted) {
  auto port = b.listen();
  a.dial(port, {.pause_min = 1ms, .pause_max = 2ms});
  auto up = a.next<link_up>();
  caf::anon_send(a.dialer, dial_wanted{false});
  caf::anon_send(up.actor, link_close{});
  a.next<link_down>();
  CAF_CHECK_EQUAL(b.next<link_up>().peer.member, "node-1");
  // Another node comes and goes meanwhile: there was time enough for the first to come again.
  for (int i = 0; i < 10; ++i) {
    test_node other{3};
    other.dial(port);
    CAF_CHECK_EQUAL(b.next<link_up>().peer.member, "node-3");
  }
  caf::anon_send(a.dialer, dial_wanted{true});
  CAF_CHECK_EQUAL(b.next<link_up>().peer.member, "node-1");
}

CAF_TEST(a failure to connect is told and tried again) {
  auto free_port = listen_on(*listen_address::parse("127.0.0.1:0"));
  CAF_REQUIRE(free_port);
  auto port = free_port->port;
  free_port->socket = socket_handle{-1};
  a.dial(port, {.pause_min = 1ms, .pause_max = 20ms});
  for (int i = 0; i < 3; ++i) {
    auto x = a.next<dial_failed>();
    CAF_CHECK_EQUAL(x.address, "127.0.0.1:" + std::to_string(port));
    CAF_CHECK_EQUAL(x.why, "Connection refused");
  }
}

CAF_TEST(a peer that does not answer delays no other) {
  // A listener whose queue is full lets a connection wait for ever.
  auto mute = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CAF_REQUIRE_EQUAL(::bind(mute, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  CAF_REQUIRE_EQUAL(::listen(mute, 0), 0);
  ::getsockname(mute, reinterpret_cast<sockaddr*>(&address), &size);
  auto port = ntohs(address.sin_port);
  std::vector<result<socket_handle>> waiting;
  do
    waiting.push_back(connect_to("127.0.0.1", port, 100ms));
  while (waiting.back() && waiting.size() < 10);
  CAF_CHECK_EQUAL(waiting.back().error().detail, "Connection timed out");
  auto hangs = spawn_dialer(a.sys, {"127.0.0.1", port}, a.share_settings(), a.owner(), {500ms});
  a.dial(b.listen());
  auto is_first_up = false;
  (*a.self)->receive([&](const link_up&) { is_first_up = true; }, [](const dial_failed&) {});
  CAF_CHECK(is_first_up);
  CAF_CHECK_EQUAL(a.next<dial_failed>().why, "Connection timed out");
  ::close(mute);
}

CAF_TEST(strangers are closed and told why) {
  b.settings.timing.handshake_max = 300;
  b.settings.timing.ping_every = 100;
  auto port = b.listen();
  auto reason_for = [&](std::string_view bytes) {
    auto socket = connect_to_port(port);
    write_all(socket.get(), bytes);
    end_of_link reader{link_role::dialler, test_identity(1), 1};
    reader.feed(read_to_end(socket.get()));
    auto down = b.next<link_down>();
    CAF_CHECK(!down.was_up && !down.by_peer);
    if (reader.closed)
      CAF_CHECK(reader.closed->by_peer && reader.closed->reason == down.reason);
    return down.reason;
  };
  CAF_CHECK(reason_for("GET / HTTP/1.1\r\nHost: x\r\n\r\n") == close_reason::not_a_frame);
  CAF_CHECK(reason_for(std::string(5000, 'x')) == close_reason::not_a_frame);
  std::string two_gigabytes{"Td\x01\x01\x7f\xff\xff\xff\0\0\0\0\0\0\0\0", 16};
  CAF_CHECK(reason_for(two_gigabytes) == close_reason::frame_too_long);
  CAF_CHECK(reason_for("") == close_reason::handshake_timeout);
  CAF_CHECK(reason_for("T") == close_reason::handshake_timeout);
}

CAF_TEST(strangers beyond the bound are closed at once and members find a place later) {
  b.settings.timing.handshake_max = 500;
  b.settings.timing.ping_every = 100;
  b.settings.waiting_max = 2;
  auto port = b.listen();
  auto first = connect_to_port(port);
  auto second = connect_to_port(port);
  // Not even a hello; where the end is faster than the look at the new connection, that fails.
  if (auto third = connect_to("127.0.0.1", port, 5s)) {
    ::fcntl(third->get(), F_SETFL, 0);
    CAF_CHECK_EQUAL(read_to_end(third->get()), "");
  }
  CAF_CHECK(!read_to_end(first.get()).empty());
  CAF_CHECK(!read_to_end(second.get()).empty());
  a.dial(port);
  a.next<link_up>();
}

CAF_TEST(a member that stops reading costs no more than the bound and hinders no end) {
  b.settings.unsent_max = 1 << 20;
  b.settings.timing.silence_max = 1000000; // it is not that
  auto socket = connect_to_port(b.listen());
  end_of_link peer{link_role::dialler, test_identity(1), 1};
  meet(peer, socket.get());
  auto up = b.next<link_up>();
  // The kernel takes some megabytes, then the link's own bound counts.
  auto x = share(response{1, std::string(100000, 'x')});
  for (int i = 0; i < 1000; ++i)
    caf::anon_send(up.actor, x);
  auto down = b.next<link_down>();
  CAF_CHECK(down.reason == close_reason::stalled && !down.by_peer);
}

CAF_TEST(a node ends in the middle of a transfer that nobody reads) {
  std::optional<test_node> node;
  node.emplace(uint8_t{2});
  node->settings.unsent_max = SIZE_MAX;
  auto socket = connect_to_port(node->listen()); // stays open for longer than the node lives
  end_of_link peer{link_role::dialler, test_identity(1), 1};
  meet(peer, socket.get());
  auto link = node->next<link_up>().actor;
  auto x = share(response{1, std::string(1000000, 'x')});
  for (int i = 0; i < 30; ++i)
    caf::anon_send(link, x);
  link = nullptr;
  node.reset(); // the owner's end is that of its links, and no thread waits for the peer
  CAF_CHECK(read_to_end(socket.get()).size() < 30000000);
}

CAF_TEST(an address in use is refused) {
  auto port = b.listen();
  auto where = *listen_address::parse("127.0.0.1:" + std::to_string(port));
  auto x = open_acceptor(a.sys, where, a.share_settings(), a.owner());
  CAF_REQUIRE(!x);
  CAF_CHECK(x.error().code == errc::invalid_configuration);
  CAF_CHECK(x.error().detail.find("Address already in use") != std::string::npos);
}

CAF_TEST(plain text stays within the machine) {
  CAF_CHECK(!check_cluster_address("127.0.0.1:7301", false));
  CAF_CHECK(!check_cluster_address("[::1]:7301", false));
  CAF_CHECK(!check_cluster_address("0.0.0.0:7301", true));
  for (auto x : {"0.0.0.0:7301", "10.0.0.1:7301", "[::]:7301"}) {
    auto why = check_cluster_address(x, false);
    CAF_REQUIRE(why);
    CAF_CHECK(why->code == errc::invalid_configuration);
  }
  CAF_CHECK(check_cluster_address("nonsense", true));
}

CAF_TEST_FIXTURE_SCOPE_END
()
