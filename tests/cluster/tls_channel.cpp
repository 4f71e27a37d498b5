#define CAF_SUITE tls_channel

#include "cluster/tls_channel.hpp"

#include "support/test_certificates.hpp"

#include <caf/test/dsl.hpp>
#include <openssl/ssl.h>

#include <utility>

using namespace tidings;
using namespace tidings::cluster;

namespace {

using identity_ptr = std::shared_ptr<const tls_identity>;

identity_ptr load(const test_certificate& own, const test_authority& believed) {
  auto x = tls_identity::load({own.certificate.path(), own.key.path(), believed.path()});
  if (!x)
    CAF_FAIL(x.error().detail);
  return *x;
}

/// One end, and what it said and heard.
struct end_of_channel {
  end_of_channel(identity_ptr identity, bool dialler) : channel(std::move(identity), dialler) {
    // nop
  }

  void feed(std::string_view bytes) {
    if (!broken)
      broken = !channel.receive(bytes, plain, wire);
  }

  tls_channel channel;
  std::string wire; ///< not taken by the other end yet
  std::string plain;
  bool broken = false;
};

/// Carries bytes until both are quiet.
void carry(end_of_channel& a, end_of_channel& b, size_t piece = SIZE_MAX) {
  while (!a.wire.empty() || !b.wire.empty())
    for (auto [from, to] : {std::pair{&a, &b}, std::pair{&b, &a}}) {
      auto bytes = std::exchange(from->wire, {});
      for (size_t i = 0; i < bytes.size(); i += std::min(piece, bytes.size() - i))
        to->feed(std::string_view{bytes}.substr(i, piece));
    }
}

const test_authority& authority() {
  static const test_authority x;
  return x;
}

identity_ptr identity_for(const std::string& names, const std::string& common_name = "node") {
  return load(authority().issue(names, common_name), authority());
}

struct fixture {
  end_of_channel a{identity_for("node-a"), true};
  end_of_channel b{identity_for("node-b"), false};

  void connect(size_t piece = SIZE_MAX) {
    a.feed({});
    carry(a, b, piece);
    CAF_REQUIRE(a.channel.is_open() && b.channel.is_open());
  }
};

/// Two that must not get together.
struct strangers {
  strangers(identity_ptr x, identity_ptr y) : a(std::move(x), true), b(std::move(y), false) {
    a.feed({});
    carry(a, b);
  }

  end_of_channel a;
  end_of_channel b;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(tls_channel_tests, fixture)

CAF_TEST(what one side says the other hears whatever the pieces are) {
  connect();
  std::string text;
  for (int i = 0; i < 200000; ++i)
    text += static_cast<char>(i * 7);
  for (size_t piece : {size_t{1}, size_t{17}, size_t{5000}, SIZE_MAX}) {
    a.plain.clear();
    b.plain.clear();
    CAF_REQUIRE(a.channel.send(text, a.wire));
    CAF_REQUIRE(b.channel.send("short", b.wire));
    CAF_CHECK(a.wire.find(text.substr(0, 100)) == std::string::npos);
    carry(a, b, piece);
    CAF_CHECK(b.plain == text);
    CAF_CHECK_EQUAL(a.plain, "short");
  }
}

CAF_TEST(the handshake may come in single bytes) {
  connect(1);
}

CAF_TEST(nothing is sent before the channel is open) {
  std::string wire;
  CAF_CHECK(!a.channel.send("early", wire));
  CAF_CHECK_EQUAL(wire, "");
}

CAF_TEST(the certificate says which names the peer may have) {
  end_of_channel x{identity_for("node-x,node-y", "node-z"), true};
  CAF_CHECK(!b.channel.peer_may_be("node-x"));
  x.feed({});
  carry(x, b);
  CAF_REQUIRE(b.channel.is_open());
  CAF_CHECK(b.channel.peer_may_be("node-x"));
  CAF_CHECK(b.channel.peer_may_be("node-y"));
  CAF_CHECK(x.channel.peer_may_be("node-b"));
  CAF_CHECK(!b.channel.peer_may_be("node-z")); // the subject's name is no DNS name
  CAF_CHECK(!b.channel.peer_may_be("node-b"));
  CAF_CHECK(!b.channel.peer_may_be(""));
  CAF_CHECK(!b.channel.peer_may_be((std::string{"node-x\0", 7})));
}

CAF_TEST(neither wildcards nor whole domains are names) {
  end_of_channel x{identity_for("*.cluster.example,one.example"), true};
  x.feed({});
  carry(x, b);
  CAF_REQUIRE(b.channel.is_open());
  CAF_CHECK(b.channel.peer_may_be("one.example"));
  CAF_CHECK(!b.channel.peer_may_be("node-x.cluster.example"));
  CAF_CHECK(!b.channel.peer_may_be(".example"));
}

CAF_TEST(a certificate without names is nobody) {
  end_of_channel x{identity_for("", "node-x"), true};
  x.feed({});
  carry(x, b);
  CAF_REQUIRE(b.channel.is_open());
  CAF_CHECK(!b.channel.peer_may_be("node-x"));
}

CAF_TEST(certificates of another authority are refused on both sides) {
  test_authority other;
  auto stranger = load(other.issue("node-a"), authority());
  strangers x{stranger, identity_for("node-b")};
  CAF_CHECK(x.b.broken && !x.b.channel.is_open());
  CAF_CHECK(x.a.broken); // hears of it
  CAF_CHECK(x.b.channel.problem().find("certificate signature failure") != std::string::npos);
  strangers y{identity_for("node-a"), stranger};
  CAF_CHECK(y.a.broken && !y.a.channel.is_open());
  CAF_CHECK(!y.b.channel.is_open());
}

CAF_TEST(who shows no certificate is refused) {
  auto ssl = SSL_CTX_new(TLS_client_method());
  auto client = SSL_new(ssl);
  SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(client);
  for (int i = 0; i < 10 && !b.broken; ++i) {
    SSL_do_handshake(client);
    char buffer[8192];
    auto n = BIO_read(SSL_get_wbio(client), buffer, sizeof(buffer));
    b.feed({buffer, static_cast<size_t>(std::max(n, 0))});
    BIO_write(SSL_get_rbio(client), b.wire.data(), static_cast<int>(b.wire.size()));
    b.wire.clear();
  }
  CAF_CHECK(b.broken && !b.channel.is_open());
  SSL_free(client);
  SSL_CTX_free(ssl);
}

CAF_TEST(an older TLS is refused) {
  auto ssl = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_max_proto_version(ssl, TLS1_2_VERSION);
  auto client = SSL_new(ssl);
  SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(client);
  SSL_do_handshake(client);
  char buffer[8192];
  auto n = BIO_read(SSL_get_wbio(client), buffer, sizeof(buffer));
  CAF_REQUIRE(n > 0);
  b.feed({buffer, static_cast<size_t>(n)});
  CAF_CHECK(b.broken);
  CAF_CHECK(b.channel.problem().find("protocol") != std::string::npos);
  SSL_free(client);
  SSL_CTX_free(ssl);
}

CAF_TEST(plain text and garbage break the channel) {
  b.feed("Td\x01\x01 and what else a plain link begins with");
  CAF_CHECK(b.broken);
  CAF_CHECK(!b.channel.problem().empty());
  std::string plain, wire;
  CAF_CHECK(!b.channel.receive("more", plain, wire));
  a.feed("HTTP/1.1 200 OK\r\n\r\n");
  CAF_CHECK(a.broken);
}

CAF_TEST(a handshake without an end is cut off) {
  // A hello as long as OpenSSL would take.
  std::string record{"\x16\x03\x01\x40\x00", 5};
  record += std::string{"\x01\x01\xff\xff", 4};
  record.append(0x4000 - 4, '\0');
  size_t bytes = 0;
  while (!b.broken && bytes < 1000000) {
    b.feed(record);
    bytes += record.size();
  }
  CAF_CHECK(b.broken);
  CAF_CHECK(bytes <= tls_channel::handshake_bytes_max + record.size());
}

CAF_TEST(a changed byte breaks the channel) {
  connect();
  CAF_REQUIRE(a.channel.send("text", a.wire));
  a.wire.back() ^= 1;
  b.feed(a.wire);
  CAF_CHECK(b.broken);
  CAF_CHECK_EQUAL(b.plain, "");
}

CAF_TEST(bad files are named) {
  auto good = authority().issue("node-a");
  auto other = authority().issue("node-b");
  scratch_file empty{""};
  auto names = [](const tls_files& files, const std::string& path) {
    auto x = tls_identity::load(files);
    return !x && x.error().code == errc::invalid_configuration
           && x.error().detail.find("'" + path + "'") != std::string::npos;
  };
  auto certificate = good.certificate.path();
  auto key = good.key.path();
  CAF_CHECK(names({"/no/such/file", key, authority().path()}, "/no/such/file"));
  CAF_CHECK(names({certificate, empty.path(), authority().path()}, empty.path()));
  CAF_CHECK(names({certificate, other.key.path(), authority().path()}, other.key.path()));
  CAF_CHECK(names({certificate, key, empty.path()}, empty.path()));
}

CAF_TEST_FIXTURE_SCOPE_END
()
