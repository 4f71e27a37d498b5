#define CAF_SUITE link_session

#include "cluster/link_session.hpp"

#include "support/end_of_link.hpp"

#include <caf/test/dsl.hpp>

#include <cstdlib>
#include <random>

using namespace tidings;
using namespace tidings::cluster;

namespace {

struct fixture {
  end_of_link a{link_role::dialler, test_identity(1), 1};
  end_of_link b{link_role::acceptor, test_identity(2), 2};

  void connect() {
    a.start();
    b.start();
    carry(a, b);
    CAF_REQUIRE(a.peer && b.peer);
  }
};

/// A dialler and an acceptor that shall not get together.
struct pair {
  pair(link_identity x, link_identity y)
    : a(link_role::dialler, std::move(x), 1), b(link_role::acceptor, std::move(y), 2) {
    // nop
  }

  void meet() {
    a.start();
    b.start();
    carry(a, b);
    CAF_CHECK(!a.peer && !b.peer);
    CAF_CHECK(a.closed && b.closed);
  }

  end_of_link a;
  end_of_link b;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(link_session_tests, fixture)

CAF_TEST(both learn who the other is) {
  connect();
  CAF_CHECK((*a.peer == link_peer{test_identity(2).node, "node-2", 20, 3, protocol_version, 2}));
  CAF_CHECK((*b.peer == link_peer{test_identity(1).node, "node-1", 10, 3, protocol_version, 1}));
  CAF_CHECK(a.session.is_established() && b.session.is_established());
}

CAF_TEST(messages arrive in order whatever the pieces are) {
  connect();
  std::vector<message> sent;
  for (uint64_t i = 0; i < 20; ++i) {
    sent.emplace_back(request{i, 1, std::string(i * 997, 'x')});
    sent.emplace_back(stop{i});
  }
  for (size_t piece : {1, 7, 16, 17, 1000, 1 << 20}) {
    a.delivered.clear();
    b.delivered.clear();
    for (auto& x : sent) {
      a.send(x);
      b.send(x);
    }
    carry(a, b, piece);
    CAF_CHECK(a.delivered == sent);
    CAF_CHECK(b.delivered == sent);
  }
}

CAF_TEST(the handshake may come in single bytes) {
  a.start();
  b.start();
  carry(a, b, 1);
  CAF_CHECK(a.peer && b.peer);
}

CAF_TEST(nothing is sent before the link is established and after its end) {
  std::string out;
  a.start();
  CAF_CHECK(!a.session.send(out, stop{1}));
  b.start();
  carry(a, b);
  CAF_CHECK(a.session.send(out, stop{1}));
  CAF_CHECK(!a.session.send(out, response{1, std::string(frame_payload_max, 'x')}));
  out.clear();
  a.perform(a.session.end(close_reason::shutting_down));
  CAF_CHECK(!a.session.send(out, stop{1}));
  CAF_CHECK_EQUAL(out, "");
}

CAF_TEST(the acceptor proves nothing to somebody who does not know the secret) {
  auto stranger = test_identity(1);
  stranger.secret = "a guess";
  pair x{stranger, test_identity(2)};
  x.meet();
  CAF_CHECK(x.b.closed_with(close_reason::bad_proof));
  CAF_CHECK(x.a.closed_with(close_reason::bad_proof, true));
  CAF_CHECK_EQUAL(x.b.all_out.size(), x.a.all_out.size() - bytes_of(proof{}).size()
                                        + bytes_of(goodbye{close_reason::bad_proof, ""}).size());
}

CAF_TEST(the dialler sees that the acceptor does not know the secret) {
  // An acceptor that takes every proof, and answers with one of its own.
  b.start();
  a.start();
  a.feed(b.out);
  CAF_REQUIRE(!a.closed);
  a.feed(bytes_of(proof{}));
  CAF_CHECK(a.closed_with(close_reason::bad_proof));
  CAF_CHECK(!a.peer);
}

CAF_TEST(a proof that comes back is none) {
  // Whoever dialled us is dialled by us through the same man in the middle.
  a.start();
  b.start();
  a.feed(b.out);
  auto proof_of_a = a.out.substr(a.out.size() - bytes_of(proof{}).size());
  a.feed(proof_of_a);
  CAF_CHECK(a.closed_with(close_reason::bad_proof));
}

CAF_TEST(a hello that comes back is refused) {
  a.start();
  a.feed(a.out);
  CAF_CHECK(a.closed_with(close_reason::own_node));
}

CAF_TEST(a recorded handshake is worth nothing) {
  connect();
  end_of_link later{link_role::acceptor, test_identity(2), 3};
  later.start();
  later.feed(a.all_out);
  CAF_CHECK(later.closed_with(close_reason::bad_proof));
  CAF_CHECK(!later.peer);
}

CAF_TEST(a changed hello breaks the proof) {
  // Somebody in the middle takes the place of a nonce, an incarnation, ...
  hello fake;
  fake.version_min = fake.version_max = protocol_version;
  fake.cluster = "prod";
  fake.node = test_identity(1).node;
  fake.member = "node-1";
  fake.incarnation = 11;
  fake.membership = 3;
  fake.abilities = 1;
  fake.nonce = test_nonce(1);
  a.start();
  b.start();
  a.feed(b.out);
  b.feed(bytes_of(fake));
  CAF_REQUIRE(!b.closed);
  b.feed(a.out.substr(bytes_of(fake).size()));
  CAF_CHECK(b.closed_with(close_reason::bad_proof));
}

CAF_TEST(another cluster is refused) {
  auto other = test_identity(2);
  other.cluster = "test";
  pair x{test_identity(1), other};
  x.meet();
  CAF_CHECK(x.a.closed_with(close_reason::wrong_cluster));
}

CAF_TEST(versions have to meet and the highest common one is spoken) {
  auto older = test_identity(1);
  older.version_min = 1;
  older.version_max = 3;
  auto newer = test_identity(2);
  newer.version_min = 2;
  newer.version_max = 9;
  end_of_link x{link_role::dialler, older, 1};
  end_of_link y{link_role::acceptor, newer, 2};
  x.start();
  y.start();
  carry(x, y);
  CAF_REQUIRE(x.peer && y.peer);
  CAF_CHECK_EQUAL(x.peer->version, 3u);
  CAF_CHECK_EQUAL(y.peer->version, 3u);
  newer.version_min = 4;
  pair apart{older, newer};
  apart.meet();
  CAF_CHECK(apart.a.closed_with(close_reason::version_mismatch));
}

CAF_TEST(the own id at the other end is refused) {
  auto twin = test_identity(2);
  twin.node = test_identity(1).node;
  pair x{test_identity(1), twin};
  x.meet();
  CAF_CHECK(x.a.closed_with(close_reason::own_node));
}

CAF_TEST(the owner decides who is admitted) {
  b.refuse_with = close_reason::not_a_member;
  a.start();
  b.start();
  carry(a, b);
  CAF_CHECK(b.asked == std::vector<std::string>{"node-1"});
  CAF_CHECK(b.closed_with(close_reason::not_a_member));
  CAF_CHECK(a.closed_with(close_reason::not_a_member, true));
}

CAF_TEST(before the proofs only short frames and only those of the handshake are taken) {
  for (auto& x : {frame{ping{}}, frame{message{stop{1}}}, frame{proof{}}}) {
    end_of_link y{link_role::acceptor, test_identity(2), 2};
    y.start();
    y.feed(bytes_of(x));
    CAF_CHECK(y.closed_with(close_reason::unexpected_frame));
  }
  b.start();
  b.feed(bytes_of(message{response{1, std::string(early_payload_max, 'x')}}).substr(0, 16));
  CAF_CHECK(b.closed_with(close_reason::frame_too_long));
}

CAF_TEST(no second hello and no second proof) {
  connect();
  auto hello_of_a = a.all_out.substr(0, a.all_out.size() - bytes_of(proof{}).size());
  b.feed(hello_of_a);
  CAF_CHECK(b.closed_with(close_reason::unexpected_frame));
  a.feed(bytes_of(proof{}));
  CAF_CHECK(a.closed_with(close_reason::unexpected_frame));
  end_of_link c{link_role::acceptor, test_identity(3), 3};
  c.start();
  c.feed(hello_of_a);
  c.feed(hello_of_a);
  CAF_CHECK(c.closed_with(close_reason::unexpected_frame));
}

CAF_TEST(damaged frames end the link with their reason) {
  auto damage = [](auto change) {
    fixture x;
    x.connect();
    auto bytes = bytes_of(message{credit{1}});
    change(bytes);
    x.b.feed(bytes);
    CAF_REQUIRE(x.b.closed);
    CAF_CHECK(x.b.delivered.empty());
    return x.b.closed->reason;
  };
  CAF_CHECK(damage([](std::string& x) { x[0] = 'x'; }) == close_reason::not_a_frame);
  CAF_CHECK(damage([](std::string& x) { x.back() ^= 1; }) == close_reason::bad_checksum);
  CAF_CHECK(damage([](std::string& x) { x[4] = 0x7f; }) == close_reason::frame_too_long);
  CAF_CHECK(damage([](std::string& x) { x[3] = 60; }) == close_reason::malformed_frame);
}

CAF_TEST(what follows the last frame is not looked at) {
  connect();
  b.feed(bytes_of(goodbye{close_reason::replaced, "bye"}) + bytes_of(message{credit{1}}));
  CAF_CHECK(b.closed_with(close_reason::replaced, true));
  CAF_CHECK_EQUAL(b.closed->text, "bye");
  CAF_CHECK(b.delivered.empty());
  b.feed("anything");
  b.tick(100000);
}

CAF_TEST(a handshake takes no longer than three seconds) {
  a.start();
  a.tick(1000);
  a.tick(2000);
  a.tick(2999);
  CAF_CHECK(!a.closed);
  a.feed("T", 2999); // a byte now and then does not help
  a.tick(3000);
  CAF_CHECK(a.closed_with(close_reason::handshake_timeout));
}

CAF_TEST(a silent peer is suspected and then left) {
  connect();
  for (int64_t now : {1000, 2000})
    a.tick(now);
  CAF_CHECK(a.suspected.empty());
  a.tick(3000);
  a.tick(4000);
  CAF_CHECK(a.suspected == std::vector{true});
  a.feed(bytes_of(ping{}), 4500);
  CAF_CHECK((a.suspected == std::vector{true, false}));
  for (int64_t now : {5000, 6000, 7000, 8000, 9000})
    a.tick(now);
  CAF_CHECK(!a.closed);
  CAF_CHECK((a.suspected == std::vector{true, false, true}));
  a.tick(9500);
  CAF_CHECK(a.closed_with(close_reason::silent));
}

CAF_TEST(two that have nothing to say stay together) {
  connect();
  for (int64_t now = 1000; now < 60000; now += 1000) {
    a.tick(now);
    b.tick(now + 300);
    carry(a, b, SIZE_MAX, now + 300);
  }
  CAF_CHECK(!a.closed && !b.closed);
  CAF_CHECK(a.suspected.empty());
}

CAF_TEST(a node that slept does not blame its peers) {
  connect();
  a.tick(1000);
  a.tick(61000);
  CAF_CHECK(!a.closed);
  CAF_CHECK(a.suspected.empty());
  for (int64_t now = 62000; now <= 65000; now += 1000)
    a.tick(now);
  CAF_CHECK(a.closed_with(close_reason::silent));
}

CAF_TEST(the owner ends a link with a reason) {
  connect();
  a.perform(a.session.end(close_reason::shutting_down, "until later"));
  carry(a, b);
  CAF_CHECK(a.closed_with(close_reason::shutting_down));
  CAF_CHECK(b.closed_with(close_reason::shutting_down, true));
  CAF_CHECK_EQUAL(b.closed->text, "until later");
  CAF_CHECK(a.session.end(close_reason::replaced).empty());
}

CAF_TEST(a reason is told also if its text cannot be) {
  connect();
  a.perform(a.session.end(close_reason::replaced, "two\nlines"));
  carry(a, b);
  CAF_CHECK(b.closed_with(close_reason::replaced, true));
}

CAF_TEST(random bytes never establish anything) {
  auto given = std::getenv("TIDINGS_SEED");
  auto seed = given ? std::strtoul(given, nullptr, 10) : std::random_device{}();
  CAF_MESSAGE("TIDINGS_SEED=" << seed);
  std::mt19937_64 random{seed};
  connect();
  for (int round = 0; round < 2000; ++round) {
    auto bytes = a.all_out;
    for (auto n = 1 + random() % 3; n > 0; --n)
      bytes[random() % bytes.size()] ^= static_cast<char>(1 + random() % 255);
    end_of_link x{link_role::acceptor, test_identity(2), 2};
    x.start();
    for (size_t i = 0; i < bytes.size() && !x.closed;) {
      auto n = 1 + random() % 200;
      x.feed(std::string_view{bytes}.substr(i, n));
      i += n;
    }
    if (bytes != a.all_out)
      CAF_CHECK(!x.peer);
  }
}

CAF_TEST_FIXTURE_SCOPE_END
()
