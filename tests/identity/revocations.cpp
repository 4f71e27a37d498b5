#define CAF_SUITE revocations

#include "identity/revocations.hpp"

#include <caf/test/dsl.hpp>

#include <atomic>
#include <thread>

namespace {

using namespace tidings;
using namespace std::literals;
using namespace std::chrono_literals;

caller with_token(std::string user, std::string id, int64_t issued_at_ms,
                  caller::way how = caller::way::token) {
  caller x;
  x.how = how;
  x.user = std::move(user);
  x.token_id = std::move(id);
  x.issued_at_ms = issued_at_ms;
  return x;
}

status revoke_user(revocations& in, std::string user, int64_t before_ms, int64_t now_ms) {
  auto x = in.revoke({std::move(user), {}, before_ms, 0}, now_ms, now_ms);
  return x ? status{} : x.error();
}

status revoke_token(revocations& in, std::string id, int64_t now_ms) {
  auto x = in.revoke({{}, std::move(id), 0, 0}, now_ms, now_ms);
  return x ? status{} : x.error();
}

constexpr int64_t day = 24 * 60 * 60 * 1000;

CAF_TEST(nothing is revoked at first) {
  revocations x{24h};
  CAF_CHECK(!x.is_revoked(with_token("alice", "t", 0)));
  CAF_CHECK(x.list(0).empty());
}

CAF_TEST(all tokens of a user that were issued before a moment) {
  revocations x{24h};
  CAF_CHECK(!revoke_user(x, "alice", 1000, 1000));
  CAF_CHECK(x.is_revoked(with_token("alice", "", 999)));
  CAF_CHECK(x.is_revoked(with_token("alice", "", 0))); // does not say when
  CAF_CHECK(!x.is_revoked(with_token("alice", "", 1000)));
  CAF_CHECK(!x.is_revoked(with_token("bob", "", 999)));
  CAF_CHECK(!x.is_revoked(with_token("", "", 999)));
  for (auto how : {caller::way::cookie, caller::way::query})
    CAF_CHECK(x.is_revoked(with_token("alice", "", 999, how)));
  for (auto how : {caller::way::proxy, caller::way::api_key, caller::way::open})
    CAF_CHECK(!x.is_revoked(with_token("alice", "", 0, how)));
}

CAF_TEST(one token) {
  revocations x{24h};
  CAF_CHECK(!revoke_token(x, "t1", 1000));
  CAF_CHECK(x.is_revoked(with_token("alice", "t1", 2000)));
  CAF_CHECK(x.is_revoked(with_token("", "t1", 2000)));
  CAF_CHECK(!x.is_revoked(with_token("alice", "t2", 0)));
  CAF_CHECK(!x.is_revoked(with_token("alice", "", 0)));
}

CAF_TEST(of two for one user the stricter stays) {
  revocations x{24h};
  CAF_CHECK(!revoke_user(x, "alice", 5000, 5000));
  CAF_CHECK(!revoke_user(x, "alice", 1000, 5001));
  CAF_CHECK(x.is_revoked(with_token("alice", "", 4999)));
  CAF_CHECK_EQUAL(x.list(5001).size(), 1u);
}

CAF_TEST(entries die when no token can be left) {
  revocations x{24h};
  CAF_CHECK(!revoke_user(x, "alice", 1000, 1000));
  CAF_CHECK(!revoke_user(x, "bob", 1000 + day, 1000)); // also of the tokens of the day to come
  CAF_CHECK(!revoke_token(x, "t1", 1000));
  CAF_CHECK_EQUAL(x.list(1000).size(), 3u);
  CAF_CHECK_EQUAL(x.list(1000 + day - 1).size(), 3u);
  CAF_CHECK_EQUAL(x.list(1000 + day).size(), 1u);
  CAF_CHECK(!revoke_token(x, "t2", 1000 + day)); // forgets them
  CAF_CHECK(!x.is_revoked(with_token("alice", "", 1)));
  CAF_CHECK(!x.is_revoked(with_token("", "t1", 1)));
  CAF_CHECK(x.is_revoked(with_token("bob", "", 1)));
}

CAF_TEST(nothing is forgotten to make room) {
  revocations x{24h, 2};
  CAF_CHECK(!revoke_user(x, "alice", 1000, 1000));
  CAF_CHECK(!revoke_token(x, "t1", 1000));
  auto why = revoke_user(x, "bob", 1000, 1000);
  CAF_REQUIRE(why);
  CAF_CHECK(why->code == errc::overloaded);
  CAF_CHECK(!revoke_user(x, "alice", 2000, 2000)); // is there already
  CAF_CHECK(x.is_revoked(with_token("alice", "", 1999)));
  CAF_CHECK(x.is_revoked(with_token("", "t1", 0)));
  CAF_CHECK(!revoke_user(x, "bob", 3000 + day, 3000 + day)); // the others have died
}

CAF_TEST(tokens that may live longer stay revoked for longer) {
  revocations x{24h};
  x.set_lifetime(48h);
  CAF_CHECK(!revoke_user(x, "alice", 1000, 1000));
  CAF_CHECK_EQUAL(x.list(1000 + 2 * day - 1).size(), 1u);
  CAF_CHECK(x.list(1000 + 2 * day).empty());
}

CAF_TEST(a clock that is ahead for a while lets nobody in again) {
  revocations x{24h};
  CAF_CHECK(!revoke_token(x, "t1", 1000));
  CAF_CHECK(
    x.revoke({{}, "t2", 0, 0}, 1000 + 30 * day, 1000)); // only a minute has passed for certain
  CAF_CHECK(x.is_revoked(with_token("alice", "t1", 0)));
  CAF_CHECK(x.is_revoked(with_token("alice", "t2", 0)));
  CAF_CHECK(!revoke_token(x, "t3", 1000 + 40 * day));
  CAF_CHECK(!x.is_revoked(with_token("alice", "t1", 0)));
}

CAF_TEST(what cannot be is refused) {
  revocations x{24h};
  for (auto& why : {revoke_user(x, "", 1, 1), revoke_user(x, "me", 1, 1), revoke_user(x, "*", 1, 1),
                    revoke_token(x, "", 1), revoke_token(x, std::string(513, 't'), 1),
                    revoke_token(x, "\xff", 1), x.add({"a", "b", 1, 100}, 1), x.add({}, 1)}) {
    CAF_REQUIRE(why);
    CAF_CHECK(why->code == errc::invalid_parameter);
  }
  CAF_CHECK(x.list(1).empty());
}

CAF_TEST(survives as lines) {
  revocations x{24h};
  CAF_CHECK(!revoke_user(x, "al\"ice\\ \xc3\xa9", 1000, 1000));
  CAF_CHECK(!revoke_user(x, "bob", 2000, 1000));
  CAF_CHECK(!revoke_token(x, "t\n1", 1000));
  revocations again{24h};
  for (auto& entry : x.list(1000)) {
    auto line = to_json_line(entry);
    CAF_CHECK_EQUAL(line.find('\n'), std::string::npos);
    auto read = parse_revocation(line);
    CAF_REQUIRE(read);
    CAF_CHECK(*read == entry);
    CAF_CHECK(!again.add(*read, 1000));
  }
  CAF_CHECK(again.list(1000) == x.list(1000));
  revocations late{24h};
  for (auto& entry : x.list(1000))
    CAF_CHECK(!late.add(entry, 1000 + 3 * day));
  CAF_CHECK(late.list(0).empty());
  CAF_CHECK_EQUAL(to_json_line({"bob", {}, 2000, 3000}),
                  R"({"user":"bob","issued-before-ms":2000,"dies-at-ms":3000})");
  CAF_CHECK_EQUAL(to_json_line({{}, "t", 0, 3000}), R"({"token-id":"t","dies-at-ms":3000})");
}

CAF_TEST(other lines are refused) {
  for (auto bad :
       {"", "{}", "[]", "x", R"({"user":"bob"})", R"({"user":1,"dies-at-ms":1})",
        R"({"user":"bob","token-id":"t","dies-at-ms":1})", R"({"user":"bob","dies-at-ms":"1"})",
        R"({"user":"bob","dies-at-ms":1.5})", R"({"user":"bob","user":"bob","dies-at-ms":1})"}) {
    auto x = parse_revocation(bad);
    CAF_REQUIRE(!x);
    CAF_CHECK(x.error().code == errc::invalid_json);
  }
}

CAF_TEST(many threads may ask while one revokes) {
  revocations x{24h};
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  CAF_CHECK(!revoke_user(x, "first", 1000, 1000));
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      while (!done) {
        if (!x.is_revoked(with_token("first", "", 1)) || x.is_revoked(with_token("none", "", 1)))
          ++wrong;
        if (x.list(1000).empty())
          ++wrong;
      }
    });
  for (int i = 0; i < 500; ++i)
    (void)revoke_token(x, std::to_string(i), 1000);
  done = true;
  for (auto& thread : threads)
    thread.join();
  CAF_CHECK_EQUAL(wrong.load(), 0);
}

} // namespace
